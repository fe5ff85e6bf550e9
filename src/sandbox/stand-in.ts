import type { JsonObject } from '../core/json.ts';
import type { ApiReply, ApiRequest, CallSubject } from './api-request.ts';

/** A contact as the sandbox's page, tests and benches see it, whatever its API calls things. */
export interface ShownContact {
  readonly id: string;
  readonly address: string;
  readonly status: 'subscribed' | 'unsubscribed';
  /** By the API's own names; cleared ones are absent. */
  readonly attributes: JsonObject;
  /** Names of lists. */
  readonly lists: readonly string[];
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** An event as it was accepted. It outlives its contact. */
export interface ShownEvent {
  /** The contact's address at that moment. */
  readonly address: string;
  readonly name: string;
  readonly properties: JsonObject;
  /** The key it was sent with; undefined where the API has none. */
  readonly key?: string | undefined;
  readonly at: number;
}

/** Where a contact came from or went to. */
export type ContactChangeKind = 'created' | 'updated' | 'deleted' | 'opted_out' | 'opted_in';

/** Why somebody must not be mailed. */
export type OptOutReason = 'unsubscribe' | 'complaint' | 'bounce';

/** Somebody said no, as a vendor tells of it. */
export interface OptOutEvent {
  readonly address: string;
  readonly reason: OptOutReason;
  /** Repeats an event that was sent before; made up when absent. */
  readonly id?: string | undefined;
  /** Milliseconds since the epoch; now when absent. */
  readonly at?: number | undefined;
}

/** A request as the vendor would send it to a receiver of webhooks. */
export interface OutgoingWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The statuses that the vendor counts as received; any 2xx when absent. */
  readonly acknowledgedBy?: readonly number[] | undefined;
  /** The ids of the events in it, where they have any. */
  readonly eventIds?: readonly string[] | undefined;
}

export interface StandInOptions {
  /** The key that it accepts. */
  readonly token: string;
  /** How many times the vendor's limits; `Infinity` for none. */
  readonly limitsScale: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where it is reached, its own path included, without a slash at the end; for links in answers. */
  readonly url: () => string;
  /** How long one stage of a job takes by the clock, in ms. A poll also ends a stage. */
  readonly jobStepMs: number;
  /** Told within the call that does it. */
  readonly onContact: (kind: ContactChangeKind, contact: ShownContact) => void;
  readonly onEvent: (event: ShownEvent) => void;
  /** Settings that only this one knows, for tests of what contradicting documents say. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A vendor's API in memory. Nothing in it waits: a request is answered in the turn it is handled. */
export interface StandIn {
  /** Paths of requests begin with what follows the stand-in's own URL. */
  subject(request: ApiRequest): CallSubject;
  /** Authentication and limits; null when the request may go on. */
  gate(request: ApiRequest): ApiReply | null;
  /** @param rejects whether a fault rule refuses this address (asked for rows of a bulk request) */
  handle(request: ApiRequest, rejects: (address: string) => boolean): ApiReply;
  /** The vendor's own words for a status, with its own headers for a wait in seconds; for faults made on demand. */
  failure(status: number, retryAfter?: number): ApiReply;
  /** The vendor's own refusal of one contact. */
  refusal(): ApiReply;
  /** Most bytes of a request body on this path. */
  bodyLimit(path: string): number;
  /** Headers that go on every answer. */
  commonHeaders(): Readonly<Record<string, string>>;

  readonly contactCount: number;
  /** In the order they were created. Reading settles jobs that the clock has finished. */
  contacts(): Iterable<ShownContact>;
  /** @param idOrAddress addresses ignore case */
  contact(idOrAddress: string): ShownContact | undefined;
  /** The last events, at least 100,000 of them, oldest first. */
  events(): readonly ShownEvent[];
  readonly eventCount: number;
  lists(): readonly { readonly id: string; readonly name: string }[];
  fields(): readonly { readonly name: string; readonly type: string }[];

  /** What people do in the vendor's own pages. The opt-out of an address need not have a contact. */
  optOut(address: string, reason: OptOutReason): void;
  optIn(address: string): void;
  /** @returns its id */
  addList(name: string): string;
  /** @param type the API's own name of a type */
  addField(name: string, type: string): void;

  /** What the vendor tells a receiver of these opt-outs; absent where it tells nothing. */
  webhooks?(optOuts: readonly OptOutEvent[], secret: string, nowMs: number): readonly OutgoingWebhook[];

  /** Everything stored, also for files. */
  save(): JsonObject;
  /** Takes what `save` gave in place of all there is, and tells nobody. @throws RollcallError `RC_SANDBOX_STATE` */
  load(saved: JsonObject): void;
  reset(): void;
}

/** What `src/destinations/<id>/sandbox/index.ts` exports by default. */
export type StandInMaker = (options: StandInOptions) => StandIn;
