import type { RateLimit } from './limits.ts';

/**
 * A shared rate limit as arithmetic (GCRA, the generic cell rate algorithm). The SQL that keeps the shared buckets does
 * the same sums in `bigint` microseconds, so the two agree to the last digit.
 *
 * The bound: with a burst of b and one permit per T, any closed interval of length L sees at most b + floor(L / T)
 * grants. A request leaves up to a lag after its grant, so requests seen in a window of W ms were granted within
 * W + lag. With T just above (W + lag) / (N - b + 1) that is at most b + (N - b) = N.
 */
export interface RatePlan {
  /** Time per permit, in whole microseconds, rounded up. */
  readonly intervalUs: number;
  /** Permits that may be taken at one moment after a pause. */
  readonly burst: number;
}

/** What a bucket remembers: the theoretical arrival time of the next permit, in microseconds since the epoch. */
export interface RateState {
  readonly tatUs: number;
}

export interface RateGrant {
  /** Permits given, from 0 to what was wanted. */
  readonly granted: number;
  /** Whole ms until one more permit can be had; 0 when all that was wanted was granted. */
  readonly waitMs: number;
  readonly state: RateState;
}

/** A bucket nothing was ever taken from. */
export const FRESH_RATE: RateState = { tatUs: 0 };

/** Shares of a limit that may be spent at once: what a short window saves up is gone in a moment anyway. */
const BURST = 0.05;
const SHORT_BURST = 0.02;
const SHORT_MS = 1_000;

/** How long a request may leave after its permit was granted, in ms: a twentieth of the window, or the rate would suffer. */
export function rateLagMs(perMs: number): number {
  return Math.min(1_000, Math.max(60, perMs / 20));
}

/** The plan that keeps a limit in any window. */
export function ratePlan(limit: Pick<RateLimit, 'requests' | 'perMs'>): RatePlan {
  const requests = Math.max(1, Math.floor(limit.requests));
  const burst = Math.max(1, Math.floor(requests * (limit.perMs <= SHORT_MS ? SHORT_BURST : BURST)));
  const spanUs = Math.ceil(limit.perMs + rateLagMs(limit.perMs)) * 1_000;
  return { intervalUs: Math.floor(spanUs / (requests - burst + 1)) + 1, burst };
}

/**
 * Takes up to `want` permits now.
 * @param nowMs ms since the epoch; a clock that went backwards only makes the bucket stricter
 */
export function take(plan: RatePlan, state: RateState, nowMs: number, want: number): RateGrant {
  const nowUs = Math.floor(nowMs * 1_000);
  const base = Math.max(state.tatUs, nowUs);
  // The earliest moment the next permit conforms is base - tolerance.
  const slackUs = nowUs + (plan.burst - 1) * plan.intervalUs - base;
  const free = slackUs < 0 ? 0 : Math.floor(slackUs / plan.intervalUs) + 1;
  const granted = Math.min(Math.max(0, Math.floor(want)), free);
  if (granted >= want)
    return { granted, waitMs: 0, state: granted === 0 ? state : { tatUs: base + granted * plan.intervalUs } };
  const waitMs = Math.max(1, Math.ceil((granted * plan.intervalUs - slackUs) / 1_000));
  return { granted, waitMs, state: granted === 0 ? state : { tatUs: base + granted * plan.intervalUs } };
}
