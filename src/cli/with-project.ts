import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Logger } from '../engine/ports.ts';
import { Stopped } from '../sources/api/client.ts';
import { clientOf, prepareMirror, readOnce } from '../sources/api/reader.ts';
import type { Since } from '../sources/api/round.ts';
import type { Queryable, Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { count, duration } from './layout.ts';
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

/** What there is in place of the homes inside a project. */
export const RUN_A_WORKER = 'Run a worker on a machine of yours: `rollcall start`.';

/** A command asks a few times and then says that the project does not answer. */
const TRIES = 4;
/** A worker reads as often as this. */
const FRESH_S = 60;

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

/**
 * @param what as the start of a sentence
 * @param instead what can be done with API keys alone, as a sentence
 * @throws RollcallError `RC_API_NEEDS_DATABASE` where the project is read by its API alone
 */
export function needsDatabase(config: Config, what: string, instead: string): void {
  if (config.api === undefined) return;
  throw new RollcallError(
    'RC_API_NEEDS_DATABASE',
    `${what} the project's database, and the config has API keys alone.`,
    { hint: `${instead} Or set database_url to the URL of the project (dashboard, Connect).` },
  );
}

/** How old the rows of a project are that is read by its API, where that is worth a word. */
export async function readAgo(sql: Queryable, { api }: Config): Promise<string | undefined> {
  if (api === undefined) return undefined;
  const [row] = await sql.query<{ ago: number | null }>(
    'select extract(epoch from clock_timestamp() - ended_at)::float8 as ago from rollcall_api.reader',
  );
  const ago = row?.ago ?? 0;
  return ago < FRESH_S ? undefined : duration(ago);
}

/** @param ago see `readAgo` */
export function agoNote(ago: string): string {
  return `The rows are as they were read by the API ${ago} ago.`;
}

async function readProject(config: Config, wanted: Wanted, sql: Sql, cli: Cli): Promise<void> {
  const { api } = config;
  if (api === undefined) return;
  const transport = createUndiciSend();
  const progress = createProgress(cli.io.stderr);
  const stop = stopSignal(cli.io);
  const say = (fields: object, message: string): void =>
    cli.note(`${message[0]?.toUpperCase() ?? ''}${message.slice(1)} (${Object.values(fields).join(', ')}).`);
  const log: Logger = {
    error: say,
    warn: say,
    info: () => undefined,
    debug: () => undefined,
  };
  const parts = { config, api, sql, send: transport.send, log };
  try {
    if (wanted.what === 'tables' || (wanted.what === 'rows' && (await isRead(sql)))) {
      await prepareMirror(parts, clientOf(parts, stop.signal, TRIES));
      const ago = wanted.what === 'rows' ? await readAgo(sql, config) : undefined;
      if (ago !== undefined) cli.note(agoNote(ago));
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
