import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import type { Sql } from '../sql/port.ts';
import type { Cli } from './cli.ts';
import { sandboxNotes } from './development.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { readingProblems, readReading } from './reading-status.ts';
import { readStatus } from './read-status.ts';
import { problemsOf } from './status-problems.ts';
import { renderStatus } from './status-view.ts';
import { type Seen, watchStatus } from './status-watch.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** `rollcall status`: what is in step and what is not; exit code 1 when something needs a person. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows what is in step, pending and failed. Exit code 1 when something needs a person.')
    .option('--watch', 'look again and again until Ctrl-C; in a pipe, say what changes')
    .option('--json', 'print one JSON document; with --watch one line each')
    .addHelpText('after', examples('rollcall status', 'rollcall status --watch', 'rollcall status --json'));
  cli.action(command, runStatus);
}

async function runStatus({ json = false, watch = false }: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return await withDatabase(config, async (sql) => {
    const look = (): Promise<Seen> => lookAt(sql, config, { json, watch }, cli);
    if (watch) {
      await watchStatus(look, { json }, cli);
      return 0;
    }
    const { text, problems } = await look();
    cli.say(text);
    return problems.length === 0 ? 0 : 1;
  });
}

async function lookAt(sql: Sql, config: Config, { json, watch }: Required<Options>, cli: Cli): Promise<Seen> {
  const { status, refusals } = await readStatus(sql, config);
  const reading = await readReading(sql, config);
  const problems = [...problemsOf(status, refusals, config.sweep.everyMs), ...readingProblems(reading)];
  if (json) {
    const sandboxes = Object.fromEntries(config.destinations.flatMap((d) => (d.sandbox ? [[d.name, d.sandbox]] : [])));
    const some = Object.keys(sandboxes).length === 0 ? {} : { sandboxes };
    const document = {
      healthy: problems.length === 0,
      problems,
      ...some,
      ...(reading === undefined ? {} : { reading }),
      ...status,
    };
    return { status, problems, text: JSON.stringify(document, null, watch ? undefined : 2) };
  }
  const at = { now: Date.now(), width: widthOf(cli.io.stdout), paint: cli.paint };
  const text = [renderStatus(status, problems, at, reading), ...sandboxNotes(config)].join('\n');
  return { status, problems, text };
}
