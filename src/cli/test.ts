import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { defineTest } from './test-run.ts';

/** `rollcall test`: whether everything a delivery needs answers, live. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Asks everything a delivery needs, live: the API of the project (Auth, tables, Storage, Realtime, Edge Functions), the database and its triggers, and each destination’s key, scopes, lists and fields. Changes and sends nothing. Exit code 0 only when all is well.',
    )
    .addHelpText('after', examples('rollcall test', 'rollcall test --json', 'rollcall connectors test supabase'));
  defineTest(command, cli, true);
}
