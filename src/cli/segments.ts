import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { wholeNumber } from './option-values.ts';
import { runList } from './segments-list.ts';
import { runPreview } from './segments-preview.ts';

/** `rollcall segments`: who is on which list, and who would be. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Lists the segments of the config with their lists, and how many are on each.')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall segments',
        'rollcall segments preview pro',
        "rollcall segments preview --from customers --filter 'plan=eq.pro&mrr=gt.100'",
      ),
    );
  cli.action(command, runList);
  const preview = command
    .command('preview')
    .argument('[name]', 'a segment of the config')
    .summary('show who is in a segment, or would be')
    .description(
      'Counts who is in a segment and shows some of them. Reads the tables alone: nothing has to be installed, and nothing is changed.',
    )
    .option('--filter <filter>', 'one that is not in the config: a filter of PostgREST')
    .option('--where <sql>', 'the same as an SQL condition')
    .option('--from <table>', 'with --filter or --where: users, or a table', 'users')
    .option('--limit <n>', 'show so many addresses', wholeNumber, 5)
    .option('--reveal', 'show addresses in full')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall segments preview pro',
        "rollcall segments preview --from customers --filter 'plan=eq.pro&mrr=gt.100'",
      ),
    );
  preview.action(async (name: string | undefined) => {
    cli.exitCode = await runPreview(name, preview.optsWithGlobals(), cli);
  });
}
