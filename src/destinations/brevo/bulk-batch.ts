import type { AttributePlan, Delivery, HttpRequest } from '../../core/destination.ts';
import { type Json, type JsonObject, renderJson } from '../../core/json.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';
import { hasArrived, listIds } from './encode.ts';
import { attributeValues, hasPhone } from './values.ts';

/** The figure that is often named; Brevo publishes none. */
export const MOST_IN_BATCH = 100;

/** Who can't be in a batch: it updates only, and one phone number that another contact has would refuse all of them. */
export function alone(delivery: Delivery, plan: AttributePlan, config: BrevoConfig): boolean {
  const { attributes, problem } = attributeValues(delivery, plan, config);
  if (!hasArrived(delivery, delivery.address ?? '')) return true;
  return problem !== undefined || hasPhone(Object.keys(attributes));
}

/** A contact of `POST /contacts/batch`: as in `PUT /contacts/{identifier}`, named by its address. */
export function batchRow(delivery: Delivery, plan: AttributePlan, config: BrevoConfig): JsonObject {
  const { attributes } = attributeValues(delivery, plan, config);
  const contact: Record<string, Json> = { email: delivery.address ?? '' };
  if (Object.keys(attributes).length > 0) contact['attributes'] = attributes;
  if (config.list_policy === 'keep' && config.lists.length > 0) contact['listIds'] = listIds(config.lists);
  return contact;
}

/**
 * `POST /contacts/batch` (@getbrevo/brevo 6.0.3, `updateBatchContacts`): updates, answered with 204. It does not say who of them is
 * not there, so that is found only when they are next sent alone: why it is a setting.
 */
export function batchRequest(rows: readonly JsonObject[], config: BrevoConfig): HttpRequest {
  return {
    method: 'POST',
    url: `${config.base_url}/contacts/batch`,
    headers: JSON_HEADERS,
    body: renderJson({ contacts: rows }),
  };
}
