import type { HttpResponse } from '../../core/destination.ts';
import * as core from '../../core/failure.ts';
import type { Outcome } from '../../core/outcome.ts';
import { describe, type Problem, readProblems } from './errors.ts';

export type { Failure } from '../../core/failure.ts';

const PLAN_LIMIT = /\blimit (?:has been |was |is )?(?:reached|exceeded)\b/i;
const MAILTRAP: core.Vendor = {
  name: 'Mailtrap',
  words: ({ body, status }) => describe(readProblems(body), status),
};

/** The outcome of a status by itself; `undefined` for a success. */
export function failureOf(response: HttpResponse): core.Failure | undefined {
  return core.failureOf(response, MAILTRAP);
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(what: string): core.Failure {
  return core.malformed(MAILTRAP.name, what);
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse): { readonly ok: false; readonly outcome: Outcome } {
  return core.stopped(response, MAILTRAP);
}

/** Whether the account's plan has no room for one more: nothing of the record itself is wrong. */
export function isPlanLimit(problems: readonly Problem[]): boolean {
  return problems.some(({ field, message }) => field === undefined && PLAN_LIMIT.test(message));
}
