import type { IncomingHttpHeaders } from 'node:http';
import { parseJson, type Json, type JsonObject } from '../core/json.ts';

/** One request to a stand-in, read whole. The JSON of its body is parsed at most once. */
export class ApiRequest {
  /** In upper case. */
  readonly method: string;
  /** Path without the query, still URL-encoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  private parsed: { readonly value: Json } | null | undefined;

  constructor(method: string, path: string, headers: IncomingHttpHeaders, body: string) {
    this.method = method;
    this.path = path;
    this.headers = headers;
    this.body = body;
  }

  /** The body as JSON with exact numbers, or null when it is no JSON. */
  json(): { readonly value: Json } | null {
    if (this.parsed === undefined) {
      try {
        this.parsed = { value: parseJson(this.body) };
      } catch {
        this.parsed = null;
      }
    }
    return this.parsed;
  }
}

/** An answer of a stand-in. */
export interface ApiReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

/** What the fault rules need to know of a request. */
export interface CallSubject {
  /** Addresses the request names, in lower case. */
  readonly emails: readonly string[];
  /** True when the request writes one contact, so that `reject` rules apply. */
  readonly writesContact: boolean;
}

/** A vendor's API in memory. Nothing in it waits: a request is answered in the turn it is handled. */
export interface World {
  subject(request: ApiRequest): CallSubject;
  /** Authentication and limits; null when the request may go on. */
  gate(request: ApiRequest): ApiReply | null;
  /** @param rejects whether a fault rule refuses this address (asked for rows of a bulk request) */
  handle(request: ApiRequest, rejects: (email: string) => boolean): ApiReply;
  /** The vendor's own words for a status, for faults made on demand. */
  failure(status: number): ApiReply;
  /** The vendor's own refusal of one contact. */
  refusal(): ApiReply;
  /** Most bytes of a request body on this path. */
  bodyLimit(path: string): number;
  /** Headers that go on every answer. */
  commonHeaders(): Readonly<Record<string, string>>;
  /** Everything stored, for the control API. */
  snapshot(): JsonObject;
  reset(): void;
}
