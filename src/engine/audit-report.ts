import type { ReadSuppressions } from './read-suppressions.ts';
import type { RepairCounts } from './remote-ports.ts';

/** Kinds of drift between what a destination shall have and what it has. */
export const DRIFTS = [
  'missing',
  'stale',
  'duplicate',
  'old_address',
  'unsubscribed_there',
  'subscribed_there',
  'left_over',
  'unknown',
] as const;
export type Drift = (typeof DRIFTS)[number];

/** One of those that are counted, for a person to look at. */
export interface DriftSample {
  readonly address: string;
  /** Our number of the contact; null of one that we never heard of. */
  readonly contact: string | null;
  /** Attributes that differ. */
  readonly attributes?: readonly string[] | undefined;
}

/** What an audit of one destination found, and what it did about it. */
export interface AuditReport {
  readonly destination: string;
  /** Contacts there. */
  readonly there: number;
  /** Contacts of ours that were in step and were compared. */
  readonly compared: number;
  /** Left out: to be sent, or tried while the export was made. */
  readonly moving: number;
  /** Left out: not in step, since the destination refuses them. */
  readonly refused: number;
  readonly drift: Readonly<Record<Drift, number>>;
  /** How often each attribute differs. */
  readonly staleAttributes: Readonly<Record<string, number>>;
  /** Attributes that the export does not have: nobody can say whether they differ. */
  readonly unread: readonly string[];
  readonly samples: Readonly<Record<Drift, readonly DriftSample[]>>;
  /** Whether it told who must not be mailed; undefined where it has no way to. */
  readonly suppressions: ReadSuppressions | undefined;
  /** What was put into the queue or recorded; undefined without a repair. */
  readonly repaired: RepairCounts | undefined;
}

/** Most samples of each kind. */
const SAMPLES = 5;

/** Counts drift as it is found; memory does not grow with it. */
export interface Tally {
  readonly drift: Record<Drift, number>;
  readonly staleAttributes: Record<string, number>;
  readonly samples: Record<Drift, DriftSample[]>;
  add(drift: Drift, sample: DriftSample): void;
}

export function createTally(): Tally {
  const drift = Object.fromEntries(DRIFTS.map((kind) => [kind, 0])) as Record<Drift, number>;
  const samples = Object.fromEntries(DRIFTS.map((kind) => [kind, []])) as unknown as Record<Drift, DriftSample[]>;
  const staleAttributes: Record<string, number> = {};
  return {
    drift,
    samples,
    staleAttributes,
    add(kind, sample) {
      drift[kind] += 1;
      if (samples[kind].length < SAMPLES) samples[kind].push(sample);
      for (const name of sample.attributes ?? []) staleAttributes[name] = (staleAttributes[name] ?? 0) + 1;
    },
  };
}

/** Whether a person or a repair has something to do. */
export function hasDrift({ drift }: Pick<AuditReport, 'drift'>): boolean {
  return DRIFTS.some((kind) => drift[kind] > 0);
}
