import type { BulkStart } from '../../core/bulk.ts';
import type { HttpResponse } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';
import { readError } from './errors.ts';
import { failureOf, FOREIGN, isForeign, malformed } from './failure.ts';

const AUDIENCE = /\baudience/i;

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** How many rows an answer says it took: `{created, updated, total}` (SDKs) or `{imported, skipped, errors}` (documentation). */
function takenOf({ imported, created, updated }: JsonObject): number | undefined {
  const all = count(imported);
  if (all !== undefined) return all;
  const [made, changed] = [count(created), count(updated)];
  return made === undefined && changed === undefined ? undefined : (made ?? 0) + (changed ?? 0);
}

/** The rows that `errors` names by address or by place. What an entry looks like is documented nowhere. */
function namedRows(errors: Json | undefined, rows: readonly JsonObject[]): Map<number, Outcome> {
  const found = new Map<number, Outcome>();
  if (!Array.isArray(errors)) return found;
  const places = new Map(rows.map(({ email }, n) => [typeof email === 'string' ? email.toLowerCase() : '', n]));
  for (const entry of errors as readonly Json[]) {
    if (!isJsonObject(entry)) continue;
    const { email, index } = entry;
    const byPlace = typeof email === 'string' ? undefined : count(index);
    const n = typeof email === 'string' ? places.get(email.toLowerCase()) : byPlace;
    if (n === undefined || n >= rows.length) continue;
    const words = [entry['message'], entry['error'], entry['reason']].find((each) => typeof each === 'string');
    const message = cut(typeof words === 'string' ? words : 'Sendry did not import this contact, and gave no reason.');
    found.set(n, { kind: 'reject', code: 'import_refused', message });
  }
  return found;
}

/**
 * What the answer to an import says. Whom it leaves out without a name is not known: then the request counts as refused because of
 * some row, so that it is repeated in halves and in the end one by one. Nothing is lost by that: an import updates who is there.
 */
export function bulkAnswer(response: HttpResponse, rows: readonly JsonObject[]): BulkStart {
  if (isForeign(response)) return { kind: 'failed', outcome: FOREIGN };
  const failure = failureOf(response);
  const json = readJson(response.body);
  if (failure !== undefined) {
    const { message } = failure;
    if (response.status === 404 && !AUDIENCE.test(message)) {
      const hint = cut(`Sendry has no such path: check base_url and bulk. It said: ${message}`);
      return { kind: 'failed', outcome: { kind: 'config', code: 'wrong_path', message: hint } };
    }
    if (failure.kind !== 'reject') return { kind: 'failed', outcome: failure };
    if (AUDIENCE.test(message)) {
      return { kind: 'failed', outcome: { kind: 'config', code: 'unknown_list', message, field: 'audience_id' } };
    }
    const named = refusedRows(response.body, rows);
    return named.size === 0 ? { kind: 'failed', outcome: failure } : { kind: 'refused', rows: named };
  }
  if (!isJsonObject(json)) return { kind: 'failed', outcome: malformed('the answer to an import is no JSON object') };
  const answer = isJsonObject(json['data']) ? json['data'] : json;
  const named = namedRows(answer['errors'], rows);
  const taken = takenOf(answer);
  if (taken !== undefined && taken + named.size >= rows.length) {
    return { kind: 'answered', outcome: { kind: 'delivered' }, rows: named };
  }
  if (named.size > 0) return { kind: 'refused', rows: named };
  const message =
    taken === undefined
      ? 'Sendry took an import without saying how many contacts of it.'
      : `Sendry took ${taken} of ${rows.length} contacts of an import and does not say which.`;
  return { kind: 'failed', outcome: { kind: 'reject', code: 'rows_skipped', message } };
}

/** Rows that a refusal names in `details`: `contacts.3.email` and its kin, or by address. */
function refusedRows(body: string, rows: readonly JsonObject[]): Map<number, Outcome> {
  const found = new Map<number, Outcome>();
  for (const { field, message } of readError(body).problems) {
    const n = Number(/^contacts?\.(\d+)(?:\.|$)/.exec(field ?? '')?.[1] ?? NaN);
    if (!Number.isInteger(n) || n >= rows.length || found.has(n)) continue;
    const own = field?.slice(field.lastIndexOf('.') + 1);
    const code = own === 'email' ? 'invalid_email' : 'invalid_field';
    found.set(n, { kind: 'reject', code, message, field: own });
  }
  return found;
}
