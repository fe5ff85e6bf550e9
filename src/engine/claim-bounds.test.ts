import { expect, test } from 'vitest';
import { createClaimBounds } from './claim-bounds.ts';

test('a lane that was empty a moment ago is looked at from a little before now', () => {
  const bounds = createClaimBounds();
  expect(bounds.begin(0)).toEqual(['-infinity', '-infinity']);
  expect(bounds.found(0, 0, 500, undefined)).toBe(false);
  expect(bounds.found(1, 3, 250, 'b')).toBe(false);
  expect(bounds.begin(1_000)).toEqual(['infinity', 'infinity']);
});

test('one that was full goes on where it ended, and is looked at once more from the start at its end', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  expect(bounds.found(0, 500, 500, 'last')).toBe(true);
  bounds.found(1, 0, 250, undefined);
  expect(bounds.begin(10)).toEqual(['last', 'infinity']);
  expect(bounds.found(0, 499, 500, 'later')).toBe(true);
  expect(bounds.begin(20)[0]).toBe('-infinity');
  expect(bounds.found(0, 7, 500, 'late')).toBe(false);
  expect(bounds.begin(30)[0]).toBe('infinity');
});

test('one that was not looked at for a while, or may hold what is long due, is looked at from the start', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  bounds.begin(1_000);
  bounds.found(0, 0, 10, undefined);
  // Room for the live lane only: the other was not claimed of for 2 s.
  expect(bounds.begin(2_000)).toEqual(['infinity', '-infinity']);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  bounds.reset();
  expect(bounds.begin(2_100)).toEqual(['-infinity', '-infinity']);
});

test.each([
  [1, 5_500],
  [100, 10_500],
  [10_000, 15_500],
])(
  'everything is looked at again where that takes %i ms: after %i ms, so that it takes a hundredth of the time, but never more seldom than every 15 s',
  (tookMs, afterMs) => {
    const bounds = createClaimBounds();
    for (let now = 0; now <= afterMs; now += 500) {
      expect(bounds.begin(now)[0] === '-infinity', `at ${now}`).toBe(now === 0 || now === afterMs);
      bounds.took(tookMs);
      for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
    }
  },
);
