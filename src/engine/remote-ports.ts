import type { ConsentState } from '../core/mapping.ts';
import type { RemoteRow } from '../core/exports.ts';
import type { InboundFact } from '../core/inbound.ts';
import type { JsonObject } from '../core/json.ts';
import type { Store } from './ports.ts';

/** Streams the rows of a CSV file behind a link, the header among them. Throws RollcallError with a code that begins with RC_EXPORT. */
export type ReadTable = (link: {
  readonly url: string;
  /**
   * The URL of the API that gave the link. Only one on this machine may give links to this machine.
   */
  readonly from: string;
  /** Whole time allowed, in ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}) => AsyncIterable<readonly string[]>;

/** One reading of all contacts of a destination, kept until it is closed. */
export interface RemoteReading {
  readonly destination: number;
  /** What is tried from now on, by the store's clock, is newer than the reading. */
  readonly run: string;
}

/** A contact of ours beside what was read of it. */
export interface ComparedContact {
  readonly contactId: string;
  readonly version: string;
  readonly action: 'upsert' | 'delete' | 'unsubscribe' | 'none';
  readonly address: string | null;
  readonly remoteAddress: string | null;
  readonly remoteId: string | null;
  readonly consent: ConsentState;
  readonly attributes: JsonObject;
  /** `moving`: to be sent, or tried since the reading began. `refused`: not in step, and waits for a change. */
  readonly progress: 'in_step' | 'moving' | 'refused';
  /** Its address, or the one it is known under there, must not be mailed, as the destination says beside its export. */
  readonly suppressed: boolean;
  /** Mail to one of them bounces, as it says there; that is nobody's no. */
  readonly bounced: boolean;
  /** The places of what it says of them beside its export. */
  readonly told: readonly string[];
  /** What was read under its id, its address, or one that it had and nobody else has. */
  readonly found: readonly FoundContact[];
}

/** A row of the reading as it leads to a contact of ours. */
export interface FoundContact extends RemoteRow {
  /** Its place in the reading. */
  readonly place: string;
  /** The address as ours are written. */
  readonly plainAddress: string;
}

/** A contact that was read and that no living contact of ours is. */
export interface StrayContact {
  readonly place: string;
  readonly address: string;
  readonly id: string | null;
  readonly status: RemoteRow['status'];
  /** A contact that had this address and has left; null when we have never heard of it. */
  readonly leftBy: string | null;
  /** The version of the one who left. */
  readonly version: string | null;
  /** To be sent, or tried since the reading began. */
  readonly moving: boolean;
}

/** What shall be put right of one contact. Skipped when the contact has changed since it was compared. */
export type Repair =
  /** It is not there: sent as if for the first time. */
  | (ForContact & { readonly kind: 'anew' })
  /** It is there with other values: sent again. */
  | (ForContact & {
      readonly kind: 'resend';
      /** It is there under another id than ours. */
      readonly forgetId: boolean;
    })
  /** They left there. */
  | (Omit<ForContact, 'leftovers'> & {
      readonly kind: 'opted_out';
      /** What tells it, by its places in the reading: facts of the ledger from now on. */
      readonly places: readonly string[];
    })
  /** It is there and shall not be. */
  | {
      readonly kind: 'remove';
      /** Null for somebody we have never heard of. */
      readonly contact: string | null;
      readonly version: string | null;
      readonly address: string;
      readonly id: string | null;
    };

interface ForContact {
  readonly contact: string;
  readonly version: string;
  /** Old addresses under which it is there too: removed after it was sent. */
  readonly leftovers: readonly string[];
}

/** How many of each kind were put into the queue, or recorded. */
export type RepairCounts = Readonly<Record<Repair['kind'], number>>;

/** What an audit needs of the state store. Each method is one transaction. */
export interface RemoteStore extends Pick<Store, 'destinations' | 'takeSends' | 'holdSends'> {
  /**
   * Begins a reading and forgets what an earlier one has left.
   * @throws RollcallError `RC_AUDIT_BUSY` while another one of the destination is at work
   */
  open(destination: number): Promise<RemoteReading>;
  /** Keeps the reading alive. */
  touch(reading: RemoteReading): Promise<void>;
  add(reading: RemoteReading, rows: readonly RemoteRow[]): Promise<void>;
  /** What it says of addresses that must not be mailed; each counts as a row for `complete`. */
  addSuppressed(reading: RemoteReading, facts: readonly InboundFact[]): Promise<void>;
  /**
   * Nothing more is added: what was read is compared from now on.
   * @throws RollcallError `RC_AUDIT_LOST` unless there are as many rows as were added
   */
  complete(reading: RemoteReading, rows: number): Promise<void>;
  /** Forgets what was read. */
  close(reading: RemoteReading): Promise<void>;
  /** A page of our contacts in the order of their ids. */
  compare(
    reading: RemoteReading,
    after: string,
    limit: number,
  ): Promise<{ readonly lastId: string | null; readonly contacts: readonly ComparedContact[] }>;
  /** A page of what was read, reduced to those that no living contact of ours is. */
  strays(
    reading: RemoteReading,
    after: string,
    limit: number,
  ): Promise<{ readonly lastPlace: string | null; readonly strays: readonly StrayContact[] }>;
  repair(reading: RemoteReading, repairs: readonly Repair[]): Promise<RepairCounts>;
}

/** What a destination was found to have of a contact, after a restore. */
export interface RecoverMark {
  readonly contact: string;
  readonly version: string;
  readonly found: boolean;
  /** It is there as it shall be: it counts as delivered. */
  readonly equal: boolean;
  /** They left there, and what tells it, by its places in the reading; empty when they did not. */
  readonly left: readonly string[];
  /** Its id there. */
  readonly id: string | null;
  readonly leftovers: readonly string[];
}

/** What recovering needs of the state store beside reading. */
export interface RecoverStore extends RemoteStore {
  /** Everybody counts as not delivered from now on, in the backfill lane. Nobody sends before `bind`. */
  beginRecover(): Promise<void>;
  mark(reading: RemoteReading, marks: readonly RecoverMark[]): Promise<void>;
  /** Takes the database into use as it is. */
  bind(): Promise<void>;
}

/** A contact of ours that was found at a destination, before or after anything was sent to it. */
export interface AdoptMark {
  readonly contact: string;
  readonly version: string;
  /** Its id there; null where the reading has none. */
  readonly id: string | null;
  /** It is there as it shall be: it counts as delivered. */
  readonly equal: boolean;
  /** Its address is written in another way there, so that only the id names it for certain. */
  readonly apart: boolean;
}

/** What adopting needs of the state store beside reading. */
export interface AdoptStore extends RemoteStore {
  /**
   * Puts into the ledger what a page of the reading tells of consent.
   * @returns how many of its facts are new
   */
  adoptFacts(
    reading: RemoteReading,
    after: string,
    limit: number,
  ): Promise<{ readonly lastPlace: string | null; readonly recorded: number }>;
  /** @returns how many are known now, and how many of them count as delivered */
  adopt(
    reading: RemoteReading,
    marks: readonly AdoptMark[],
  ): Promise<{ readonly known: number; readonly equal: number }>;
}
