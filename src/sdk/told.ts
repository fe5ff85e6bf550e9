import { LONGEST_ADDRESS } from '../core/address.ts';
import { RollcallError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, renderJson } from '../core/json.ts';
import { LONGEST_PAYLOAD } from '../sql/compile/users.ts';
import { plainJson } from './plain-json.ts';

/** Something a contact did, as `events.track` takes it. */
export interface TrackedEvent {
  /** Whose it is. */
  readonly email: string;
  /** Its name, for example `order_placed`. */
  readonly event: string;
  readonly properties?: object | undefined;
  /** The same id of the same event is taken once, however often it is tracked: the id of the order, say. */
  readonly id?: string | number | bigint | undefined;
  /** When it happened; now when absent. */
  readonly at?: Date | string | undefined;
}

/** The same, checked. */
export interface Told {
  readonly id: string;
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
 * @throws RollcallError `RC_EVENT_INVALID`, which names the field and never its value
 */
export function checkEvent({ email, event, properties, id, at }: TrackedEvent): Told {
  const address = addressIn(email);
  if (address === undefined) throw invalid('email', 'is no address', 'Give the address of the contact.');
  if (typeof event !== 'string' || event.trim() === '' || event.length > LONGEST_NAME || UNSTORABLE.test(event))
    throw invalid('event', 'is no name', `A name has 1 to ${LONGEST_NAME} characters, for example order_placed.`);
  const when = at === undefined ? undefined : new Date(at);
  if (when !== undefined && Number.isNaN(when.getTime()))
    throw invalid('at', 'is no time', 'Give a Date, or an ISO 8601 time such as 2026-01-31T12:00:00Z.');
  const own = id === undefined ? crypto.randomUUID() : `${event} ${id}`;
  if (UNSTORABLE.test(own) || own.length > 2 * LONGEST_NAME)
    throw invalid('id', 'is no id', `An id has at most ${LONGEST_NAME} characters.`);
  return { id: own, address, name: event, properties: checkProperties(properties), at: when?.toISOString() };
}

function checkProperties(value: object | undefined): JsonObject {
  let json: unknown;
  try {
    json = plainJson(value ?? {});
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalid('properties', `are ${cause.message}`, 'Give an object that JSON can hold.');
  }
  if (!isJsonObject(json)) throw invalid('properties', 'are no object', 'Give an object of names and values.');
  const text = renderJson(json);
  if (text.length > LONGEST_PAYLOAD)
    throw invalid('properties', `take more than ${LONGEST_PAYLOAD} bytes`, 'Send less: what the automation needs.');
  if (UNSTORABLE_JSON.test(text))
    throw invalid('properties', 'hold a character that a database cannot store', 'Take out NUL and lone surrogates.');
  return json;
}

function invalid(field: string, what: string, hint: string): RollcallError {
  return new RollcallError('RC_EVENT_INVALID', `The event can't be sent: its ${field} ${what}.`, {
    hint,
    place: { path: field },
  });
}
