import type { Delivery } from '../core/destination.ts';
import type { ConsentState } from '../core/mapping.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Lane } from './ports.ts';

/** A request for many contacts that its holder may work on. */
export interface JobLease {
  /** The lease of its contacts, and the job's own name. */
  readonly token: string;
  /** The worker. */
  readonly holder: string;
  /** For how long nobody else takes it over, from each sign of life, in ms. */
  readonly holdMs: number;
}

/** A job whose worker is gone. */
export interface OrphanJob {
  readonly token: string;
  /** `claimed`: nothing was sent. `sending`: nobody knows. `running`: it can be asked about. `ended`: it is being settled. */
  readonly state: 'claimed' | 'sending' | 'running' | 'ended';
  /** The destination's own id; null until it runs. */
  readonly remoteId: string | null;
  readonly contacts: number;
  /** How long it may still be waited for. */
  readonly givesUpInMs: number;
  readonly begunMsAgo: number;
}

/** What to lease for one job. */
export interface JobScope {
  readonly lane: Lane;
  readonly most: number;
  readonly mostBytes: number;
  readonly consents: readonly ConsentState[];
  /** Jobs that may be at work at the destination side by side. */
  readonly atOnce: number;
  /** Longest that it is waited for, in ms: the lease of its contacts. */
  readonly jobMs: number;
}

/** What became of all that is left of a job. */
export interface JobResult {
  readonly outcome: Outcome;
  readonly waitMs: number;
  readonly latencyMs: number;
  /** See `Settlement.windowMs`. */
  readonly windowMs?: number | undefined;
}

/** What waits in a lane. */
export interface Backlog {
  readonly waiting: number;
  /** How long the first of them has. */
  readonly oldestMs: number;
  /** A backfill is still adding to them. */
  readonly growing: boolean;
}

/** What there is to be done about jobs of a destination. */
export interface JobLook {
  readonly lanes: readonly [live: Backlog, backfill: Backlog];
  /** Jobs at work there. */
  readonly atWork: number;
  /** There is one whose worker is gone. */
  readonly orphan: boolean;
}

/** The state of jobs, behind a port. What a holder does that has lost its job to another worker has no effect. */
export interface JobStore {
  /** What waits is counted up to `most`. @param backMs only what became due since then is; undefined for all */
  lookAtJobs(destination: number, most: number, backMs?: number): Promise<JobLook>;
  claimJob(destination: number, lease: JobLease, scope: JobScope): Promise<readonly Delivery[]>;
  adoptJob(destination: number, holder: string, holdMs: number): Promise<OrphanJob | undefined>;
  /** About to be sent; false when it must not be, as another worker holds it. */
  jobSending(lease: JobLease): Promise<boolean>;
  jobRunning(lease: JobLease, remoteId: string): Promise<boolean>;
  jobEnded(lease: JobLease, result: JobResult): Promise<boolean>;
  /** Still at work on it, or, with 0 ms to hold it, no more. */
  holdJob(lease: JobLease): Promise<boolean>;
  /** It failed, or was not begun: its contacts are due again after a wait. */
  releaseJob(
    lease: JobLease,
    again: {
      readonly waitMs: number;
      readonly failed: boolean;
      readonly single: boolean;
      /** It may be at work there all the same: whoever was in it is sent once more after so many ms. */
      readonly doubtMs?: number | undefined;
      /** Who has failed for so long goes by a request of their own, in ms, and is given up should that fail too. */
      readonly windowMs?: number | undefined;
    },
  ): Promise<void>;
  /** Takes contacts out of a job that is not sent yet: each is sent by itself. */
  releasePart(lease: JobLease, contacts: readonly string[]): Promise<void>;
  /** Takes refused contacts out of a job that is not sent yet. */
  settlePart(
    lease: JobLease,
    graceMs: number,
    refused: readonly {
      readonly delivery: Delivery;
      readonly outcome: Outcome;
      readonly waitMs: number;
      readonly windowMs?: number | undefined;
    }[],
  ): Promise<void>;
  /** Settles the next contacts of a job that has ended; how many are left. */
  settleJob(lease: JobLease, graceMs: number, limit: number): Promise<number>;
}
