/** How things stand in the database now: counts, ages and codes, nobody's data. What `rollcall.gauges()` returns. */
export interface Gauges {
  /** Rows of the change log that no fold has taken; counted up to 30,000. */
  readonly unfolded: number;
  /** Age of the oldest of them, in seconds; 0 when there is none. */
  readonly unfolded_s: number;
  /** Captures that failed, and what else a sweep is owed for, since the install. */
  readonly uncaptured: number;
  /** Some of that is not swept yet. */
  readonly sweep_wanted: boolean;
  /** Statements whose events could not be captured, since the install. */
  readonly events_lost: number;
  /** Age of the last complete sweep in seconds; null when there was none. */
  readonly swept_s: number | null;
  /** What that sweep found out of step, and why. */
  readonly sweep: { readonly found: number; readonly causes: readonly string[] } | null;
  /** People whose consent is not written back yet. */
  readonly write_backs: number;
  /** Null where triggers capture; absent before an upgrade is applied. */
  readonly wal?: WalGauges | null;
  /** How a project is read by its API; absent where it is read by its database. */
  readonly reading?: ReadingGauges | undefined;
  readonly backfilling: boolean;
  /** Tables that are not read now. */
  readonly sources_paused: readonly { readonly name: string; readonly code: string }[];
  readonly destinations: readonly DestinationGauges[];
}

/** How a project is read by its API. */
export interface ReadingGauges {
  /** Since the last whole reading ended, in s; null while there was none. */
  readonly read_s: number | null;
  /** Since then, or since the install where there was none. */
  readonly waited_s: number;
  /** That is too long: nobody reads, or the API does not answer. */
  readonly late: boolean;
}

/** How changes are read from the write-ahead log. What `rollcall.wal_status()` returns. */
export interface WalGauges {
  /** The config wants it. */
  readonly wanted: boolean;
  readonly slot: string | null;
  /** Why the slot was given up; null when it was not. */
  readonly given_up: string | null;
  /** Some worker reads it. */
  readonly reading: boolean;
  /** As `pg_replication_slots.wal_status`; null while there is no slot. */
  readonly status: string | null;
  /** What the server keeps for it, in bytes. */
  readonly kept: number;
  /** Tables that are read from it. */
  readonly by_wal: number;
  /** Tables that triggers capture, with why where that is known. */
  readonly by_triggers: readonly string[];
}

export interface DestinationGauges {
  readonly name: string;
  readonly lanes: {
    readonly live: LaneGauges;
    readonly backfill: LaneGauges;
  };
  /** What the brakes hold. */
  readonly held: { readonly deletes: number; readonly changes: number };
  /** Why it is paused; null when it is not. */
  readonly pause_code: string | null;
  readonly dead_letters: number;
  /** Of these, those of the last hour, and the code that most of them have. */
  readonly dead_letters_hour: number;
  readonly dead_letters_code: string | null;
  /** Events that wait for their contact or their turn. */
  readonly events_pending: number;
  /** Requests for many that are at work. */
  readonly jobs: number;
}

export interface LaneGauges {
  /** Contacts that are not in step, those in flight included. */
  readonly pending: number;
  /** Of these, those that a worker has leased. */
  readonly in_flight: number;
  /** For how long the oldest of them has been pending, in seconds; 0 when there is none. */
  readonly oldest_s: number;
}
