import * as z from 'zod';
import type { Json, JsonObject } from '../../../core/json.ts';
import { readSaved, savedValues } from '../../../sandbox/saved.ts';
import type { Account } from './account.ts';
import { ATTRIBUTE_CATEGORIES, ATTRIBUTE_TYPES } from './store.ts';

const savedAccount = z.object({
  lastNumber: z.int(),
  eventCount: z.int(),
  contacts: z.array(
    z.object({
      id: z.int(),
      email: z.string().nullable(),
      extId: z.string().nullable(),
      attributes: savedValues,
      lists: z.array(z.int()),
      emailBlacklisted: z.boolean(),
      smsBlacklisted: z.boolean(),
      createdAt: z.number(),
      updatedAt: z.number(),
      busyUntil: z.number(),
    }),
  ),
  lists: z.array(z.object({ id: z.int(), name: z.string(), folderId: z.int() })),
  folders: z.array(z.object({ id: z.int(), name: z.string() })),
  attributes: z.array(
    z.object({
      name: z.string(),
      category: z.enum(ATTRIBUTE_CATEGORIES),
      type: z.enum(ATTRIBUTE_TYPES).nullable(),
      options: z.array(z.string()),
    }),
  ),
  events: z.array(z.object({ address: z.string(), name: z.string(), properties: savedValues, at: z.number() })),
});

/** Everything an account holds, as JSON. What the limits counted is not kept. */
export function saveAccount({ store, imports }: Account): JsonObject {
  return {
    lastNumber: store.lastNumber,
    eventCount: store.eventCount,
    contacts: Array.from(store.contacts(), (contact) => ({
      ...contact,
      attributes: { ...contact.attributes },
      lists: [...contact.lists],
    })),
    lists: Array.from(store.lists.values(), (list) => ({ ...list })),
    folders: Array.from(store.folders.values(), (folder) => ({ ...folder })),
    attributes: Array.from(store.attributes.values(), (attribute) => ({ ...attribute })),
    events: store.events.map((event) => ({ ...event })),
    imports: imports.save(),
  };
}

/**
 * Puts what was saved in place of all the account holds.
 * @throws RollcallError `RC_SANDBOX_STATE`
 */
export function loadAccount(account: Account, saved: JsonObject): void {
  const read = readSaved(savedAccount, saved, 'brevo');
  account.imports.load(saved['imports']);
  account.store.restore({
    ...read,
    contacts: read.contacts.map((contact) => ({
      ...contact,
      attributes: Object.assign(Object.create(null) as Record<string, Json>, contact.attributes),
      lists: new Set(contact.lists),
    })),
  });
}
