import { expect, test } from 'vitest';
import { checkEvent, type TrackedEvent } from './told.ts';

const ok = { email: ' Ann@Example.com ', event: 'order_placed' };

test('an event is read as it was meant', () => {
  const at = '2026-01-31T12:00:00.123456+01:00';
  expect(checkEvent({ ...ok, id: 7n, at, properties: { n: 1 } })).toEqual({
    id: '7',
    address: 'Ann@Example.com',
    name: 'order_placed',
    properties: { n: 1 },
    at: '2026-01-31T11:00:00.123Z',
  });
  expect(checkEvent(ok)).toMatchObject({ id: undefined, at: undefined, properties: {} });
});

test.each([
  // All of these would be one and the same id, under which each event but the first is lost.
  ['id', { id: null }],
  ['id', { id: '' }],
  ['id', { id: {} }],
  ['id', { id: Number.NaN }],
  // 1970, 2001, and the clock of whichever machine it is.
  ['at', { at: null }],
  ['at', { at: 'order 5' }],
  ['at', { at: '2026-01-31T12:00:00' }],
  ['at', { at: new Date(8.64e15) }],
  ['properties', { properties: [1] }],
  // Two bytes each.
  ['properties', { properties: { text: 'é'.repeat(100_000) } }],
])('%s: %o is refused', (path, wrong) => {
  expect(() => checkEvent({ ...ok, ...wrong } as TrackedEvent)).toThrow(
    expect.objectContaining({ code: 'RC_EVENT_INVALID', place: { path } }),
  );
});

test('of many it is said which, and nothing at all is no event', () => {
  expect(() => checkEvent({ ...ok, event: '' }, 3)).toThrow("Event [3] can't be sent: its event is no name.");
  expect(() => checkEvent(null as unknown as TrackedEvent)).toThrow(
    expect.objectContaining({ code: 'RC_EVENT_INVALID' }),
  );
});
