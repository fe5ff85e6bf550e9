import { expect, test } from 'vitest';
import { expectInStep, signUpMany } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

test('kill -9 within 1,500 contacts: the next worker brings all in step', async () => {
  const world = await createWorld({ more: 'brakes: off', sandbox: { faults: [{ latencyMs: 5 }] } });
  const first = await startWorkerProcess(world.yaml, TIMES);
  await signUpMany(world, 1_500);
  await world.sandbox.until((state) => state.contactCount > 400);
  first.signal('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  expect(world.sandbox.state.contactCount).toBeLessThan(1_500);

  // While nobody works, people go on editing and leaving.
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": 1}' where email like 'p%7@example.com'`,
  );
  await world.db.app.query(`delete from auth.users where email like 'p%3@example.com'`);
  await startWorkerProcess(world.yaml, TIMES);
  await world.settled();
  await expectInStep(world);
});

test('SIGTERM in the middle: exit 0, nothing stays leased, no socket stays open', async () => {
  const world = await createWorld({ sandbox: { faults: [{ latencyMs: 20 }] } });
  const worker = await startWorkerProcess(world.yaml);
  await signUpMany(world, 400);
  await world.sandbox.until((state) => state.contactCount > 50);
  worker.signal('SIGTERM');
  // The process ends by itself, so no socket and no timer was left open.
  expect(await worker.ended).toBe(0);
  const { rows } = await world.db.app.query('select 1 from rollcall.due where token is not null');
  expect(rows).toEqual([]);
  const { rows: armed } = await world.db.app.query('select last_value::int as until from rollcall.armed_until');
  expect(armed).toEqual([{ until: 0 }]);
  // Each attempt was recorded: what is at the sandbox is known to be there.
  const { rows: known } = await world.db.app.query(
    'select count(*)::int as n from rollcall.desired where delivered_version = version',
  );
  expect(known).toEqual([{ n: world.sandbox.state.contactCount }]);
});
