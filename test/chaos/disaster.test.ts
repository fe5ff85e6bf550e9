import { expect, test } from 'vitest';
import { disaster } from '../../bench/disaster/scenario.ts';
import { createOwnDatabase } from '../support/own-cluster.ts';
import { expectInStep } from '../support/people.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { createWorld } from '../support/world.ts';
import { failing } from './failing.ts';

const SIGN_UPS = 700;
const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

// In full size: `npm run bench -- disaster`.
test('500s, an immediate stop of Postgres and a killed worker amid sign-ups: everybody is delivered, no sign-up fails', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({ db });
  let worker = await startWorkerProcess(world.yaml, TIMES);
  const { people, failed } = await disaster({
    signUps: SIGN_UPS,
    writers: 4,
    failingMs: 2_000,
    connect: () => db.connect(),
    failing: (on) => failing(world.sandbox, on),
    stopPostgres: () => db.cluster.crash(),
    startPostgres: () => db.cluster.start(),
    killWorker: async () => {
      worker.signal('SIGKILL');
      await worker.ended;
      worker = await startWorkerProcess(world.yaml, TIMES);
    },
  });
  expect(failed).toEqual([]);
  expect(people.size).toBe(SIGN_UPS);
  expect(world.sandbox.state.counters().byStatus['500']).toBeGreaterThan(0);
  await db.reconnect();
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contactCount).toBe(SIGN_UPS);
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 0, pending: 0, in_step: SIGN_UPS });
});
