import type { ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { type Answer, bodyOf } from './contacts.ts';
import { page } from './paging.ts';
import { audienceNotFound, badJson, contactNotFound, invalid, reply } from './replies.ts';
import { audienceView, contactView } from './views.ts';

/** Contacts in one request (sendry-js, `Audiences.addContacts`). */
const MOST_IDS = 100;

/** GET and POST /v1/audiences. */
export function allAudiences({ store }: Account, request: ApiRequest): Answer | null {
  if (request.method === 'GET') {
    return page(request.query, {
      rows: store.audiences.values(),
      key: ({ id }) => id,
      view: (audience) => audienceView(audience, store),
    });
  }
  if (request.method !== 'POST') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { name, description } = body;
  if (typeof name !== 'string' || name === '') return invalid({ name: 'is required' });
  const made = store.addAudience(name, typeof description === 'string' ? description : null);
  return reply(201, audienceView(made, store));
}

/** GET, PUT, PATCH and DELETE /v1/audiences/{id}. */
export function oneAudience({ store, now }: Account, id: string, request: ApiRequest): Answer | null {
  const audience = store.audiences.get(id);
  if (audience === undefined) return audienceNotFound;
  if (request.method === 'GET') return reply(200, audienceView(audience, store));
  if (request.method === 'DELETE') {
    store.removeAudience(id);
    return reply(200, { deleted: true });
  }
  if (request.method !== 'PUT' && request.method !== 'PATCH') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  if (typeof body['name'] === 'string') audience.name = body['name'];
  if (typeof body['description'] === 'string') audience.description = body['description'];
  audience.updatedAt = now();
  return reply(200, audienceView(audience, store));
}

/** GET and POST /v1/audiences/{id}/contacts. Members are named by the ids of contacts, and by nothing else. */
export function members({ store, settings }: Account, id: string, request: ApiRequest): Answer | null {
  if (!store.audiences.has(id)) return audienceNotFound;
  if (request.method === 'GET') {
    return page(request.query, {
      rows: store.contacts(),
      where: ({ audiences }) => audiences.has(id),
      key: (contact) => contact.id,
      view: (contact) => contactView(contact, store, settings.contactStyle),
    });
  }
  if (request.method !== 'POST') return null;
  const ids = bodyOf(request)?.['contact_ids'];
  if (!Array.isArray(ids) || ids.length === 0) return invalid({ contact_ids: 'must be an array' });
  if (ids.length > MOST_IDS) return invalid({ contact_ids: `must have at most ${MOST_IDS} items` });
  const contacts = ids.map((each) => (typeof each === 'string' ? store.get(each) : undefined));
  if (contacts.includes(undefined)) return contactNotFound;
  let added = 0;
  for (const contact of contacts) {
    if (contact === undefined || contact.audiences.has(id)) continue;
    store.write(contact, contact.email, ({ audiences }) => audiences.add(id));
    added += 1;
  }
  return reply(200, { added });
}

/** DELETE /v1/audiences/{id}/contacts/{contact}. The contact stays. */
export function oneMember({ store }: Account, id: string, contactId: string, request: ApiRequest): Answer | null {
  if (request.method !== 'DELETE') return null;
  if (!store.audiences.has(id)) return audienceNotFound;
  const contact = store.get(contactId);
  if (contact === undefined || !contact.audiences.has(id)) return contactNotFound;
  store.write(contact, contact.email, ({ audiences }) => audiences.delete(id));
  return reply(200, { deleted: true });
}
