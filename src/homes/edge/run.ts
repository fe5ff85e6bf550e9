import { runEngine } from '../../engine/engine.ts';
import { runHeartbeat } from '../../engine/heartbeat.ts';
import { observedStore } from '../../engine/observed.ts';
import { DEFAULT_TIMES, type EngineTimes } from '../../engine/times.ts';
import { createWake, pause } from '../../engine/wake.ts';
import { erasureStore } from '../../sql/store/erasure.ts';
import { factStore } from '../../sql/store/facts.ts';
import { createStore } from '../../sql/store/store.ts';
import { runAlerting } from '../alerting.ts';
import { type Budget, isOver } from './budget.ts';
import { cpuTimeMs } from './cpu-time.ts';
import type { EdgeHome } from './home.ts';

/** What an invocation did. */
export interface Ran {
  /** Why it ended: nothing was left to do, its budget was over, or it was told to. */
  readonly ended: 'idle' | 'budget' | 'stopped';
  /** Whether there is something to be done now. */
  readonly more: boolean;
  readonly wallMs: number;
  /** Undefined where the runtime does not tell. */
  readonly cpuMs: number | undefined;
  readonly requests: number;
}

/** Every part of the engine takes its first look within this time. */
const LEAST_MS = 1_500;
const LOOK_MS = 250;
/** What is to be done so soon is waited for; a later tick comes for the rest. */
const SOON_S = 1;
const SAY_MS = 2_000;
const POLL_MS = 200;

/** The engine's own times, but that whatever waits for its first look takes it soon. */
export const EDGE_TIMES: EngineTimes = { ...DEFAULT_TIMES, pullLookMs: 500 };

/**
 * Runs the engine, the same as a worker does, until nothing is left to do or the budget is over. What is in flight then is finished
 * and the rest is given back, so that nothing of it waits for a lease to run out. Whoever is killed in the middle leaves leases, as a
 * worker does.
 * @param stop ends it early
 * @throws RollcallError when the install does not fit: see `runEngine`
 */
export async function runOnce(
  home: EdgeHome,
  { budget, times }: { readonly budget: Budget; readonly times: EngineTimes },
  stop: AbortSignal,
): Promise<Ran> {
  const { config, sql, identity, log, send, observe } = home;
  const begunAt = performance.now();
  const cpuAtStart = cpuTimeMs();
  const requestsAtStart = home.requests();
  const spent = (): { wallMs: number; cpuMs: number | undefined; requests: number } => {
    const cpuMs = cpuTimeMs();
    return {
      wallMs: Math.round(performance.now() - begunAt),
      cpuMs: cpuMs === undefined || cpuAtStart === undefined ? undefined : Math.round(cpuMs - cpuAtStart),
      requests: home.requests() - requestsAtStart,
    };
  };
  const { routes } = await home.routes();
  const names = new Map(routes.map(({ state }) => [state.id, state.name]));
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  let ended: Ran['ended'] = 'stopped';
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(LOOK_MS, signal);
      if (signal.aborted) return;
      if (isOver(budget, spent())) ended = 'budget';
      else if (performance.now() - begunAt >= LEAST_MS && !(await isSoon(home, SOON_S))) ended = 'idle';
      else continue;
      done.abort();
    }
  };
  const say = async (): Promise<void> => void (await sql.query(`select rollcall.note_home('edge')`));
  const engine = {
    store: observedStore(createStore(sql, identity), (id) => names.get(id) ?? '', observe),
    facts: factStore(sql, identity),
    erasures: erasureStore(sql, identity),
    routes,
    log,
    changed: createWake(),
    listening: () => false,
    pollMs: POLL_MS,
    graceMs: config.delivery.graceMs,
    retry: config.delivery.retry,
    eventsAtMostOnce: config.delivery.events === 'at_most_once',
    sweepEveryMs: config.sweep.everyMs,
    sweepAtStart: false,
    writesBack: config.writeBacks.length > 0,
    liveWaitMs: 0,
    random: Math.random,
    times,
  };
  try {
    await Promise.all([
      runEngine(engine, signal).finally(() => done.abort()),
      runHeartbeat({ say, log, everyMs: SAY_MS }, signal),
      runAlerting(config, { sql, identity, send, log, everyMs: times.alertsEveryMs }, signal),
      watch(),
    ]);
  } finally {
    done.abort();
  }
  return { ended, more: await isSoon(home, 0), ...spent() };
}

/** Whether something is to be done within so many seconds. What cannot be told is: the tick comes anyway. */
async function isSoon({ sql }: EdgeHome, seconds: number): Promise<boolean> {
  try {
    const [row] = await sql.query<{ soon: boolean | null }>('select rollcall.work_in() <= $1 as soon', [seconds]);
    return row?.soon === true;
  } catch {
    return false;
  }
}
