import { expect, test } from 'vitest';
import { createGate, type Gate } from '../../support/gate.ts';
import { createOwnDatabase } from '../../support/own-cluster.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

test('Postgres stops at once in the middle: the worker recovers by itself', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({
    db,
    more: 'brakes: off',
    sandbox: { keepCalls: 20_000, faults: [{ latencyMs: 5 }] },
  });
  const worker = await world.start(world.config, { times: TIMES, health: { port: 0, host: '127.0.0.1' } });
  const health = `http://127.0.0.1:${worker.healthPort}/healthz`;
  expect((await fetch(health)).status).toBe(200);
  await signUpMany(world, 600);
  await world.sandbox.until((state) => state.contactCount > 150);
  await db.cluster.crash();
  expect((await fetch(health)).status).toBe(503);
  expect((await fetch(health.replace('healthz', 'metrics'))).status).toBe(404);
  await db.cluster.start();
  await db.reconnect();
  await world.db.app.query(`delete from auth.users where email like 'p%5@example.com'`);
  await world.settled();
  await expectInStep(world);
  await eventually(async () => (await fetch(health)).status === 200);
  // A minute of outage must not write a line for each try.
  expect(world.logs.filter((line) => line.startsWith('warn')).length).toBeLessThan(12);
  await worker.stop();
});

test('all connections of the worker are ended by the server: it goes on', async () => {
  const world = await createWorld({ sandbox: { faults: [{ latencyMs: 5 }] } });
  await world.start(world.config, { times: TIMES });
  await signUpMany(world, 400);
  for (const count of [80, 200, 320]) {
    await world.sandbox.until((state) => state.contactCount > count);
    await world.db.app.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosted' and datname = current_database()`,
    );
  }
  await world.settled();
  await expectInStep(world);
  await world.signUp('late@example.com', { full_name: 'Late', n: 0 });
  await world.sandbox.until((state) => state.contact('late@example.com') !== undefined);
});

test('the destination is down, then back: nothing is lost, nothing is dead', async () => {
  let gate: Gate | undefined;
  const world = await createWorld({
    sandbox: { faults: [{ latencyMs: 5 }] },
    baseUrl: async (sandbox) => {
      gate = await createGate(Number(new URL(sandbox.apiUrl).port));
      return `http://127.0.0.1:${gate.port}${new URL(sandbox.apiUrl).pathname}`;
    },
  });
  await world.start(world.config, { times: TIMES });
  await signUpMany(world, 200);
  await world.sandbox.until((state) => state.contactCount > 100);
  await gate?.shut();
  await signUpMany(world, 100, 201);
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": 2}' where email like 'p%1@example.com'`,
  );
  await eventually(async () => {
    const { rows } = await world.db.app.query('select 1 from rollcall.due where tries > 1 limit 1');
    return rows.length > 0;
  });
  await gate?.open();
  await world.settled();
  await expectInStep(world);
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 0, pending: 0, in_step: 300 });
});
