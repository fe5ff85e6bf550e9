import type { Bucket } from './ports.ts';
import { LEASE_MS, type LaneShared } from './lane-shared.ts';
import { codeOf } from './settler.ts';
import { pause } from './wake.ts';

const IDLE_POLL_MS = 1_000;
const RETRY_MS = 500;
const CLAIM_MOST = 500;
/** Work is claimed for about this long ahead of the limit, so that no lease runs out in the queue. */
const CLAIM_AHEAD_MS = 3_000;
/** Claims start from where the last one ended; from the very start now and then, for rows that were committed late. */
const FULL_SCAN_EVERY_MS = 5_000;
const STATE_GOOD_FOR_MS = 1_000;

/** How many contacts may be under lease in one lane. */
export function claimBudget(concurrency: number, buckets: readonly Bucket[]): number {
  const byRate = buckets.map((b) => b.burst + Math.floor((CLAIM_AHEAD_MS * 1_000) / b.intervalUs));
  return Math.max(1, Math.min(CLAIM_MOST, concurrency * 50, ...byRate));
}

/** Fills the lane's queue until the signal aborts or an error is fatal. */
export async function runClaims(lane: LaneShared): Promise<void> {
  const { store, queue, claimable, filled, signal, budget, graceMs, log } = lane;
  const { id, name } = lane.state;
  let after = '-infinity';
  let scannedAt = 0;
  let state = { pausedMs: lane.state.pausedMs, readAt: 0 };
  while (!signal.aborted) {
    try {
      const now = performance.now();
      if (now - state.readAt > STATE_GOOD_FOR_MS || lane.pauses > 0) {
        const found = (await store.destinations()).find((d) => d.id === id);
        state = { pausedMs: found?.pausedMs ?? IDLE_POLL_MS, readAt: now };
        lane.pauses = found?.pauses ?? 0;
      }
      if (state.pausedMs > 0) {
        await pause(Math.min(IDLE_POLL_MS, state.pausedMs), signal);
        continue;
      }
      const room = lane.pauses > 0 ? 1 - queue.length - lane.busy : budget - queue.length;
      if (room <= 0 || queue.length > budget / 2) {
        await claimable.wait(100, signal);
        continue;
      }
      if (now - scannedAt > FULL_SCAN_EVERY_MS) {
        after = '-infinity';
        scannedAt = now;
      }
      const lease = { token: crypto.randomUUID(), leaseMs: LEASE_MS, graceMs };
      const claimed = await store.claim(id, lease, room, after);
      for (const delivery of claimed) queue.push({ lease, until: now + LEASE_MS, delivery });
      if (claimed.length > 0) filled.ring();
      if (claimed.length === room) after = claimed.at(-1)?.dueAt ?? after;
      else if (after !== '-infinity') after = '-infinity';
      else await claimable.wait(IDLE_POLL_MS, signal);
    } catch (error) {
      if (lane.isFatal(error)) break;
      log.warn({ destination: name, code: codeOf(error) }, 'could not claim; will try again');
      await pause(RETRY_MS, signal);
    }
  }
  filled.ring();
}
