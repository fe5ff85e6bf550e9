import { expect, test } from 'vitest';
import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import { eventually, expectInStep, signUpMany, spanOf } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

/** The most calls that began in any window of `perMs`. */
function mostIn(calls: readonly SandboxCall[], perMs: number): number {
  const starts = calls.map((call) => spanOf(call).from).toSorted((a, b) => a - b);
  return Math.max(...starts.map((from, i) => starts.slice(i).filter((at) => at < from + perMs).length));
}

test('two workers together keep 150 requests in any 10 s, and the sandbox at the same limits never says 429', async () => {
  // Only the limit of all APIs is met here; the one of contacts would need minutes.
  const world = await createWorld({
    sandbox: { limitsScale: 1 },
    limitsScale: 1,
    destination: 'requests_per_minute: 100000',
  });
  await Promise.all([world.start(), world.start()]);
  await signUpMany(world, 180);
  await world.sandbox.until((state) => state.counters().calls >= 180);
  const calls = world.sandbox.state.calls();
  expect(mostIn(calls, 10_000)).toBeLessThanOrEqual(150);
  expect(world.sandbox.state.counters().byStatus).toEqual({ 200: calls.length });
});

test('a small limit of requests per minute: the burst, then not one more, and nothing spins meanwhile', async () => {
  const world = await createWorld({ limitsScale: 1, destination: 'requests_per_minute: 12' });
  await Promise.all([world.start(), world.start()]);
  await signUpMany(world, 30);
  await world.sandbox.until((state) => state.counters().calls >= 2);
  const { rows: before } = await world.db.app.query<{ calls: number }>(CALLS);
  await new Promise((resolve) => {
    setTimeout(resolve, 4_000);
  });
  const { rows: after } = await world.db.app.query<{ calls: number }>(CALLS);
  // One per (60 + 1) / 11 seconds after the first.
  expect(world.sandbox.state.counters().calls).toBeLessThanOrEqual(3);
  // Two workers that wait for permits: claims, permits, folds, looks at the state; a few a second each, and their start. To spin is
  // thousands.
  expect(after[0]!.calls - before[0]!.calls).toBeLessThan(400);
});

const CALLS = `select xact_commit::int as calls from pg_stat_database where datname = current_database()`;

test('a 429 with Retry-After holds back both workers until its end', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 429, retryAfter: 3, count: 1, latencyMs: 200 }] } });
  await Promise.all([world.start(), world.start()]);
  await world.signUp('first@example.com', { full_name: 'First', n: 0 });
  await world.sandbox.until((state) => (state.counters().byStatus['429'] ?? 0) > 0);
  const refusedAt = world.sandbox.state.calls().find((call) => call.status === 429)!.at;
  await eventually(async () => {
    const { rows } = await world.db.app.query(`select 1 from rollcall.attempts where outcome = 'throttle'`);
    return rows.length > 0;
  });
  await signUpMany(world, 100);
  await world.settled();
  const later = world.sandbox.state.calls().filter((call) => call.status === 200);
  expect(Math.min(...later.map((call) => spanOf(call).from)) - refusedAt).toBeGreaterThanOrEqual(2_900);
  await expectInStep(world);
});

test('an absurd Retry-After parks nobody for a day', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 429, retryAfter: 900_000_000, count: 1 }] } });
  await world.start();
  await world.signUp('first@example.com');
  await eventually(async () => {
    const { rows } = await world.db.app.query<{ due: number }>(
      `select extract(epoch from due_at - clock_timestamp())::int as due from rollcall.due where token is null and due_at > clock_timestamp() + interval '1 minute'`,
    );
    return rows.length === 1 && rows[0]!.due <= 3_600;
  });
});
