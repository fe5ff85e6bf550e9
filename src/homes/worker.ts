import type { Config } from '../config/types.ts';
import { runEngine } from '../engine/engine.ts';
import { fatalError } from '../engine/fatal.ts';
import { runHeartbeat } from '../engine/heartbeat.ts';
import { observedStore } from '../engine/observed.ts';
import type { Observer } from '../engine/observer.ts';
import type { DestinationState, Logger, Send } from '../engine/ports.ts';
import { DEFAULT_TIMES, type EngineTimes } from '../engine/times.ts';
import { codeOf } from '../engine/trouble.ts';
import { createWake, pause } from '../engine/wake.ts';
import { healthApp, listen } from '../server/health.ts';
import { mountNotifications } from '../server/notifications.ts';
import { mountReceivers } from '../server/receivers.ts';
import { type FailoverParts, namesProject, takeIntoUse } from './failover.ts';
import { checkInstall, routesOf, withStates } from './routes.ts';
import { openClock } from '../sql/clock.ts';
import { openDatabase, type Patience, requireDatabaseUrl, rootCert } from '../sql/open-database.ts';
import { NotHeard, type Sql } from '../sql/port.ts';
import { erasureStore } from '../sql/store/erasure.ts';
import { identityOf } from '../sql/store/identity.ts';
import { factStore } from '../sql/store/facts.ts';
import { createStore } from '../sql/store/store.ts';
import { walStore } from '../sql/store/wal.ts';
import { runWal } from '../sources/wal/run.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { runAlerting } from './alerting.ts';
import { mountProjectHook, startReading, whenLoaded } from './api-source.ts';
import { createWatching, runKept, waitingFor } from './watching.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Where the HTTP app listens: `/healthz`, `/readyz`, `/metrics`; not at all when absent. Port 0 takes a free one. */
  readonly health?: { readonly port: number; readonly host: string } | undefined;
  /** Runs beside the workers for a backfill only; live changes are taken when nobody else does. */
  readonly helper?: boolean | undefined;
  /** Called once the worker runs, with the port of its health check. */
  readonly onReady?: (ready: { readonly healthPort: number | undefined }) => void;
  /** What requests to destinations go through; undici when absent. */
  readonly send?: Send | undefined;
  /** Told of what this worker does, beside its own metrics. */
  readonly observe?: Observer | undefined;
  /** Other clocks than the engine's own; for tests. */
  readonly times?: Partial<EngineTimes> | undefined;
  /** How long the database may take to answer, where that is not as long as `openPg` waits; for tests. */
  readonly patience?: Patience | undefined;
}

/** Between looks at the log while there is no LISTEN connection, and when there shall be none. */
const POLL_MS = 50;
const POLL_ONLY_MS = 10;
const LISTEN_AGAIN_MS = 5_000;
/** A pooler seldom changes its mode. */
const HEAR_AGAIN_MS = 600_000;
const CLOSE_MS = 5_000;
const SAY_MS = 5_000;
/** A helper leaves what is live to the workers there are; when nobody took it for so long there are none. */
const HELPER_WAIT_MS = 2_000;
const HELPER_LOOK_MS = 200;

/**
 * Runs one worker until the signal aborts, then finishes what is in flight and frees the rest.
 * @throws RollcallError when the config, the install or the database does not fit: see docs/errors.md
 */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { config, log } = options;
  // Read here, as it awaits while it is loaded: a module that does cannot be required.
  const { registry } = await import('../destinations/registry.ts');
  const sql = await openDatabase(config, log, options.patience);
  const identity = identityOf(config);
  const clock = await openClock(sql);
  const transport =
    options.send === undefined
      ? createUndiciSend({ now: clock })
      : { send: options.send, close: (): Promise<void> => Promise.resolve() };
  const changed = createWake();
  const folded = createWake();
  const stop = new AbortController();
  const listener =
    config.wake === 'notify'
      ? keepListening(sql, () => changed.ring(), log, stop.signal)
      : { listening: () => false, done: Promise.resolve() };
  let server: { port: number; close(): Promise<void> } | undefined;
  let alerting: Promise<void> = Promise.resolve();
  let keeping: Promise<void> = Promise.resolve();
  let beating: Promise<void> = Promise.resolve();
  let reading: ReturnType<typeof startReading>;
  let capturing: Promise<void> = Promise.resolve();
  const watching = createWatching(config, sql, log, options.observe);
  const times = {
    ...DEFAULT_TIMES,
    ...(options.helper === true ? { backfillLookMs: HELPER_LOOK_MS } : {}),
    ...options.times,
  };
  try {
    const known = createStore(sql, identity);
    const facts = factStore(sql, identity);
    const erasures = erasureStore(sql, identity);
    const parts = { config, registry, sql, identity, send: transport.send, log, times };
    // A helper leaves that to the workers there are.
    const mayTake = options.helper !== true;
    if (mayTake && namesProject(identity.projectRef))
      await throughFailovers(() => checkInstall(sql, identity), parts, signal);
    // Somebody may have mended a key: a restart is how that is told. The first contact still goes alone.
    await known.endPauses();
    const { routes, notifications, receivers } = await routesOf({
      config,
      sql,
      identity,
      registry,
      send: transport.send,
      observe: watching.observe,
    });
    const names = new Map(routes.map(({ state }) => [state.id, state.name]));
    const store = observedStore(known, (id) => names.get(id) ?? '', watching.observe);
    const health = healthApp({
      alive: async () => {
        await sql.query('select 1');
      },
      waitingFor: () => waitingFor(sql, identity, watching, signal),
    });
    watching.mount(health);
    const source = { config, sql, send: transport.send, log };
    // A helper leaves that to the workers there are, and to whoever called it.
    if (mayTake) reading = startReading(source, AbortSignal.any([signal, stop.signal]));
    mountProjectHook(health, source, reading);
    mountReceivers(health, receivers, { store: facts, observe: watching.observe, log, now: clock });
    mountNotifications(health, notifications);
    if (options.health !== undefined) server = await listen(health, options.health.port, options.health.host);
    log.info({ destinations: routes.map((r) => r.state.name), health: server?.port }, 'worker started');
    options.onReady?.({ healthPort: server?.port });
    if (options.helper !== true) {
      const told = { sql, identity, send: transport.send, log, everyMs: times.alertsEveryMs };
      alerting = runAlerting(config, told, AbortSignal.any([signal, stop.signal]));
      keeping = runKept(config, { sql, identity, log, times }, AbortSignal.any([signal, stop.signal]));
      const say = async (): Promise<void> => void (await sql.query(`select rollcall.note_home('worker')`));
      beating = runHeartbeat({ say, log, everyMs: SAY_MS }, AbortSignal.any([signal, stop.signal]));
      // What is read through the API has no write-ahead log of its own.
      if (config.api === undefined) {
        const wal = {
          url: requireDatabaseUrl(config),
          sslRootCert: await rootCert(config),
          store: walStore(sql, identity),
          log,
          budget: config.wal,
          onTaken: () => changed.ring(),
          onFolded: () => folded.ring(),
          ensureTriggers: () => store.ensureTriggers(),
        };
        capturing = runWal(wal, AbortSignal.any([signal, stop.signal]));
      }
    }
    const engine = {
      store,
      facts,
      erasures,
      log,
      changed,
      folded,
      listening: listener.listening,
      pollMs: config.wake === 'poll' ? POLL_ONLY_MS : POLL_MS,
      gathered: config.capture === 'wal',
      graceMs: config.delivery.graceMs,
      retry: config.delivery.retry,
      eventsAtMostOnce: config.delivery.events === 'at_most_once',
      sweepEveryMs: config.sweep.everyMs,
      writesBack: config.writeBacks.length > 0,
      liveWaitMs: options.helper === true ? HELPER_WAIT_MS : 0,
      random: Math.random,
      times,
    };
    const work = (states: readonly DestinationState[]): Promise<void> =>
      runEngine({ ...engine, routes: withStates(routes, states) }, signal);
    await whenLoaded(reading, log, signal);
    await (mayTake ? throughFailovers(work, parts, signal) : work([]));
    log.info({}, 'worker stopped');
  } catch (error) {
    throw fatalError(error) ?? error;
  } finally {
    stop.abort();
    // A connection whose other end is gone can take minutes to say so; nothing of value is left to wait for by now.
    await closeInTime(
      [
        listener.done,
        alerting,
        keeping,
        beating,
        capturing,
        reading?.done ?? Promise.resolve(),
        server?.close() ?? Promise.resolve(),
        transport.close(),
      ],
      () => sql.close(),
    );
  }
}

/**
 * Runs some work anew after each failover, once this database has been taken into use, with the destinations as they are then; none
 * at first.
 * @throws what ended the work, when that was no failover
 */
async function throughFailovers(
  work: (states: readonly DestinationState[]) => Promise<void>,
  parts: FailoverParts,
  signal: AbortSignal,
): Promise<void> {
  for (let states: readonly DestinationState[] = []; ;) {
    try {
      return await work(states);
    } catch (error) {
      if ((fatalError(error) ?? (error as { code?: unknown })).code !== 'RC_NOT_BOUND') throw error;
      const found = await takeIntoUse(parts, signal);
      if (found === undefined) throw error;
      states = found;
      if (signal.aborted) return;
    }
  }
}

async function closeInTime(first: readonly Promise<void>[], last: () => Promise<void>): Promise<void> {
  const closed = new AbortController();
  const closing = async (): Promise<void> => {
    await Promise.allSettled(first);
    await Promise.allSettled([last()]);
    closed.abort();
  };
  await Promise.race([closing(), pause(CLOSE_MS, closed.signal)]);
}

/** Keeps one LISTEN connection; while there is none the fold loop polls faster. */
function keepListening(
  sql: Sql,
  onNotify: () => void,
  log: Logger,
  signal: AbortSignal,
): { listening: () => boolean; done: Promise<void> } {
  let open = false;
  let told = false;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const lost = createWake();
      let againMs = LISTEN_AGAIN_MS;
      try {
        const subscription = await sql.listen('rollcall', onNotify, () => lost.ring());
        open = true;
        onNotify();
        await lost.wait(2 ** 31 - 1, signal);
        open = false;
        await subscription.close();
      } catch (error) {
        log.debug({ code: codeOf(error) }, 'no LISTEN connection; polling');
        if (error instanceof NotHeard) {
          againMs = HEAR_AGAIN_MS;
          if (!told) log.info({}, 'NOTIFY does not pass this pooler, so the log is polled');
          told = true;
        }
      }
      open = false;
      await pause(againMs, signal);
    }
  };
  return { listening: () => open, done: run() };
}
