import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Logger } from '../engine/ports.ts';
import { Stopped } from '../sources/api/client.ts';
import { clientOf, prepareMirror, readOnce } from '../sources/api/reader.ts';
import type { Since } from '../sources/api/round.ts';
import type { Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { count } from './layout.ts';
import { createProgress } from './progress.ts';
import { stopSignal } from './stop-signal.ts';
import { withDatabase } from './with-database.ts';

/** How much of a project that is read by its API has to be there. */
export type Wanted =
  /** Its tables, as they are described. */
  | { readonly what: 'tables' }
  /** Its rows, where they were never read. */
  | { readonly what: 'rows' }
  /** Its rows as they are now. */
  | { readonly what: 'everything'; readonly since?: Since | undefined };

/** A command asks a few times and then says that the project does not answer. */
const TRIES = 4;

/**
 * As `withDatabase`. Of a project that is read by its API, what the work needs is read first.
 * @throws RollcallError also what reading the project throws
 */
export async function withProject<T>(
  config: Config,
  wanted: Wanted,
  cli: Cli,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  return await withDatabase(config, async (sql) => {
    await readProject(config, wanted, sql, cli);
    return await work(sql);
  });
}

/** @throws RollcallError `RC_API_NEEDS_DATABASE` where the project is read by its API alone @param what as the start of a sentence */
export function needsDatabase(config: Config, what: string): void {
  if (config.api === undefined) return;
  throw new RollcallError(
    'RC_API_NEEDS_DATABASE',
    `${what} the project's database, and the config has API keys alone.`,
    {
      hint: 'Set database_url to the URL of the project (dashboard, Connect).',
    },
  );
}

async function readProject(config: Config, wanted: Wanted, sql: Sql, cli: Cli): Promise<void> {
  const { api } = config;
  if (api === undefined) return;
  const transport = createUndiciSend();
  const progress = createProgress(cli.io.stderr);
  const stop = stopSignal(cli.io);
  const log: Logger = {
    error: (_fields, message) => cli.note(message),
    warn: (_fields, message) => cli.note(message),
    info: () => undefined,
    debug: () => undefined,
  };
  const parts = { config, api, sql, send: transport.send, log };
  try {
    if (wanted.what === 'tables' || (wanted.what === 'rows' && (await isRead(sql)))) {
      await prepareMirror(parts, clientOf(parts, stop.signal, TRIES));
      return;
    }
    progress.show(`Reading ${new URL(api.projectUrl).host} by its API`);
    await readOnce(parts, stop.signal, {
      tries: TRIES,
      since: wanted.what === 'everything' ? wanted.since : undefined,
      onPage: (name, rows) => progress.show(`Reading ${name} by the API: ${count(rows, 'row')}`),
    });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    throw new RollcallError('RC_API_STOPPED', 'Stopped while reading the project by its API.', {
      hint: 'What was read stays; the same command goes on from there.',
      cause: error,
    });
  } finally {
    progress.done();
    stop.done();
    await transport.close();
  }
}

/** Whether every table that is known of was read whole. */
async function isRead(sql: Sql): Promise<boolean> {
  const [there] = await sql.query<{ there: boolean }>(
    `select to_regclass('rollcall_api.sources') is not null as there`,
  );
  if (there?.there !== true) return false;
  const [row] = await sql.query<{ read: boolean }>(
    'select bool_and(loaded_at is not null) as read from rollcall_api.sources',
  );
  return row?.read === true;
}
