import { randomUUID } from 'node:crypto';
import type { ApiSource, Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import type { TableName } from '../../core/mapping.ts';
import type { Logger, Send } from '../../engine/ports.ts';
import { codeOf } from '../../engine/trouble.ts';
import { createWake, pause } from '../../engine/wake.ts';
import type { Sql } from '../../sql/port.ts';
import { type Client, createClient, Stopped } from './client.ts';
import type { RowKey } from './filter.ts';
import { Mirror, NotReader } from './mirror.ts';
import { ensureMirror } from './mirror-ddl.ts';
import { readNeeds } from './needs.ts';
import { lookUp, newReading, type Reading, readRound, type RoundReport, type Since } from './round.ts';
import { readShapes } from './shape.ts';

/** What reading by the API works with. */
export interface ReaderParts {
  readonly config: Config;
  readonly api: ApiSource;
  readonly sql: Sql;
  readonly send: Send;
  readonly log: Logger;
}

/** A row that may have changed. */
export interface RowHint {
  /** `schema.table`. */
  readonly table: string;
  readonly key: RowKey;
}

/** Reads a project by its API into the state database, for as long as it runs. */
export interface Reader {
  /** Resolves once everything has been read whole: before that who is there is not known. */
  readonly loaded: Promise<void>;
  /** Reads some rows again, soon; without any, everything. */
  hint(rows: readonly RowHint[]): void;
  /** The columns of the key of a table that is read; undefined for any other. */
  keyOf(table: string): readonly string[] | undefined;
  /** The tables whose rows are read. */
  tables(): readonly TableName[];
  run(): Promise<void>;
}

/** Whoever is not the one who reads looks so often whether that is over. */
const LOOK_MS = 1_000;
/** After something that no waiting inside a request mends, as a key that is refused. */
const AGAIN_MS = 30_000;
/** Tables are made and dropped: what is described is asked for again so often. */
const DESCRIBE_MS = 60_000;
/** More rows are a change of everything: the next round reads them. */
const MOST_HINTS = 1_000;
const SQL_LOADED = `select coalesce(bool_and(loaded_at is not null), false) as loaded from rollcall_api.sources where name = any($1)`;

/**
 * Makes the tables that the project is read into, fits them to it, and says what is read. Without a right of the one who reads: several
 * may do it.
 * @throws what `readShapes`, `ensureMirror` and `inspectSources` throw
 */
export async function prepareMirror(
  { config, sql }: Pick<ReaderParts, 'config' | 'sql'>,
  client: Client,
): Promise<Parameters<Mirror['open']>> {
  const shapes = await readShapes(client, config);
  await ensureMirror(sql, shapes);
  return [shapes, await readNeeds(sql, config, shapes)];
}

/** The project of a config, asked so often at most; without end when absent. */
export function clientOf(
  { api, send, log }: Pick<ReaderParts, 'api' | 'send' | 'log'>,
  signal: AbortSignal,
  tries?: number,
): Client {
  return createClient({ url: api.projectUrl, key: api.apiKey, send, log, signal, tries });
}

/**
 * Reads everything once. Where another process reads already, a whole round of it is awaited.
 * @throws RollcallError, Stopped
 */
export async function readOnce(
  parts: ReaderParts,
  signal: AbortSignal,
  options: { readonly since?: Since | undefined; readonly tries?: number; readonly onPage?: Reading['onPage'] } = {},
): Promise<RoundReport | undefined> {
  const { sql, log } = parts;
  const client = clientOf(parts, signal, options.tries);
  const prepared = await prepareMirror(parts, client);
  const mirror = new Mirror(sql, randomUUID(), log);
  const [asked] = await sql.query<{ at: string }>(
    'update rollcall_api.reader set wanted_at = clock_timestamp() returning wanted_at as at',
  );
  while (!signal.aborted) {
    if (await mirror.take()) {
      try {
        await mirror.open(...prepared);
        const reading = newReading({ client, mirror, log, between: () => Promise.resolve(), onPage: options.onPage });
        return await readRound(reading, options.since);
      } finally {
        await mirror.give();
      }
    }
    const [done] = await sql.query<{ done: boolean }>(
      'select coalesce(began_at > $1 and ended_at > began_at, false) as done from rollcall_api.reader',
      [asked?.at],
    );
    if (done?.done === true) return undefined;
    await pause(LOOK_MS / 4, signal);
  }
  throw new Stopped();
}

export function createReader(parts: ReaderParts, signal: AbortSignal): Reader {
  const { api, sql, log } = parts;
  const client = clientOf(parts, signal);
  const mirror = new Mirror(sql, randomUUID(), log);
  const wake = createWake();
  let hints: RowHint[] = [];
  let everything = false;
  let describedAt = -Infinity;
  let onLoaded: () => void = () => undefined;
  const loaded = new Promise<void>((resolve) => {
    onLoaded = resolve;
  });

  const takeHints = async (): Promise<void> => {
    while (hints.length > 0) {
      const taken = hints;
      hints = [];
      for (const part of mirror.parts) {
        const keys = taken.filter(({ table }) => table === part.name).map(({ key }) => key);
        const each = [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
        if (each.length > 0 && !part.quiet) await lookUp(reading, part, each);
      }
    }
  };
  const reading: Reading = newReading({ client, mirror, log, between: takeHints });

  /** Whether anything is left of what was read before: another process may have read all of it. */
  const look = async (): Promise<void> => {
    if (performance.now() - describedAt < DESCRIBE_MS) return;
    await mirror.open(...(await prepareMirror(parts, client)));
    describedAt = performance.now();
  };
  const isLoaded = async (): Promise<boolean> => {
    const [row] = await sql.query<{ loaded: boolean }>(SQL_LOADED, [mirror.parts.map(({ name }) => name)]);
    return row?.loaded === true;
  };
  const round = async (): Promise<number> => {
    const began = performance.now();
    await look();
    // Who is there already is known from before.
    if (await isLoaded()) onLoaded();
    everything = false;
    const { read, written, removed } = await readRound(reading);
    onLoaded();
    const ms = Math.round(performance.now() - began);
    if (written + removed > 0) log.info({ read, written, removed, ms }, 'read by the API');
    else log.debug({ read, ms }, 'read by the API: nothing has changed');
    return ms;
  };
  /** @returns how long to wait until the next round */
  const turn = async (): Promise<number> => {
    if (!(await mirror.take())) {
      await look();
      if (await isLoaded()) onLoaded();
      return LOOK_MS;
    }
    const ms = await round();
    // Half of the time is for others.
    return Math.max(api.pollMs, ms);
  };
  return {
    loaded,
    hint(rows) {
      if (rows.length === 0 || hints.length + rows.length > MOST_HINTS) everything = true;
      else hints.push(...rows);
      wake.ring();
    },
    keyOf: (table) => mirror.parts.find(({ name }) => name === table)?.shape.key,
    tables: () => mirror.parts.flatMap(({ shape }) => (shape.kind === 'rows' ? [shape] : [])),
    async run() {
      while (!signal.aborted) {
        try {
          const waitMs = await turn();
          const until = performance.now() + waitMs;
          const isOver = (): boolean => everything || signal.aborted || performance.now() >= until;
          while (!isOver()) {
            await wake.wait(Math.min(LOOK_MS, until - performance.now()), signal);
            if (hints.length > 0 && (await mirror.take())) await takeHints();
            if (waitMs > LOOK_MS && (await isWanted(sql))) break;
          }
        } catch (error) {
          if (error instanceof Stopped || signal.aborted) break;
          if (error instanceof NotReader) continue;
          if (error instanceof RollcallError) log.error({ code: error.code, hint: error.hint }, error.message);
          else log.error({ code: codeOf(error) }, 'the state database does not take what was read; trying again');
          await pause(AGAIN_MS, signal);
        }
      }
      await mirror.give().catch(() => undefined);
    },
  };
}

/** Whether somebody waits for a whole round. */
async function isWanted(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ wanted: boolean }>(
    'select coalesce(wanted_at > began_at, false) as wanted from rollcall_api.reader',
  );
  return row?.wanted === true;
}
