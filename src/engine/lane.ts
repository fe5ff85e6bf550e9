import { ratePlan } from '../core/rate.ts';
import { claimBudget, runClaims } from './claims.ts';
import { DEADLINE_MS, giveBack, type LaneOptions, type LaneShared } from './lane-shared.ts';
import { createLimiter } from './limiter.ts';
import { codeOf, createSettler } from './settler.ts';
import { runSlot } from './slot.ts';
import { createWake } from './wake.ts';

/** Delivery to one destination. Destinations share nothing but the database, so none holds up another. */
export interface Lane {
  /** Something may be due. */
  wake(): void;
  /** Runs until `signal` aborts, then finishes what is in flight and gives back the rest. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLane(options: LaneOptions): Lane {
  const { store, log } = options;
  const { id, name } = options.state;
  const limits = options.destination.limits(options.config);
  const buckets = limits.buckets.map((b) => ({ name: b.name, ...ratePlan(b) }));
  const claimable = createWake();
  const limiter = createLimiter(async (want) => {
    try {
      return await store.takeSends(id, buckets, want);
    } catch (error) {
      log.warn({ destination: name, code: codeOf(error) }, 'could not take permits to send; will try again');
      return { granted: 0, waitMs: 500 };
    }
  });
  return {
    wake: () => claimable.ring(),
    async run(signal) {
      const shared: LaneShared = {
        ...options,
        queue: [],
        filled: createWake(),
        claimable,
        budget: claimBudget(limits.concurrency, buckets),
        signal,
        busy: 0,
        pauses: options.state.pauses,
      };
      const settler = createSettler(store, id, log, () => claimable.ring());
      const slots = Array.from({ length: limits.concurrency }, () => runSlot(shared, limiter, settler));
      await runClaims(shared);
      await Promise.all(slots);
      await giveBack(shared, shared.queue.splice(0));
      await settler.drain(DEADLINE_MS);
    },
  };
}
