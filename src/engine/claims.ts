import type { Bucket } from './ports.ts';
import { giveBack, isPaused, type LaneShared } from './lane-shared.ts';
import { probe } from './probe.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

const IDLE_POLL_MS = 1_000;
const RETRY_MS = 500;
const FULL_WAIT_MS = 100;
const CLAIM_MOST = 500;
const CLAIM_PER_SLOT = 50;
/** Work is claimed for about this long ahead of the limit, so that no lease runs out in the queue. */
const CLAIM_AHEAD_MS = 3_000;
/** Nothing is claimed while no permit can be had for longer than this. */
const PERMIT_AHEAD_MS = 500;
/** Claims start from where the last one ended; from the very start now and then, for rows that were committed late. */
const FULL_SCAN_EVERY_MS = 5_000;
const STATE_GOOD_FOR_MS = 1_000;
const LANES = [0, 1] as const;

/** How many requests may wait under lease in one lane. */
export function claimBudget(concurrency: number, buckets: readonly Bucket[]): number {
  const byRate = buckets.map((b) => Math.floor((CLAIM_AHEAD_MS * 1_000) / b.intervalUs));
  return Math.max(1, Math.min(CLAIM_MOST, concurrency * CLAIM_PER_SLOT, ...byRate));
}

/**
 * How much more of each lane may be claimed: whatever waits of the backfill, there is always room for who is live. A backfill that had
 * nothing a moment ago is only looked at along with them.
 */
function roomOf({ queue, budget }: LaneShared, backfillEmpty: boolean): readonly [live: number, backfill: number] {
  const refill = (load: number, most: number): number => (load > most / 2 ? 0 : Math.max(0, most - load));
  const live = refill(queue.load(0), budget);
  return [live, live === 0 && backfillEmpty ? 0 : refill(queue.load(1), Math.ceil(budget / 2))];
}

/** Fills the lane's queue until the signal aborts or an error is fatal. */
export async function runClaims(lane: LaneShared): Promise<void> {
  const { store, queue, claimable, filled, signal, graceMs, log, times } = lane;
  const { id, name } = lane.state;
  const trouble = createTrouble(log, { destination: name }, 'claim work');
  const bounds: [live: string, backfill: string] = ['-infinity', '-infinity'];
  let scannedAt = 0;
  let stateReadAt = -Infinity;
  let backfillEmptyAt = -Infinity;
  while (!signal.aborted) {
    try {
      if (performance.now() - stateReadAt > STATE_GOOD_FOR_MS || lane.pauses > 0) {
        await readState(lane);
        stateReadAt = performance.now();
      }
      if (isPaused(lane)) {
        await pause(Math.min(IDLE_POLL_MS, lane.pausedUntil - performance.now()), signal);
        continue;
      }
      const now = performance.now();
      const held = lane.limiters.notBefore() - PERMIT_AHEAD_MS - now;
      if (held > 0) {
        // What waits here would only lose its lease; another worker may have permits.
        if (queue.length > 0 && held > IDLE_POLL_MS) await giveBack(lane, queue.takeAll());
        await pause(Math.min(IDLE_POLL_MS, held), signal);
        continue;
      }
      if (lane.pauses > 0) {
        // Whatever was claimed before the pause is answered or given back first.
        if (queue.length + lane.busy > 0) await pause(FULL_WAIT_MS, signal);
        else await probe(lane, () => claimOne(lane));
        continue;
      }
      const limits = roomOf(lane, now - backfillEmptyAt < FULL_WAIT_MS);
      if (limits[0] + limits[1] <= 0) {
        await claimable.wait(FULL_WAIT_MS, signal);
        continue;
      }
      if (now - scannedAt > FULL_SCAN_EVERY_MS) {
        bounds.fill('-infinity');
        scannedAt = now;
      }
      const lease = { token: crypto.randomUUID(), leaseMs: times.leaseMs, graceMs };
      const claimed = await store.claim(id, lease, {
        limits,
        after: bounds,
        least: lane.together,
        consents: lane.destination.bulk?.consents ?? [],
        liveWaitMs: lane.liveWaitMs,
      });
      trouble.worked();
      for (const delivery of claimed) queue.push({ lease, until: now + times.leaseMs, delivery });
      if (claimed.length > 0) filled.ring();
      let more = false;
      for (const each of LANES) {
        if (limits[each] === 0) continue;
        const found = claimed.filter((c) => c.lane === each);
        if (each === 1 && found.length === 0) backfillEmptyAt = now;
        const bound = found.length < limits[each] ? '-infinity' : (found.at(-1)?.dueAt ?? bounds[each]);
        // There may be more behind it, or before it.
        more ||= bound !== '-infinity' || bounds[each] !== '-infinity';
        bounds[each] = bound;
      }
      if (!more) await claimable.wait(IDLE_POLL_MS, signal);
    } catch (error) {
      if (lane.isFatal(error)) break;
      trouble.failed(error);
      await pause(RETRY_MS, signal);
    }
  }
  filled.ring();
}

/** After a pause one goes first, alone, of whichever lane. */
async function claimOne({ store, state, queue, filled, graceMs, times, liveWaitMs }: LaneShared): Promise<boolean> {
  for (const limits of [[1, 0] as const, [0, 1] as const]) {
    const lease = { token: crypto.randomUUID(), leaseMs: times.leaseMs, graceMs };
    const now = performance.now();
    const scope = {
      limits,
      after: ['-infinity', '-infinity'] as const,
      least: [0, 0] as const,
      consents: [],
      liveWaitMs,
    };
    const claimed = await store.claim(state.id, lease, scope);
    for (const delivery of claimed) queue.push({ lease, until: now + times.leaseMs, delivery });
    if (claimed.length === 0) continue;
    filled.ring();
    return true;
  }
  return false;
}

/** What the others know: the destination may have been paused by one of them, or be free again. */
async function readState(lane: LaneShared): Promise<void> {
  const askedAt = performance.now();
  const found = (await lane.store.destinations()).find((d) => d.id === lane.state.id);
  // A pause that was noted in the meantime is newer than what was read.
  if (lane.pausedAt > askedAt) return;
  const now = performance.now();
  lane.pauses = found?.pauses ?? 0;
  const pausedMs = found?.pausedMs ?? IDLE_POLL_MS;
  if (pausedMs > 0 && !isPaused(lane)) lane.pausedAt = now;
  lane.pausedUntil = pausedMs > 0 ? now + pausedMs : 0;
}
