import { Argument, type Command } from 'commander';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { defineTest } from './test-run.ts';

/** `rollcall connectors`: what may be asked of a connector alone. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Asks a connector of the config whether it works.')
    .addHelpText('after', examples('rollcall connectors test supabase'));
  const test = command
    .command('test')
    .summary('ask the services of the project, live')
    .description(
      'Asks the services of the project, live: API, Auth, tables, Storage, Realtime and Edge Functions. `rollcall test` asks the database and the destinations too. Exit code 0 only when all is well.',
    )
    .addArgument(new Argument('<connector>', 'its name in the config').choices(['supabase']))
    .addHelpText('after', examples('rollcall connectors test supabase', 'rollcall connectors test supabase --json'));
  defineTest(test, cli, false);
}
