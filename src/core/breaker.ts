/** How long a destination is paused that answers that key, scope or plan is wrong. All in ms. */
export interface BreakerTimes {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** 30 s, doubled each time, at most 10 minutes. */
export const DEFAULT_BREAKER_TIMES: BreakerTimes = { firstPauseMs: 30_000, longestPauseMs: 600_000 };

/**
 * The next pause. No record is at fault, so none is burned; after each pause one contact goes first, alone, and finds out
 * whether somebody mended it.
 * @param pausesBefore pauses in a row so far
 */
export function nextPauseMs(pausesBefore: number, times: BreakerTimes = DEFAULT_BREAKER_TIMES): number {
  return Math.min(times.longestPauseMs, times.firstPauseMs * 2 ** Math.max(0, pausesBefore));
}
