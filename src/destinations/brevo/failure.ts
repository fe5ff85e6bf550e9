import type { HttpResponse } from '../../core/destination.ts';
import * as core from '../../core/failure.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';

export type { Failure } from '../../core/failure.ts';

/** An error body: `{code, message, metadata}` (@getbrevo/brevo 6.0.3, `ContactErrorModel`). */
export interface Problem {
  /** Empty where the body has none. */
  readonly code: string;
  readonly message: string;
  /** Of `duplicate_parameter`: what another contact has, for example `email` or `SMS`. */
  readonly duplicates: readonly string[];
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((each) => typeof each === 'string') : [];
}

/** The vendor's complaint; never throws. */
export function readProblem({ body, status }: HttpResponse): Problem {
  const json = readJson(body);
  const { code, message, metadata } = isJsonObject(json) ? json : {};
  const words = typeof message === 'string' && message !== '' ? message : undefined;
  return {
    code: typeof code === 'string' ? code : '',
    message: cut(words ?? `Brevo answered with status ${status} and no readable error.`),
    duplicates: strings(isJsonObject(metadata) ? metadata['duplicate_identifiers'] : undefined),
  };
}

function numbers(header: string | undefined): number[] {
  return (header ?? '').split(',').flatMap((part) => (/^\s*\d{1,9}\s*$/.test(part) ? [Number(part)] : []));
}

/**
 * How long a 429 asks us to wait. `x-sib-ratelimit-reset` is the seconds that are left, not a time
 * (developers.brevo.com/docs/limit-headers). Every answer has it, also one that failed for another reason, so only a 429 is
 * read. Of several windows the ones that are used up count, else the longest.
 */
function waitMs({ status, headers }: HttpResponse): number | undefined {
  if (status !== 429) return undefined;
  const resets = numbers(headers['x-sib-ratelimit-reset']);
  const left = numbers(headers['x-sib-ratelimit-remaining']);
  const usedUp = left.length === resets.length ? resets.filter((_, n) => left[n] === 0) : [];
  const seconds = usedUp.length > 0 ? usedUp : resets;
  return seconds.length === 0 ? undefined : Math.max(...seconds) * 1_000;
}

const BREVO: core.Vendor = { name: 'Brevo', words: (response) => readProblem(response).message, waitMs };

/** Codes that speak of the account, whatever the status (`BadRequestErrorBody`, the same client). */
const OF_THE_ACCOUNT = new Set(['permission_denied', 'not_enough_credits', 'account_under_validation', 'unauthorized']);

/** The outcome of a status by itself; `undefined` for a success. */
export function failureOf(response: HttpResponse): core.Failure | undefined {
  const failure = core.failureOf(response, BREVO);
  if (failure === undefined) return undefined;
  // With both headers the longer wait is the right one: `Retry-After` may be of a proxy before it.
  const wait = Math.max(failure.retryAfterMs ?? 0, waitMs(response) ?? 0);
  if (wait > 0) return { ...failure, retryAfterMs: wait };
  if (failure.kind !== 'reject') return failure;
  const { code } = readProblem(response);
  if (OF_THE_ACCOUNT.has(code)) return { ...failure, kind: 'config', code };
  return code === 'account_in_process' ? { ...failure, kind: 'retry', code } : failure;
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(what: string): core.Failure {
  return core.malformed(BREVO.name, what);
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse): { readonly ok: false; readonly outcome: Outcome } {
  const failure = failureOf(response);
  return failure === undefined ? core.stopped(response, BREVO) : { ok: false, outcome: failure };
}
