import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { SendrySettings } from './settings.ts';
import type { Store, StoredContact } from './store.ts';

const ADDRESS =
  /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}-]{2,}$/u;
const MOST_ADDRESS = 254;

/** What is wrong with an address, or undefined. Where exactly the vendor draws the line is not published. */
export function addressProblem(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return 'is required';
  const fits = typeof value === 'string' && value.length <= MOST_ADDRESS && ADDRESS.test(value);
  return fits ? undefined : 'must be a valid email';
}

/** What is wrong with a contact's body, by field (sendry-js, `CreateContactParams` and `UpdateContactParams`). */
export function contactProblems(body: JsonObject, needsAddress: boolean): Record<string, string> {
  const problems: Record<string, string> = {};
  const { email, unsubscribed } = body;
  const wrong = needsAddress || email !== undefined ? addressProblem(email) : undefined;
  if (wrong !== undefined) problems['email'] = wrong;
  for (const name of ['first_name', 'last_name']) {
    const value = body[name];
    if (value !== undefined && value !== null && typeof value !== 'string') problems[name] = 'must be a string';
  }
  for (const name of ['metadata', 'properties']) {
    const value = body[name];
    if (value !== undefined && value !== null && !isJsonObject(value)) problems[name] = 'must be an object';
  }
  if (unsubscribed !== undefined && typeof unsubscribed !== 'boolean') problems['unsubscribed'] = 'must be a boolean';
  return problems;
}

/** Writes a checked body into a contact. What it does not name stays as it is. */
export function applyContact(draft: StoredContact, body: JsonObject, store: Store, settings: SendrySettings): void {
  const { first_name: first, last_name: last } = body;
  if (first !== undefined) draft.first_name = typeof first === 'string' ? first : null;
  if (last !== undefined) draft.last_name = typeof last === 'string' ? last : null;
  const keys = settings.attributesAs === 'both' ? ['properties', 'metadata'] : [settings.attributesAs];
  const parts = keys.map((key) => body[key]).filter((part) => part !== undefined);
  if (parts.length > 0) {
    const kept = settings.metadataReplaces || parts.every((part) => part === null) ? {} : draft.metadata;
    const values = Object.assign(Object.create(null) as Record<string, Json>, kept, ...parts.filter(isJsonObject));
    for (const [name, value] of Object.entries(values)) if (value === null) delete values[name];
    draft.metadata = values;
  }
  if (body['unsubscribed'] === true) draft.unsubscribed = true;
  if (body['unsubscribed'] === false && store.isOut(draft)) {
    draft.unsubscribed = false;
    store.resubscribe(draft.email, true);
  }
}

/** A body without what it names, as a vendor that replaces would read it. */
export function replacing(body: JsonObject): JsonObject {
  return { first_name: null, last_name: null, metadata: null, unsubscribed: false, ...body };
}
