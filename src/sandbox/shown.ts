import type { Json, JsonObject } from '../core/json.ts';
import type { ShownContact, ShownEvent } from './stand-in.ts';

/** A contact or event as JSON: they hold nothing but JSON, which their interfaces can't say. */
export function asJson(shown: ShownContact | ShownEvent | null): Json {
  return shown as unknown as JsonObject | null;
}
