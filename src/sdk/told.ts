import { LONGEST_ADDRESS } from '../core/address.ts';
import { RollcallError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, renderJson } from '../core/json.ts';
import { momentOf } from '../config/moment.ts';
import { LONGEST_PAYLOAD } from '../sql/compile/users.ts';
import { plainJson } from './plain-json.ts';

/** Something a contact did, as `events.track` takes it. */
export interface TrackedEvent {
  /** Whose it is. */
  readonly email: string;
  /** Its name, for example `order_placed`. */
  readonly event: string;
  readonly properties?: object | undefined;
  /** The same id of the same event of the same contact is taken once, however often it is tracked: the id of the order, say. */
  readonly id?: string | number | bigint | undefined;
  /** When it happened: a Date, or ISO 8601 with an offset; now when absent. */
  readonly at?: Date | string | undefined;
}

/** The same, checked. */
export interface Told {
  /** The app's own; undefined where it gave none, and each is another. */
  readonly id: string | undefined;
  readonly address: string;
  readonly name: string;
  readonly properties: JsonObject;
  /** ISO 8601; undefined for now. */
  readonly at: string | undefined;
}

const LONGEST_NAME = 255;
/** One @ with something on both sides, and nothing that no address has; what the address is worth is the destination's to say. */
const ADDRESS = /^[^\s@]+@[^\s@]+$/;
// What Postgres can't store as text.
// oxlint-disable-next-line no-control-regex
const UNSTORABLE = /\u0000|\p{Surrogate}/u;
/** The same in JSON text, where it is always escaped. */
const UNSTORABLE_JSON = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/i;

/** An address without blanks around it; undefined when it is none. */
export function addressIn(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return ADDRESS.test(text) && text.length <= LONGEST_ADDRESS && !UNSTORABLE.test(text) ? text : undefined;
}

/**
 * Checks an event.
 * @param place in the array that it came in
 * @throws RollcallError `RC_EVENT_INVALID`, which names the field and never its value
 */
export function checkEvent(event: TrackedEvent, place?: number): Told {
  // Whoever compiles nothing may give anything.
  const { email, event: name, properties, id, at } = (event as TrackedEvent | null | undefined) ?? ({} as TrackedEvent);
  const refuse: Refuse = (field, what, hint) => invalid(place, field, what, hint);
  const address = addressIn(email);
  if (address === undefined) throw refuse('email', 'is no address', 'Give the address of the contact.');
  if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME || UNSTORABLE.test(name))
    throw refuse('event', 'is no name', `A name has 1 to ${LONGEST_NAME} characters, for example order_placed.`);
  const when = momentOf(at);
  if (at !== undefined && when === undefined)
    throw refuse(
      'at',
      'is no time',
      'Give a Date, or an ISO 8601 time with an offset such as 2026-01-31T12:00:00Z; leave it out for now.',
    );
  return {
    id: idIn(id, refuse),
    address,
    name,
    properties: checkProperties(properties, refuse),
    at: when?.toISOString(),
  };
}

/** What is no id is refused, not taken for one: all events with it would count as the same, and be taken once. */
function idIn(id: unknown, refuse: Refuse): string | undefined {
  if (id === undefined) return undefined;
  const text = typeof id === 'bigint' || (typeof id === 'number' && Number.isFinite(id)) ? String(id) : id;
  if (typeof text === 'string' && text !== '' && text.length <= LONGEST_NAME && !UNSTORABLE.test(text)) return text;
  const hint = `An id is a number, or a text of 1 to ${LONGEST_NAME} characters; leave it out where there is none.`;
  throw refuse('id', 'is no id', hint);
}

type Refuse = (field: string, what: string, hint: string) => RollcallError;

function checkProperties(value: object | undefined, refuse: Refuse): JsonObject {
  let json: unknown;
  try {
    json = plainJson(value ?? {});
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refuse('properties', `are ${cause.message}`, 'Give an object that JSON can hold.');
  }
  if (!isJsonObject(json)) throw refuse('properties', 'are no object', 'Give an object of names and values.');
  const text = renderJson(json);
  if (new TextEncoder().encode(text).length > LONGEST_PAYLOAD)
    throw refuse('properties', `take more than ${LONGEST_PAYLOAD} bytes`, 'Send less: what the automation needs.');
  if (UNSTORABLE_JSON.test(text))
    throw refuse('properties', 'hold a character that a database cannot store', 'Take out NUL and lone surrogates.');
  return json;
}

function invalid(place: number | undefined, field: string, what: string, hint: string): RollcallError {
  const which = place === undefined ? 'The event' : `Event [${place}]`;
  return new RollcallError('RC_EVENT_INVALID', `${which} can't be sent: its ${field} ${what}.`, {
    hint,
    place: { path: place === undefined ? field : `[${place}].${field}` },
  });
}
