import type { WalGauges } from '../core/gauges.ts';
import type { SweepReport } from '../engine/sweep-report.ts';

export type Home = 'worker' | 'edge' | 'sql';

/** What `rollcall.status()` returns. */
export interface StatusDocument {
  readonly environment: string | null;
  readonly project: string | null;
  readonly bound: boolean;
  readonly config_hash: string | null;
  readonly swept_at: string | null;
  /** Who delivers, or did, the latest first; absent before an upgrade is applied. */
  readonly homes?: readonly { readonly home: Home; readonly seen_s: number; readonly at_work: boolean }[];
  /** One that is not over. */
  readonly backfill: {
    readonly resource: string | null;
    readonly scanned: number;
    readonly expected: number | null;
    readonly walked: boolean;
    /** Some worker is at it. */
    readonly held: boolean | null;
  } | null;
  /** Of the last complete sweep; null when there was none. */
  readonly sweep_report: SweepReport | null;
  /** Statements whose events could not be captured, since the install: nothing brings those back. */
  readonly events_lost: number;
  readonly sweep_wanted: boolean;
  /** People whose consent is not written back yet, those of them that failed, and with which SQLSTATEs; absent before an upgrade is applied. */
  readonly write_backs?: { readonly due: number; readonly failing: number; readonly codes: readonly string[] };
  /** How changes are read from the write-ahead log; null or absent where triggers capture. */
  readonly wal?: WalGauges | null;
  /** Erasures that are not finished; absent when there are none. */
  readonly erasing?: { readonly count: number; readonly oldest_s: number };
  /** Keys in the log that no worker has folded yet. */
  readonly unfolded: number;
  readonly oldest_unfolded_s: number | null;
  /** Since the last sweep, or since the install was bound when there was none; null while it is unbound. */
  readonly unwatched_s: number | null;
  /** Missing or switched off: `schema.table: trigger`. */
  readonly triggers_missing: readonly string[];
  readonly sources: readonly SourceStatus[];
  readonly destinations: readonly DestinationStatus[];
}

/** A table that is read: `schema.table`. */
export interface SourceStatus {
  readonly name: string;
  readonly pause_code: string | null;
  readonly pause_message: string | null;
  /** Rows that are kept until it can be read again, for their events. */
  readonly held: number;
}

/** What a brake holds until somebody releases it. */
export interface BrakeStatus {
  readonly kind: BrakeKind;
  readonly held: number;
  readonly stopped_at: string | null;
  readonly share: number;
  readonly least: number;
}

export type BrakeKind = 'deletes' | 'changes';

export interface DestinationStatus {
  readonly name: string;
  readonly type: string;
  /** Without those that a brake holds. */
  readonly pending: number;
  /** Those that hold somebody. */
  readonly brakes: readonly BrakeStatus[];
  readonly oldest_pending_s: number | null;
  readonly in_step: number;
  /** Reason to number of people who are no contacts. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly causes: readonly {
    readonly stage: string;
    readonly code: string;
    readonly field: string | null;
    readonly count: number;
  }[];
  /** `pending`, `delivered`, or `dropped` and `dead` with their reason (`dropped no_contact`) to the number of events. */
  readonly events: Readonly<Record<string, number>>;
  readonly pause_code: string | null;
  readonly pause_message: string | null;
  /** `infinity` for one that a person has to end. */
  readonly paused_until: string | null;
  readonly paused_since: string | null;
  /** Pauses in a row. */
  readonly pauses: number;
}
