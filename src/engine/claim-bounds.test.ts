import { expect, test } from 'vitest';
import { createClaimBounds } from './claim-bounds.ts';

const RECENT = { backMs: 300 };

test('a lane that was empty a moment ago is looked at from a little before now', () => {
  const bounds = createClaimBounds();
  expect(bounds.begin(0)).toEqual(['-infinity', '-infinity']);
  expect(bounds.found(0, 0, 500, undefined)).toBe(false);
  expect(bounds.found(1, 3, 250, 'b')).toBe(false);
  expect(bounds.begin(100)).toEqual([RECENT, RECENT]);
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
  bounds.begin(100);
  bounds.found(0, 0, 10, undefined);
  // Room for the live lane only: the other was not claimed of for 200 ms.
  expect(bounds.begin(200)).toEqual([RECENT, { backMs: 500 }]);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  bounds.reset();
  expect(bounds.begin(300)).toEqual(['-infinity', '-infinity']);
});

/** Idles, claiming every half second with looks that take so long; when each look that goes further back than usual came, in s. */
function looked(tookMs: number, forMs: number): Record<string, number[]> {
  const bounds = createClaimBounds();
  const seen: Record<string, number[]> = {};
  for (let now = 0; now <= forMs; now += 500) {
    const [from] = bounds.begin(now);
    (seen[typeof from === 'string' ? from : from.backMs] ??= []).push(now / 1_000);
    bounds.took(tookMs);
    for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  }
  return seen;
}

test.each([
  { tookMs: 1, all: [0, 5.5, 11], near: [], soon: [1.5, 3, 4.5] },
  { tookMs: 100, all: [0, 100.5, 201], near: [10.5, 21, 31.5], soon: [5.5, 16, 26.5] },
  { tookMs: 10_000, all: [0, 600.5, 1201], near: [15.5, 31, 46.5], soon: [5.5, 11, 21] },
])(
  'where a look takes $tookMs ms, everything is looked at again at s $all, what is late by seconds at $near, and by one or two at $soon',
  (of) => {
    const { '-infinity': all, '20000': near = [], '2000': soon } = looked(of.tookMs, 1_300_000);
    expect(all?.slice(0, 3)).toEqual(of.all);
    expect(near.slice(0, 3)).toEqual(of.near);
    expect(soon?.slice(0, 3)).toEqual(of.soon);
  },
);

test('one that was full since a moment ago is looked at once more from where that began, not from the start', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  expect(bounds.begin(100)[0]).toEqual(RECENT);
  expect(bounds.found(0, 10, 10, 'some')).toBe(true);
  expect(bounds.begin(200)[0]).toBe('some');
  expect(bounds.found(0, 10, 10, 'more')).toBe(true);
  expect(bounds.begin(500)[0]).toBe('more');
  expect(bounds.found(0, 3, 10, 'last')).toBe(true);
  expect(bounds.begin(600)[0]).toEqual({ backMs: RECENT.backMs + 400 });
  expect(bounds.found(0, 0, 10, undefined)).toBe(false);
  expect(bounds.begin(700)[0]).toEqual(RECENT);
});

test('a look for which there was no room is made once there is', () => {
  const bounds = createClaimBounds();
  bounds.begin(0);
  for (const lane of [0, 1] as const) bounds.found(lane, 0, 10, undefined);
  expect(bounds.begin(6_000)[0]).toBe('-infinity');
  bounds.found(1, 0, 10, undefined);
  expect(bounds.begin(6_100)).toEqual(['-infinity', RECENT]);
});
