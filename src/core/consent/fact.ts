/** What is known of somebody's consent. A bounce says nothing of what they want, only that mail to the address does not arrive. */
export type FactKind = 'opt_in' | 'opt_out' | 'complaint' | 'bounce';

/** One row of the ledger. Facts are only ever added: what holds now follows from all of them, in whatever order they came. */
export interface ConsentFact {
  /** Equal for one thing said, however often it is told. */
  readonly id: string;
  readonly kind: FactKind;
  /** The key of the user who said it; undefined where only the address is known. */
  readonly person?: string | undefined;
  /** Normalised: trimmed, composed (NFC), in lower case. */
  readonly address?: string | undefined;
  /** What it is about; undefined for everything. */
  readonly topic?: string | undefined;
  /** `app`, `operator`, or `destination:<name>`. */
  readonly origin: string;
  /** When it was said, by the clock of its origin, in microseconds since 1970; undefined where that is not told. */
  readonly at?: number | undefined;
  /** When it first came to us, in microseconds since 1970. */
  readonly receivedAt: number;
}

/** One that tells what somebody wants. */
export function isExplicit({ kind }: ConsentFact): boolean {
  return kind !== 'bounce';
}

/** Whether it says that no mail is wanted. */
export function isNo({ kind }: ConsentFact): boolean {
  return kind === 'opt_out' || kind === 'complaint';
}

/**
 * When it counts as said: never later than it came, as a clock that is ahead would win for as long as it is ahead; when it came, where
 * nobody says more.
 */
export function saidAt({ at, receivedAt }: ConsentFact): number {
  return at === undefined ? receivedAt : Math.min(at, receivedAt);
}
