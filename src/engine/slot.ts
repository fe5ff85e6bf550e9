import { DEFAULT_BREAKER_TIMES } from '../core/breaker.ts';
import type { Outcome } from '../core/outcome.ts';
import { retryDelayMs } from '../core/retry.ts';
import { DEADLINE_MS, giveBack, type LaneShared, type Leased } from './lane-shared.ts';
import type { Limiter } from './limiter.ts';
import { perform } from './perform.ts';
import type { Claimed } from './ports.ts';
import { codeOf, type Settler } from './settler.ts';

const IDLE_MS = 1_000;
/** Wait after a 429 that does not say how long. */
const THROTTLE_MS = 5_000;

/** One request in flight at a time, from the lane's queue, until the signal aborts. */
export async function runSlot(lane: LaneShared, limiter: Limiter, settler: Settler): Promise<void> {
  const { queue, filled, claimable, signal, log } = lane;
  while (!signal.aborted) {
    await settler.room(signal);
    const next = queue.shift();
    if (next === undefined) {
      await filled.wait(IDLE_MS, signal);
      continue;
    }
    if (queue.length <= lane.budget / 2) claimable.ring();
    lane.busy += 1;
    try {
      await deliver(lane, limiter, settler, next);
    } catch (error) {
      // A mistake of ours with one record must not take the lane down: the lease runs out and it is tried again.
      log.error(
        { destination: lane.state.name, contact: next.delivery.contactId, code: codeOf(error) },
        'could not send a contact',
      );
    } finally {
      lane.busy -= 1;
    }
  }
}

async function deliver(lane: LaneShared, limiter: Limiter, settler: Settler, next: Leased): Promise<void> {
  const { delivery, lease } = next;
  const performed = await perform(delivery, {
    destination: lane.destination,
    config: lane.config,
    plan: lane.state.plan,
    send: lane.send,
    deadlineMs: DEADLINE_MS,
    permit: () => limiter.acquire(next.until - DEADLINE_MS - IDLE_MS, lane.signal),
  });
  if (!performed.begun) {
    await giveBack(lane, [next]);
    return;
  }
  const { outcome, latencyMs, partial } = performed;
  // First of all, so that nothing that fails below can lose what happened.
  settler.add(lease, { delivery, outcome, latencyMs, waitMs: waitMs(delivery, outcome, lane.random), partial });
  lane.log.debug(
    {
      destination: lane.state.name,
      contact: delivery.contactId,
      version: delivery.version,
      action: delivery.action,
      outcome: outcome.kind,
      ...(outcome.kind === 'delivered' ? {} : { code: outcome.code }),
      ms: Math.round(latencyMs),
    },
    'attempt',
  );
  await note(lane, outcome);
}

/** What an outcome says about the destination as a whole. */
async function note(lane: LaneShared, outcome: Outcome): Promise<void> {
  const { store, log } = lane;
  const { id, name } = lane.state;
  switch (outcome.kind) {
    case 'config': {
      log.error({ destination: name, code: outcome.code }, 'the destination refuses us, so it is paused');
      await giveBack(lane, lane.queue.splice(0));
      const { firstPauseMs, longestPauseMs } = DEFAULT_BREAKER_TIMES;
      await store.pause(id, outcome.code, outcome.message, Math.min(longestPauseMs, firstPauseMs * 2 ** lane.pauses));
      lane.pauses += 1;
      return;
    }
    case 'throttle':
      await store.holdSends(id, outcome.retryAfterMs ?? THROTTLE_MS);
      return;
    case 'delivered':
    case 'reject':
      // Any answer about a record proves that key and plan work.
      if (lane.pauses > 0) {
        await store.resume(id);
        lane.pauses = 0;
        lane.claimable.ring();
      }
      return;
    case 'retry':
    case 'unknown':
  }
}

/** How long until the next attempt, in ms. */
function waitMs(delivery: Claimed, outcome: Outcome, random: () => number): number {
  if (outcome.kind === 'delivered' || outcome.kind === 'reject' || outcome.kind === 'config') return 0;
  // An attempt of unknown outcome is followed by one with the current state at once.
  if (outcome.kind === 'unknown' && delivery.tries === 0) return 0;
  if (outcome.kind === 'throttle') return outcome.retryAfterMs ?? THROTTLE_MS * (0.5 + random());
  return retryDelayMs({ tries: delivery.tries + 1, random: random(), retryAfterMs: outcome.retryAfterMs });
}
