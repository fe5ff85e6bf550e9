import type { AttributePlan, Auth, ContactEvent, Delivery, HttpRequest, HttpResponse } from '../core/destination.ts';
import type { ConsentState } from '../core/mapping.ts';
import type { Outcome } from '../core/outcome.ts';
import type { BackfillStore } from './backfill-ports.ts';
import type { JobStore } from './job-ports.ts';
import type { SweepFacts, SweepFound, SweepReport } from './sweep-report.ts';

/** An answer, or why there is none. A failure is `retry` when nothing was sent and `unknown` when it may have arrived. */
export type SendResult =
  | { readonly answered: true; readonly response: HttpResponse; readonly latencyMs: number }
  | { readonly answered: false; readonly outcome: Outcome; readonly latencyMs: number };

/** Sends one request and never throws. Adds the authentication, keeps it out of every message, follows no redirect. */
export type Send = (
  request: HttpRequest,
  auth: Auth,
  options: {
    /** Whole time allowed, connecting included, in ms. */
    readonly deadlineMs: number;
    readonly signal?: AbortSignal | undefined;
    /** Longer answers are cut, in bytes; 1 MiB when absent. */
    readonly longest?: number | undefined;
  },
) => Promise<SendResult>;

/** Structured logging. Fields must hold no personal data and no secrets. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** What one fold did. */
export interface FoldResult {
  /** Another worker is folding. */
  readonly busy: boolean;
  /** Log rows taken; 0 means that the log is empty. */
  readonly taken: number;
  /** More of the log is known to wait. */
  readonly more: boolean;
  /** Contacts whose desired state changed. */
  readonly changed: number;
  /** Rows that could not be mapped. */
  readonly failed: number;
}

/** A destination as the state store knows it. */
export interface DestinationState {
  readonly id: number;
  readonly name: string;
  readonly plan: AttributePlan;
  /** Milliseconds until the pause ends; 0 when it is not paused. */
  readonly pausedMs: number;
  /** Pauses in a row. */
  readonly pauses: number;
}

/** An event under a lease. */
export interface ClaimedEvent extends ContactEvent {
  /** Attempts at it that failed in a row; 0 when absent. */
  readonly tries?: number | undefined;
  /** Set where it is no event of the contact, but joins it to this list of the destination. */
  readonly list?: number | string | undefined;
}

/** The work for one contact under a lease: its state, its next events, or both. */
export interface Claimed extends Delivery {
  /** False: the contact is in step, and only events are to be sent. */
  readonly sendState: boolean;
  /** In order. After an upsert, before a delete. */
  readonly events: readonly ClaimedEvent[];
  /** Characters of its payload and its events. */
  readonly size: number;
  readonly tries: number;
  readonly lane: Lane;
  /** When it was due, as the store's own text: the next lower bound for a claim. */
  readonly dueAt: string;
  /** An address whose subscription must be read before this delivery is sent. */
  readonly carryFrom: string | null;
  /** An attempt of unknown outcome may have moved the contact of its id to another address. */
  readonly astray?: boolean | undefined;
  /** The person is being erased: what they said of being mailed is read before it is deleted with the contact. */
  readonly erases?: boolean | undefined;
}

/** 0 is live, 1 is backfill: see DESIGN section 5, "lane". */
export type Lane = 0 | 1;

/** A time as `Claimed.dueAt` has it, `-infinity` for no bound; or so long ago, by the store's own clock. */
export type ClaimFrom = string | { readonly backMs: number };

/** What a claim takes. */
export interface ClaimScope {
  /** Most contacts of each lane. */
  readonly limits: readonly [live: number, backfill: number];
  /** Most bytes of payloads and events of a lane, but for the last one taken. */
  readonly bytes: number;
  /** Of each lane, a lower bound on when they were due. */
  readonly after: readonly [live: ClaimFrom, backfill: ClaimFrom];
  /** Of each lane, how many must wait so that only those are taken that have to go by themselves; 0 for never. */
  readonly least: readonly [live: number, backfill: number];
  /** See `Bulk.consents`. */
  readonly consents: readonly ConsentState[];
  /** Live ones are left to other workers until they have waited so long, in ms. */
  readonly liveWaitMs: number;
}

/** What became of one event. */
export interface EventSettlement {
  readonly id: string;
  readonly outcome: Outcome;
  readonly latencyMs: number;
}

/** What to record for one unit of work. */
export interface Settlement {
  readonly delivery: Claimed;
  /** The lease that it was sent under, where that is not the one of the whole batch. */
  readonly token?: string | undefined;
  /** Of the state; undefined when there was none to send. */
  readonly outcome: Outcome | undefined;
  /** Of the events that were sent, in order; a prefix of those claimed. */
  readonly events?: readonly EventSettlement[];
  /**
   * How long to wait before the next attempt, in ms; above 0 only after `retry`, `throttle` and `unknown`, of the state or of
   * an event, also of an event that is not repeated (`unknown_not_repeated`).
   */
  readonly waitMs: number;
  /** Where the contact was found before this, if not where it was believed to be: whoever that address is of may have lost it. */
  readonly foundAt?: string | undefined;
  /** Whoever, and whatever event, has failed for so long is given up, in ms; never when absent. */
  readonly windowMs?: number | undefined;
  /** Of the state. */
  readonly latencyMs: number;
  /** Set when the upsert was accepted and a later operation of the same delivery was not. */
  readonly partial?: { readonly remoteId: string | undefined } | undefined;
}

/** The lease of a claim. */
export interface Lease {
  /** A fresh UUID. */
  readonly token: string;
  readonly leaseMs: number;
  /** How long an attempt of unknown outcome is waited out, in ms. */
  readonly graceMs: number;
}

/** What a shared bucket allows: see core/rate.ts. */
export interface Bucket {
  readonly name: string;
  readonly intervalUs: number;
  readonly burst: number;
}

/** Desired and delivered state, behind a port. Each method is one transaction and safe beside other workers. */
export interface Store extends JobStore, BackfillStore {
  destinations(): Promise<readonly DestinationState[]>;
  fold(limit: number): Promise<FoldResult>;
  claim(destination: number, lease: Lease, scope: ClaimScope): Promise<readonly Claimed[]>;
  release(destination: number, token: string, contactIds: readonly string[]): Promise<void>;
  settle(destination: number, lease: Lease, settlements: readonly Settlement[]): Promise<number>;
  takeSends(
    destination: number,
    buckets: readonly Bucket[],
    want: number,
  ): Promise<{ granted: number; waitMs: number }>;
  /** Nothing that these buckets count is sent for so long. */
  holdSends(destination: number, buckets: readonly Bucket[], waitMs: number): Promise<void>;
  /**
   * An empty message keeps what was said before, where the code is the same.
   * @param pauseMs `Infinity`: until a person ends it
   */
  pause(destination: number, code: string, message: string, pauseMs: number): Promise<void>;
  resume(destination: number): Promise<void>;
  /** Whether the caller, and nobody else for so long, finds out if a paused destination takes requests again. */
  takeProbe(destination: number, holdMs: number): Promise<boolean>;
  /** Nothing was found out; somebody tries again after a wait. */
  endProbe(destination: number, waitMs: number): Promise<void>;
  /** Ends the pauses of all destinations that end by themselves; each is still tried with care at first. */
  endPauses(): Promise<void>;
  /** Marks `auth.users` as unreadable, with the database's words, or as readable again. */
  pauseSource(code: string, message: string): Promise<void>;
  resumeSource(): Promise<void>;
  /** Makes triggers that are missing, as on a partition that was added since; how many were made. */
  ensureTriggers(): Promise<number>;
  /** Resumes tables that were paused and are again what their SQL was made for; those that are still paused. */
  recheckSources(): Promise<readonly PausedSource[]>;
  /** Brakes that hold deletions or changes until a person releases them. */
  stoppedBrakes(): Promise<readonly StoppedBrake[]>;
  /** Asks writers for a notification until then; 0 ms takes it back. */
  arm(forMs: number): Promise<void>;
  /** Starts a sweep when one is due or wanted and nobody else is at one. */
  beginSweep(everyMs: number, force: boolean): Promise<SweepTicket | undefined>;
  /** Compares one page of rows and folds those that differ. */
  sweepPage(after: string | null, limit: number): Promise<SweepPage>;
  /** One page of contacts, with those whose user is gone. */
  absentPage(
    after: string,
    limit: number,
  ): Promise<{ lastKey: string | null; scanned: number; keys: readonly string[] }>;
  /** As many contacts are about to be folded as gone: a brake that they are too many for stops before the first. */
  foreseeDeletes(count: number): Promise<void>;
  /** Folds keys again, in the backfill lane. */
  foldKeys(keys: readonly string[]): Promise<FoldResult>;
  endSweep(ticket: SweepTicket): Promise<void>;
  /** What is known of why the sweep at work was wanted. */
  sweepFacts(): Promise<SweepFacts>;
  /** Keeps the report of the sweep at work, before it is ended. */
  reportSweep(report: SweepReport): Promise<void>;
  /** Gives up a sweep that this worker has begun. */
  leaveSweep(): Promise<void>;
  /**
   * Rotates the change log when it has grown, and prunes the oldest of what is over: attempts older than that, or more than are kept;
   * drops events that waited too long. @returns whether there is more to prune
   */
  tidy(attemptsOlderThanMs: number): Promise<boolean>;
}

/** A table whose rows are not read: its part of contacts stays as it was, its events are held. */
export interface PausedSource {
  /** `schema.table`. */
  readonly name: string;
  readonly code: string;
}

/** A brake that holds what it stopped. */
export interface StoppedBrake {
  readonly destination: string;
  readonly kind: 'deletes' | 'changes';
  readonly held: number;
}

/** What one page of a sweep found; what a trigger saw, and the fold is yet to come to, is folded and not counted. */
export interface SweepPage extends Omit<SweepFound, 'gone'> {
  /** The next page's place; null after the last. */
  readonly lastKey: string | null;
  readonly scanned: number;
  readonly folded: number;
  /** Rows that cannot be mapped. */
  readonly failed: number;
}

/** What was uncaptured when a sweep began: it covers that and all before. */
export interface SweepTicket {
  readonly uncaptured: string;
}
