import { expect, test } from 'vitest';
import { bodyOf, eventually, expectInStep, overlaps, signUpMany } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

async function edit(world: World, n: number, where = 'true'): Promise<void> {
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int) where ${where}`,
    [n],
  );
}

test('two workers, one killed in the middle: no contact has two requests in flight, all in step', async () => {
  const world = await createWorld({ sandbox: { keepCalls: 30_000, faults: [{ latencyMs: 4 }] } });
  const [first] = await Promise.all([
    startWorkerProcess(world.yaml, TIMES),
    startWorkerProcess(world.yaml, TIMES),
    signUpMany(world, 1_000),
  ]);
  for (let n = 1; n <= 5; n += 1) {
    const seen = world.sandbox.state.counters().calls;
    await edit(world, n, `right(email, 13) like '${n}%'`);
    await world.sandbox.until((state) => state.counters().calls > seen + 100);
    if (n === 3) first.signal('SIGKILL');
  }
  await world.settled();
  await expectInStep(world);
  expect(overlaps(world.sandbox.state.calls())).toEqual([]);
});

test('a worker stopped for longer than its lease: what it had in hand is taken over, its late answers change nothing', async () => {
  const world = await createWorld({ sandbox: { keepCalls: 30_000, faults: [{ latencyMs: 300 }] }, grace: '1s' });
  const slow = await startWorkerProcess(world.yaml, TIMES);
  await signUpMany(world, 30);
  await world.sandbox.until((state) => state.contactCount >= 12);
  slow.signal('SIGSTOP');
  const { rows: held } = await world.db.app.query('select 1 from rollcall.due where token is not null');
  expect(held.length).toBeGreaterThan(5);
  await edit(world, 1);
  world.sandbox.clearFaults();
  await startWorkerProcess(world.yaml, TIMES);
  await eventually(() => world.sandbox.state.contacts().filter((c) => c.fields['N'] === '1').length === 30);
  const { rows: attempts } = await world.db.app.query<{ n: number }>(
    'select count(*)::int as n from rollcall.attempts',
  );

  // What it had been answered it settles now, under leases that are lost: those contacts are due again.
  slow.signal('SIGCONT');
  await eventually(async () => {
    const { rows } = await world.db.app.query(
      `select 1 from rollcall.due where unknown_until > clock_timestamp() limit 1`,
    );
    return rows.length > 0;
  });
  await world.settled();
  await expectInStep(world);
  const { rows: after } = await world.db.app.query<{ n: number }>('select count(*)::int as n from rollcall.attempts');
  expect(after[0]!.n).toBeGreaterThan(attempts[0]!.n);
  const lastOf = new Map(world.sandbox.state.calls().map((call) => [bodyOf(call)?.email, bodyOf(call)?.fields?.['N']]));
  expect(new Set(lastOf.values())).toEqual(new Set(['1']));
});

test('while many sign up at once, each is sent once: whoever is claimed is leased', async () => {
  const world = await createWorld({ grace: '60s', sandbox: { keepCalls: 10_000 } });
  await Promise.all([world.start(), world.start()]);
  const writers = await Promise.all(Array.from({ length: 4 }, () => world.db.connect()));
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let n = 0; n < 300; n += 1) {
        await writer.query(
          `insert into auth.users (id, email, raw_user_meta_data, created_at)
           values (gen_random_uuid(), $1, '{"full_name": "Somebody", "n": 0}', now())`,
          [`w${w}-${n}@example.com`],
        );
      }
    }),
  );
  await world.settled();
  await expectInStep(world);
  // What is read there now and then is not counted.
  expect(world.sandbox.state.calls().filter((call) => bodyOf(call) !== undefined)).toHaveLength(1_200);
});

test('by the clocks as they are, what a dead worker had in hand is sent by another', async () => {
  const world = await createWorld({ sandbox: { faults: [{ latencyMs: 300 }] } });
  const doomed = await startWorkerProcess(world.yaml);
  await signUpMany(world, 60);
  await world.sandbox.until((state) => state.contactCount >= 12);
  doomed.signal('SIGKILL');
  world.sandbox.clearFaults();
  await startWorkerProcess(world.yaml);
  await world.sandbox.until((state) => state.contactCount === 60);
  await expectInStep(world);
});
