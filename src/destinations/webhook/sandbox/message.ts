import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';

/** What puts messages about one contact in order. */
export interface Order {
  readonly epoch: number;
  readonly version: number;
}

/** A message as a receiver reads it. */
export type Message =
  | {
      readonly type: 'upserted';
      readonly id: string;
      readonly order: Order;
      readonly address: string;
      readonly previous: readonly string[];
      readonly consent: string;
      readonly attributes: JsonObject;
    }
  | {
      readonly type: 'deleted' | 'unsubscribed';
      readonly id: string;
      readonly order: Order;
      readonly address: string | null;
      readonly previous: readonly string[];
    }
  | {
      readonly type: 'event';
      readonly key: string;
      readonly name: string;
      readonly properties: JsonObject;
      readonly at: string;
      readonly address: string | null;
    };

const CONSENTS: ReadonlySet<unknown> = new Set(['basis', 'none', 'opted_out', 'opted_in']);

/** Reads the body of a message; undefined when it is none that README.md describes. */
export function readMessage(body: Json | undefined): Message | undefined {
  if (!isJsonObject(body)) return undefined;
  const { type, data, timestamp } = body;
  const { contact, event, epoch, version } = isJsonObject(data) ? data : {};
  if (typeof type !== 'string' || !isJsonObject(contact)) return undefined;
  if (type.startsWith('event.')) return readEvent(type, timestamp, event, contact);
  const { id, address, previous_addresses: previous, consent, attributes } = contact;
  if (typeof id !== 'string' || typeof epoch !== 'number' || typeof version !== 'number') return undefined;
  const order = { epoch, version };
  if (!isTexts(previous)) return undefined;
  if (type === 'contact.deleted' || type === 'contact.unsubscribed') {
    if (typeof address !== 'string' && address !== null) return undefined;
    return { type: type === 'contact.deleted' ? 'deleted' : 'unsubscribed', id, order, address, previous };
  }
  if (type !== 'contact.upserted' || typeof address !== 'string' || address === '') return undefined;
  if (typeof consent !== 'string' || !CONSENTS.has(consent) || !isJsonObject(attributes)) return undefined;
  return { type: 'upserted', id, order, address, previous, consent, attributes };
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function readEvent(
  type: string,
  at: Json | undefined,
  event: Json | undefined,
  contact: JsonObject,
): Message | undefined {
  if (!isJsonObject(event)) return undefined;
  const { id: key, name, properties, occurred_at: occurredAt } = event;
  const { address } = contact;
  if (typeof key !== 'string' || typeof name !== 'string' || type !== `event.${name}`) return undefined;
  if (typeof at !== 'string' || occurredAt !== at || !isJsonObject(properties)) return undefined;
  return { type: 'event', key, name, properties, at, address: typeof address === 'string' ? address : null };
}
