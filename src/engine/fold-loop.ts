import type { Logger, Store } from './ports.ts';
import type { SourceWatch } from './source-watch.ts';
import { createTrouble } from './trouble.ts';
import { pause, type Wake } from './wake.ts';

export interface FoldLoopOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Rung by NOTIFY. */
  readonly changed: Wake;
  /** Whether NOTIFY can reach us; else the log is polled. */
  readonly listening: () => boolean;
  /** How often the log is looked at while NOTIFY cannot reach us, in ms. */
  readonly pollMs: number;
  /** Above 0, changes are left to other workers until they have waited so long in the log, in ms. */
  readonly liveWaitMs: number;
  /** What comes in was let come together before: no writer is told by us, and so none is spared by a longer wait. */
  readonly gathered?: boolean | undefined;
  readonly onFolded: () => void;
  readonly isFatal: (error: unknown) => boolean;
  readonly source: SourceWatch;
}

const FOLD_KEYS = 1_000;
/**
 * After a fold we stay awake for the next changes, and leave writers alone meanwhile. A fold costs about the same for one change
 * as for fifty, so under load, when it takes longer, more are let come together: while it keeps up it takes a third of the time at most.
 */
const LEAST_LINGER_MS = 5;
const LONGEST_LINGER_MS = 40;
const GATHERED_LINGER_MS = 1;
const ARM_MS = 30_000;
const REARM_MS = 10_000;
/** A net under NOTIFY: a change may commit between our last look and the moment we armed. */
const POLL_ARMED_MS = 250;
const RETRY_MS = 1_000;
const LOOK_MS = 250;
const PAUSED_MS = 5_000;

/** Folds changes as they come until the signal aborts. */
export async function runFoldLoop(options: FoldLoopOptions, signal: AbortSignal): Promise<void> {
  const { store, log, changed, listening, source } = options;
  const trouble = createTrouble(log, {}, 'fold changes');
  let armedAt = -Infinity;
  while (!signal.aborted) {
    try {
      if (options.liveWaitMs > 0 && (await store.foldLagMs()) < options.liveWaitMs) {
        await pause(LOOK_MS, signal);
        continue;
      }
      const begunAt = performance.now();
      const folded = await store.fold(FOLD_KEYS);
      const tookMs = performance.now() - begunAt;
      trouble.worked();
      if (folded.taken > 0) await source.readable();
      if (folded.changed > 0) options.onFolded();
      tellUnmapped(log, folded.failed);
      if (folded.taken > 0) {
        if (armedAt > -Infinity) {
          armedAt = -Infinity;
          await store.arm(0);
        }
        if (!folded.more && folded.changed < FOLD_KEYS / 2) {
          const [least, share] = options.gathered === true ? [GATHERED_LINGER_MS, 0.5] : [LEAST_LINGER_MS, 2];
          await pause(Math.min(LONGEST_LINGER_MS, Math.max(least, share * tookMs)), signal);
        }
        continue;
      }
      if (folded.busy) {
        // The worker that folds goes on until the log is empty, and arms itself then: writers are left alone until that.
        await changed.wait(POLL_ARMED_MS, signal);
        continue;
      }
      if (!listening()) {
        await changed.wait(options.pollMs, signal);
        continue;
      }
      const now = performance.now();
      if (now - armedAt > REARM_MS) {
        const first = armedAt === -Infinity;
        await store.arm(ARM_MS);
        armedAt = now;
        // Once more after arming: what committed before the flag was seen told nobody.
        if (first) continue;
      }
      await changed.wait(POLL_ARMED_MS, signal);
    } catch (error) {
      if (options.isFatal(error)) break;
      if (await source.failed(error)) {
        await pause(PAUSED_MS, signal);
      } else {
        trouble.failed(error);
        await pause(RETRY_MS, signal);
      }
    }
  }
  if (armedAt > -Infinity) await store.arm(0).catch(() => undefined);
}

/** Says that rows could not be mapped, where there were any. */
export function tellUnmapped(log: Logger, rows: number): void {
  if (rows > 0) log.warn({ rows }, 'rows that could not be mapped became dead letters');
}
