import { readFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { parse } from 'yaml';
import type { Cli } from './cli.ts';
import { SCRIPTS, type Shell } from './completion-scripts.ts';
import { suggest } from './completion-words.ts';
import { examples } from './examples.ts';

/** `rollcall completion`: what a shell runs to complete commands, options and names. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Prints what completes commands, options and the names of your destinations in bash, zsh or fish. The text says where it goes.',
    )
    .addArgument(new Argument('<shell>', 'yours').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      examples(
        'eval "$(rollcall completion bash)"',
        'eval "$(rollcall completion zsh)"',
        'rollcall completion fish > ~/.config/fish/completions/rollcall.fish',
      ),
    );
  cli.action(command, () => {
    cli.say(SCRIPTS[command.processedArgs[0] as Shell]);
    return Promise.resolve(0);
  });
  const asked = command.command('suggest', { hidden: true }).argument('[words...]');
  cli.action(asked, async () => {
    const words = asked.args;
    const program = command.parent ?? command;
    const { words: found, files } = await suggest(program, words, { destinations: () => destinationNames(words, cli) });
    const lines = found.map(({ word, about }) => `${word}\t${about.split('\n')[0]}`);
    if (lines.length > 0 || files) cli.say(...lines, ...(files ? [':files'] : []));
    return 0;
  });
}

/** Of the config that the words name, without its variables: whoever completes has not set them all. None where it can't be read. */
async function destinationNames(words: readonly string[], cli: Cli): Promise<readonly string[]> {
  const named = words.findIndex((word) => word === '-c' || word === '--config');
  const file = (named === -1 ? undefined : words[named + 1]) ?? cli.globals.config;
  try {
    const tree: unknown = parse(await readFile(file, 'utf8'));
    return Object.keys((tree as { readonly destinations?: object }).destinations ?? {});
  } catch {
    return [];
  }
}
