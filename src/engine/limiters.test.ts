import { expect, test } from 'vitest';
import { FRESH_RATE, take } from '../core/rate.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { backfillBuckets, bucketsFor } from './limiters.ts';

const LIMITS = mailtrap.limits(mailtrap.config.parse({ api_token: 'tok' }));

test('whoever is live finds a permit at once, however greedy a backfill is, which keeps nearly all of the rate', () => {
  for (const live of bucketsFor(LIMITS, 'contact')) {
    const [backfill] = backfillBuckets([live]);
    let state = FRESH_RATE;
    let sent = 0;
    const minutes = 10;
    for (let now = 0; now < minutes * 60_000; now += 10) {
      const taken = take(backfill!, state, now, 100);
      state = taken.state;
      sent += taken.granted;
      if (now % 2_000 !== 0) continue;
      const mine = take(live, state, now, 1);
      expect(mine.granted, `at ${now}`).toBe(1);
      state = mine.state;
      sent += 1;
    }
    const most = (minutes * 60_000_000) / live.intervalUs;
    expect(sent).toBeGreaterThan(most * 0.99);
    expect(sent).toBeLessThanOrEqual(most + live.burst);
  }
});

test('a burst of one is left as it is', () => {
  expect(backfillBuckets([{ name: 'a', intervalUs: 100, burst: 1 }])).toEqual([
    { name: 'a', intervalUs: 100, burst: 1 },
  ]);
});
