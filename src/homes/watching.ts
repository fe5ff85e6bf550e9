import type { Hono } from 'hono';
import type { Config } from '../config/types.ts';
import { createChangeLog } from '../engine/change-log.ts';
import { fatalError } from '../engine/fatal.ts';
import { runKeeping } from '../engine/kept.ts';
import { observeAll, type Observer } from '../engine/observer.ts';
import type { Logger } from '../engine/ports.ts';
import type { EngineTimes } from '../engine/times.ts';
import { createMetrics } from '../server/metrics.ts';
import { mountMetrics } from '../server/metrics-route.ts';
import type { Sql } from '../sql/port.ts';
import type { Identity } from '../sql/store/identity.ts';
import { keptStore } from '../sql/store/kept.ts';
import { gaugesOf } from './gauges.ts';
import { keptPlace } from './kept-place.ts';
import { createSpans } from './spans.ts';

/** Everything that looks at a worker and changes nothing about it. */
export interface Watching {
  readonly observe: Observer;
  /** Whether a fold has come to its end since the start, also one that found nothing. */
  hasFolded(): boolean;
  /** Mounts what the config gives a token for. */
  mount(app: Hono): void;
}

/** @param also told of everything too */
export function createWatching(config: Config, sql: Sql, log: Logger, also?: Observer): Watching {
  const { log: wanted, server } = config;
  const token = server.metricsToken;
  const metrics = token === undefined ? undefined : createMetrics(() => gaugesOf(sql, config));
  let folded = false;
  const observers: Observer[] = [
    (seen) => {
      folded ||= seen.what === 'fold';
    },
    createSpans(),
    ...(also === undefined ? [] : [also]),
    ...(wanted.realtime ? [createChangeLog(log)] : []),
    ...(metrics === undefined ? [] : [metrics.observe]),
  ];
  return {
    observe: observeAll(observers, log),
    hasFolded: () => folded,
    mount(app) {
      if (metrics !== undefined && token !== undefined) mountMetrics(app, metrics, token);
    },
  };
}

/** Writes down what outlives a restore, until the signal aborts; at once done when the config names no place for it. */
export async function runKept(
  config: Config,
  {
    sql,
    identity,
    log,
    times,
  }: {
    readonly sql: Sql;
    readonly identity: Identity;
    readonly log: Logger;
    readonly times: Pick<EngineTimes, 'keepEveryMs' | 'keepLookMs'>;
  },
  signal: AbortSignal,
): Promise<void> {
  const place = keptPlace(config);
  if (place === undefined) return;
  const isFatal = (error: unknown): boolean => fatalError(error) !== undefined;
  const store = keptStore(sql, identity);
  await runKeeping({ store, place, log, everyMs: times.keepEveryMs, lookMs: times.keepLookMs, isFatal }, signal);
}

/** What a worker waits for before it can be relied upon. Rejects while the database does not answer. */
export async function waitingFor(
  sql: Sql,
  { configHash, projectRef, environment }: Identity,
  watching: Pick<Watching, 'hasFolded'>,
  signal: AbortSignal,
): Promise<'install' | 'fold' | 'stop' | undefined> {
  if (signal.aborted) return 'stop';
  try {
    await sql.query('select rollcall.check_install($1, $2, $3)', [configHash, projectRef, environment]);
  } catch (error) {
    if (fatalError(error) === undefined) throw error;
    return 'install';
  }
  return watching.hasFolded() ? undefined : 'fold';
}
