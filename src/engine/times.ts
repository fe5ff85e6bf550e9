import { DEFAULT_BREAKER_TIMES, type BreakerTimes } from '../core/breaker.ts';

/** The clocks of the engine, all in ms. Tests shorten them; the relations between them must hold. */
export interface EngineTimes {
  /** A dead worker's contacts are taken over after this. */
  readonly leaseMs: number;
  /** Longest that one request may take. */
  readonly requestMs: number;
  /** What must be left of a lease when its last request is over, for the settle. */
  readonly settleMs: number;
  /** A further request of a delivery is begun only with this much time, or more. */
  readonly leastRequestMs: number;
  /** Sweeps and upkeep are looked at this often. */
  readonly upkeepEveryMs: number;
  /** What somebody must be told is looked for this often. */
  readonly alertsEveryMs: number;
  /** Who must not be mailed is read from a destination this often; whether it is time for that is looked at this often. */
  readonly pullEveryMs: number;
  readonly pullLookMs: number;
  /** While somebody is being erased it is looked this often how far that is. */
  readonly eraseLookMs: number;
  /** What outlives a restore is written down at most this often; whether something is new is looked at this often. */
  readonly keepEveryMs: number;
  readonly keepLookMs: number;
  /** A backfill whose worker is gone is looked for this often. */
  readonly backfillLookMs: number;
  /** Longest that a request for many is waited for: the lease of its contacts. */
  readonly jobMs: number;
  readonly breaker: BreakerTimes;
}

/**
 * A lease is short enough that another worker goes on 15 s after a death, the second between its looks included. It has room for
 * one request that takes its longest, 4 s of waiting or of other requests before it, and the settle.
 */
export const DEFAULT_TIMES: EngineTimes = {
  leaseMs: 13_000,
  requestMs: 8_000,
  settleMs: 1_000,
  leastRequestMs: 2_000,
  upkeepEveryMs: 5_000,
  alertsEveryMs: 10_000,
  pullEveryMs: 3_600_000,
  pullLookMs: 15_000,
  eraseLookMs: 1_000,
  keepEveryMs: 60_000,
  keepLookMs: 5_000,
  backfillLookMs: 3_000,
  jobMs: 3_600_000,
  breaker: DEFAULT_BREAKER_TIMES,
};
