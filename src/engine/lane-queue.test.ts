import { expect, test } from 'vitest';
import { createLaneQueue } from './lane-queue.ts';
import type { Leased } from './lane-shared.ts';
import type { Claimed, Lane } from './ports.ts';

function leased(contactId: string, lane: Lane): Leased {
  const delivery = { contactId, lane, sendState: true, events: [], size: 10 } as unknown as Claimed;
  return { lease: { token: 't', leaseMs: 1, graceMs: 1 }, until: 0, delivery };
}

test('whoever is live comes first, and the backfill only when it may', () => {
  const queue = createLaneQueue();
  for (const item of [leased('1', 1), leased('2', 1), leased('3', 0)]) queue.push(item);
  expect([queue.length, queue.size, queue.load(0), queue.load(1)]).toEqual([3, 30, 1, 2]);
  expect(queue.shift(true)?.delivery.contactId).toBe('3');
  expect(queue.shift(false)).toBeUndefined();
  expect(queue.shift(true)?.delivery.contactId).toBe('1');
  expect(queue.size).toBe(10);
  expect(queue.takeAll().map(({ delivery }) => delivery.contactId)).toEqual(['2']);
  expect([queue.length, queue.size]).toEqual([0, 0]);
});
