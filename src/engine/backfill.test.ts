import { expect, test } from 'vitest';
import { nextRows } from './backfill.ts';

test('a page is as large as fits its time, at most twice the last one, within bounds', () => {
  expect(nextRows(200, 150)).toBe(200);
  expect(nextRows(200, 10)).toBe(400);
  expect(nextRows(200, 300)).toBe(100);
  expect(nextRows(60, 10_000)).toBe(50);
  expect(nextRows(1_900, 1)).toBe(2_000);
});
