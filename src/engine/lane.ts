import { ratePlan } from '../core/rate.ts';
import { claimBudget, runClaims } from './claims.ts';
import { giveBack, type LaneOptions, type LaneShared, type Leased } from './lane-shared.ts';
import { createLimiter } from './limiter.ts';
import type { Bucket } from './ports.ts';
import { createSettler } from './settler.ts';
import { runSlot } from './slot.ts';
import { createTrouble } from './trouble.ts';
import { createWake } from './wake.ts';

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
  const buckets = limits.buckets.map((b) => ({ name: b.name, ...ratePlan(b) }));
  const claimable = createWake();
  const queue: Leased[] = [];
  const trouble = createTrouble(log, { destination: name }, 'take permits to send');
  const limiter = createLimiter(
    async (want) => {
      if (buckets.length === 0) return { granted: want, waitMs: 0 };
      try {
        const taken = await store.takeSends(id, buckets, want);
        trouble.worked();
        return taken;
      } catch (error) {
        trouble.failed(error);
        return { granted: 0, waitMs: 500 };
      }
    },
    () => queue.length,
  );
  return {
    wake: () => claimable.ring(),
    async run(signal) {
      const shared: LaneShared = {
        ...options,
        queue,
        filled: createWake(),
        claimable,
        limiter,
        holdExtraMs: holdExtraMs(buckets),
        budget: claimBudget(limits.concurrency, buckets),
        signal,
        busy: 0,
        pauses: options.state.pauses,
        pausedUntil: 0,
        pausedAt: -Infinity,
      };
      const settler = createSettler(store, options.state, log, () => claimable.ring());
      const slots = Array.from({ length: limits.concurrency }, () => runSlot(shared, settler));
      await Promise.all([runClaims(shared), ...slots]);
      await giveBack(shared, queue.splice(0));
      await settler.drain(times.requestMs);
    },
  };
}

/**
 * A held bucket grants again one burst before its mark. All buckets must grant, so the one with the shortest burst decides;
 * the mark is moved by that much.
 */
function holdExtraMs(buckets: readonly Bucket[]): number {
  if (buckets.length === 0) return 0;
  return Math.ceil(Math.min(...buckets.map((b) => (b.burst - 1) * b.intervalUs)) / 1_000);
}
