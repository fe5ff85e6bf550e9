import { expect, test } from 'vitest';
import { ratePlan } from '../core/rate.ts';
import { memoryLimits } from './memory-limits.ts';

test('every bucket counts, the strictest decides, and what is refused by one is taken from none', async () => {
  let now = 1_000_000;
  const take = memoryLimits(() => now);
  const second = { name: 'second', ...ratePlan({ requests: 100, perMs: 1_000 }) };
  const hour = { name: 'hour', intervalUs: 3_600_000_000, burst: 3 };
  expect(await take([second, hour], 2)).toEqual({ granted: 2, waitMs: 0 });
  now += 1_000;
  expect((await take([second, hour], 5)).granted).toBe(1);
  now += 1_000;
  const refused = await take([second, hour], 1);
  expect(refused.granted).toBe(0);
  expect(refused.waitMs).toBeGreaterThan(3_500_000);
  expect((await take([second], 2)).granted).toBe(2);
});
