import { failureOf } from '../core/failure.ts';
import type { Outcome } from '../core/outcome.ts';
import { retryDelayMs } from '../core/retry.ts';
import { isPaused, type LaneShared } from './lane-shared.ts';
import { note } from './note.ts';
import { pause } from './wake.ts';

const LOOK_MS = 250;
const IDLE_MS = 1_000;
const WATCH_MS = 50;

/**
 * Finds out whether a destination that refused us takes requests again, once its pause is over: one worker for all, and with as
 * little as can be. First the destination's own probe, where it has one; a key that is wrong then costs no contact a request.
 * As a probe says nothing of a plan, or of the scope to write, one contact goes next, alone, and its answer ends the pause or
 * prolongs it (`note`). With nobody to send, a probe that was answered is enough.
 * @param claimOne claims one contact of any lane for the slots; false when none is due
 */
export async function probe(lane: LaneShared, claimOne: () => Promise<boolean>): Promise<void> {
  const { store, state, signal } = lane;
  // For as long as a unit of work may take: a worker that dies meanwhile is replaced then.
  if (!(await store.takeProbe(state.id, lane.times.leaseMs))) {
    await pause(LOOK_MS, signal);
    return;
  }
  const again = async (waitMs: number): Promise<void> => {
    await store.endProbe(state.id, Math.round(waitMs));
    await pause(Math.min(IDLE_MS, waitMs), signal);
  };
  const begunAt = performance.now();
  const answer = await ask(lane);
  if (answer?.kind === 'config') return await note(lane, answer, begunAt, 'read');
  // Not now: it says nothing about key or plan.
  if (answer !== undefined && answer.kind !== 'delivered' && answer.kind !== 'reject') {
    lane.probes += 1;
    const { retryAfterMs } = answer;
    return await again(retryDelayMs(lane.retry, { tries: lane.probes, random: lane.random(), retryAfterMs }));
  }
  lane.probes = 0;
  if (await claimOne()) {
    while (lane.queue.length + lane.busy > 0 && lane.pauses > 0 && !signal.aborted) await pause(WATCH_MS, signal);
    // Its answer said nothing about the destination: the next one is asked.
    if (lane.pauses > 0 && !isPaused(lane)) await again(0);
    return;
  }
  if (answer === undefined) return await again(IDLE_MS);
  await note(lane, { kind: 'delivered' }, performance.now(), 'read');
}

/** What the destination's own probe came to; undefined where it has none. */
async function ask(lane: LaneShared): Promise<Outcome | undefined> {
  const { destination, config, limiters, times, signal } = lane;
  const request = destination.probe(config);
  if (request === null) return undefined;
  if (!(await limiters.acquire('read', performance.now() + times.requestMs, signal))) return BUSY;
  const result = await lane.send(request, destination.auth(config), { deadlineMs: times.requestMs });
  if (!result.answered) return { kind: 'retry', code: 'no_answer', message: '' };
  // Its status tells; the words of the refusal that began the pause are kept.
  return failureOf(result.response, { name: destination.name, words: () => '' }) ?? { kind: 'delivered' };
}

const BUSY: Outcome = { kind: 'throttle', code: 'no_permit', message: '' };
