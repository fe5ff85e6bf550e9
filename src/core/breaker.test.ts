import { expect, test } from 'vitest';
import { nextPauseMs } from './breaker.ts';

test('pauses grow from 30 s to 10 minutes and stay there', () => {
  expect([0, 1, 2, 3, 4, 5, 6].map((n) => nextPauseMs(n))).toEqual([
    30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
  ]);
  expect(nextPauseMs(5_000)).toBe(600_000);
});

test('times of one’s own', () => {
  expect(nextPauseMs(2, { firstPauseMs: 10, longestPauseMs: 1_000 })).toBe(40);
});
