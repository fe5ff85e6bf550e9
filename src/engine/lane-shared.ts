import type { Destination } from '../core/destination.ts';
import type { Limits } from '../core/limits.ts';
import type { RetrySchedule } from '../core/retry.ts';
import type { FactStore } from '../inbound/ports.ts';
import type { LaneQueue } from './lane-queue.ts';
import type { Limiters } from './limiters.ts';
import type { Claimed, DestinationState, Lease, Logger, Send, Store } from './ports.ts';
import type { EngineTimes } from './times.ts';
import type { Wake } from './wake.ts';

export interface LaneOptions {
  readonly store: Store;
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: DestinationState;
  readonly send: Send;
  readonly facts: Pick<FactStore, 'receive'>;
  readonly log: Logger;
  readonly graceMs: number;
  readonly retry: RetrySchedule;
  /** An event whose attempt got no answer is not sent again, where the destination has no key against duplicates. */
  readonly eventsAtMostOnce: boolean;
  readonly times: EngineTimes;
  /** Most contacts of one request for many, where that is fewer than the destination takes: for a home with little memory. */
  readonly mostTogether?: number | undefined;
  /** Live contacts are left to other workers until they have waited so long, in ms: 0 for a worker of its own. */
  readonly liveWaitMs: number;
  /** A number from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Rung when the destination says that a request for many has ended. */
  readonly notified: Wake;
  /** Told when the destination refuses our key. */
  readonly onRefused: () => void;
  /** Told of every error of the store; true when no retry can mend it and the lane shall end. */
  readonly isFatal: (error: unknown) => boolean;
}

/** A unit of work waiting for a slot. */
export interface Leased {
  readonly lease: Lease;
  /** When the lease ends by our own clock (`performance.now()`), counted from before the claim was sent. */
  readonly until: number;
  readonly delivery: Claimed;
}

/** What the claim loop and the slots of one lane share. Times are of `performance.now()`. */
export interface LaneShared extends LaneOptions {
  readonly queue: LaneQueue;
  /** Rung when the queue was filled. */
  readonly filled: Wake;
  /** Rung when there may be something to claim, or room for it. */
  readonly claimable: Wake;
  readonly limits: Limits;
  readonly limiters: Limiters;
  /** For single requests of a backfill: see `backfillBuckets`. */
  readonly backfillLimiters: Limiters;
  readonly budget: number;
  /** Units of the backfill lane that may be in hand: one slot is for whoever is live. */
  readonly backfillSlots: number;
  /** Of these, how many may wait for a permit: whoever is live comes next, and waits for no more than these. */
  readonly backfillWaits: number;
  /** Of each lane, how many must wait before they go together; 0 when they do not now: see bulk.ts. */
  readonly together: [live: number, backfill: number];
  readonly signal: AbortSignal;
  /** More is due than was claimed, or may be: as soon as there is room it is looked for. */
  behind: boolean;
  /** Requests in flight. */
  busy: number;
  /** Characters of what is in flight: see `Claimed.size`. */
  busySize: number;
  /** Of these, units of the backfill lane, and those that wait for a permit. */
  backfilling: number;
  backfillWaiting: number;
  /** Pauses in a row; above 0 it is found out first whether it is over: see probe.ts. */
  pauses: number;
  /** Probes in a row that got no answer of use. */
  probes: number;
  /** The destination is paused until then. */
  pausedUntil: number;
  /** When we learned of the pause: an answer to a request begun before says nothing about it. */
  pausedAt: number;
}

/** Whether nothing may be sent now because the destination refused us. */
export function isPaused(lane: LaneShared): boolean {
  return performance.now() < lane.pausedUntil;
}

/** Frees leases whose deliveries were not begun. Should that fail, the leases run out by themselves. */
export async function giveBack(lane: Pick<LaneShared, 'store' | 'state'>, items: readonly Leased[]): Promise<void> {
  const byToken = new Map<string, string[]>();
  for (const { lease, delivery } of items) {
    const contacts = byToken.get(lease.token);
    if (contacts === undefined) byToken.set(lease.token, [delivery.contactId]);
    else contacts.push(delivery.contactId);
  }
  for (const [token, contacts] of byToken) {
    await lane.store.release(lane.state.id, token, contacts).catch(() => undefined);
  }
}
