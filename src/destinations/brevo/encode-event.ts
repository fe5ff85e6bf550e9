import type { ContactEvent, Operation, RemoteContact } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import { isPresent } from '../../core/opt-out.ts';
import type { Outcome } from '../../core/outcome.ts';

/** Names (@getbrevo/brevo 6.0.3, `createEvent`); events of one request (developers.brevo.com/docs/event-endpoints). */
export const EVENT_LIMITS = { name: 255, property: 255, perRequest: 200 } as const;

/** Bytes of an event's properties (the same two: 50 KB), whichever kilobyte is meant. */
const MOST_BYTES = 50_000;
const encoder = new TextEncoder();

/**
 * A name as Brevo takes it: letters, digits, `-` and `_`. Space, dot, colon and slash become `_`, anything else its code point in
 * hexadecimal between hyphens: `order.placed` is `order_placed`, `é` is `-e9-`.
 */
export function eventName(name: string): string {
  return name
    .replaceAll(/[\s.:/]/g, '_')
    .replaceAll(/[^A-Za-z0-9_-]/gu, (character) => `-${character.codePointAt(0)!.toString(16)}-`);
}

function namedWithin(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(namedWithin);
  return isJsonObject(value) ? named(value).body : value;
}

function named(properties: JsonObject): { readonly names: readonly string[]; readonly body: JsonObject } {
  // Brevo knows no null: what has no value is left out.
  const entries = Object.entries(properties)
    .filter(([, value]) => value !== null)
    .map(([name, value]): [string, Json] => [eventName(name), namedWithin(value)]);
  return { names: entries.map(([name]) => name), body: Object.fromEntries(entries) };
}

function refusal(code: string, message: string, field?: string): Outcome {
  return field === undefined ? { kind: 'reject', code, message } : { kind: 'reject', code, message, field };
}

/** Why an event can't be stored there; undefined when it can. */
function problemOf(name: string, names: readonly string[], properties: JsonObject): Outcome | undefined {
  if (name === '' || name.length > EVENT_LIMITS.name) {
    return refusal(
      'invalid_event',
      `The event's name has ${name.length} characters as Brevo writes it: 1 to 255 are allowed.`,
    );
  }
  const bad = names.find((each) => each === '' || each.length > EVENT_LIMITS.property);
  if (bad !== undefined) {
    const message =
      'The name of a property is empty, or has more than 255 characters as Brevo writes it: map a shorter one.';
    return refusal('invalid_property', message, bad.slice(0, 100));
  }
  const twice = names.find((each, n) => names.indexOf(each) !== n);
  if (twice !== undefined) {
    return refusal('invalid_property', `Two properties are both ${twice} as Brevo writes names: rename one.`, twice);
  }
  const bytes = encoder.encode(renderJson(properties)).length;
  if (bytes <= MOST_BYTES) return undefined;
  return refusal(
    'too_large',
    `The event's properties take ${bytes} bytes, and Brevo takes at most ${MOST_BYTES}: map less.`,
  );
}

/**
 * What to send to Brevo for an event: by the contact's id, else by its address. It keeps the event's own time, and has no place
 * for its id. Several of one contact go in one request. Pure.
 */
export function encodeEvent(event: ContactEvent, remote: RemoteContact): Operation {
  const name = eventName(event.name);
  const { names, body } = named(event.properties);
  const byId = isPresent(remote.id) && /^\d{1,15}$/.test(remote.id);
  const identifiers: JsonObject = byId ? { contact_id: Number(remote.id) } : { email_id: remote.address ?? '' };
  return {
    kind: 'event',
    method: 'POST',
    path: '/events',
    body: {
      event_name: name,
      // To the millisecond, as in the vendor's examples.
      event_date: event.at.replace(/(\.\d{3})\d+/, '$1'),
      identifiers,
      ...(names.length > 0 ? { event_properties: body } : {}),
    },
    batchKey: byId ? `id ${remote.id}` : `address ${remote.address ?? ''}`,
    refused: problemOf(name, names, body),
  };
}
