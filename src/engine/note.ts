import { nextPauseMs } from '../core/breaker.ts';
import type { Traffic } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import { throttleMs } from '../core/retry.ts';
import { giveBack, type LaneShared } from './lane-shared.ts';
import { bucketsFor } from './limiters.ts';

/** A key that may have been changed where it is read from. */
const REFUSALS: ReadonlySet<string> = new Set(['unauthorized', 'forbidden']);

/**
 * Does what an outcome says about the destination as a whole: pause, hold, resume.
 * @param begunAt when the request was begun, by `performance.now()`
 * @param traffic what it was for: another kind of request may have other limits
 */
export async function note(lane: LaneShared, outcome: Outcome, begunAt: number, traffic: Traffic): Promise<void> {
  const { store, log, times } = lane;
  const { id, name } = lane.state;
  switch (outcome.kind) {
    case 'config': {
      // One pause for all that were in flight together.
      if (begunAt < lane.pausedAt) return;
      const pauseMs = outcome.untilApply === true ? Infinity : nextPauseMs(lane.pauses, times.breaker);
      lane.pausedAt = performance.now();
      lane.pausedUntil = lane.pausedAt + pauseMs;
      lane.pauses += 1;
      log.error(
        {
          destination: name,
          code: outcome.code,
          ...(pauseMs === Infinity ? {} : { seconds: Math.round(pauseMs / 1_000) }),
        },
        'the destination refuses us, so it is paused',
      );
      await giveBack(lane, lane.queue.takeAll());
      await store.pause(id, outcome.code, outcome.message, pauseMs);
      if (REFUSALS.has(outcome.code)) lane.onRefused();
      return;
    }
    case 'throttle':
      lane.limiters.drop(traffic);
      lane.backfillLimiters.drop(traffic);
      await store.holdSends(id, bucketsFor(lane.limits, traffic), throttleMs(lane.retry, outcome.retryAfterMs));
      return;
    case 'delivered':
    case 'reject':
      // Any answer about a record proves that key and plan work, unless it was asked for before the pause.
      if (lane.pauses > 0 && begunAt > lane.pausedAt) {
        await store.resume(id);
        lane.pauses = 0;
        lane.pausedUntil = 0;
        lane.claimable.ring();
        log.info({ destination: name }, 'the destination accepts us again');
      }
      return;
    case 'retry':
    case 'unknown':
  }
}
