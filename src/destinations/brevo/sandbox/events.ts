import { isJsonObject, type Json, type JsonObject, renderJson } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { objectOf, textOf } from './contact-input.ts';
import { invalid, missing, noContent, notJson, reply } from './replies.ts';
import type { StoredEvent } from './store.ts';

/** developers.brevo.com/docs/event-endpoints */
const MOST_EVENTS = 200;
const MOST_BYTES = 512 * 1024;
const MOST_PROPERTIES = 50 * 1024;
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function wrongKey(properties: JsonObject): boolean {
  return Object.entries(properties).some(([key, value]) => !NAME.test(key) || (isJsonObject(value) && wrongKey(value)));
}

/** What is wrong with an event, or null. */
function complaint(event: Json): string | null {
  if (!isJsonObject(event)) return 'event must be an object';
  const { event_name: name, event_date: date, identifiers, event_properties: properties = {} } = event;
  if (typeof name !== 'string' || !NAME.test(name)) return 'event_name is invalid';
  if (date !== undefined && (typeof date !== 'string' || !ISO_TIME.test(date))) return 'event_date is invalid';
  const named = isJsonObject(identifiers) && Object.values(identifiers).some((each) => each !== '' && each !== null);
  if (!named) return 'identifiers is missing';
  if (!isJsonObject(properties) || wrongKey(properties)) return 'event_properties is invalid';
  return Buffer.byteLength(renderJson(properties)) > MOST_PROPERTIES ? 'event_properties is too large' : null;
}

/** An event as it is kept. Whose it is need not be known: nobody is told. */
function eventOf(event: JsonObject, { store }: Account): StoredEvent {
  const { event_name: name, event_date: date, identifiers, event_properties: properties } = event;
  const { contact_id: id, email_id: email } = isJsonObject(identifiers) ? identifiers : {};
  // The id goes before all others.
  const contact = typeof id === 'number' ? store.byNumber(id) : undefined;
  return {
    address: contact?.email ?? (typeof email === 'string' ? email : ''),
    name: textOf(name),
    properties: isJsonObject(properties) ? properties : {},
    at: typeof date === 'string' ? Date.parse(date) : store.now(),
  };
}

/** POST /events: 204. There is no key against duplicates: each call is one more event. */
export function createEvent(account: Account, request: ApiRequest): ApiReply {
  const body = objectOf(request);
  if (body === null) return notJson;
  const wrong = complaint(body);
  if (wrong !== null) return invalid(wrong);
  account.store.addEvent(eventOf(body, account));
  return noContent;
}

/** POST /events/batch: 202 when all are good, 207 with the places of those that are not, 400 when none is. */
export function createEvents(account: Account, request: ApiRequest): ApiReply {
  const events = objectOf(request)?.['events'];
  if (!Array.isArray(events)) return missing('events is missing');
  const all = events as readonly Json[];
  if (all.length === 0 || all.length > MOST_EVENTS) return invalid(`1 to ${MOST_EVENTS} events are allowed in a batch`);
  if (Buffer.byteLength(request.body) > MOST_BYTES) return invalid('The batch is too large');
  const places = new Map<string, number[]>();
  for (const [n, event] of all.entries()) {
    const wrong = complaint(event);
    if (wrong === null) account.store.addEvent(eventOf(event as JsonObject, account));
    else places.set(wrong, [...(places.get(wrong) ?? []), n]);
  }
  if (places.size === 0) {
    return reply(202, {
      message: 'Batch accepted. Valid events have been added to the processing queue.',
      count: all.length,
    });
  }
  const errors = Array.from(places, ([message, eventIndex]) => ({ eventIndex, message }));
  const failed = errors.reduce((sum, { eventIndex }) => sum + eventIndex.length, 0);
  return reply(failed === all.length ? 400 : 207, {
    ...(failed === all.length ? { code: 'invalid_parameter', message: errors[0]?.message ?? '' } : {}),
    status: failed === all.length ? 'failed' : 'partial_success',
    total_events: all.length,
    successful_events: all.length - failed,
    failed_events: failed,
    errors,
  });
}
