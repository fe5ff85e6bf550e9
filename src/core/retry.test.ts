import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RETRY, type RetrySchedule, retryDelayMs, throttleMs } from './retry.ts';

const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const anySchedule: fc.Arbitrary<RetrySchedule> = fc.record({
  firstMs: fc.integer({ min: 1, max: 2_073_600_000 }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  longestMs: fc.integer({ min: 1, max: 2_073_600_000 }),
  windowMs: fc.integer({ min: 1, max: 2_073_600_000 }),
  retryAfterMostMs: fc.integer({ min: 1, max: 2_073_600_000 }),
});

describe('retryDelayMs', () => {
  test('doubles the upper bound with each attempt, up to five minutes', () => {
    const waits = [1, 2, 3, 8, 9, 10, 1000, 100_000].map((tries) =>
      retryDelayMs(DEFAULT_RETRY, { tries, random: 0.999_999_999 }),
    );
    expect(waits).toEqual([1000, 2000, 4000, 128_000, 256_000, 300_000, 300_000, 300_000]);
  });

  test('jitters over the whole range', () => {
    expect(retryDelayMs(DEFAULT_RETRY, { tries: 5, random: 0 })).toBe(0);
    expect(retryDelayMs(DEFAULT_RETRY, { tries: 5, random: 0.5 })).toBe(8000);
  });

  test('stays whole, within its bounds, and never below what the destination asked for', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(DEFAULT_RETRY), anySchedule),
        fc.integer({ min: -5, max: 1_000_000 }),
        anyRandom,
        fc.option(fc.double({ noNaN: false }), { nil: undefined }),
        (schedule, tries, random, retryAfterMs) => {
          const delay = retryDelayMs(schedule, { tries, random, retryAfterMs });
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          if (retryAfterMs !== undefined && retryAfterMs > 0) {
            expect(delay).toBeGreaterThanOrEqual(Math.min(retryAfterMs, schedule.retryAfterMostMs));
            expect(delay).toBeLessThanOrEqual(Math.max(schedule.longestMs, schedule.retryAfterMostMs));
          } else {
            expect(delay).toBeLessThanOrEqual(schedule.longestMs);
          }
        },
      ),
    );
  });

  test('another schedule', () => {
    const schedule = { ...DEFAULT_RETRY, firstMs: 10, factor: 3, longestMs: 60 };
    expect([1, 2, 3].map((tries) => retryDelayMs(schedule, { tries, random: 0.5 }))).toEqual([5, 15, 30]);
  });
});

test('a request for less is heeded as it is asked for, within bounds, and for five seconds where it is not said', () => {
  expect([undefined, 200, 1_500.2, 9e9, -1, Number.NaN].map((asked) => throttleMs(DEFAULT_RETRY, asked))).toEqual([
    5_000, 200, 1_501, 3_600_000, 0, 0,
  ]);
});
