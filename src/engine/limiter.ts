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
/** So far ahead of the pace permits are asked for before the last is used, so that nobody at a steady pace waits for the store. */
const AHEAD_MS = 40;

/** Permits of one answer that are left, and until when they may be used. */
interface Grant {
  left: number;
  readonly until: number;
}

/**
 * Takes permits from the shared buckets for all who wait, for those next in line, and at a steady pace ahead of them, in one call.
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
  let grants: Grant[] = [];
  let notBefore = 0;
  let used = 0;
  let askedAt = performance.now();
  /** How many are used in `AHEAD_MS`, of late. */
  let ahead = 0;
  let asking: Promise<number> | undefined;

  const inHand = (now: number): number => {
    grants = grants.filter(({ left, until }) => left > 0 && now < until);
    return grants.reduce((sum, { left }) => sum + left, 0);
  };
  // Resolves to how long to wait before asking again.
  const ask = async (): Promise<number> => {
    const now = performance.now();
    ahead = Math.min(used, Math.floor((used * AHEAD_MS) / Math.max(1, now - askedAt)));
    // Ahead only as far as the last ones were used up, so that permits seldom go to waste.
    const want = waiting + Math.max(ahead, Math.min(inLine(), used));
    used = 0;
    askedAt = now;
    const { granted, waitMs } = await take(want);
    const until = Math.max(now + goodForMs, performance.now() + LEAST_GOOD_MS);
    if (granted > 0) grants.push({ left: granted, until });
    else notBefore = performance.now() + waitMs;
    return granted > 0 ? 0 : Math.max(1, waitMs);
  };
  const askOnce = (): Promise<number> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };

  return {
    async acquire(deadline, signal) {
      waiting += 1;
      try {
        for (;;) {
          const now = performance.now();
          if (signal.aborted || now > deadline) return false;
          const left = inHand(now);
          const [grant] = grants;
          if (grant !== undefined) {
            grant.left -= 1;
            used += 1;
            if (ahead > 1 && left <= ahead / 2 && now > notBefore) void askOnce();
            return true;
          }
          const waitMs = await askOnce();
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
      grants = [];
    },
  };
}
