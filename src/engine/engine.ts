import type { Destination } from '../core/destination.ts';
import { fatalError, sourceProblem } from './fatal.ts';
import { runFoldLoop } from './fold-loop.ts';
import { createLane } from './lane.ts';
import type { DestinationState, Logger, Send, Store } from './ports.ts';
import { codeOf } from './settler.ts';
import { sweep } from './sweep.ts';
import { pause, type Wake } from './wake.ts';

/** A destination with its parsed config and its state. */
export interface Route {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: DestinationState;
}

export interface EngineOptions {
  readonly store: Store;
  readonly routes: readonly Route[];
  readonly send: Send;
  readonly log: Logger;
  readonly changed: Wake;
  readonly listening: () => boolean;
  readonly graceMs: number;
  readonly sweepEveryMs: number;
  readonly random: () => number;
}

const MAINTAIN_EVERY_MS = 5_000;
const KEEP_ATTEMPTS_MS = 7 * 24 * 3_600_000;

/**
 * Runs fold, delivery and upkeep until the signal aborts, then ends them in order: nothing stays leased.
 * @throws RollcallError when the install does not fit this worker (another config, another database, not installed)
 */
export async function runEngine(options: EngineOptions, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) stop.abort();
  let fatal: unknown;
  const isFatal = (error: unknown): boolean => {
    const found = fatalError(error);
    if (found === undefined) return false;
    fatal ??= found;
    stop.abort();
    return true;
  };
  const lanes = options.routes.map((route) => createLane({ ...options, ...route, isFatal }));
  const onFolded = (): void => lanes.forEach((lane) => lane.wake());
  await Promise.all([
    runFoldLoop({ ...options, onFolded, isFatal }, stop.signal),
    maintain(options, onFolded, isFatal, stop.signal),
    ...lanes.map((lane) => lane.run(stop.signal)),
  ]);
  signal.removeEventListener('abort', onAbort);
  if (fatal !== undefined) throw fatal;
}

/** Sweeps on start, on schedule and when capture missed something; keeps the tables small. */
async function maintain(
  options: EngineOptions,
  onFolded: () => void,
  isFatal: (error: unknown) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { store, log, sweepEveryMs } = options;
  let force = true;
  while (!signal.aborted) {
    try {
      const done = await sweep({ store, log, everyMs: sweepEveryMs, onFolded }, force, signal);
      if (done !== undefined) force = false;
      await store.tidy(KEEP_ATTEMPTS_MS);
    } catch (error) {
      if (isFatal(error)) return;
      // The fold loop reports an unreadable source; here it only means that the sweep comes later.
      if (sourceProblem(error) === undefined) log.warn({ code: codeOf(error) }, 'upkeep failed; will try again');
    }
    await pause(MAINTAIN_EVERY_MS, signal);
  }
}
