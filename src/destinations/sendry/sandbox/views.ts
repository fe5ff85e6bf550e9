import type { Json, JsonObject } from '../../../core/json.ts';
import type { ShownContact, ShownEvent } from '../../../sandbox/stand-in.ts';
import type { Dialect } from './settings.ts';
import type { Audience, Store, StoredContact, StoredEvent, Suppression, Unsubscribe } from './store.ts';

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** A contact as the SDKs declare it, or as the documentation shows it. */
export function contactView(contact: StoredContact, store: Store, style: Dialect): JsonObject {
  const out = store.isOut(contact);
  return {
    id: contact.id,
    email: contact.email,
    first_name: contact.first_name,
    last_name: contact.last_name,
    metadata: Object.keys(contact.metadata).length === 0 ? null : { ...contact.metadata },
    ...(style === 'sdk' ? { unsubscribed: out } : { subscribed: !out }),
    created_at: iso(contact.createdAt),
    ...(style === 'sdk' ? { updated_at: iso(contact.updatedAt) } : {}),
  };
}

export function audienceView(audience: Audience, store: Store): JsonObject {
  let members = 0;
  for (const { audiences } of store.contacts()) if (audiences.has(audience.id)) members += 1;
  const { id, name, description } = audience;
  return {
    id,
    name,
    description,
    member_count: members,
    created_at: iso(audience.createdAt),
    updated_at: iso(audience.updatedAt),
  };
}

export function eventView(event: StoredEvent): JsonObject {
  return {
    id: event.id,
    external_id: event.eventId,
    name: event.name,
    contact_email: event.email,
    contact_id: event.contactId,
    payload: event.payload,
    received_at: iso(event.at),
    processed_at: null,
    triggered_runs: 0,
  };
}

export function suppressionView({ email, reason, at }: Suppression): JsonObject {
  return { email, reason, created_at: iso(at) };
}

export function unsubscribeView({ id, email, listId, reason, at }: Unsubscribe): JsonObject {
  return { id, email, list_id: listId, reason, created_at: iso(at) };
}

/** A contact as the sandbox shows those of every API. */
export function shownContact(contact: StoredContact, store: Store): ShownContact {
  const named: Record<string, Json> = { ...contact.metadata };
  if (contact.first_name !== null) named['first_name'] = contact.first_name;
  if (contact.last_name !== null) named['last_name'] = contact.last_name;
  return {
    id: contact.id,
    address: contact.email,
    status: store.isOut(contact) ? 'unsubscribed' : 'subscribed',
    attributes: named,
    lists: Array.from(contact.audiences, (id) => store.audiences.get(id)?.name ?? id),
    createdAt: contact.createdAt,
    updatedAt: contact.updatedAt,
  };
}

/** An event as the sandbox shows those of every API. */
export function shownEvent({ email, name, payload, eventId, at }: StoredEvent): ShownEvent {
  return { address: email, name, properties: payload, key: eventId ?? undefined, at };
}
