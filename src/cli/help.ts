import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { closest } from '../config/suggest.ts';
import type { Cli } from './cli.ts';
import { explainCode } from './error-codes.ts';
import { examples } from './examples.ts';
import { TOPICS, type Topic } from './help-topics.ts';
import { widthOf } from './io.ts';
import { columns, hanging } from './layout.ts';

/** `rollcall help`: of a command, a topic or the code of an error. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows help for a command, a topic, or the code of an error.')
    .argument('[what...]', 'a command, a topic, or a code')
    .addHelpText(
      'after',
      `\n${topicList()}\n${examples('rollcall help status', 'rollcall help consent', 'rollcall help RC_BRAKE')}`,
    );
  cli.action(command, async () => {
    await show(command, command.args, cli);
    return 0;
  });
}

/** @throws RollcallError `RC_HELP_UNKNOWN` */
async function show(command: Command, words: readonly string[], cli: Cli): Promise<void> {
  const program = command.parent ?? command;
  const [first] = words;
  const of = first === undefined ? program : commandOf(program, words);
  if (of !== undefined) {
    of.outputHelp();
    if (of === program) cli.say(topicList());
  }
  // A topic may be called like the command it is about.
  const topic = words.length === 1 ? TOPICS.find(({ name }) => name === first) : undefined;
  if (topic !== undefined) cli.say(...(of === undefined ? [] : ['---', '']), renderTopic(topic, cli));
  else if (of === undefined) cli.say(await renderCode(first ?? '', program, cli));
}

function commandOf(program: Command, words: readonly string[]): Command | undefined {
  let found: Command | undefined = program;
  for (const word of words) found = found?.commands.find((each) => each.name() === word);
  return found;
}

function renderTopic({ name, summary, text, more }: Topic, { paint, io }: Cli): string {
  const head = `${paint('bold', name)}: ${summary}`;
  return [head, '', text, '', paint('dim', hanging('More: ', more, widthOf(io.stdout)))].join('\n');
}

async function renderCode(word: string, program: Command, { io, paint }: Cli): Promise<string> {
  const code = word.toUpperCase();
  const explained = code.startsWith('RC_') ? await explainCode(code) : undefined;
  if (explained === undefined) throw unknown(word, program);
  const width = widthOf(io.stdout);
  const { means, todo } = explained;
  return [
    paint('bold', code),
    hanging('  means   ', means, width),
    ...(todo === '' ? [] : [hanging('  to do   ', todo, width)]),
  ].join('\n');
}

function unknown(word: string, program: Command): RollcallError {
  const known = [...program.commands.map((each) => each.name()), ...TOPICS.map(({ name }) => name)];
  const meant = closest(word, known);
  return new RollcallError('RC_HELP_UNKNOWN', `There is no command, topic or code ${JSON.stringify(word)}.`, {
    hint: meant === undefined ? '`rollcall help` lists what there is.' : `Did you mean ${meant}?`,
  });
}

/** All topics with what they are about. */
function topicList(): string {
  const rows = TOPICS.map(({ name, summary }) => [name, summary]);
  return `Topics (rollcall help <topic>):\n${columns(rows, 'll')}`;
}
