import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { Store } from './store.ts';
import { valueError } from './validate-value.ts';

/** Errors under a name that is read once: the first words said about an attribute stay. */
export type Complaints = Record<string, string[]>;

/** The `contact` object of a request body, or null. */
export function contactOf(value: Json): JsonObject | null {
  return isJsonObject(value) && isJsonObject(value['contact']) ? value['contact'] : null;
}

/** Says what is wrong with `fields`: unknown merge tags, values of the wrong type or length. */
export function complainAboutFields(fields: Json | undefined, store: Store, complaints: Complaints): void {
  if (fields === undefined || fields === null) return;
  if (!isJsonObject(fields)) {
    complaints['fields'] = ['must be a hash'];
    return;
  }
  const unknown: string[] = [];
  for (const tag of Object.keys(fields)) {
    const field = store.fields.get(tag);
    if (field === undefined) {
      unknown.push(tag);
      continue;
    }
    const error = valueError(field.dataType, fields[tag] ?? null);
    if (error !== null) complaints[tag] = [error];
  }
  if (unknown.length > 0) complaints['fields'] = [`contains invalid values: ${unknown.join(', ')}`];
}

/** Says what is wrong with a list of list ids; ids of lists that are not there are wrong too. */
export function complainAboutLists(ids: Json | undefined, key: string, store: Store, complaints: Complaints): void {
  if (ids === undefined || ids === null) return;
  const right = Array.isArray(ids) && ids.every((id) => typeof id === 'number' && store.lists.has(id));
  if (!right) complaints[key] = ['contains invalid data'];
}

/** Says that one list is both to be joined and to be left. */
export function complainAboutOverlap(
  included: Json | undefined,
  excluded: Json | undefined,
  complaints: Complaints,
): void {
  const leaving = new Set(numbers(excluded));
  const both = numbers(included).filter((id) => leaving.has(id));
  if (both.length > 0) {
    complaints['base'] = [`same list_ids ${both.join(', ')} are specified both as included and excluded`];
  }
}

export function numbers(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.filter((item): item is number => typeof item === 'number') : [];
}

/** Puts sent values over stored ones: what was not sent stays, null clears. */
export function mergeFields(stored: Record<string, Json>, sent: Json | undefined): void {
  if (!isJsonObject(sent)) return;
  for (const tag of Object.keys(sent)) {
    const value = sent[tag] ?? null;
    if (value === null) delete stored[tag];
    else stored[tag] = value;
  }
}

export function hasComplaints(complaints: Complaints): boolean {
  for (const _ in complaints) return true;
  return false;
}
