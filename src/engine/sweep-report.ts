/** Contacts that a sweep found out of step, by what was there of them. */
export interface SweepFound {
  /** No contact at all: nobody saw the row come. */
  readonly missing: number;
  /** Had left, and is there again. */
  readonly returned: number;
  /** Another state than the rows say. */
  readonly stale: number;
  /** No row names it any more. */
  readonly gone: number;
}

/**
 * Why something was to be found. Codes, the first seven with the table where it is known: TRUNCATE; a trigger that was gone, switched
 * off or changed, and made again; a partition or child that had none yet; a table that could not be read for a while; a replication slot
 * that was lost; capture that failed; the first sweep of an install; another config; another database;
 * values that depend on the clock; none of these.
 */
export type SweepCauseCode =
  | 'truncate'
  | 'trigger_missing'
  | 'trigger_disabled'
  | 'trigger_changed'
  | 'partition_new'
  | 'source_resumed'
  | 'slot_lost'
  | 'capture_failed'
  | 'installed'
  | 'config'
  | 'bound'
  | 'clock'
  | 'unseen';

export interface SweepCause {
  readonly cause: SweepCauseCode;
  /** `schema.table`. */
  readonly source?: string;
  /** How often, where that was counted. */
  readonly count?: number;
}

/** What the store knows at the end of a sweep: what was told since the sweep before, up to when this one began. */
export interface SweepFacts {
  readonly seconds: number;
  readonly failures: number;
  readonly truncations: number;
  readonly causes: readonly {
    readonly cause: SweepCauseCode;
    readonly source: string | null;
    readonly count: number;
  }[];
  /** Tables with triggers that could not be made again. */
  readonly unwatched: readonly string[];
  /** Tables that cannot be read now. */
  readonly paused: readonly string[];
  /** Some value depends on the clock. */
  readonly clock: boolean;
}

/** What a complete sweep found, and why as far as that can be known. */
export interface SweepReport {
  readonly seconds: number;
  /** Rows read. */
  readonly scanned: number;
  readonly found: SweepFound;
  /** Contacts that cannot be mapped. */
  readonly failed: number;
  readonly why: readonly SweepCause[];
  /** Tables whose triggers are still missing or switched off. */
  readonly unwatched: readonly string[];
  /** Tables that were not read. */
  readonly paused: readonly string[];
}

/** Adds up what the pages of a sweep found. */
export class SweepTally {
  scanned = 0;
  failed = 0;
  #found: SweepFound = { missing: 0, returned: 0, stale: 0, gone: 0 };

  get found(): SweepFound {
    return this.#found;
  }

  add(page: Partial<SweepFound> & { readonly scanned?: number; readonly failed?: number }): void {
    this.scanned += page.scanned ?? 0;
    this.failed += page.failed ?? 0;
    const { missing, returned, stale, gone } = this.#found;
    this.#found = {
      missing: missing + (page.missing ?? 0),
      returned: returned + (page.returned ?? 0),
      stale: stale + (page.stale ?? 0),
      gone: gone + (page.gone ?? 0),
    };
  }
}

/** @returns the report of a sweep; pure */
export function composeReport({ scanned, failed, found }: SweepTally, facts: SweepFacts): SweepReport {
  const { seconds, unwatched, paused } = facts;
  return {
    seconds: Math.round(seconds * 10) / 10,
    scanned,
    found,
    failed,
    why: causesOf(found, facts),
    unwatched,
    paused,
  };
}

/** How many contacts were out of step. */
export function totalFound({ missing, returned, stale, gone }: SweepFound): number {
  return missing + returned + stale + gone;
}

function causesOf(found: SweepFound, facts: SweepFacts): readonly SweepCause[] {
  const why: SweepCause[] = facts.causes.map(({ cause, source, count }) => ({
    cause,
    ...(source === null ? {} : { source }),
    ...(cause === 'truncate' ? { count } : {}),
  }));
  // Whoever truncates in a transaction that is rolled back leaves no name behind.
  const named = facts.causes.reduce((sum, { cause, count }) => sum + (cause === 'truncate' ? count : 0), 0);
  if (facts.truncations > named) why.push({ cause: 'truncate', count: facts.truncations - named });
  if (facts.failures > 0) why.push({ cause: 'capture_failed', count: facts.failures });
  if (why.length > 0 || totalFound(found) === 0) return why;
  if (facts.clock && found.missing + found.gone === 0) return [{ cause: 'clock' }];
  return [{ cause: 'unseen' }];
}
