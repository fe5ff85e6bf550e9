import type { ZodType } from 'zod';
import type { Bulk } from './bulk.ts';
import type { Capabilities } from './capabilities.ts';
import type { Declaration } from './declared.ts';
import type { ContactPages, ExportPlan } from './exports.ts';
import type { Inbound } from './inbound.ts';
import type { JsonObject } from './json.ts';
import type { Limits } from './limits.ts';
import type { ListPlan } from './lists.ts';
import type { AttributeType, ConsentState } from './mapping.ts';
import type { Outcome } from './outcome.ts';
import type { ListChanges } from './segments.ts';
import type { SuppressionPlan } from './suppressions.ts';

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
  /** Whose numbers `contactId` and `version` are; absent where many contacts go in one request. */
  readonly origin?: Origin | undefined;
  /**
   * True when this version was accepted already, or may have been, and is said once more, as something older may have arrived after
   * it: this must not be taken for a repetition.
   */
  readonly again?: boolean | undefined;
  /** Lists of segments; absent where the destination keeps none. */
  readonly lists?: ListChanges | undefined;
}

/** One install and one destination of it: what tells equal numbers of two databases apart. */
export interface Origin {
  /** No other install has it, but for copies of this one. */
  readonly id: string;
  /**
   * When the install was bound to its database, in ms since 1970. A copy that is bound, and a database that is restored, has a
   * later one; versions compare within one epoch only.
   */
  readonly epoch: number;
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
  /** True when it was found there by its address, before anything was known to have arrived: this is a first delivery still. */
  readonly met?: boolean | undefined;
  /** Read just before an address change or a first delivery, where the destination can be read. */
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
  /** Path and query below the destination's base URL, already encoded; `{id}` in it is what `find` found. */
  readonly path: string;
  readonly body: JsonObject | null;
  /** Operations with one key may share a request; null is never shared. Such are a contact's events, in order. */
  readonly batchKey: string | null;
  /**
   * The address whose contact is looked up first, where only the id names a contact: `{id}` in `path` becomes its id. Where it
   * is not there, a delete and an opt-out have nothing to do, and anything else is tried again as if it were new.
   */
  readonly find?: string | undefined;
  /** What becomes of it without being sent: a value that the destination would drop without a word. */
  readonly refused?: Outcome | undefined;
  /** Names what is said, the same for each attempt at it and unique among all installs, where a receiver can tell repetitions by it. */
  readonly key?: string | undefined;
}

/** A request as data. The transport adds authentication and sends it. */
export interface HttpRequest {
  readonly method: Operation['method'];
  /** Absolute URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** It may also go to a private network, as the config says. Never to link-local or metadata addresses. */
  readonly allowPrivate?: boolean | undefined;
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
export type Auth =
  | {
      readonly header: string;
      /** A secret. */
      readonly value: string;
    }
  | {
      /**
       * Standard Webhooks 1.0.0: the transport adds `webhook-timestamp` and `webhook-signature` over the request's `webhook-id`
       * header, the time and the body.
       */
      readonly sign: 'standard-webhooks';
      /** Secrets (`whsec_` and base64, or base64 alone): one signature for each, so that a receiver can change its own. */
      readonly secrets: readonly string[];
    };

/** A field the destination has. */
export interface RemoteField {
  readonly name: string;
  readonly type: string;
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
  /** An attribute's name as the destination writes it; as it is when absent. */
  nameFor?(name: string): string;
  /** Most fields an account may have. */
  readonly max: number;
}

/** A destination is one plain object (DESIGN section 7): pure functions and data, no I/O. */
export interface Destination<Config> {
  /** The name of its folder. */
  readonly id: string;
  /** As its users call it. */
  readonly name: string;
  readonly docsUrl: string;
  /** True while it is being written: it works, but no table in docs/ lists it. */
  readonly draft?: boolean | undefined;
  /** Validates the entry of the config's `destinations`; secrets carry `.meta({ secret: true })`. */
  readonly config: ZodType<Config>;
  readonly capabilities: Capabilities;
  /**
   * What tells the account that is written to from any other, as a text without secrets: what was delivered to one says
   * nothing of another.
   */
  account(config: Config): string;
  /** Options that turn it to a stand-in of its API, as they would be written in the config. */
  standIn(url: string, secret: string): JsonObject;
  limits(config: Config): Limits;
  auth(config: Config): Auth;
  /** What to send for a delivery; an empty list means there is nothing to say. */
  encode(delivery: Delivery, plan: AttributePlan, config: Config): readonly Operation[];
  /** What to send for an event of a contact that exists there; required unless `capabilities.events` is `none`. */
  encodeEvent?(event: ContactEvent, remote: RemoteContact, config: Config): Operation;
  /** Most characters of an event's name and of a property's name, and events in one request; undefined where there is no limit. */
  readonly eventLimits?:
    | { readonly name: number; readonly property: number; readonly perRequest?: number | undefined }
    | undefined;
  /** One request for operations that share a batch key. */
  request(batch: readonly Operation[], config: Config): HttpRequest;
  /** One outcome per operation, in order, always. */
  interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[];
  /**
   * What a person can do about a failure of one code, where its own answers say more than the code does. `{field}` stands for the
   * field at fault.
   */
  readonly advice?: Readonly<Record<string, string>> | undefined;
  readonly bulk?: Bulk<Config>;
  /** Cheap read that proves key and scope; null where nothing can be read. */
  probe(config: Config): HttpRequest | null;
  /**
   * Reads one contact: before its address is changed, so that an opt-out moves with it, and for an operation with `find`.
   * What it knows of the id is kept, else found.
   */
  lookup?(remote: RemoteContact, config: Config): Exchange<RemoteContact | null>;
  /**
   * True when an upsert of somebody who is not known there must be preceded by a `lookup`, as it could undo an opt-out. Asked
   * for each delivery without a remote contact.
   */
  looksFirst?(config: Config): boolean;
  readonly fields?: FieldPlan<Config>;
  readonly lists?: ListPlan<Config>;
  /** Reading all contacts there by a file that it makes. */
  readonly exports?: ExportPlan<Config>;
  /** Reading all contacts there page by page, where it makes no file; without either a destination cannot be read. */
  readonly pages?: ContactPages<Config>;
  /** Reading who must not be mailed, page by page. */
  readonly suppressions?: SuppressionPlan<Config>;
  /** Its requests and answers as data, for the SQL home; absent where that cannot deliver to it. */
  declare?(config: Config): Declaration;
  /** Receiving its webhooks of opt-outs; absent where it sends none. */
  readonly inbound?: Inbound<Config>;
}
