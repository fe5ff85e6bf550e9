import type { IncomingHttpHeaders } from 'node:http';
import { parseJson, type Json } from '../core/json.ts';

/** One request to a stand-in, read whole. The JSON of its body is parsed at most once. */
export class ApiRequest {
  /** In upper case. */
  readonly method: string;
  /** Path without the query, still URL-encoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What follows the `?`, still URL-encoded. */
  readonly search: string;
  private parsed: { readonly value: Json } | null | undefined;

  constructor(method: string, path: string, headers: IncomingHttpHeaders, body: string, search = '') {
    this.method = method;
    this.path = path;
    this.headers = headers;
    this.body = body;
    this.search = search;
  }

  /** The query, decoded. */
  get query(): URLSearchParams {
    return new URLSearchParams(this.search);
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

/** A reply that asks to wait, in the vendor's own header; as it is when nothing is asked. @param seconds undefined for no wait */
export function asksToWait(reply: ApiReply, header: string, seconds: number | undefined): ApiReply {
  return seconds === undefined ? reply : { ...reply, headers: { ...reply.headers, [header]: String(seconds) } };
}
