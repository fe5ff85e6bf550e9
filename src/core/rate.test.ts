import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRESH_RATE, rateLagMs, ratePlan, type RateState, take } from './rate.ts';

/** The most sends in any closed window of `perMs`, from times in ms. */
function busiestWindow(times: readonly number[], perMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (let last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! > perMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

describe('rate', () => {
  test('no window ever sees more than the limit, however callers come and sends lag', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.array(
          fc.record({
            gap: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 90_000 })),
            want: fc.integer({ min: 1, max: 400 }),
            lag: fc.constantFrom(0, 0.01, 0.5, 1),
            follow: fc.boolean(),
          }),
          { minLength: 1, maxLength: 200 },
        ),
        (requests, perMs, calls) => {
          const plan = ratePlan({ requests, perMs });
          const sends: number[] = [];
          let state: RateState = FRESH_RATE;
          let now = 1_700_000_000_000;
          let wait = 0;
          for (const call of calls) {
            // Half of the callers come back exactly when they were told to: the tightest schedule there is.
            now += call.follow ? wait : call.gap;
            const taken = take(plan, state, now, call.want);
            state = taken.state;
            wait = taken.waitMs;
            for (let i = 0; i < taken.granted; i++) sends.push(now + call.lag * rateLagMs(perMs));
          }
          expect(busiestWindow(sends, perMs)).toBeLessThanOrEqual(requests);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('whoever waits as told is served, and the bucket is well used', () => {
    const limit = { requests: 200, perMs: 60_000 };
    const plan = ratePlan(limit);
    const start = 1_700_000_000_000;
    let state: RateState = FRESH_RATE;
    let now = start;
    let total = 0;
    while (now < start + 600_000) {
      const taken = take(plan, state, now, 1000);
      expect(taken.granted).toBeGreaterThan(0);
      total += taken.granted;
      state = taken.state;
      now += taken.waitMs;
    }
    // 2,000 would be the vendor's limit for ten minutes.
    expect(total).toBeGreaterThan(1850);
  });

  test.each([
    { requests: 10, perMs: 1_000 },
    { requests: 1_000, perMs: 1_000 },
    { requests: 150, perMs: 10_000 },
    { requests: 200, perMs: 60_000 },
    { requests: 100, perMs: 3_600_000 },
  ])('of %j more than nine tenths can be used', ({ requests, perMs }) => {
    const { intervalUs } = ratePlan({ requests, perMs });
    expect((perMs * 1_000) / intervalUs / requests).toBeGreaterThan(0.9);
  });

  test('a twentieth may go at once, then one at a time', () => {
    const plan = ratePlan({ requests: 200, perMs: 60_000 });
    expect(plan).toEqual({ intervalUs: 319_372, burst: 10 });
    const first = take(plan, FRESH_RATE, 1_000_000, 50);
    expect(first.granted).toBe(10);
    expect(first.waitMs).toBe(320);
    expect(take(plan, first.state, 1_000_319, 1).granted).toBe(0);
    expect(take(plan, first.state, 1_000_320, 1)).toMatchObject({ granted: 1, waitMs: 0 });
  });

  test('one request per window keeps its distance', () => {
    const plan = ratePlan({ requests: 1, perMs: 1_000 });
    const first = take(plan, FRESH_RATE, 5_000, 1);
    expect(first.granted).toBe(1);
    const second = take(plan, first.state, 5_000, 1);
    expect(second).toMatchObject({ granted: 0, waitMs: 1_061 });
    expect(take(plan, second.state, 6_061, 1).granted).toBe(1);
  });

  test('a clock that goes backwards grants nothing extra', () => {
    const plan = ratePlan({ requests: 10, perMs: 1_000 });
    const first = take(plan, FRESH_RATE, 10_000, 1);
    expect(take(plan, first.state, 1_000, 1).granted).toBe(0);
  });

  test('wanting nothing changes nothing', () => {
    expect(take(ratePlan({ requests: 10, perMs: 1_000 }), { tatUs: 7 }, 1, 0)).toEqual({
      granted: 0,
      waitMs: 0,
      state: { tatUs: 7 },
    });
  });
});
