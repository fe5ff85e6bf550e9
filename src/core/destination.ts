import type { ZodType } from 'zod';
import type { ExportPlan } from './exports.ts';
import type { JsonObject } from './json.ts';
import type { AttributeType, ConsentState } from './mapping.ts';
import type { Outcome } from './outcome.ts';

/** What is to be made true of one contact at one destination. */
export interface Delivery {
  /** Identifies the contact in our tables; never sent. */
  readonly contactId: string;
  readonly version: string;
  /** `unsubscribe`: the person left, and the contact stays without being mailed. */
  readonly action: 'upsert' | 'delete' | 'unsubscribe';
  /** The address the contact shall have; null unless it is an upsert. */
  readonly address: string | null;
  /** The contact as the destination may know it already; null when we never sent it. */
  readonly remote: RemoteContact | null;
  readonly attributes: JsonObject;
  /** True when the address was another person's: mapped attributes that are absent must be cleared. */
  readonly takeover: boolean;
  readonly consent: ConsentState;
}

/**
 * What is known of a contact at the destination. How the engine keeps it:
 * - after all operations of an upsert were delivered: the new address, the id of the upsert's outcome, no leftovers;
 * - on `forgetRemote`: the id becomes null and the address stays; an upsert to another address than a known one, with
 *   no id, is encoded as an upsert of the new address followed by a delete of the old one, so no orphan remains and
 *   the same refusal can't come twice;
 * - once another living person owns `address` (or a leftover), it is taken out before `encode`: a delete would be theirs.
 */
export interface RemoteContact {
  /** The address it was last sent under, whether or not an answer came. */
  readonly address: string | null;
  /** The destination's own id. */
  readonly id: string | null;
  /**
   * More addresses under which an older contact of this person may still stand: where a delivery of several
   * operations ended halfway and the address has changed again since. Each is deleted after the upsert.
   */
  readonly leftovers?: readonly string[] | undefined;
  /** True when it was accepted at `address` by a request whose answer named no id. */
  readonly imported?: boolean | undefined;
  /** Read just before an address change, where the destination can be read. */
  readonly subscription?: 'subscribed' | 'unsubscribed' | undefined;
}

/** Something a contact did, as it was. */
export interface ContactEvent {
  /** A UUID, the same each time this event is sent. */
  readonly id: string;
  readonly name: string;
  readonly properties: JsonObject;
  /** When it happened: ISO 8601 in UTC, to the microsecond. */
  readonly at: string;
}

/** The types of the mapped attributes of one destination, known since `apply`. */
export type AttributePlan = Readonly<Record<string, AttributeType>>;

/** One call's worth of work for one contact. Several operations of one delivery are sent in order. */
export interface Operation {
  readonly kind: 'upsert' | 'unsubscribe' | 'delete' | 'event';
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET';
  /** Path and query below the destination's base URL, already encoded. */
  readonly path: string;
  readonly body: JsonObject | null;
  /** Operations with one key may share a request; null is never shared. */
  readonly batchKey: string | null;
}

/** A request as data. The transport adds authentication and sends it. */
export interface HttpRequest {
  readonly method: Operation['method'];
  /** Absolute URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** An answer as data. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MiB; longer answers are cut. */
  readonly body: string;
}

/** Authentication as data; only the transport sees the value. */
export interface Auth {
  readonly header: string;
  /** A secret. */
  readonly value: string;
}

/** One shared rate limit: at most `requests` in any window of `perMs`. */
export interface RateLimit {
  readonly name: string;
  readonly requests: number;
  readonly perMs: number;
}

export interface Limits {
  readonly buckets: readonly RateLimit[];
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** Contacts in one request. */
  readonly recordsPerRequest: number;
}

/** A field the destination has. */
export interface RemoteField {
  readonly name: string;
  readonly type: string;
}

/** A list the destination has. */
export interface RemoteList {
  readonly id: number;
  readonly name: string;
}

/** A request with the reading of its answer. `interpret` returns the value or the outcome that stopped it. */
export interface Exchange<Value> {
  readonly request: HttpRequest;
  interpret(
    response: HttpResponse,
  ): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly outcome: Outcome };
}

/** Reading and creating the fields that attributes are stored in. */
export interface FieldPlan<Config> {
  list(config: Config): Exchange<readonly RemoteField[]>;
  create(name: string, type: AttributeType, config: Config): Exchange<RemoteField>;
  /** The destination's own type for an attribute type. */
  typeFor(type: AttributeType): string;
  /** Most fields an account may have. */
  readonly max: number;
}

/** What came of a request for many contacts. */
export type BulkStart =
  /** It works on; `id` is the destination's own. */
  | { readonly kind: 'started'; readonly id: string }
  /** Nothing was done because of these rows, by their place in the request; the others may be sent again at once. */
  | { readonly kind: 'refused'; readonly rows: ReadonlyMap<number, Outcome> }
  /** Nothing was started; `unknown` when that is not certain. A `reject` means that some row is at fault, and not which. */
  | { readonly kind: 'failed'; readonly outcome: Exclude<Outcome, { kind: 'delivered' }> };

/** How far a request for many contacts has come. */
export type BulkProgress =
  | { readonly kind: 'working' }
  /** What became of all of them. */
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  /** The question was not answered; ask again. */
  | { readonly kind: 'unanswered'; readonly outcome: Outcome };

/** Upserts of many contacts in one request, which works on after its answer and is asked about until it has ended. */
export interface Bulk<Config> {
  /** Contacts and bytes of one request. */
  readonly most: number;
  readonly mostBytes: number;
  /** Contacts that must wait before it is used; undefined to tell by the rate limit, null when it is never to be used. */
  least(config: Config): number | null | undefined;
  /** It says nothing of consent: only contacts of these states are sent this way. */
  readonly consents: readonly ConsentState[];
  /** Such requests that may be at work there side by side. */
  readonly atOnce: number;
  /** The attributes as the destination keeps them, by name: also what a file for an import by hand has. */
  values(delivery: Delivery, plan: AttributePlan, config: Config): JsonObject;
  /** One contact's part of the request, for a delivery with nothing to be said of its address, leftovers or opt-out. */
  row(delivery: Delivery, plan: AttributePlan, config: Config): JsonObject;
  request(rows: readonly JsonObject[], config: Config): HttpRequest;
  started(response: HttpResponse, rows: readonly JsonObject[]): BulkStart;
  /** Asks how far it has come. */
  poll(id: string, config: Config): HttpRequest;
  progress(response: HttpResponse): BulkProgress;
}

/** A destination is one plain object (DESIGN section 7): pure functions and data, no I/O. */
export interface Destination<Config> {
  readonly id: string;
  readonly docsUrl: string;
  /** Validates the entry of the config's `destinations`; secrets carry `.meta({ secret: true })`. */
  readonly config: ZodType<Config>;
  readonly capabilities: {
    readonly contact: 'upsert';
    readonly remove: 'hard' | 'soft' | 'none';
    readonly address: 'email' | 'email_or_phone';
    readonly fields: boolean;
    readonly lists: boolean;
    /** Whether it takes events; `keyed` when it has a key that makes a repeated one void. */
    readonly events: 'keyed' | 'unkeyed' | 'none';
    readonly homes: readonly ('worker' | 'edge' | 'sql')[];
  };
  /**
   * What tells the account that is written to from any other, as a text without secrets: what was delivered to one says
   * nothing of another.
   */
  account(config: Config): string;
  limits(config: Config): Limits;
  auth(config: Config): Auth;
  /** What to send for a delivery; an empty list means there is nothing to say. */
  encode(delivery: Delivery, plan: AttributePlan, config: Config): readonly Operation[];
  /** What to send for an event of a contact that exists there; required unless `capabilities.events` is `none`. */
  encodeEvent?(event: ContactEvent, remote: RemoteContact, config: Config): Operation;
  /** Most characters of an event's name and of a property's name; undefined where there is no limit. */
  readonly eventLimits?: { readonly name: number; readonly property: number } | undefined;
  /** One request for operations that share a batch key. */
  request(batch: readonly Operation[], config: Config): HttpRequest;
  /** One outcome per operation, in order, always. */
  interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[];
  readonly bulk?: Bulk<Config>;
  /** Cheap read that proves key and scope. */
  probe(config: Config): HttpRequest;
  /** Reads one contact, asked for before its address is changed so that an opt-out moves with it. */
  lookup?(remote: RemoteContact, config: Config): Exchange<RemoteContact | null>;
  readonly fields?: FieldPlan<Config>;
  /** Reading all contacts there; absent where a destination cannot be read. */
  readonly exports?: ExportPlan<Config>;
  /** Lists by id and name, to resolve the names in the config. */
  lists?(config: Config): Exchange<readonly RemoteList[]>;
  /** Names of lists in the config. When there are any, a home reads `lists` once and calls `resolveLists` before it encodes. */
  listNames?(config: Config): readonly string[];
  /**
   * The config with list names replaced by ids.
   * @throws RollcallError RC_LIST_UNKNOWN when the destination has no list of a name, or several
   */
  resolveLists?(config: Config, lists: readonly RemoteList[]): Config;
}
