import { pause } from './wake.ts';

/** Hands out permits to send, one for each request. Times are of `performance.now()`. */
export interface Limiter {
  /** Waits for a permit; false when none can be had before `deadline` or `signal` aborts. */
  acquire(deadline: number, signal: AbortSignal): Promise<boolean>;
  /** No permit can be had before this. */
  notBefore(): number;
  /** Throws away permits not used yet: the destination asked for fewer requests. */
  drop(): void;
}

/** However long the store took to answer, what it granted may be used for this long: else a far one would never be of use. */
const LEAST_GOOD_MS = 10;

/**
 * Takes permits from the shared buckets for all who wait and for those next in line, in one call.
 * @param take asks the store; must not throw
 * @param inLine how many more requests are about to be sent
 * @param goodForMs how long a permit may be used from when it was asked for
 */
export function createLimiter(
  take: (want: number) => Promise<{ granted: number; waitMs: number }>,
  inLine: () => number,
  goodForMs: number,
): Limiter {
  let waiting = 0;
  let permits = 0;
  let goodUntil = 0;
  let notBefore = 0;
  let usedOfLast = 0;
  let asking: Promise<number> | undefined;

  // Resolves to how long to wait before asking again.
  const ask = async (): Promise<number> => {
    const askedAt = performance.now();
    // Ahead only as far as the last ones were used up, so that permits seldom go to waste.
    const { granted, waitMs } = await take(waiting + Math.min(inLine(), usedOfLast));
    permits = granted;
    usedOfLast = 0;
    goodUntil = Math.max(askedAt + goodForMs, performance.now() + LEAST_GOOD_MS);
    if (granted > 0) return 0;
    notBefore = performance.now() + waitMs;
    return Math.max(1, waitMs);
  };

  return {
    async acquire(deadline, signal) {
      waiting += 1;
      try {
        for (;;) {
          const now = performance.now();
          if (signal.aborted || now > deadline) return false;
          if (permits > 0 && now < goodUntil) {
            permits -= 1;
            usedOfLast += 1;
            return true;
          }
          asking ??= ask().finally(() => {
            asking = undefined;
          });
          const waitMs = await asking;
          if (waitMs === 0) continue;
          if (performance.now() + waitMs > deadline) return false;
          await pause(waitMs, signal);
        }
      } finally {
        waiting -= 1;
      }
    },
    notBefore: () => notBefore,
    drop() {
      permits = 0;
    },
  };
}
