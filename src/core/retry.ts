/** How deliveries are tried again: `delivery.retry` of the config. All times in ms. */
export interface RetrySchedule {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  /** How much the upper bound grows with each attempt; at least 1. */
  readonly factor: number;
  /** The upper bound never exceeds this. */
  readonly longestMs: number;
  /** Whoever has failed for so long is given up: a dead letter, until the contact changes or a person says so. */
  readonly windowMs: number;
  /** Longest that is waited because a destination asks for it: a wrong `Retry-After` must not park a contact for a day. */
  readonly retryAfterMostMs: number;
}

/** 1 s, doubled each time, at most 5 minutes; given up after 3 days; `Retry-After` of at most an hour. */
export const DEFAULT_RETRY: RetrySchedule = {
  firstMs: 1_000,
  factor: 2,
  longestMs: 300_000,
  windowMs: 259_200_000,
  retryAfterMostMs: 3_600_000,
};

/** Wait after a request for fewer requests that does not say how long. */
const THROTTLE_MS = 5_000;

/**
 * How long to wait before the next attempt: exponential with full jitter, so that contacts which failed together
 * don't come back together. What the destination asked for is a floor, and clamped.
 *
 * @returns whole ms, from 0 to the greater of `longestMs` and `retryAfterMostMs`
 */
export function retryDelayMs(
  schedule: RetrySchedule,
  attempt: {
    /** Attempts made so far, 1 after the first. */
    readonly tries: number;
    /** From 0 (included) to 1 (excluded). */
    readonly random: number;
    readonly retryAfterMs?: number | undefined;
  },
): number {
  const { firstMs, factor, longestMs } = schedule;
  const exponent = Math.max(0, Math.floor(attempt.tries) - 1);
  // factor ** exponent may be Infinity; min() brings it back. NaN (0 * Infinity) must not get out.
  const ceiling = Math.min(longestMs, firstMs * factor ** exponent);
  const jittered = Number.isNaN(ceiling) ? longestMs : attempt.random * ceiling;
  return Math.max(clamped(schedule, attempt.retryAfterMs ?? 0), Math.round(jittered));
}

/**
 * How long nothing is sent that the destination has asked for less of, in whole ms.
 * @param retryAfterMs what it asked for, if it said
 */
export function throttleMs(schedule: RetrySchedule, retryAfterMs: number | undefined): number {
  return clamped(schedule, retryAfterMs ?? THROTTLE_MS);
}

function clamped({ retryAfterMostMs }: RetrySchedule, askedMs: number): number {
  return askedMs > 0 ? Math.min(retryAfterMostMs, Math.ceil(askedMs)) : 0;
}
