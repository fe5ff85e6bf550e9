import { isJsonObject } from '../../../core/json.ts';
import type { ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { type Answer, bodyOf } from './contacts.ts';
import { page } from './paging.ts';
import { badJson, contactNotFound, invalid, recordNotFound, reply } from './replies.ts';
import { newId } from './store.ts';
import { eventView } from './views.ts';

/**
 * GET and POST /v1/events. An `event_id` that was seen before is answered with what came of it then, and `deduped: true`
 * (sendry-js, `IngestedEvent`). An event of nobody is refused: choice of ours, as no document says.
 */
export function allEvents({ store, now }: Account, request: ApiRequest): Answer | null {
  if (request.method === 'GET') {
    const name = request.query.get('name');
    return page(request.query, {
      rows: store.events,
      where: (event) => name === null || event.name === name,
      key: ({ id }) => id,
      view: eventView,
    });
  }
  if (request.method !== 'POST') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { name, event_id: eventId, contact_email: email, contact_id: id, payload } = body;
  if (typeof name !== 'string' || name === '') return invalid({ name: 'is required' });
  if (eventId !== undefined && typeof eventId !== 'string') return invalid({ event_id: 'must be a string' });
  if (payload !== undefined && !isJsonObject(payload)) return invalid({ payload: 'must be an object' });
  const address = typeof email === 'string' ? email : '';
  if (typeof id !== 'string' && address === '') return invalid({ contact_email: 'is required' });
  const before = eventId === undefined ? undefined : store.eventWith(eventId);
  if (before !== undefined) return reply(200, { ...eventView(before), deduped: true });
  const contact = typeof id === 'string' ? store.get(id) : store.byAddress(address);
  if (contact === undefined) return contactNotFound;
  const event = {
    id: newId('evt'),
    eventId: eventId ?? null,
    name,
    contactId: contact.id,
    email: contact.email,
    payload: payload ?? {},
    at: now(),
  };
  store.addEvent(event);
  return reply(201, eventView(event));
}

/** GET /v1/events/{id}. */
export function oneEvent({ store }: Account, id: string, request: ApiRequest): Answer | null {
  if (request.method !== 'GET') return null;
  const event = store.events.find((each) => each.id === id);
  return event === undefined ? recordNotFound : reply(200, eventView(event));
}
