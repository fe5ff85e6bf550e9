import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RETRY_SCHEDULE, LONGEST_WAIT_MS, retryDelayMs } from './retry.ts';

const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('retryDelayMs', () => {
  test('doubles the upper bound with each attempt, up to five minutes', () => {
    expect([1, 2, 3, 8, 9, 10, 1000, 100_000].map((tries) => retryDelayMs({ tries, random: 0.999_999_999 }))).toEqual([
      1000, 2000, 4000, 128_000, 256_000, 300_000, 300_000, 300_000,
    ]);
  });

  test('jitters over the whole range', () => {
    expect(retryDelayMs({ tries: 5, random: 0 })).toBe(0);
    expect(retryDelayMs({ tries: 5, random: 0.5 })).toBe(8000);
  });

  test('stays whole, within the cap, and never below what the destination asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 1_000_000 }),
        anyRandom,
        fc.option(fc.double({ noNaN: false }), { nil: undefined }),
        (tries, random, retryAfterMs) => {
          const delay = retryDelayMs({ tries, random, retryAfterMs });
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(LONGEST_WAIT_MS);
          if (retryAfterMs !== undefined && retryAfterMs > 0) {
            expect(delay).toBeGreaterThanOrEqual(Math.min(retryAfterMs, LONGEST_WAIT_MS));
          } else {
            expect(delay).toBeLessThanOrEqual(DEFAULT_RETRY_SCHEDULE.capMs);
          }
        },
      ),
    );
  });

  test('takes another schedule', () => {
    expect(retryDelayMs({ tries: 3, random: 0.5, schedule: { baseMs: 10, factor: 3, capMs: 60 } })).toBe(30);
  });
});
