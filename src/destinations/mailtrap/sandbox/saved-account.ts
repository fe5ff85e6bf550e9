import * as z from 'zod';
import type { Json, JsonObject } from '../../../core/json.ts';
import { readSaved, savedValues } from '../../../sandbox/saved.ts';
import type { Account } from './account.ts';
import { DATA_TYPES } from './validate-value.ts';

const savedAccount = z.object({
  lastNumber: z.int(),
  eventCount: z.int(),
  contacts: z.array(
    z.object({
      id: z.string(),
      email: z.string(),
      fields: savedValues,
      lists: z.array(z.int()),
      createdAt: z.number(),
      updatedAt: z.number(),
    }),
  ),
  lists: z.array(z.object({ id: z.int(), name: z.string() })),
  fields: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      dataType: z.enum(DATA_TYPES),
      mergeTag: z.string(),
      usage: z.array(z.string()),
    }),
  ),
  suppressions: z.array(
    z.object({
      email: z.string(),
      type: z.enum(['hard bounce', 'spam complaint', 'unsubscription', 'manual import']),
      at: z.number(),
    }),
  ),
  events: z.array(
    z.object({ contactId: z.string(), email: z.string(), name: z.string(), params: savedValues, at: z.number() }),
  ),
  files: z.record(z.string(), z.string()),
});

/** Everything an account holds, as JSON. What the limits counted is not kept. */
export function saveAccount({ store, imports, exports, files }: Account): JsonObject {
  return {
    lastNumber: store.lastNumber,
    eventCount: store.eventCount,
    contacts: Array.from(store.contacts(), (contact) => ({
      ...contact,
      fields: { ...contact.fields },
      lists: [...contact.lists],
    })),
    lists: Array.from(store.lists.values(), (list) => ({ ...list })),
    fields: Array.from(store.fields.values(), (field) => ({ ...field })),
    suppressions: Array.from(store.suppressions.values(), (suppression) => ({ ...suppression })),
    events: store.events.map((event) => ({ ...event })),
    files: Object.fromEntries(Array.from(files, ([path, file]) => [path, Buffer.from(file).toString('base64')])),
    imports: imports.save(),
    exports: exports.save(),
  };
}

/**
 * Puts what was saved in place of all the account holds.
 * @throws RollcallError `RC_SANDBOX_STATE`
 */
export function loadAccount(account: Account, saved: JsonObject): void {
  const read = readSaved(savedAccount, saved, 'mailtrap');
  account.imports.load(saved['imports']);
  account.exports.load(saved['exports']);
  account.files.clear();
  for (const [path, file] of Object.entries(read.files)) account.files.set(path, Buffer.from(file, 'base64'));
  account.store.restore({
    ...read,
    contacts: read.contacts.map((contact) => ({
      ...contact,
      fields: Object.assign(Object.create(null) as Record<string, Json>, contact.fields),
      lists: new Set(contact.lists),
    })),
  });
}
