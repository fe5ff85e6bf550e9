import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { pause } from '../../../src/engine/wake.ts';
import type { EngineTimes } from '../../../src/engine/times.ts';
import { ROOT, spawnWorker, type WorkerProcess } from '../../support/spawn-worker.ts';
import { WORKERS } from './plan.ts';
import { sharedNow } from './exchange.ts';

/** Short enough for a lease to end within a run; the relations between them hold. */
export const TIMES = {
  leaseMs: 2_000,
  requestMs: 800,
  settleMs: 300,
  leastRequestMs: 150,
  upkeepEveryMs: 200,
  jobMs: 4_000,
  breaker: { firstPauseMs: 300, longestPauseMs: 1_000 },
} as const satisfies Partial<EngineTimes>;

/** So often a worker is started in its place before that counts as a failure of the run. */
const STARTS = 20;
/** Longest that a worker that is asked to end may take. */
const LEAVE_MS = 10_000;

/** What is loaded into a worker: see there. */
export const WITNESS: string = pathToFileURL(join(ROOT, 'test/chaos/storm/witness.mjs')).href;

/** A worker was not itself: stopped from then to then, or killed (with no end). Times are of `sharedNow`. */
export interface Absence {
  readonly pid: number;
  readonly from: number;
  to: number;
}

/** What workers of a run do and suffer. */
export interface Crew {
  readonly absences: readonly Absence[];
  /** Why workers did not begin. */
  readonly failures: readonly string[];
  /** All that ever were. */
  readonly workers: readonly WorkerProcess[];
  /** Kills one and starts another in its place. */
  kill(place: number): Promise<void>;
  /** Stops one for a while, unless it is stopped already. */
  stop(place: number, forMs: number): Promise<void>;
  /** Those that are stopped go on. */
  wake(): void;
  /** Asks all to end; resolves to what was wrong about how they ended. */
  leave(): Promise<readonly string[]>;
  /** Ends all at once. */
  abandon(): Promise<void>;
}

/**
 * Starts the workers of a run.
 * @param directory where they were compiled to
 * @param sends the file that tells when each request left
 */
export async function startCrew(
  directory: string,
  yaml: string,
  sends: string,
  skewMs: readonly number[],
): Promise<Crew> {
  const absences: Absence[] = [];
  const workers: WorkerProcess[] = [];
  const all: { kill(): void; readonly ended: Promise<number | string> }[] = [];
  const failures: string[] = [];
  const hire = async (place: number): Promise<WorkerProcess> => {
    const begin = () =>
      spawnWorker(directory, yaml, {
        times: TIMES,
        preload: WITNESS,
        env: { ROLLCALL_CHAOS_SENDS: sends, ROLLCALL_CHAOS_SKEW_MS: String(skewMs[place] ?? 0) },
        keepComplaints: true,
        onSpawn: (child) => all.push(child),
      });
    // One that finds no database ends, and says so: whoever watches over workers starts it again.
    for (let tries = 1; ; tries += 1) {
      try {
        const worker = await begin();
        workers.push(worker);
        return worker;
      } catch (error) {
        failures.push(String(error));
        if (tries === STARTS) throw error;
        await pause(200);
      }
    }
  };
  const places = await Promise.all(Array.from({ length: WORKERS }, (_, place) => hire(place)));
  const stopped = new Map<number, Absence>();
  const waking = new AbortController();
  const goOn = (worker: WorkerProcess): void => {
    const absence = stopped.get(worker.pid);
    if (absence === undefined) return;
    stopped.delete(worker.pid);
    worker.signal('SIGCONT');
    absence.to = sharedNow();
  };
  return {
    absences,
    failures,
    workers,
    async kill(place) {
      const worker = places[place]!;
      absences.push({ pid: worker.pid, from: sharedNow(), to: Infinity });
      stopped.delete(worker.pid);
      worker.signal('SIGKILL');
      await worker.ended;
      places[place] = await hire(place);
    },
    async stop(place, forMs) {
      const worker = places[place]!;
      if (stopped.has(worker.pid)) return;
      const absence = { pid: worker.pid, from: sharedNow(), to: Infinity };
      absences.push(absence);
      stopped.set(worker.pid, absence);
      worker.signal('SIGSTOP');
      await pause(forMs, waking.signal);
      goOn(worker);
    },
    wake() {
      waking.abort();
      for (const worker of places) goOn(worker);
    },
    async leave() {
      for (const worker of places) worker.signal('SIGTERM');
      const over = new AbortController();
      const late = pause(LEAVE_MS, over.signal).then(() => `nothing after ${LEAVE_MS} ms`);
      const ends = await Promise.all(places.map(({ ended }) => Promise.race([ended, late])));
      over.abort();
      return ends.flatMap((end) => (end === 0 ? [] : [`a worker ended with ${end} when it was asked to`]));
    },
    async abandon() {
      for (const child of all) child.kill();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
