import { runBulk } from './bulk.ts';
import { leastTogether } from './bulk-choice.ts';
import { claimBudget, runClaims } from './claims.ts';
import { createLaneQueue } from './lane-queue.ts';
import { giveBack, type LaneOptions, type LaneShared } from './lane-shared.ts';
import { backfillBuckets, bucketsFor, createLimiters } from './limiters.ts';
import type { Bucket } from './ports.ts';
import { createSettler } from './settler.ts';
import { runSlot } from './slot.ts';
import { createTrouble } from './trouble.ts';
import { createWake } from './wake.ts';

const AHEAD_US = 500_000;

/** Delivery to one destination. Destinations share nothing but the database, so none holds up another. */
export interface Lane {
  /** Something may be due. */
  wake(): void;
  /** Runs until `signal` aborts, then finishes what is in flight and gives back the rest. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLane(options: LaneOptions): Lane {
  const { store, log, times } = options;
  const { id, name } = options.state;
  const limits = options.destination.limits(options.config);
  const buckets = bucketsFor(limits, 'contact');
  const least = leastTogether(options.destination.bulk, options.config, buckets);
  const claimable = createWake();
  const queue = createLaneQueue();
  const trouble = createTrouble(log, { destination: name }, 'take permits to send');
  const takeSends = async (of: readonly Bucket[], want: number): Promise<{ granted: number; waitMs: number }> => {
    try {
      const taken = await store.takeSends(id, of, want);
      trouble.worked();
      return taken;
    } catch (error) {
      trouble.failed(error);
      return { granted: 0, waitMs: 500 };
    }
  };
  const limiters = createLimiters(limits, takeSends, () => queue.waiting(0));
  const backfillLimiters = createLimiters(
    limits,
    (of, want) => takeSends(backfillBuckets(of), want),
    () => queue.waiting(1),
  );
  return {
    wake: () => claimable.ring(),
    async run(signal) {
      const shared: LaneShared = {
        ...options,
        queue,
        filled: createWake(),
        claimable,
        limits,
        limiters,
        backfillLimiters,
        budget: claimBudget(limits.concurrency, buckets),
        backfillSlots: Math.max(1, limits.concurrency - 1),
        backfillWaits: backfillWaits(buckets),
        together: [options.liveWaitMs > 0 ? 0 : (least ?? 0), least ?? 0],
        signal,
        behind: true,
        busy: 0,
        busySize: 0,
        backfilling: 0,
        backfillWaiting: 0,
        pauses: options.state.pauses,
        probes: 0,
        pausedUntil: 0,
        pausedAt: -Infinity,
      };
      const settler = createSettler(store, options.state, log, () => claimable.ring());
      const slots = Array.from({ length: limits.concurrency }, () => runSlot(shared, settler));
      await Promise.all([runClaims(shared), runBulk(shared, least), ...slots]);
      await giveBack(shared, queue.takeAll());
      await settler.drain(times.requestMs);
    },
  };
}

/** As many permits as are handed out in half a second: so long whoever is live may wait behind a backfill. */
export function backfillWaits(buckets: readonly Bucket[]): number {
  return Math.min(...buckets.map((b) => Math.ceil(AHEAD_US / b.intervalUs)), Infinity);
}
