import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { readJson } from '../../core/wire.ts';

/** The contact in an answer: bare as in the documentation and the SDKs, or under `data`. */
export function contactIn(body: string): JsonObject | undefined {
  const json: Json | undefined = readJson(body);
  if (!isJsonObject(json)) return undefined;
  return isJsonObject(json['data']) ? json['data'] : json;
}

export function idOf(contact: JsonObject | undefined): string | undefined {
  const id = contact?.['id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/**
 * Whether a contact is mailed; undefined when the answer does not say. The SDKs have `unsubscribed`, the documentation's page on
 * contacts shows `subscribed`.
 */
export function subscriptionOf({ unsubscribed, subscribed }: JsonObject): 'subscribed' | 'unsubscribed' | undefined {
  if (unsubscribed === true || subscribed === false) return 'unsubscribed';
  return unsubscribed === false || subscribed === true ? 'subscribed' : undefined;
}
