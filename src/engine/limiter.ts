import { RATE_LAG_MS } from '../core/rate.ts';
import { pause } from './wake.ts';

/** Hands out permits to send, one for each request. */
export interface Limiter {
  /** Waits for a permit; false when none can be had before `deadline` (ms of `performance.now()`) or `signal` aborts. */
  acquire(deadline: number, signal: AbortSignal): Promise<boolean>;
}

/**
 * Takes permits from the shared buckets for all who wait, in one call. A permit is good for `RATE_LAG_MS` only, which is what
 * the arithmetic of core/rate.ts allows between grant and send.
 * @param take asks the store; must not throw
 */
export function createLimiter(take: (want: number) => Promise<{ granted: number; waitMs: number }>): Limiter {
  let waiting = 0;
  let permits = 0;
  let goodUntil = 0;
  let asking: Promise<number> | undefined;

  // Resolves to how long to wait before asking again.
  const ask = async (): Promise<number> => {
    const askedAt = performance.now();
    const { granted, waitMs } = await take(waiting);
    permits = granted;
    goodUntil = askedAt + RATE_LAG_MS;
    return granted > 0 ? 0 : waitMs;
  };

  return {
    async acquire(deadline, signal) {
      waiting += 1;
      try {
        for (;;) {
          if (signal.aborted || performance.now() > deadline) return false;
          if (permits > 0 && performance.now() < goodUntil) {
            permits -= 1;
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
  };
}
