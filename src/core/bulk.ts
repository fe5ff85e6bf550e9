import type { AttributePlan, Delivery, HttpRequest, HttpResponse } from './destination.ts';
import type { JsonObject } from './json.ts';
import type { ConsentState } from './mapping.ts';
import type { Outcome } from './outcome.ts';

/** What came of a request for many contacts. */
export type BulkStart =
  /** It works on; `id` is the destination's own. */
  | { readonly kind: 'started'; readonly id: string }
  /**
   * The answer says it all: what became of these rows, by their place in the request, and `outcome` of all others. Rows that
   * were not `delivered` are settled one by one.
   */
  | { readonly kind: 'answered'; readonly outcome: Outcome; readonly rows: ReadonlyMap<number, Outcome> }
  /** Nothing was done because of these rows, by their place in the request; the others may be sent again at once. */
  | { readonly kind: 'refused'; readonly rows: ReadonlyMap<number, Outcome> }
  /** Nothing was started; `unknown` when that is not certain. A `reject` means that some row is at fault, and not which. */
  | { readonly kind: 'failed'; readonly outcome: Exclude<Outcome, { kind: 'delivered' }> };

/** How far a request for many contacts has come. */
export type BulkProgress =
  | { readonly kind: 'working' }
  /** What became of all of them. */
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  /** It ended, and not all of them were accepted, nobody says which: each is sent by itself. */
  | { readonly kind: 'partial' }
  /** The question was not answered; ask again. */
  | { readonly kind: 'unanswered'; readonly outcome: Outcome };

/** How to ask about a request that works on after its answer. */
export interface BulkWatch<Config> {
  /** Asks how far it has come. */
  poll(id: string, config: Config): HttpRequest;
  progress(response: HttpResponse): BulkProgress;
  /** Time to the first question, and the longest between two, in ms: questions may be dear. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Upserts of many contacts in one request. */
export interface Bulk<Config> {
  /** Contacts and bytes of one request. */
  readonly most: number;
  /** Contacts of one request where the config makes it fewer than `most`. */
  mostOf?(config: Config): number;
  readonly mostBytes: number;
  /** Contacts that must wait before it is used; undefined to tell by the rate limit, null when it is never to be used. */
  least(config: Config): number | null | undefined;
  /** It says nothing of consent: only contacts of these states are sent this way. */
  readonly consents: readonly ConsentState[];
  /** Such requests that may be at work there side by side. */
  readonly atOnce: number;
  /** Who must be sent by themselves all the same, as such a request could not say it; nobody when absent. */
  alone?(delivery: Delivery, plan: AttributePlan, config: Config): boolean;
  /** The attributes as the destination keeps them, by name: also what a file for an import by hand has. */
  values(delivery: Delivery, plan: AttributePlan, config: Config): JsonObject;
  /** One contact's part of the request, for a delivery with nothing to be said of its address, leftovers or opt-out. */
  row(delivery: Delivery, plan: AttributePlan, config: Config): JsonObject;
  request(rows: readonly JsonObject[], config: Config): HttpRequest;
  started(response: HttpResponse, rows: readonly JsonObject[]): BulkStart;
  /** Where the destination tells us that a request has ended, if the config says so: a URL of ours with a secret path. */
  notifyUrl?(config: Config): string | undefined;
  /** Where it works on after its answer; absent where that answer says it all. */
  readonly watch?: BulkWatch<Config> | undefined;
}
