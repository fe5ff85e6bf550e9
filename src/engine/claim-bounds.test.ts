import { expect, test } from 'vitest';
import { createClaimBounds } from './claim-bounds.ts';

const RECENT = { backMs: 3_000 };

test('a lane that was empty a moment ago is looked at from a little before now', () => {
  const bounds = createClaimBounds();
  expect(bounds.begin(0)).toEqual(['-infinity', '-infinity']);
  expect(bounds.found(0, 0, 500, undefined)).toBe(false);
  expect(bounds.found(1, 3, 250, 'b')).toBe(false);
  expect(bounds.begin(1_000)).toEqual([RECENT, RECENT]);
});

test('one that was full goes on where it ended, and is looked at once more from the start at its end', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  expect(bounds.found(0, 500, 500, 'last')).toBe(true);
  bounds.found(1, 0, 250, undefined);
  expect(bounds.begin(10)).toEqual(['last', RECENT]);
  expect(bounds.found(0, 499, 500, 'later')).toBe(true);
  expect(bounds.begin(20)[0]).toBe('-infinity');
  expect(bounds.found(0, 7, 500, 'late')).toBe(false);
  expect(bounds.begin(30)[0]).toEqual(RECENT);
});

test('one that was not looked at for a while is looked at from before that, and one that may hold what is long due from the start', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  bounds.begin(1_000);
  bounds.found(0, 0, 10, undefined);
  // Room for the live lane only: the other was not claimed of for 2 s.
  expect(bounds.begin(2_000)).toEqual([RECENT, { backMs: 5_000 }]);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  bounds.reset();
  expect(bounds.begin(2_100)).toEqual(['-infinity', '-infinity']);
});

/** Idles, claiming every half second with looks that take so long; when each look that goes further back than usual came, in s. */
function looked(tookMs: number, forMs: number): Record<string, number[]> {
  const bounds = createClaimBounds();
  const seen: Record<string, number[]> = {};
  for (let now = 0; now <= forMs; now += 500) {
    const [from] = bounds.begin(now);
    if (!(typeof from === 'object' && from.backMs === RECENT.backMs)) {
      (seen[typeof from === 'string' ? from : from.backMs] ??= []).push(now / 1_000);
    }
    bounds.took(tookMs);
    for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  }
  return seen;
}

test.each([
  [1, 5.5],
  [100, 10.5],
  [10_000, 15.5],
])('everything is looked at again: where that takes %i ms, after %d s', (tookMs, everyS) => {
  const { '-infinity': all } = looked(tookMs, 60_000);
  expect(all?.slice(0, 3)).toEqual([0, everyS, everyS * 2]);
});
