import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import type { RollcallError } from '../core/errors.ts';
import { fatalError, notInstalled } from '../engine/fatal.ts';
import type { Sql } from '../sql/port.ts';
import { refOf } from '../sql/open-database.ts';
import type { Cli } from './cli.ts';
import { sandboxNotes } from './development.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import type { StatusDocument } from './status-document.ts';
import { problemsOf } from './status-problems.ts';
import { renderStatus } from './status-view.ts';
import { withDatabase } from './with-database.ts';

/** `rollcall status`: what is in step and what is not; exit code 1 when something needs a person. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows what is in step, pending and failed. Exit code 1 when something needs a person.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall status', 'rollcall status --json'));
  cli.action(command, async (options: { readonly json?: boolean }) => {
    const config = await loadConfig(cli);
    const { status, refusals } = await withDatabase(config, (sql) => readStatus(sql, config));
    const problems = problemsOf(status, refusals, config.sweep.everyMs);
    const healthy = problems.length === 0;
    if (options.json === true) {
      const sandboxes = Object.fromEntries(
        config.destinations.flatMap((d) => (d.sandbox ? [[d.name, d.sandbox]] : [])),
      );
      cli.json({ healthy, problems, ...(Object.keys(sandboxes).length === 0 ? {} : { sandboxes }), ...status });
    } else {
      const at = { now: Date.now(), width: widthOf(cli.io.stdout), paint: cli.paint };
      cli.say(renderStatus(status, problems, at), ...sandboxNotes(config));
    }
    return healthy ? 0 : 1;
  });
}

async function readStatus(
  sql: Sql,
  config: Config,
): Promise<{ readonly status: StatusDocument; readonly refusals: readonly RollcallError[] }> {
  const [row] = await sql.query<{ status: StatusDocument }>('select rollcall.status() as status');
  if (row === undefined) {
    throw notInstalled();
  }
  const ref = refOf(config);
  const checks = await Promise.all([
    refusal(sql, 'select rollcall.check_identity($1, $2)', [ref, config.environment]),
    refusal(sql, 'select rollcall.check_config($1)', [config.hash]),
  ]);
  return { status: row.status, refusals: checks.filter((check) => check !== undefined) };
}

/** Why a worker with this config would not start. */
async function refusal(sql: Sql, text: string, values: readonly unknown[]): Promise<RollcallError | undefined> {
  try {
    await sql.query(text, values);
    return undefined;
  } catch (error) {
    const known = fatalError(error);
    if (known?.code === 'RC_NOT_BOUND' || known?.code === 'RC_CONFIG_NOT_APPLIED') return known;
    throw error;
  }
}
