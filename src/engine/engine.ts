import type { RetrySchedule } from '../core/retry.ts';
import { fatalError } from './fatal.ts';
import { runBackfill } from './backfill.ts';
import type { FactStore } from '../inbound/ports.ts';
import { runErasures } from './erase.ts';
import type { ErasureStore } from './erasure-ports.ts';
import { runFoldLoop } from './fold-loop.ts';
import type { Logger, Store } from './ports.ts';
import { createRoute, type Route } from './route.ts';
import { createSourceWatch } from './source-watch.ts';
import type { EngineTimes } from './times.ts';
import { runUpkeep } from './upkeep.ts';
import { runWriteBack } from './write-back.ts';
import type { Wake } from './wake.ts';

export interface EngineOptions {
  readonly store: Store;
  readonly facts: FactStore;
  readonly erasures: ErasureStore;
  readonly routes: readonly Route[];
  readonly log: Logger;
  readonly changed: Wake;
  readonly listening: () => boolean;
  /** How often the log is looked at while NOTIFY cannot reach us, in ms. */
  readonly pollMs: number;
  /** See `FoldLoopOptions.gathered`. */
  readonly gathered?: boolean | undefined;
  readonly graceMs: number;
  /** How what failed is tried again. */
  readonly retry: RetrySchedule;
  /** See `LaneOptions.eventsAtMostOnce`. */
  readonly eventsAtMostOnce: boolean;
  readonly sweepEveryMs: number;
  /** See `UpkeepOptions.sweepAtStart`. */
  readonly sweepAtStart?: boolean | undefined;
  /** Rung when something was folded by others than the fold loop. */
  readonly folded?: Wake | undefined;
  /** Whether the config says where consent is written. */
  readonly writesBack: boolean;
  /**
   * 0 for a worker. A helper of a backfill leaves live changes to the workers there are, and takes those only that nobody took for
   * so long, in ms.
   */
  readonly liveWaitMs: number;
  /** See `LaneOptions.mostTogether`. */
  readonly mostTogether?: number | undefined;
  readonly random: () => number;
  readonly times: EngineTimes;
}

const LONGEST_MS = 60_000;

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
  const lanes = options.routes.map((route) => createRoute({ ...options, ...route, isFatal }));
  const onFolded = (): void => lanes.forEach((lane) => lane.wake());
  const source = createSourceWatch(options.store, options.log);
  const onErasing = (): void => lanes.forEach((lane) => lane.lookForErased());
  const parts = [
    runFoldLoop({ ...options, onFolded, isFatal, source }, stop.signal),
    passOn(options.folded, onFolded, stop.signal),
    // A helper of a backfill goes, and the sweep takes its time.
    ...(options.liveWaitMs > 0
      ? []
      : [
          runUpkeep({ ...options, onFolded, isFatal, source }, stop.signal),
          runWriteBack({ ...options, isFatal }, stop.signal),
          runErasures({ ...options, onErasing, isFatal }, stop.signal),
        ]),
    runBackfill({ ...options, lookEveryMs: options.times.backfillLookMs, onFolded, isFatal }, stop.signal),
    ...lanes.map((lane) => lane.run(stop.signal)),
  ];
  // A part that fails ends the others too, in order; none is left running behind.
  await Promise.all(
    parts.map((part) =>
      part.catch((error: unknown) => {
        fatal ??= error;
        stop.abort();
      }),
    ),
  );
  signal.removeEventListener('abort', onAbort);
  if (fatal !== undefined) throw fatal;
}

async function passOn(folded: Wake | undefined, onFolded: () => void, signal: AbortSignal): Promise<void> {
  if (folded === undefined) return;
  while (!signal.aborted) if (await folded.wait(LONGEST_MS, signal)) onFolded();
}
