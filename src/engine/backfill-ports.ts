/** What a walk is over. */
export interface BackfillRequest {
  readonly what: 'full' | 'incremental';
  /** `users`, or a table as `schema.table`; undefined for all. */
  readonly resource?: string | undefined;
  /** Only rows that changed since then, where their table tells: a time that Postgres reads. */
  readonly since?: string | undefined;
  /** So many rows and no more. */
  readonly most?: number | undefined;
}

/** What rows meant for one destination. */
export interface BackfillCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Reason -> contacts that are not to be there. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Code -> contacts that could not be mapped. */
  readonly failed: Readonly<Record<string, number>>;
}

/** A backfill as it stands. */
export interface Backfill {
  readonly id: number;
  readonly what: 'full' | 'incremental';
  readonly resource: string | null;
  readonly since: string | null;
  readonly most: number | null;
  /** About so many rows; null when nobody knows. */
  readonly expected: number | null;
  readonly scanned: number;
  readonly pages: number;
  /** By the name of the destination. */
  readonly counts: Readonly<Record<string, BackfillCounts>>;
  /** Every row was read. */
  readonly walked: boolean;
  /** Seconds since it began. */
  readonly seconds: number;
}

/** Backfills, behind a port. */
export interface BackfillStore {
  /** The one that is not over, if there is one. */
  openBackfill(): Promise<Backfill | undefined>;
  /** Begins one; what is asked for is the same as of the open one, or there is none. */
  beginBackfill(request: BackfillRequest): Promise<Backfill>;
  /** Takes it, so that nobody else walks it; undefined while another worker does, or when there is none to be walked. */
  holdBackfill(holder: string, holdMs: number): Promise<Backfill | undefined>;
  /** Reads and folds the next rows; undefined when it was lost to another worker. */
  backfillPage(
    id: number,
    holder: string,
    holdMs: number,
    limit: number,
  ): Promise<{ readonly scanned: number; readonly changed: number; readonly walked: boolean } | undefined>;
  /** How long changes have waited in the log, in ms; 0 when none do. */
  foldLagMs(): Promise<number>;
  /** Contacts of the backfill lane that are not delivered yet, by destination; held ones apart. */
  backfillPending(): Promise<
    readonly {
      readonly destination: string;
      readonly pending: number;
      readonly held: number;
      readonly pauseCode: string | null;
    }[]
  >;
  /** Everybody was delivered, or refused: how many were, by destination and code, since it began. */
  endBackfill(
    id: number,
  ): Promise<readonly { readonly destination: string; readonly code: string; readonly count: number }[]>;
}
