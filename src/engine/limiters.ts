import { type Limits, limitsOf, type Traffic } from '../core/limits.ts';
import { rateLagMs, ratePlan } from '../core/rate.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import type { Bucket } from './ports.ts';

/** Permits to send, by what the request is for. Times are of `performance.now()`. */
export interface Limiters {
  /** Waits for a permit; false when none can be had before `deadline` or `signal` aborts. */
  acquire(traffic: Traffic, deadline: number, signal: AbortSignal): Promise<boolean>;
  /** No contact can be sent before this. */
  notBefore(): number;
  /** Throws away permits not used yet: the destination asked for fewer requests of this kind. */
  drop(traffic: Traffic): void;
}

/** The shared buckets that count a request. */
export function bucketsFor(limits: Pick<Limits, 'buckets'>, traffic: Traffic): readonly Bucket[] {
  return limitsOf(limits, traffic).map((limit) => ({ name: limit.name, ...ratePlan(limit) }));
}

/**
 * The same buckets for a backfill. It takes no permit while only the last half of a burst is left, so that whoever is live finds one
 * there at once, whatever waits in this worker or any other. That takes nothing from its rate, as permits come at the same pace.
 * Where a burst is of one there is nothing to leave.
 */
export function backfillBuckets(buckets: readonly Bucket[]): readonly Bucket[] {
  return buckets.map((bucket) => ({ ...bucket, burst: Math.max(1, Math.floor(bucket.burst / 2)) }));
}

/** Half of what core/rate.ts allows between grant and send; the other half is for what happens after `acquire`. */
function goodForMs(limits: Pick<Limits, 'buckets'>, traffic: Traffic): number {
  return Math.min(Infinity, ...limitsOf(limits, traffic).map(({ perMs }) => rateLagMs(perMs) / 2));
}

/**
 * One limiter for each set of buckets: requests that are counted together wait together.
 * @param take asks the store; must not throw
 * @param inLine how many more contacts are about to be sent
 */
export function createLimiters(
  limits: Pick<Limits, 'buckets'>,
  take: (buckets: readonly Bucket[], want: number) => Promise<{ granted: number; waitMs: number }>,
  inLine: () => number,
): Limiters {
  // Every request asks: what a kind of it is counted by is worked out once.
  const byTraffic = new Map<Traffic, Limiter>();
  const bySet = new Map<string, Limiter>();
  const of = (traffic: Traffic): Limiter => {
    const known = byTraffic.get(traffic);
    if (known !== undefined) return known;
    const buckets = bucketsFor(limits, traffic);
    const key = buckets.map(({ name }) => name).join();
    const limiter =
      bySet.get(key) ??
      createLimiter(
        async (want) => (buckets.length === 0 ? { granted: want, waitMs: 0 } : await take(buckets, want)),
        traffic === 'contact' ? inLine : () => 0,
        goodForMs(limits, traffic),
      );
    byTraffic.set(traffic, limiter);
    bySet.set(key, limiter);
    return limiter;
  };
  // The first of a set says how far ahead it is asked for.
  const contacts = of('contact');
  return {
    acquire: (traffic, deadline, signal) => of(traffic).acquire(deadline, signal),
    notBefore: () => contacts.notBefore(),
    drop: (traffic) => of(traffic).drop(),
  };
}
