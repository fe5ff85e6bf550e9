import type { DriftSample } from './audit-report.ts';
import type { ReadSuppressions } from './read-suppressions.ts';

/** What a destination was found to have before the first write, and what of it is known from now on. */
export interface AdoptReport {
  readonly destination: string;
  /** Contacts there. */
  readonly there: number;
  /** Contacts of ours that are there. */
  readonly ours: number;
  /** Of these, known by this command as who stands there: their first delivery is an update of that contact. */
  readonly adopted: number;
  /** Of these, as they shall be already: not sent. */
  readonly equal: number;
  /** Contacts of ours that are not there. */
  readonly missing: number;
  /** There a second time, at an address that differs in case alone. */
  readonly doubles: number;
  /** There, and none of ours: left as they are. */
  readonly unknown: number;
  /** Opt-outs, complaints and bounces that it told of and that were not in the ledger before. */
  readonly recorded: number;
  /** Attributes that could not be read: whoever has one is sent. */
  readonly unread: readonly string[];
  /** Whether it told who must not be mailed; undefined where that stands among its contacts, or it has no way to. */
  readonly suppressions: ReadSuppressions | undefined;
  /** Some of the doubles. */
  readonly samples: readonly DriftSample[];
}
