import type { Bulk } from '../../core/bulk.ts';
import type { AttributePlan, Delivery, HttpRequest } from '../../core/destination.ts';
import { type Json, type JsonObject, renderJson } from '../../core/json.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { attributeParts, attributeValues, NAMES } from './attributes.ts';
import { bulkAnswer } from './bulk-answer.ts';
import type { SendryConfig } from './config.ts';
import { csvText, flatRow, multipart } from './csv-file.ts';
import { joinsByCreation } from './encode.ts';
import { CONTACTS } from './paths.ts';

/** With `audience_id` where this contact still has to join; `request` says it once for all. */
function row(delivery: Delivery, plan: AttributePlan, config: SendryConfig): JsonObject {
  const email = delivery.address ?? '';
  const fresh = delivery.remote === null && !delivery.takeover;
  const contact: Record<string, Json> = { email, ...attributeParts(delivery, plan, config, fresh) };
  if (config.audience_id !== undefined && joinsByCreation(delivery, email)) contact['audience_id'] = config.audience_id;
  return contact;
}

function request(rows: readonly JsonObject[], config: SendryConfig): HttpRequest {
  const contacts = rows.map((each) =>
    Object.fromEntries(Object.entries(each).filter(([name]) => name !== 'audience_id')),
  );
  // One for all: whoever was taken out of the audience comes back beside somebody who is new.
  const audience = rows.some((each) => each['audience_id'] !== undefined) ? config.audience_id : undefined;
  const joins = audience === undefined ? {} : { audience_id: audience };
  if (config.bulk === 'import') {
    return {
      method: 'POST',
      url: `${config.base_url}${CONTACTS}/import`,
      headers: JSON_HEADERS,
      body: renderJson({ contacts, ...joins }),
    };
  }
  const text = csvText(contacts.map(flatRow), ['email', ...NAMES]);
  const { contentType, body } = multipart(joins, { field: 'file', name: 'contacts.csv', text });
  return {
    method: 'POST',
    url: `${config.base_url}${CONTACTS}/bulk-import`,
    headers: { ...JSON_HEADERS, 'content-type': contentType },
    body,
  };
}

/**
 * Imports: at most 1,000 contacts (documentation, "Bulk import contacts", and both SDKs); bytes are not limited there, so that is
 * our own care. The answer counts, names no ids and may not name who was left out. A row has no place for an opt-out that is
 * certain to be heard, so whoever must arrive as unsubscribed goes by themselves; and as an import may also reach who left at
 * Sendry, there is none until `upsert_keeps_unsubscribed` says that this does not bring them back.
 */
export const bulk: Bulk<SendryConfig> = {
  most: 1_000,
  mostBytes: 5_000_000,
  least: ({ import_from: from, upsert_keeps_unsubscribed: keeps }) => (!keeps || from === 'off' ? null : from),
  consents: ['basis'],
  atOnce: 1,
  values: attributeValues,
  row,
  request,
  started: bulkAnswer,
};
