import { FRESH_RATE, type RateState, take } from '../core/rate.ts';
import type { Bucket } from '../engine/ports.ts';

/**
 * The rate limits of one process that has no database to share them through: as `Store.takeSends`, in memory.
 * @param now ms since the epoch
 */
export function memoryLimits(
  now: () => number,
): (buckets: readonly Bucket[], want: number) => Promise<{ granted: number; waitMs: number }> {
  const states = new Map<string, RateState>();
  return (buckets, want) => {
    const at = now();
    const asked = (most: number): ReturnType<typeof take>[] =>
      buckets.map((bucket) => take(bucket, states.get(bucket.name) ?? FRESH_RATE, at, most));
    const offers = asked(want);
    // What all of them allow is taken from all of them, and nothing when one allows nothing.
    const granted = Math.min(want, ...offers.map((offer) => offer.granted));
    const waitMs = Math.max(0, ...offers.map((offer) => offer.waitMs));
    if (granted > 0) for (const [n, { state }] of asked(granted).entries()) states.set(buckets[n]?.name ?? '', state);
    return Promise.resolve({ granted, waitMs: granted > 0 ? 0 : waitMs });
  };
}
