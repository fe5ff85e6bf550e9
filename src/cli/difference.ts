import { type Json, type JsonObject, renderJson } from '../core/json.ts';
import { LISTS_KEY } from '../core/segments.ts';

/** One attribute that differs; `before` or `after` is absent where there is none. */
export interface Difference {
  readonly name: string;
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
}

/** What differs between two states of attributes, by name. Pure. */
export function differences(before: JsonObject, after: JsonObject): readonly Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name): readonly Difference[] => {
    const [was, is] = [own(before, name), own(after, name)];
    if (was === undefined) return is === undefined ? [] : [{ name, after: is }];
    if (is === undefined) return [{ name, before: was }];
    return same(was, is) ? [] : [{ name, before: was, after: is }];
  });
}

/** What an attribute is called to a reader; the lists of segments travel with the attributes and are none. */
export function nameText(name: string): string {
  return name === LISTS_KEY ? '(lists)' : name;
}

/** A value as text: JSON, and words for one that is not there. */
export function valueText(value: Json | undefined): string {
  return value === undefined ? 'nothing' : renderJson(value);
}

/** `"free" -> "pro"`. */
export function differenceText({ before, after }: Difference): string {
  return `${valueText(before)} -> ${valueText(after)}`;
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The database gives the keys of objects in one order. */
function same(one: Json, other: Json): boolean {
  return renderJson(one) === renderJson(other);
}
