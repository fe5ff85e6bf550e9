import type { Auth, HttpRequest, HttpResponse } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';

/** An answer, or why there is none. A failure is `retry` when nothing was sent and `unknown` when it may have arrived. */
export type SendResult =
  | { readonly answered: true; readonly response: HttpResponse; readonly latencyMs: number }
  | { readonly answered: false; readonly outcome: Outcome; readonly latencyMs: number };

/** Sends one request and never throws. Adds the authentication, keeps it out of every message, follows no redirect. */
export type Send = (
  request: HttpRequest,
  auth: Auth,
  options: {
    /** Whole time allowed, connecting included, in ms. */
    readonly deadlineMs: number;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<SendResult>;

/** Structured logging. Fields must hold no personal data and no secrets. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}
