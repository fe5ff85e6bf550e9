import { createClaimBounds } from './claim-bounds.ts';
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
const STATE_GOOD_FOR_MS = 1_000;
const LANES = [0, 1] as const;

/** How many requests may wait under lease in one lane. */
export function claimBudget(concurrency: number, buckets: readonly Bucket[]): number {
  const byRate = buckets.map((b) => Math.floor((CLAIM_AHEAD_MS * 1_000) / b.intervalUs));
  return Math.max(1, Math.min(CLAIM_MOST, concurrency * CLAIM_PER_SLOT, ...byRate));
}

/** Most characters of payloads and events that a lane has in hand, waiting or in flight; what is large is claimed a few at a time. */
const MOST_IN_HAND = 32 * 2 ** 20;
/** In UTF-8, at most, of a character as JavaScript counts them. */
const BYTES_PER_CHARACTER = 3;

/**
 * How much more of each lane may be claimed: whatever waits of the backfill, there is always room for who is live. A backfill that had
 * nothing a moment ago is only looked at along with them.
 */
function roomOf(lane: LaneShared, backfillEmpty: boolean): readonly [live: number, backfill: number] {
  const { queue, budget } = lane;
  if (bytesLeft(lane) < MOST_IN_HAND / 2) return [0, 0];
  const refill = (load: number, most: number): number => (load > most / 2 ? 0 : Math.max(0, most - load));
  const live = refill(queue.load(0), budget);
  return [live, live === 0 && backfillEmpty ? 0 : refill(queue.load(1), Math.ceil(budget / 2))];
}

function bytesLeft({ queue, busySize }: LaneShared): number {
  return MOST_IN_HAND - queue.size - busySize;
}

/** Fills the lane's queue until the signal aborts or an error is fatal. */
export async function runClaims(lane: LaneShared): Promise<void> {
  const { store, queue, claimable, filled, signal, graceMs, log, times } = lane;
  const { id, name } = lane.state;
  const trouble = createTrouble(log, { destination: name }, 'claim work');
  const bounds = createClaimBounds();
  let stateReadAt = -Infinity;
  let backfillEmptyAt = -Infinity;
  // What is large is asked for a few at a time: whatever does not fit is read for nothing.
  let most = CLAIM_MOST;
  while (!signal.aborted) {
    try {
      if (performance.now() - stateReadAt > STATE_GOOD_FOR_MS || lane.pauses > 0) {
        await readState(lane);
        stateReadAt = performance.now();
      }
      if (isPaused(lane)) {
        bounds.reset();
        await pause(Math.min(IDLE_POLL_MS, lane.pausedUntil - performance.now()), signal);
        continue;
      }
      const now = performance.now();
      const held = lane.limiters.notBefore() - PERMIT_AHEAD_MS - now;
      if (held > 0) {
        // What waits here would only lose its lease; another worker may have permits.
        if (queue.length > 0 && held > IDLE_POLL_MS) {
          await giveBack(lane, queue.takeAll());
          bounds.reset();
        }
        await pause(Math.min(IDLE_POLL_MS, held), signal);
        continue;
      }
      if (lane.pauses > 0) {
        // Whatever was claimed before the pause is answered or given back first.
        if (queue.length + lane.busy > 0) await pause(FULL_WAIT_MS, signal);
        else await probe(lane, () => claimOne(lane));
        continue;
      }
      const [live, backfill] = roomOf(lane, now - backfillEmptyAt < FULL_WAIT_MS);
      // What is claimed of a backfill and may not be sent for long would only lose its lease.
      const mayBackfill = lane.backfillLimiters.notBefore() - PERMIT_AHEAD_MS <= now;
      const limits = [Math.min(live, most), mayBackfill ? Math.min(backfill, most) : 0] as const;
      if (limits[0] + limits[1] <= 0) {
        lane.behind = true;
        await claimable.wait(FULL_WAIT_MS, signal);
        continue;
      }
      const lease = { token: crypto.randomUUID(), leaseMs: times.leaseMs, graceMs };
      const bytes = bytesLeft(lane) / 2;
      const claimed = await store.claim(id, lease, {
        limits,
        bytes,
        after: bounds.begin(now),
        least: lane.together,
        consents: lane.destination.bulk?.consents ?? [],
        liveWaitMs: lane.liveWaitMs,
      });
      trouble.worked();
      bounds.took(performance.now() - now);
      for (const delivery of claimed) queue.push({ lease, until: now + times.leaseMs, delivery });
      if (claimed.length > 0) filled.ring();
      let more = false;
      let fitted = CLAIM_MOST;
      for (const each of LANES) {
        if (limits[each] === 0) continue;
        const found = claimed.filter((c) => c.lane === each);
        if (each === 1 && found.length === 0) backfillEmptyAt = now;
        if (bounds.found(each, found.length, limits[each], found.at(-1)?.dueAt)) more = true;
        // Of whole bytes asked for, at least a third as many characters come, unless there was no more.
        if (found.reduce((sum, { size }) => sum + size, 0) * BYTES_PER_CHARACTER >= bytes) {
          fitted = Math.min(fitted, found.length);
          more = true;
          // What did not fit is given back, and was due before.
          bounds.reset();
        }
      }
      most = fitted < CLAIM_MOST ? fitted + 1 : Math.min(CLAIM_MOST, most * 2);
      lane.behind = more || limits[0] === 0 || queue.waiting(1) > 0;
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
      bytes: MOST_IN_HAND,
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
