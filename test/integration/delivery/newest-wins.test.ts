import { expect, test } from 'vitest';
import { bodyOf, eventually, expectInStep, signUpMany, spanOf } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

async function rename(world: World, id: string, name: string): Promise<void> {
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('full_name', $2::text) where id = $1`,
    [id, name],
  );
}

function names(world: World): readonly unknown[] {
  return world.sandbox.state.calls().map((call) => bodyOf(call)?.fields?.['FIRSTNAME']);
}

test('A to B to A with a crash between send and settle: the destination ends with A', async () => {
  const world = await createWorld();
  const worker = await startWorkerProcess(world.yaml, TIMES);
  const id = await world.signUp('ann@example.com', { full_name: 'A' });
  await world.settled();
  // B arrives and its answer is on the way when the worker dies.
  world.sandbox.addFaults([{ latencyMs: 1_000, latencyAt: 'after' }]);
  await rename(world, id, 'B');
  await eventually(() => world.sandbox.state.contact('ann@example.com')?.fields['FIRSTNAME'] === 'B');
  worker.signal('SIGKILL');
  await worker.ended;
  world.sandbox.clearFaults();
  await rename(world, id, 'A');
  await startWorkerProcess(world.yaml, TIMES);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields['FIRSTNAME']).toBe('A');
});

test('A to B to A while the answer to B is lost', async () => {
  const world = await createWorld();
  await world.start(world.config, { times: TIMES });
  const id = await world.signUp('ann@example.com', { full_name: 'A' });
  await world.settled();
  world.sandbox.addFaults([{ drop: 'after', latencyMs: 100, count: 1 }]);
  await rename(world, id, 'B');
  await eventually(() => world.sandbox.state.contact('ann@example.com')?.fields['FIRSTNAME'] === 'B');
  await rename(world, id, 'A');
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields['FIRSTNAME']).toBe('A');
  expect(names(world).at(-1)).toBe('A');
});

test('after a lost answer the current state is sent at once, and once more when the grace is over', async () => {
  const world = await createWorld({ grace: '2s', sandbox: { faults: [{ drop: 'after', count: 1 }] } });
  await world.start(world.config, { times: TIMES });
  await world.signUp('ann@example.com', { full_name: 'A', n: 0 });
  await world.settled();
  const calls = world.sandbox.state.calls();
  expect(calls.map((call) => call.status)).toEqual([0, 200, 200]);
  const [lost, again, once] = calls;
  expect(spanOf(again!).from - lost!.at).toBeLessThan(1_500);
  expect(spanOf(once!).from - lost!.at).toBeGreaterThanOrEqual(1_990);
  await expectInStep(world);
});

test('many lost answers and timeouts after the server acted: the last one accepted is the newest', async () => {
  const world = await createWorld({
    grace: '1s',
    sandbox: {
      seed: 7,
      faults: [
        { drop: 'after', rate: 0.15, count: 60 },
        { latencyMs: 700, latencyAt: 'after', rate: 0.05, count: 15 },
        { latencyMs: 700, latencyAt: 'before', rate: 0.05, count: 15 },
      ],
    },
  });
  await world.start(world.config, { times: { ...TIMES, requestMs: 400 } });
  await signUpMany(world, 60);
  for (let n = 1; n <= 6; n += 1) {
    const seen = world.sandbox.state.counters().calls;
    await world.db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int)`,
      [n],
    );
    await world.sandbox.until((state) => state.counters().calls > seen + 20);
  }
  // On a busy machine requests run into their deadline by themselves, and each time the wait grows.
  await world.settled();
  await expectInStep(world);
});
