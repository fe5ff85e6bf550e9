import { expect, test } from 'vitest';
import { momentOf } from './moment.ts';

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  [' 2026-01-31T12:00:00.123456+05:30 ', '2026-01-31T06:30:00.123Z'],
  // As Postgres and PostgREST write them.
  ['2026-01-31 12:00:00.5+00', '2026-01-31T12:00:00.500Z'],
  ['2026-01-31T12:00:00-0330', '2026-01-31T15:30:00.000Z'],
  ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
])('%s is a moment', (value, iso) => {
  expect(momentOf(value)?.toISOString()).toBe(iso);
});

test.each([
  // What Date.parse takes for days of 2001.
  'order 5',
  '1',
  'last 7',
  // Whose months and days, whose clock?
  '01/02/2024',
  '2026-01-31T12:00:00',
  '2026-02-30',
  '2026-02-30T00:00:00Z',
  '2026-01-31T25:00:00Z',
  '0000-01-01T00:00:00Z',
  '',
  null,
  undefined,
  Number.NaN,
  1_700_000_000,
  new Date(Number.NaN),
  new Date(8.64e15),
  new Date(-8.64e15),
])('%s is none', (value) => {
  expect(momentOf(value)).toBeUndefined();
});
