import type { Inbound, InboundFact } from '../core/inbound.ts';

/** A destination that tells of opt-outs by itself. */
export interface Receiver {
  /** Its name in the config, which is in the path too. */
  readonly name: string;
  readonly inbound: Pick<Inbound<never>, 'proof' | 'read'>;
  /** None while they are not known, or none are configured: then there is no receiver. */
  readonly secrets: () => readonly string[];
}

/** The ledger, behind a port. */
export interface FactStore {
  /**
   * Adds what a destination has told, in one transaction, and has whoever it concerns looked at again. What is there already is left
   * as it is.
   */
  receive(destination: string, facts: readonly InboundFact[]): Promise<void>;
  /** Whether the caller reads from this destination who must not be mailed, and nobody else for `holdMs`; not again for `everyMs`. */
  beginPull(destination: number, everyMs: number, holdMs: number): Promise<boolean>;
  /** Goes on reading, or has ended. */
  notePull(destination: number, ended: boolean, holdMs: number): Promise<void>;
  /** Writes what a few people have said where the app sees it; `code` is the SQLSTATE of the last that failed. */
  writeBack(most: number): Promise<{ readonly failed: number; readonly code: string | null; readonly more: boolean }>;
}
