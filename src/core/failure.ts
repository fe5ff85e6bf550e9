import type { HttpResponse } from './destination.ts';
import type { Outcome } from './outcome.ts';
import { retryAfterMs } from './retry-after.ts';
import { classOfStatus } from './status-class.ts';

/** Any outcome but a delivery. */
export type Failure = Exclude<Outcome, { kind: 'delivered' }>;

/** A vendor, for what its answers mean by their status alone. */
export interface Vendor {
  /** As its users call it. */
  readonly name: string;
  /** Its words in an error body, at most 500 characters. */
  readonly words: (response: HttpResponse) => string;
  /** How long an answer asks us to wait, in ms, where that is not in `Retry-After`. */
  readonly waitMs?: (response: HttpResponse) => number | undefined;
}

const NAMED_CODES: Readonly<Record<number, string>> = { 401: 'unauthorized', 403: 'forbidden' };

/** The outcome of a status by itself; `undefined` for a success. */
export function failureOf(response: HttpResponse, vendor: Vendor): Failure | undefined {
  const { status, headers } = response;
  const kind = classOfStatus(status);
  if (kind === 'delivered') return undefined;
  const redirect = status >= 300 && status < 400;
  const message = redirect
    ? `${vendor.name} answered with a redirect (status ${status}), and redirects are never followed: check base_url.`
    : vendor.words(response);
  const code = redirect ? 'redirect' : (NAMED_CODES[status] ?? `http_${status}`);
  const waits = kind === 'throttle' || kind === 'retry';
  const wait = waits ? (retryAfterMs(headers) ?? vendor.waitMs?.(response)) : undefined;
  return wait === undefined ? { kind, code, message } : { kind, code, message, retryAfterMs: wait };
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(vendor: string, what: string): Failure {
  return { kind: 'unknown', code: 'malformed_answer', message: `${vendor} answered with success, but ${what}.` };
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse, vendor: Vendor): { readonly ok: false; readonly outcome: Outcome } {
  const outcome = failureOf(response, vendor) ?? {
    kind: 'retry',
    code: 'malformed_answer',
    message: `${vendor.name} answered with success, but in an unexpected shape.`,
  };
  return { ok: false, outcome };
}
