import * as z from 'zod';
import type { JsonObject } from '../../../core/json.ts';
import { readSaved, savedValues } from '../../../sandbox/saved.ts';
import type { Book } from './book.ts';

const savedBook = z.object({
  contacts: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      consent: z.string(),
      attributes: savedValues,
      createdAt: z.number(),
      updatedAt: z.number(),
    }),
  ),
  orders: z.record(z.string(), z.object({ epoch: z.number(), version: z.number() })),
  optedOut: z.array(z.string()),
  seen: z.array(z.string()),
  events: z.array(
    z.object({ address: z.string(), name: z.string(), properties: savedValues, key: z.string(), at: z.number() }),
  ),
  eventCount: z.int(),
});

/** Everything a receiver keeps, as JSON. */
export function saveBook({ contacts, orders, optedOut, seen, events }: Book): JsonObject {
  return {
    contacts: Array.from(contacts.values(), (contact) => ({ ...contact })),
    orders: Object.fromEntries(Array.from(orders, ([id, order]) => [id, { ...order }])),
    optedOut: [...optedOut],
    seen: [...seen],
    events: events.list.map(({ key = '', ...event }) => ({ ...event, key })),
    eventCount: events.total,
  };
}

/**
 * Puts what was saved in place of all that is kept, and tells nobody.
 * @param book an empty one
 * @throws RollcallError `RC_SANDBOX_STATE`
 */
export function loadBook(book: Book, saved: JsonObject): void {
  const read = readSaved(savedBook, saved, 'webhook');
  for (const contact of read.contacts) book.put(contact);
  for (const [id, order] of Object.entries(read.orders)) book.orders.set(id, order);
  for (const address of read.optedOut) book.optedOut.add(address);
  for (const id of read.seen) book.seen.add(id);
  book.events.restore(read.events, read.eventCount);
}
