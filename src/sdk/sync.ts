import { databaseError } from '../cli/database-error.ts';
import { RollcallError } from '../core/errors.ts';
import { momentOf } from '../config/moment.ts';
import type { BackfillCounts, BackfillRequest } from '../engine/backfill-ports.ts';
import { beginBackfill, type EndedBackfill, followBackfill } from '../homes/backfill.ts';
import { changesSent } from '../homes/changes-sent.ts';
import { runWorker } from '../homes/worker.ts';
import { Stopped } from '../sources/api/client.ts';
import { readOnce } from '../sources/api/reader.ts';
import { requireDatabase } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import type { Host } from './host.ts';

/** What `connectors.sync` takes. */
export interface SyncOptions {
  /** `full`: everybody; `incremental`: whoever changed since a time. */
  readonly type: 'full' | 'incremental';
  /** `users`, or tables of the mapping; everything when absent or empty. */
  readonly resources?: readonly string[] | undefined;
  /** With `incremental`: a Date, or ISO 8601 with an offset; a day is one of UTC. */
  readonly since?: string | Date | undefined;
  /** Ends the waiting, as `stop` does: what was read and sent stays, and a running worker goes on with it. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of one of the resources. */
export interface Synced {
  /** Null for everything. */
  readonly resource: string | null;
  readonly scanned: number;
  /** By the name of the destination. */
  readonly destinations: Readonly<
    Record<string, BackfillCounts & { readonly refused: number; /** Stopped by a brake. */ readonly held: number }>
  >;
}

const KINDS: readonly unknown[] = ['full', 'incremental'];

/**
 * What is asked for, one after the other.
 * @throws RollcallError `RC_SYNC_WHAT`, `RC_SYNC_SINCE`
 */
export function syncRequests({ type, resources, since }: SyncOptions): readonly BackfillRequest[] {
  if (!KINDS.includes(type)) {
    throw new RollcallError('RC_SYNC_WHAT', 'It is not said what to sync.', {
      hint: "`type: 'full'` for everybody, or `type: 'incremental'` with `since` for whoever changed since then.",
    });
  }
  const at = momentOf(since);
  if (type === 'incremental' ? at === undefined : since !== undefined) {
    throw new RollcallError('RC_SYNC_SINCE', since === undefined ? '`since` is missing.' : "`since` can't be used.", {
      hint: "`type: 'incremental'` goes with `since` and a Date or an ISO 8601 time with an offset, for example 2024-01-01T00:00:00Z; `type: 'full'` goes without.",
    });
  }
  const named = resources === undefined || resources.length === 0 ? [undefined] : resources;
  return named.map((resource) => ({
    what: type,
    since: at?.toISOString(),
    resource:
      resource === undefined || resource === 'users' || resource.includes('.') ? resource : `public.${resource}`,
  }));
}

/**
 * Brings in whoever is there, and waits until everybody is delivered or refused.
 * @throws RollcallError `RC_DATABASE_URL`, `RC_SYNC_WHAT`, `RC_SYNC_SINCE`, `RC_SYNC_RESOURCE`, `RC_SYNC_OPEN`, or what ends a worker
 */
export async function sync(host: Host, options: SyncOptions): Promise<readonly Synced[]> {
  const requests = syncRequests(options);
  const config = await host.config();
  requireDatabase(config);
  const sql = (await host.database()) as Sql;
  const store = createStore(sql, identityOf(config));
  const { api } = config;
  const over = new AbortController();
  const quit = (): void => over.abort();
  const given = options.signal === undefined ? [] : [options.signal];
  const ends = AbortSignal.any([over.signal, host.stopping(), ...given]);
  if (api !== undefined) {
    const since = requests[0]?.since;
    const parts = { config, api, sql, send: host.send, log: host.log };
    try {
      await readOnce(parts, ends, { since: since === undefined ? undefined : { at: since } });
    } catch (error) {
      if (error instanceof Stopped) return [];
      throw error;
    }
  }
  // What ends the helper ends us; it is looked at below.
  const send = host.fetch === undefined ? undefined : host.send;
  const helper = runWorker({ config, log: host.log, helper: true, send }, ends).finally(quit);
  helper.catch(() => undefined);
  try {
    const done: Synced[] = [];
    for (const request of requests) {
      if (ends.aborted) break;
      const run = await beginBackfill(store, request);
      const ended = await followBackfill(store, run, () => undefined, ends);
      if (ended !== undefined) done.push(syncedOf(ended));
    }
    if (api !== undefined) await changesSent(sql, ends);
    return done;
  } catch (error) {
    throw databaseError(error) ?? error;
  } finally {
    quit();
    await helper;
  }
}

function syncedOf({ run, refused, held }: EndedBackfill): Synced {
  const destinations = Object.entries(run.counts).map(([name, counts]) => [
    name,
    {
      ...counts,
      refused: refused.filter((each) => each.destination === name).reduce((sum, each) => sum + each.count, 0),
      held: held.find((each) => each.destination === name)?.held ?? 0,
    },
  ]);
  return {
    resource: run.resource,
    scanned: run.scanned,
    destinations: Object.fromEntries(destinations) as Synced['destinations'],
  };
}
