import type { Bulk, BulkProgress, BulkStart } from '../../core/bulk.ts';
import type { Delivery, HttpResponse } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributePlan } from '../../core/destination.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { MailtrapConfig } from './config.ts';
import { listChanges } from './encode.ts';
import { readProblems } from './errors.ts';
import { readJson } from '../../core/wire.ts';
import { type Failure, failureOf } from './failure.ts';
import { refused } from './interpret.ts';
import { contactsPath } from './paths.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { get } from './reads.ts';
import { fieldValues } from './values.ts';

const TOO_MANY = /cannot import more than/i;

function values({ attributes, takeover }: Delivery, plan: AttributePlan, config: MailtrapConfig): JsonObject {
  return fieldValues(attributes, plan, takeover, config);
}

function row(delivery: Delivery, plan: AttributePlan, config: MailtrapConfig): JsonObject {
  const email = delivery.address ?? '';
  const fields = values(delivery, plan, config);
  const contact: Record<string, Json> = { email };
  if (Object.keys(fields).length > 0) contact['fields'] = fields;
  Object.assign(contact, listChanges(delivery, email, config));
  return contact;
}

/** The answer to `POST /contacts/imports`: 201 with the import's id, or 422 with what is wrong with which rows. */
function started(response: HttpResponse, rows: readonly JsonObject[]): BulkStart {
  const failure = failureOf(response);
  const json = readJson(response.body);
  if (failure === undefined) {
    const id = isJsonObject(json) ? json['id'] : undefined;
    if (typeof id === 'number' || (typeof id === 'string' && id !== '')) return { kind: 'started', id: String(id) };
    const message = 'Mailtrap accepted an import, but its answer holds no id.';
    return { kind: 'failed', outcome: { kind: 'unknown', code: 'malformed_answer', message } };
  }
  if (response.status === 404) {
    const message = `Mailtrap has no such path: check base_url and account_id. It said: ${failure.message}`;
    return { kind: 'failed', outcome: { kind: 'config', code: 'wrong_path', message: message.slice(0, 500) } };
  }
  if (failure.kind !== 'reject') return { kind: 'failed', outcome: failure };
  const problems = readProblems(response.body);
  // The list, or the plan: that is not the row's fault.
  const whole = refused(problems, failure);
  if (whole.kind === 'config') return { kind: 'failed', outcome: whole };
  if (problems.some(({ message }) => TOO_MANY.test(message))) return { kind: 'failed', outcome: failure };
  const named = refusedRows(isJsonObject(json) ? json['errors'] : undefined, rows, failure);
  return named.size === 0 ? { kind: 'failed', outcome: failure } : { kind: 'refused', rows: named };
}

/** The rows that are named by their address, each with its own complaints: `[{email, errors}]`. */
function refusedRows(errors: Json | undefined, rows: readonly JsonObject[], failure: Failure): Map<number, Outcome> {
  const found = new Map<number, Outcome>();
  if (!Array.isArray(errors)) return found;
  const places = new Map(rows.map((each, n) => [each['email'], n]));
  for (const entry of errors as readonly Json[]) {
    if (!isJsonObject(entry)) continue;
    const n = places.get(entry['email'] ?? null);
    if (n === undefined) continue;
    const body = renderJson({ errors: entry['errors'] ?? null });
    const own = failureOf({ status: 422, headers: {}, body }) ?? failure;
    found.set(n, refused(readProblems(body), own));
  }
  return found;
}

/** The answer to `GET /contacts/imports/{id}`: `created`, `started`, `finished` with counts, or `failed`. */
function progress(response: HttpResponse): BulkProgress {
  const failure = failureOf(response);
  if (failure !== undefined) {
    if (response.status === 404)
      return { kind: 'ended', outcome: lost('import_lost', 'Mailtrap knows nothing of the import any more.') };
    return { kind: 'unanswered', outcome: failure };
  }
  const json = readJson(response.body);
  const view = isJsonObject(json) ? (isJsonObject(json['data']) ? json['data'] : json) : {};
  const { status, contacts_over_limit_count: over } = view;
  if (status === 'failed')
    return { kind: 'ended', outcome: lost('import_failed', 'Mailtrap could not finish the import.') };
  if (status === 'finished') {
    if (typeof over !== 'number' || over === 0) return { kind: 'ended', outcome: { kind: 'delivered' } };
    const message = `Mailtrap had no room for ${over} contacts of an import: the limit of the plan is reached.`;
    return { kind: 'ended', outcome: { kind: 'config', code: 'plan_limit', message } };
  }
  if (typeof status === 'string') return { kind: 'working' };
  const message = 'Mailtrap answered with success, but in an unexpected shape.';
  return { kind: 'unanswered', outcome: { kind: 'retry', code: 'malformed_answer', message } };
}

function lost(code: string, message: string): Outcome {
  return { kind: 'unknown', code, message };
}

/**
 * Imports (OpenAPI "Contacts" 2.0.0, "Import contacts"): at most 50,000 contacts; bytes are not limited there, so that is our own
 * care. An import tells no ids, and only how many contacts were made; it says nothing of consent, so whoever must arrive as
 * unsubscribed goes by themselves.
 */
export const bulk: Bulk<MailtrapConfig> = {
  most: 50_000,
  mostBytes: 20_000_000,
  least: ({ import_from: from }) => (from === 'off' ? null : from),
  consents: ['basis'],
  atOnce: 1,
  values,
  row,
  request: (rows, config) => ({
    method: 'POST',
    url: `${config.base_url}${contactsPath(config)}/imports`,
    headers: JSON_HEADERS,
    body: renderJson({ contacts: rows }),
  }),
  started,
  watch: {
    poll: (id, config) => get(config, `${contactsPath(config)}/imports/${encodeURIComponent(id)}`),
    progress,
    firstMs: 200,
    mostMs: 10_000,
  },
};
