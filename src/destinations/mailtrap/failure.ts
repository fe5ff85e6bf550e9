import type { HttpResponse } from '../../core/destination.ts';
import type { Outcome } from '../../core/outcome.ts';
import { retryAfterMs } from '../../core/retry-after.ts';
import { classOfStatus } from '../../core/status-class.ts';
import { describe, type Problem, readProblems } from './errors.ts';

/** Any outcome but a delivery. */
export type Failure = Exclude<Outcome, { kind: 'delivered' }>;

const PLAN_LIMIT = /\blimit (?:has been |was |is )?(?:reached|exceeded)\b/i;
const NAMED_CODES: Readonly<Record<number, string>> = { 401: 'unauthorized', 403: 'forbidden' };

/** The outcome of a status by itself; `undefined` for a success. */
export function failureOf(response: HttpResponse): Failure | undefined {
  const { status } = response;
  const kind = classOfStatus(status);
  if (kind === 'delivered') return undefined;
  const redirect = status >= 300 && status < 400;
  const message = redirect
    ? `Mailtrap answered with a redirect (status ${status}), and redirects are never followed: check base_url.`
    : describe(readProblems(response.body), status);
  const code = redirect ? 'redirect' : (NAMED_CODES[status] ?? `http_${status}`);
  const wait = kind === 'throttle' || kind === 'retry' ? retryAfterMs(response.headers) : undefined;
  return wait === undefined ? { kind, code, message } : { kind, code, message, retryAfterMs: wait };
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(what: string): Failure {
  return { kind: 'unknown', code: 'malformed_answer', message: `Mailtrap answered with success, but ${what}.` };
}

/** Whether the account's plan has no room for one more: nothing of the record itself is wrong. */
export function isPlanLimit(problems: readonly Problem[]): boolean {
  return problems.some(({ field, message }) => field === undefined && PLAN_LIMIT.test(message));
}
