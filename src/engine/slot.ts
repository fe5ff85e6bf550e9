import { nextPauseMs } from '../core/breaker.ts';
import type { Outcome } from '../core/outcome.ts';
import { LONGEST_WAIT_MS, retryDelayMs } from '../core/retry.ts';
import { giveBack, isPaused, type LaneShared, type Leased } from './lane-shared.ts';
import { perform, type Performed } from './perform.ts';
import type { Claimed } from './ports.ts';
import type { Settler } from './settler.ts';
import { codeOf } from './trouble.ts';

const IDLE_MS = 1_000;
/** Wait after a 429 that does not say how long. */
const THROTTLE_MS = 5_000;

/** One request in flight at a time, from the lane's queue, until the signal aborts. */
export async function runSlot(lane: LaneShared, settler: Settler): Promise<void> {
  const { queue, filled, claimable, signal } = lane;
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
      await deliver(lane, settler, next);
    } finally {
      lane.busy -= 1;
    }
  }
}

async function deliver(lane: LaneShared, settler: Settler, next: Leased): Promise<void> {
  const { delivery, lease } = next;
  const begunAt = performance.now();
  const performed = await attempt(lane, next);
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
  if (performed.asked)
    await note(lane, outcome, begunAt).catch((error: unknown) => {
      lane.log.warn(
        { destination: lane.state.name, code: codeOf(error) },
        'could not record what a destination asked for',
      );
    });
}

/** A mistake of ours with one record must not take the lane down, nor leave the record without a trace. */
async function attempt(lane: LaneShared, { delivery, until }: Leased): Promise<Performed> {
  const { times, limiter, signal } = lane;
  // The first request gets its full time; a further one what is left of the lease.
  const lastStart = {
    first: until - times.settleMs - times.requestMs,
    more: until - times.settleMs - times.leastRequestMs,
  };
  try {
    return await perform(delivery, {
      destination: lane.destination,
      config: lane.config,
      plan: lane.state.plan,
      send: lane.send,
      deadlineMs: () => Math.min(times.requestMs, until - times.settleMs - performance.now()),
      permit: async (which) => (await limiter.acquire(lastStart[which], signal)) && !isPaused(lane),
    });
  } catch (error) {
    lane.log.error(
      { destination: lane.state.name, contact: delivery.contactId, code: codeOf(error) },
      'a contact could not be sent because of a mistake in Rollcall; please report it',
    );
    const message = 'A mistake in Rollcall stopped this attempt; please report it.';
    return { begun: true, asked: false, latencyMs: 0, outcome: { kind: 'unknown', code: 'internal', message } };
  }
}

/** What an outcome says about the destination as a whole. */
async function note(lane: LaneShared, outcome: Outcome, begunAt: number): Promise<void> {
  const { store, log, times } = lane;
  const { id, name } = lane.state;
  switch (outcome.kind) {
    case 'config': {
      // One pause for all that were in flight together.
      if (begunAt < lane.pausedAt) return;
      const pauseMs = nextPauseMs(lane.pauses, times.breaker);
      lane.pausedAt = performance.now();
      lane.pausedUntil = lane.pausedAt + pauseMs;
      lane.pauses += 1;
      log.error(
        { destination: name, code: outcome.code, seconds: Math.round(pauseMs / 1_000) },
        'the destination refuses us, so it is paused',
      );
      await giveBack(lane, lane.queue.splice(0));
      await store.pause(id, outcome.code, outcome.message, pauseMs);
      return;
    }
    case 'throttle':
      lane.limiter.drop();
      await store.holdSends(id, askedMs(outcome) + lane.holdExtraMs);
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

/** How long a destination asks us to wait, in ms. */
function askedMs(outcome: Extract<Outcome, { kind: 'throttle' | 'retry' | 'unknown' | 'config' | 'reject' }>): number {
  return Math.min(LONGEST_WAIT_MS, outcome.retryAfterMs ?? THROTTLE_MS);
}

/** How long until the next attempt, in ms. */
function waitMs(delivery: Claimed, outcome: Outcome, random: () => number): number {
  if (outcome.kind === 'delivered' || outcome.kind === 'reject' || outcome.kind === 'config') return 0;
  // An attempt of unknown outcome is followed by one with the current state at once.
  if (outcome.kind === 'unknown' && delivery.tries === 0) return 0;
  if (outcome.kind === 'throttle') return askedMs(outcome) * (outcome.retryAfterMs === undefined ? 0.5 + random() : 1);
  return retryDelayMs({ tries: delivery.tries + 1, random: random(), retryAfterMs: outcome.retryAfterMs });
}
