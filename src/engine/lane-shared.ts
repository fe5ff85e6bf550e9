import type { Destination } from '../core/destination.ts';
import type { Claimed, DestinationState, Lease, Logger, Send, Store } from './ports.ts';
import type { Wake } from './wake.ts';

export interface LaneOptions {
  readonly store: Store;
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: DestinationState;
  readonly send: Send;
  readonly log: Logger;
  readonly graceMs: number;
  /** A number from 0 to 1, for jitter. */
  readonly random: () => number;
  /** Told of every error of the store; true when no retry can mend it and the lane shall end. */
  readonly isFatal: (error: unknown) => boolean;
}

/** A dead worker's contacts are taken over after this. */
export const LEASE_MS = 15_000;
/** Longest that one request may take: shorter than what is left of its lease, by enough for the settle. */
export const DEADLINE_MS = 10_000;

/** A delivery waiting for a slot. */
export interface Leased {
  readonly lease: Lease;
  /** When the lease ends by our own clock (`performance.now()`), counted from before the claim was sent. */
  readonly until: number;
  readonly delivery: Claimed;
}

/** What the claim loop and the slots of one lane share. */
export interface LaneShared extends LaneOptions {
  readonly queue: Leased[];
  /** Rung when the queue was filled. */
  readonly filled: Wake;
  /** Rung when there may be something to claim, or room for it. */
  readonly claimable: Wake;
  readonly budget: number;
  readonly signal: AbortSignal;
  /** Requests in flight. */
  busy: number;
  /** Pauses in a row, as last read; above 0 one contact goes first, alone. */
  pauses: number;
}

/** Frees leases whose deliveries were not begun. Should that fail, the leases run out by themselves. */
export async function giveBack(lane: Pick<LaneShared, 'store' | 'state'>, items: readonly Leased[]): Promise<void> {
  const byToken = new Map<string, string[]>();
  for (const { lease, delivery } of items) {
    byToken.set(lease.token, [...(byToken.get(lease.token) ?? []), delivery.contactId]);
  }
  for (const [token, contacts] of byToken) {
    await lane.store.release(lane.state.id, token, contacts).catch(() => undefined);
  }
}
