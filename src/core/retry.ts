/** How the wait between attempts grows. All times in ms. */
export interface RetrySchedule {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** How much the upper bound grows with each attempt. */
  readonly factor: number;
  /** The upper bound never exceeds this. */
  readonly capMs: number;
}

/** 1 s, doubled each time, at most 5 minutes. */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = { baseMs: 1_000, factor: 2, capMs: 300_000 };

/** No wait is longer, whatever a destination asks for: a wrong `Retry-After` must not park a contact for a day. */
export const LONGEST_WAIT_MS = 3_600_000;

/**
 * How long to wait before the next attempt: exponential with full jitter, so that contacts which failed together
 * don't come back together. What the destination asked for is a floor.
 *
 * @returns whole ms, from 0 to `LONGEST_WAIT_MS`
 */
export function retryDelayMs(input: {
  /** Attempts made so far, 1 after the first. */
  readonly tries: number;
  /** From 0 (included) to 1 (excluded). */
  readonly random: number;
  readonly retryAfterMs?: number | undefined;
  readonly schedule?: RetrySchedule | undefined;
}): number {
  const { baseMs, factor, capMs } = input.schedule ?? DEFAULT_RETRY_SCHEDULE;
  const exponent = Math.max(0, Math.floor(input.tries) - 1);
  // factor ** exponent may be Infinity; min() brings it back. NaN (0 * Infinity) must not get out.
  const ceiling = Math.min(capMs, baseMs * factor ** exponent);
  const jittered = Number.isNaN(ceiling) ? capMs : input.random * ceiling;
  const asked = input.retryAfterMs ?? 0;
  const floor = asked > 0 ? asked : 0;
  return Math.min(LONGEST_WAIT_MS, Math.max(Math.ceil(floor), Math.round(jittered)));
}
