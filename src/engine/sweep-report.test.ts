import { expect, test } from 'vitest';
import { composeReport, type SweepFacts, SweepTally } from './sweep-report.ts';

const NOTHING: SweepFacts = {
  seconds: 1.23,
  failures: 0,
  truncations: 0,
  causes: [],
  unwatched: [],
  paused: [],
  clock: false,
};

function why(found: object, facts: Partial<SweepFacts>): unknown {
  const tally = new SweepTally();
  tally.add(found);
  return composeReport(tally, { ...NOTHING, ...facts }).why;
}

test('pages add up', () => {
  const tally = new SweepTally();
  tally.add({ scanned: 10, missing: 1, failed: 2 });
  tally.add({ scanned: 5, missing: 1, returned: 1, stale: 3 });
  tally.add({ gone: 4 });
  expect(composeReport(tally, { ...NOTHING, paused: ['public.a'], unwatched: ['public.b'] })).toEqual({
    seconds: 1.2,
    scanned: 15,
    found: { missing: 2, returned: 1, stale: 3, gone: 4 },
    failed: 2,
    why: [{ cause: 'unseen' }],
    unwatched: ['public.b'],
    paused: ['public.a'],
  });
});

test('why: what was told, else the clock, else that no trigger saw it; nothing when nothing was found', () => {
  expect(why({}, { clock: true })).toEqual([]);
  expect(why({ stale: 1 }, { clock: true })).toEqual([{ cause: 'clock' }]);
  expect(why({ stale: 1, gone: 1 }, { clock: true })).toEqual([{ cause: 'unseen' }]);
  const causes = [{ cause: 'partition_new', source: 'public.a_1', count: 1 }] as const;
  expect(why({ missing: 1 }, { causes, failures: 2, clock: true })).toEqual([
    { cause: 'partition_new', source: 'public.a_1' },
    { cause: 'capture_failed', count: 2 },
  ]);
});

test('a TRUNCATE that was rolled back has no name', () => {
  const causes = [{ cause: 'truncate', source: 'public.a', count: 2 }] as const;
  expect(why({}, { causes, truncations: 3 })).toEqual([
    { cause: 'truncate', source: 'public.a', count: 2 },
    { cause: 'truncate', count: 1 },
  ]);
});
