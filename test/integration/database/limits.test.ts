import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ratePlan, take } from '../../../src/core/rate.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { onCleanup } from '../../support/database.ts';
import { installed, REF } from './support.ts';

test('the database does the sums of src/core/rate.ts, to the last digit', async () => {
  const one = await installed();
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 120_000 }),
      fc.array(fc.record({ wait: fc.nat({ max: 3_000 }), want: fc.integer({ min: 0, max: 50 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (requests, perMs, steps) => {
        const plan = ratePlan({ requests, perMs });
        let state = { tatUs: 0 };
        let nowMs = 1_700_000_000_000;
        for (const { wait, want } of steps) {
          nowMs += wait;
          const expected = take(plan, state, nowMs, want);
          const { rows } = await one.db.app.query(
            'select granted, wait_ms::int, next_us::text from rollcall.take_permits($1, $2, $3, $4, $5)',
            [plan.intervalUs, plan.burst, state.tatUs, nowMs * 1_000, want],
          );
          expect(rows[0]).toEqual({
            granted: expected.granted,
            wait_ms: expected.waitMs,
            next_us: String(expected.state.tatUs),
          });
          state = expected.state;
        }
      },
    ),
    { numRuns: 60, seed: 20261120 },
  );
});

test('one budget for all workers: what many sessions take at once never exceeds it', async () => {
  const one = await installed();
  const other = openPg({ url: one.db.hostedUrl });
  onCleanup(() => other.close());
  const stores = [one.store, createStore(other, { configHash: one.config.hash, projectRef: REF, environment: 'test' })];
  const bucket = { name: 'requests', intervalUs: 10_000_000, burst: 20 };
  const grants = await Promise.all(
    Array.from({ length: 40 }, (_, n) => stores[n % 2]!.takeSends(one.destination, [bucket], 3)),
  );
  expect(grants.reduce((sum, g) => sum + g.granted, 0)).toBe(20);
  expect(Math.min(...grants.filter((g) => g.granted === 0).map((g) => g.waitMs))).toBeGreaterThan(5_000);
});

test('of several buckets the tightest decides, and only what is granted is taken from each', async () => {
  const one = await installed();
  const wide = { name: 'wide', intervalUs: 60_000_000, burst: 100 };
  const tight = { name: 'tight', intervalUs: 60_000_000, burst: 4 };
  expect(await one.store.takeSends(one.destination, [wide, tight], 10)).toMatchObject({ granted: 4 });
  expect(await one.store.takeSends(one.destination, [wide], 200)).toMatchObject({ granted: 96 });
  expect(await one.store.takeSends(one.destination, [], 5)).toEqual({ granted: 5, waitMs: 0 });
  expect(await one.store.takeSends(one.destination, [wide], 0)).toEqual({ granted: 0, waitMs: 0 });
  expect(await one.store.takeSends(one.destination, [wide], -1)).toEqual({ granted: 0, waitMs: 0 });
});

test('a hold asked for by the destination keeps everybody out until it is over', async () => {
  const one = await installed();
  const bucket = { name: 'requests', intervalUs: 1_000, burst: 10 };
  expect(await one.store.takeSends(one.destination, [bucket], 1)).toMatchObject({ granted: 1 });
  await one.store.holdSends(one.destination, [bucket], 60_000);
  const refused = await one.store.takeSends(one.destination, [bucket], 1);
  expect(refused.granted).toBe(0);
  expect(refused.waitMs).toBeGreaterThan(58_000);
  expect(refused.waitMs).toBeLessThan(60_001);
});
