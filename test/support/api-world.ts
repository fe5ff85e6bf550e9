import { once } from 'node:events';
import type { Logger } from '../../src/engine/ports.ts';
import { runWorker, type WorkerOptions } from '../../src/homes/worker.ts';
import { openPg } from '../../src/sql/pg.ts';
import type { Sql } from '../../src/sql/port.ts';
import { PATIENCE_MS } from './people.ts';
import { parseWorld } from './world.ts';

/** A worker of a project that is read by its API. */
export interface ApiWorker {
  readonly logs: readonly string[];
  readonly healthPort: number | undefined;
  /** Waits until all that is committed in the project by now was read, folded and delivered. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** @param stateUrl of the state database, for looking into it */
export async function startApiWorker(
  yaml: string,
  stateUrl: string,
  options: Partial<Omit<WorkerOptions, 'config' | 'log'>> = {},
): Promise<ApiWorker> {
  const config = parseWorld(yaml);
  const sql = openPg({ url: stateUrl, max: 2 });
  const stop = new AbortController();
  const logs: string[] = [];
  const add =
    (level: string) =>
    (fields: object, message: string): void => {
      logs.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const log: Logger = { error: add('error'), warn: add('warn'), info: add('info'), debug: add('debug') };
  let healthPort: number | undefined;
  let onStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const onReady = (found: { readonly healthPort: number | undefined }): void => {
    healthPort = found.healthPort;
    onStarted();
  };
  const ended = runWorker({ config, log, onReady, ...options }, stop.signal);
  ended.catch(() => undefined);
  await Promise.race([started, ended]);
  return {
    logs,
    healthPort,
    async settled() {
      const [asked] = await sql.query<{ at: string }>(
        'update rollcall_api.reader set wanted_at = clock_timestamp() returning wanted_at as at',
      );
      await until(sql, ROUND, [asked!.at], logs);
      await until(sql, QUIET, [], logs);
    },
    async stop() {
      stop.abort();
      await ended;
      await sql.close();
    },
  };
}

const ROUND = 'select coalesce(began_at > $1 and ended_at > began_at, false) as done from rollcall_api.reader';

/** Nothing is due, and every change is folded. */
const QUIET = `
  select (select count(*) from rollcall.due) = 0
     and not exists (select from (select xid from rollcall.changes_0 union all select xid from rollcall.changes_1
                                  union all select xid from rollcall.changes_2) c,
                            (select lo from rollcall.fold_position order by id desc limit 1) p
                      where not pg_visible_in_snapshot(c.xid, p.lo))
     and rollcall.uncaptured_count() = (select uncaptured_seen from rollcall.install) as done`;

async function until(sql: Sql, text: string, values: readonly unknown[], logs: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const [row] = await sql.query<{ done: boolean }>(text, values);
    if (row?.done === true) return;
    if (performance.now() > deadline) throw new Error(`not settled: ${text}\n${logs.join('\n')}`);
    await once(AbortSignal.timeout(15), 'abort');
  }
}
