import type { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.ts';
import { registry } from '../destinations/registry.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';

/** `rollcall config schema`: the JSON Schema of the config, for editors. */
export function defineConfigSchema(command: Command, cli: Cli): void {
  command
    .summary('print the JSON Schema of rollcall.yaml')
    .description('Prints the JSON Schema of rollcall.yaml, for editors.')
    .addHelpText('after', examples('rollcall config schema > rollcall.schema.json'));
  cli.action(command, () => {
    cli.json(configJsonSchema(registry));
    return Promise.resolve(0);
  });
}
