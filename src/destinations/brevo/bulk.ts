import type { Bulk, BulkProgress, BulkStart } from '../../core/bulk.ts';
import type { AttributePlan, Delivery, HttpRequest, HttpResponse } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import { segmentChanges } from '../../core/segments.ts';
import { cut, JSON_HEADERS } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';
import { hasArrived, listIds } from './encode.ts';
import { alone as aloneInBatch, batchRequest, batchRow, MOST_IN_BATCH } from './bulk-batch.ts';
import { failureOf, readProblem } from './failure.ts';
import { worthAnImport } from './limits.ts';
import { get } from './paths.ts';
import { objectIn } from './reads.ts';
import { attributeValues, hasPhone } from './values.ts';

/** Addresses that no check of theirs could stumble over; who has another one goes alone, and is told why if it is refused. */
const PLAIN_ADDRESS = /^[\w+-]+(?:\.[\w+-]+)*@(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/i;

/** An import names a list: those that contacts join, else one of its own. */
function listsOf({ lists, import_list: own }: BrevoConfig): readonly (number | string)[] {
  return lists.length > 0 || own === undefined ? lists : [own];
}

function present(attributes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null && value !== ''));
}

/**
 * Who can't be said in an import. A phone number that another contact has, and an address that is refused, are told in a file
 * and not in an answer. Of somebody who is there already: an empty value would be passed over (and `emptyContactsAttributes` may
 * empty what a row leaves out), `false` has been seen to be passed over (APIv3-python-library, issue 95), and a list that the
 * person was taken out of would be joined again.
 */
function alone(delivery: Delivery, plan: AttributePlan, config: BrevoConfig): boolean {
  const { join, leave } = segmentChanges(
    delivery.lists,
    config.segment_lists,
    !hasArrived(delivery, delivery.address ?? ''),
  );
  // An import names the lists of all its rows.
  if (join.length > 0 || leave.length > 0) return true;
  if (config.update_by === 'batch') return aloneInBatch(delivery, plan, config);
  const { attributes, problem } = attributeValues(delivery, plan, config);
  const sent = present(attributes);
  if (problem !== undefined || hasPhone(Object.keys(sent)) || !PLAIN_ADDRESS.test(delivery.address ?? '')) return true;
  const arrived = hasArrived(delivery, delivery.address ?? '');
  if (!arrived && delivery.remote?.met !== true) return false;
  const empties = Object.keys(sent).length < Object.keys(attributes).length;
  const rejoins = arrived && config.lists.length > 0 && config.list_policy === 'once';
  return empties || rejoins || Object.values(sent).includes(false);
}

function row(delivery: Delivery, plan: AttributePlan, config: BrevoConfig): JsonObject {
  if (config.update_by === 'batch') return batchRow(delivery, plan, config);
  const attributes = present(attributeValues(delivery, plan, config).attributes);
  const contact: Record<string, Json> = { email: delivery.address ?? '' };
  if (Object.keys(attributes).length > 0) contact['attributes'] = attributes;
  return contact;
}

function importRequest(rows: readonly JsonObject[], config: BrevoConfig): HttpRequest {
  return {
    method: 'POST',
    url: `${config.base_url}/contacts/import`,
    headers: JSON_HEADERS,
    body: renderJson({
      jsonBody: rows,
      listIds: listIds(listsOf(config)),
      updateExistingContacts: true,
      emptyContactsAttributes: false,
      disableNotification: true,
      ...(config.notify_url === undefined ? {} : { notifyUrl: config.notify_url }),
    }),
  };
}

/** The answer to `POST /contacts/import`: 202 with the id of a process; to `POST /contacts/batch`: 204, and it is done. */
function started(response: HttpResponse): BulkStart {
  const failure = failureOf(response);
  if (response.status === 204) return { kind: 'answered', outcome: { kind: 'delivered' }, rows: new Map() };
  if (failure === undefined) {
    const id = objectIn(response)?.['processId'];
    if (typeof id === 'number') return { kind: 'started', id: String(id) };
    const message = 'Brevo accepted an import, but its answer holds no process.';
    return { kind: 'failed', outcome: { kind: 'unknown', code: 'malformed_answer', message } };
  }
  if (failure.kind !== 'reject') return { kind: 'failed', outcome: failure };
  const { message } = failure;
  // No row is named there, and the rows were looked at before: lists are of the config.
  if (/\blists?\b/i.test(readProblem(response).message)) {
    return { kind: 'failed', outcome: { kind: 'config', code: 'unknown_list', message, field: 'listIds' } };
  }
  if (response.status !== 404) return { kind: 'failed', outcome: failure };
  const hint = cut(`Brevo has no such path: check base_url. It said: ${message}`);
  return { kind: 'failed', outcome: { kind: 'config', code: 'wrong_path', message: hint } };
}

/**
 * The answer to `GET /processes/{id}`: `queued`, `in_process`, `processing`, then `completed`, `failed` or `cancelled`. What is
 * wrong with rows stands in files behind links (`info.import`, @getbrevo/brevo 6.0.3): when there is one, nobody says here which.
 */
function progress(response: HttpResponse): BulkProgress {
  const failure = failureOf(response);
  if (failure !== undefined) {
    if (response.status !== 404) return { kind: 'unanswered', outcome: failure };
    const message = 'Brevo knows nothing of the import any more.';
    return { kind: 'ended', outcome: { kind: 'unknown', code: 'import_lost', message } };
  }
  const { status, info } = objectIn(response) ?? {};
  if (status === 'completed') {
    const report = isJsonObject(info) && isJsonObject(info['import']) ? info['import'] : {};
    const clean = Object.values(report).every((link) => link === null || link === '');
    return clean ? { kind: 'ended', outcome: { kind: 'delivered' } } : { kind: 'partial' };
  }
  if (status === 'failed' || status === 'cancelled') return { kind: 'partial' };
  if (typeof status === 'string') return { kind: 'working' };
  const message = 'Brevo answered with success, but in an unexpected shape.';
  return { kind: 'unanswered', outcome: { kind: 'retry', code: 'malformed_answer', message } };
}

/**
 * Imports (developers.brevo.com, "Import contacts"): a body of at most 8 MB, better than the 10 that are allowed; rows are not
 * limited there, so that is our own care. It says nothing of consent: whoever must arrive as blocked goes by themselves. Questions
 * about it share 100 requests an hour with much else, so they become rare quickly: at most 9 in the first 5 minutes.
 */
export const bulk: Bulk<BrevoConfig> = {
  most: 50_000,
  mostOf: ({ update_by: by }) => (by === 'batch' ? MOST_IN_BATCH : 50_000),
  mostBytes: 7_500_000,
  least: (config) => {
    const { import_from: from = worthAnImport(config) } = config;
    if (from === 'off') return null;
    if (config.update_by === 'batch') return Math.min(from, MOST_IN_BATCH);
    return listsOf(config).length === 0 ? null : from;
  },
  consents: ['basis'],
  atOnce: 1,
  alone,
  values: (delivery, plan, config) => attributeValues(delivery, plan, config).attributes,
  row,
  request: (rows, config) => (config.update_by === 'batch' ? batchRequest(rows, config) : importRequest(rows, config)),
  started,
  notifyUrl: ({ notify_url: url }) => url,
  watch: {
    poll: (id, config) => get(config, `/processes/${encodeURIComponent(id)}`),
    progress,
    firstMs: 2_000,
    mostMs: 60_000,
  },
};
