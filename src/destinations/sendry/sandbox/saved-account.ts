import * as z from 'zod';
import type { Json, JsonObject } from '../../../core/json.ts';
import { readSaved, savedValues } from '../../../sandbox/saved.ts';
import { type Store, SUPPRESSION_REASONS } from './store.ts';

const savedAccount = z.object({
  eventCount: z.int(),
  contacts: z.array(
    z.object({
      id: z.string(),
      email: z.string(),
      first_name: z.string().nullable(),
      last_name: z.string().nullable(),
      metadata: savedValues,
      unsubscribed: z.boolean(),
      audiences: z.array(z.string()),
      createdAt: z.number(),
      updatedAt: z.number(),
    }),
  ),
  audiences: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      description: z.string().nullable(),
      createdAt: z.number(),
      updatedAt: z.number(),
    }),
  ),
  suppressions: z.array(z.object({ email: z.string(), reason: z.enum(SUPPRESSION_REASONS), at: z.number() })),
  unsubscribes: z.array(
    z.object({
      id: z.string(),
      email: z.string(),
      listId: z.string().nullable(),
      reason: z.string().nullable(),
      at: z.number(),
    }),
  ),
  events: z.array(
    z.object({
      id: z.string(),
      eventId: z.string().nullable(),
      name: z.string(),
      contactId: z.string(),
      email: z.string(),
      payload: savedValues,
      at: z.number(),
    }),
  ),
});

/** Everything an organisation holds, as JSON. What the limit counted is not kept. */
export function saveStore(store: Store): JsonObject {
  return {
    eventCount: store.eventCount,
    contacts: Array.from(store.contacts(), (contact) => ({
      ...contact,
      metadata: { ...contact.metadata },
      audiences: [...contact.audiences],
    })),
    audiences: Array.from(store.audiences.values(), (audience) => ({ ...audience })),
    suppressions: Array.from(store.suppressions.values(), (suppression) => ({ ...suppression })),
    unsubscribes: Array.from(store.unsubscribes.values(), (unsubscribe) => ({ ...unsubscribe })),
    events: store.events.map((event) => ({ ...event })),
  };
}

/**
 * Puts what was saved in place of all the organisation holds.
 * @throws RollcallError `RC_SANDBOX_STATE`
 */
export function loadStore(store: Store, saved: JsonObject): void {
  const read = readSaved(savedAccount, saved, 'sendry');
  store.restore({
    ...read,
    contacts: read.contacts.map((contact) => ({
      ...contact,
      metadata: Object.assign(Object.create(null) as Record<string, Json>, contact.metadata),
      audiences: new Set(contact.audiences),
    })),
  });
}
