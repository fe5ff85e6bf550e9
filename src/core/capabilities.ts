/** What a destination can do. docs/destinations.md has a row for each, made of this and held by a test. */
export interface Capabilities {
  readonly contact: 'upsert';
  /** `hard`: gone for good. `soft`: kept, and not mailed. */
  readonly remove: 'hard' | 'soft' | 'none';
  readonly address: 'email' | 'email_or_phone';
  /** Attributes are fields that must exist first. */
  readonly fields: boolean;
  readonly lists: boolean;
  /** Whether it takes events; `keyed` when it has a key that makes a repeated one void. */
  readonly events: 'keyed' | 'unkeyed' | 'none';
  readonly consent: {
    /** Whether a contact can be kept and not be mailed. */
    readonly tell: boolean;
    /** Where opt-outs can be read: `suppressions` outlive their contacts, `list` is among all contacts. */
    readonly read: readonly ('contact' | 'export' | 'list' | 'suppressions')[];
    /** Whether it tells us of opt-outs by itself. */
    readonly webhook: 'signed' | 'unsigned' | 'none';
  };
  /** Many contacts in one request: `job` works on after its answer, `answer` says at once what became of each. */
  readonly bulk: 'job' | 'answer' | 'none';
  /** A key that makes a repeated request void. */
  readonly idempotency: 'upsert' | 'key';
  /** Headers that say how long to wait; `none` where an answer never does. */
  readonly rateHeaders: readonly string[];
  readonly homes: readonly ('worker' | 'edge' | 'sql')[];
  /** What no source proves, each behind a setting with a safe default. */
  readonly unverified: readonly { readonly what: string; readonly setting: string }[];
}
