import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { defineDeployEdge } from './deploy-edge.ts';
import { defineDeploySql } from './deploy-sql.ts';
import { examples } from './examples.ts';

/** `rollcall deploy`: the homes that need no server. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Writes what runs Rollcall inside the Supabase project, without a server.')
    .addHelpText('after', examples('rollcall deploy edge', 'rollcall deploy sql', 'rollcall deploy sql --print'));
  defineDeployEdge(command.command('edge'), cli);
  defineDeploySql(command.command('sql'), cli);
}
