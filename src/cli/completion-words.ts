import type { Argument, Command, Option } from 'commander';

/** What may stand at the end of a command line that is being typed. */
export interface Suggestions {
  readonly words: readonly Suggestion[];
  /** A file may stand there too. */
  readonly files: boolean;
}

export interface Suggestion {
  readonly word: string;
  readonly about: string;
}

/** What the config names, asked for only where it may stand. */
export interface Names {
  readonly destinations: () => Promise<readonly string[]>;
}

const NONE: Suggestions = { words: [], files: false };

/**
 * What may stand in place of the last of these words, by the commands as they are defined.
 * @param typed the words after `rollcall`, the last one begun or empty
 */
export async function suggest(program: Command, typed: readonly string[], names: Names): Promise<Suggestions> {
  const words = joined(typed);
  const last = words.at(-1) ?? '';
  const place = placeOf(program, words.slice(0, -1));
  const { words: fit, files } = await at(place, last, names);
  // The shell puts a word in place of all that was typed of it.
  const before = /^--[^=]+=/.exec(last)?.[0] ?? '';
  const whole = fit.map(({ word, about }) => ({ word: before + word, about }));
  return { words: whole.filter(({ word }) => word.startsWith(last)), files };
}

/** bash takes `--name=value` for three words. */
function joined(typed: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (const word of typed) {
    const before = words.at(-1);
    if (before !== undefined && (word === '=' || before.endsWith('=')) && before.startsWith('--')) {
      words[words.length - 1] = before + word;
    } else words.push(word);
  }
  return words;
}

interface Place {
  readonly command: Command;
  /** Whose value comes next. */
  readonly option: Option | undefined;
  /** Arguments that stand there already. */
  readonly given: number;
}

function placeOf(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let given = 0;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-')) option = word.includes('=') ? undefined : takesValue(optionOf(command, word));
    else {
      const inner = given === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (inner === undefined) given += 1;
      else command = inner;
    }
  }
  return { command, option, given };
}

async function at({ command, option, given }: Place, last: string, names: Names): Promise<Suggestions> {
  if (option !== undefined) return await valuesOf(option, names);
  const assigned = /^(--[^=]+)=/.exec(last)?.[1];
  if (assigned !== undefined) {
    const named = optionOf(command, assigned);
    return named === undefined ? NONE : await valuesOf(named, names);
  }
  if (last.startsWith('-')) return { words: optionsOf(command).map(asSuggestion), files: false };
  const commands = visible(command).map((each) => ({ word: each.name(), about: each.summary() || each.description() }));
  if (given === 0 && commands.length > 0) return { words: commands, files: false };
  const argument = command.registeredArguments[given];
  return argument === undefined ? NONE : await valuesOf(argument, names);
}

/** By what it may be, else by what it is called. */
async function valuesOf(of: Option | Argument, names: Names): Promise<Suggestions> {
  const choices = of.argChoices;
  if (choices !== undefined) return { words: choices.map((word) => ({ word, about: '' })), files: false };
  const called = 'flags' in of ? of.flags : of.name();
  if (/destination/.test(called)) {
    return { words: (await names.destinations()).map((word) => ({ word, about: 'destination' })), files: false };
  }
  return { words: [], files: /<(?:file|folder|path)>|\b(?:file|output|state)\b/.test(called) };
}

function optionOf(command: Command, word: string): Option | undefined {
  return optionsOf(command).find(({ long, short }) => long === word || short === word);
}

function takesValue(option: Option | undefined): Option | undefined {
  return option !== undefined && (option.required || option.optional) ? option : undefined;
}

/** Its own, those of every command, and help. */
function optionsOf(command: Command): readonly Option[] {
  const help = command.createHelp();
  help.showGlobalOptions = true;
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

function visible(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function asSuggestion({ long, short, description }: Option): Suggestion {
  return { word: long ?? short ?? '', about: description };
}
