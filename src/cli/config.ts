import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { defineConfigCheck } from './config-check.ts';
import { defineConfigSchema } from './config-schema.ts';
import { examples } from './examples.ts';

/** `rollcall config`: what can be done with a config without a database. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Checks the config, or prints its JSON Schema.')
    .addHelpText('after', examples('rollcall config check', 'rollcall config schema > rollcall.schema.json'));
  defineConfigCheck(command.command('check'), cli);
  defineConfigSchema(command.command('schema'), cli);
}
