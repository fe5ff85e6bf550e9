import type { HttpResponse } from '../../core/destination.ts';
import * as core from '../../core/failure.ts';
import type { Outcome } from '../../core/outcome.ts';
import { readJson } from '../../core/wire.ts';
import { describe, readError, type SendryError } from './errors.ts';

export type { Failure } from '../../core/failure.ts';

const SENDRY: core.Vendor = {
  name: 'Sendry',
  words: ({ body, status }) => describe(readError(body), status),
};

const PLAN_LIMIT = /\bplan\b[^.]*\blimit\b|\bcontacts? limit\b/i;
/** The vendor's codes that say more than their status (documentation, "Error Codes"). */
const TELLING = new Set(['expired_key', 'payment_required', 'billing_suspended', 'insufficient_scope']);

/** Whether the account's plan has no room: nothing of the record itself is wrong. */
function isPlanLimit({ code, message }: SendryError): boolean {
  return code === 'plan_limit_reached' || PLAN_LIMIT.test(message ?? '');
}

/**
 * The outcome of a status by itself, with the vendor's code where that says more; `undefined` for a success. A full plan is about
 * the account, whatever the status.
 */
export function failureOf(response: HttpResponse): core.Failure | undefined {
  const failure = core.failureOf(response, SENDRY);
  if (failure === undefined || (failure.kind !== 'reject' && failure.kind !== 'config')) return failure;
  const error = readError(response.body);
  if (response.status !== 401 && isPlanLimit(error)) {
    return { kind: 'config', code: 'plan_limit', message: failure.message };
  }
  const { code } = error;
  return failure.kind === 'config' && code !== undefined && TELLING.has(code) ? { ...failure, code } : failure;
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(what: string): core.Failure {
  return core.malformed(SENDRY.name, what);
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse): { readonly ok: false; readonly outcome: Outcome } {
  const failure = isForeign(response) ? FOREIGN : failureOf(response);
  return failure === undefined ? core.stopped(response, SENDRY) : { ok: false, outcome: failure };
}

/** Whether a 404 comes from something that is not the API at all, as behind a wrong base URL. */
export function isForeign({ status, body }: HttpResponse): boolean {
  return status === 404 && body.trim() !== '' && readJson(body) === undefined;
}

export const FOREIGN: core.Failure = {
  kind: 'config',
  code: 'wrong_path',
  message: 'The answer is not from Sendry’s API: check base_url.',
};
