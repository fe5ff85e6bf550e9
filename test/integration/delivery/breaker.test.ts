import { expect, test } from 'vitest';
import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld, type World } from '../../support/world.ts';

const times = { breaker: { firstPauseMs: 300, longestPauseMs: 600 } };
const LONG = { breaker: { firstPauseMs: 600_000, longestPauseMs: 600_000 } };

const paused = async (world: World): Promise<string | null | undefined> =>
  (await world.status()).destinations[0]?.pause_code;
const pauses = async (world: World): Promise<number> =>
  (await world.db.app.query('select pauses from rollcall.destinations')).rows[0].pauses as number;
const isProbe = ({ method, path }: SandboxCall): boolean => method === 'GET' && path.endsWith('/contacts/lists');

test('a key that is refused is tried by the destination’s own probe, once a pause for all workers; no contact is sent', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 401 }] } });
  await Promise.all([world.start(undefined, { times }), world.start(undefined, { times })]);
  await signUpMany(world, 50);
  await eventually(async () => (await pauses(world)) >= 5);
  const calls = world.sandbox.state.calls();
  const first = calls.findIndex(isProbe);
  expect(first).toBeGreaterThan(0);
  expect(calls.slice(first).filter((call) => !isProbe(call))).toEqual([]);
  // One for each pause but the first, and perhaps one that is being answered.
  expect(calls.length - first).toBeLessThanOrEqual(await pauses(world));
  const { rows } = await world.db.app.query(
    `select pause_message, paused_since < now() - interval '1 second' as long from rollcall.destinations`,
  );
  expect(rows).toEqual([{ pause_message: expect.stringContaining('Incorrect API token') as string, long: true }]);
  world.sandbox.clearFaults();
  await world.settled();
  await expectInStep(world);
  expect(await paused(world)).toBeNull();
  expect((await world.db.app.query('select 1 from rollcall.dead_letters')).rows).toEqual([]);
});

test('what a probe cannot tell is found out by one contact alone, of the backfill too', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 403, match: { path: 'contacts(?!/lists)' } }] } });
  await signUpMany(world, 30);
  await world.start(undefined, { times });
  await eventually(async () => (await paused(world)) === 'forbidden');
  await world.db.app.query('update rollcall.due set lane = 1');
  const from = await pauses(world);
  await eventually(async () => (await pauses(world)) >= from + 2);
  const all = world.sandbox.state.calls();
  // What was in flight when the first refusal came is over by the first probe.
  const calls = all.slice(all.findIndex(isProbe));
  const writes = calls.filter((call) => !isProbe(call)).length;
  expect(writes).toBeGreaterThanOrEqual(1);
  expect(writes).toBeLessThanOrEqual(calls.filter(isProbe).length);
  world.sandbox.clearFaults();
  await world.settled();
  await expectInStep(world);
});

test('with nobody to send, a probe that is answered ends the pause', async () => {
  const world = await createWorld();
  world.sandbox.addFaults([{ status: 401 }]);
  await world.start(undefined, { times });
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await eventually(async () => (await paused(world)) === 'unauthorized');
  // Whoever leaves while a request for them is in flight is to be removed once it can be.
  await eventually(
    async () => (await world.db.app.query('select from rollcall.due where token is not null')).rowCount === 0,
  );
  await world.db.app.query('delete from auth.users where id = $1', [id]);
  await world.settled();
  world.sandbox.clearFaults();
  await eventually(async () => (await paused(world)) === null);
  expect(world.sandbox.state.contactCount).toBe(0);
});

test('a destination that is down when it is probed says nothing of the key: it is asked again', async () => {
  const world = await createWorld();
  world.sandbox.addFaults([{ status: 401, count: 1 }]);
  world.sandbox.addFaults([{ status: 500, count: 2, match: { path: 'lists' } }]);
  await world.start(undefined, { times });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await expectInStep(world);
  expect(
    world.sandbox.state
      .calls()
      .filter(isProbe)
      .map(({ status }) => status),
  ).toEqual([500, 500, 200]);
});

test('a long pause ends when a person says so', async () => {
  const world = await createWorld();
  world.sandbox.addFaults([{ status: 401, count: 1 }]);
  await world.start(undefined, { times: LONG });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await eventually(async () => (await paused(world)) === 'unauthorized');
  await world.db.app.query('select rollcall.end_pauses(true)');
  await world.settled();
  await expectInStep(world);
});
