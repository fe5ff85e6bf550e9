import type { OutcomeKind } from './outcome.ts';

/**
 * Whether a destination may be sent to. It is paused when it answers that key, scope or plan is wrong (`config`): no
 * record is at fault, so none is burned, and one probe after each pause finds out whether somebody mended it.
 *
 * - `closed`: send.
 * - `open`: paused until `until`.
 * - `half_open`: one probe is out; `until` is when it counts as lost and another may go.
 */
export interface BreakerState {
  readonly phase: 'closed' | 'open' | 'half_open';
  /** Pauses in a row; the next is longer. */
  readonly pauses: number;
  /** ms since the epoch; 0 when closed. */
  readonly until: number;
}

export interface BreakerTimes {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long a probe may take before it counts as lost. */
  readonly probeMs: number;
}

export const CLOSED: BreakerState = { phase: 'closed', pauses: 0, until: 0 };

/** 30 s, doubled each time, at most 10 minutes; a probe has a minute. */
export const DEFAULT_BREAKER_TIMES: BreakerTimes = { firstPauseMs: 30_000, longestPauseMs: 600_000, probeMs: 60_000 };

function pauseMs(pauses: number, times: BreakerTimes): number {
  return Math.min(times.longestPauseMs, times.firstPauseMs * 2 ** Math.max(0, pauses - 1));
}

/**
 * Asks to send. The answer `one` hands out the probe, so the returned state must be kept before anything is sent.
 * @returns how many requests may go, and how long to wait (ms) when none
 */
export function permit(
  state: BreakerState,
  nowMs: number,
  times: BreakerTimes = DEFAULT_BREAKER_TIMES,
): { readonly allow: 'all' | 'one' | 'none'; readonly waitMs: number; readonly state: BreakerState } {
  if (state.phase === 'closed') return { allow: 'all', waitMs: 0, state };
  if (nowMs < state.until) return { allow: 'none', waitMs: state.until - nowMs, state };
  return { allow: 'one', waitMs: 0, state: { phase: 'half_open', pauses: state.pauses, until: nowMs + times.probeMs } };
}

/**
 * Takes note of an outcome. Any answer about a record proves that key and plan work and closes the breaker; no answer
 * (`retry`, `unknown`) proves nothing, so the pause is repeated without growing. While it is open, answers to requests
 * sent before the pause change nothing.
 */
export function record(
  state: BreakerState,
  outcome: OutcomeKind,
  nowMs: number,
  times: BreakerTimes = DEFAULT_BREAKER_TIMES,
): BreakerState {
  if (state.phase === 'open') return state;
  if (outcome === 'config') {
    const pauses = state.pauses + 1;
    return { phase: 'open', pauses, until: nowMs + pauseMs(pauses, times) };
  }
  if (outcome !== 'retry' && outcome !== 'unknown') return CLOSED;
  if (state.phase === 'closed') return state;
  return { phase: 'open', pauses: state.pauses, until: nowMs + pauseMs(state.pauses, times) };
}
