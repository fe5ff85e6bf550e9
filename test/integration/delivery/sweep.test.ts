import { expect, test } from 'vitest';
import { sweep } from '../../../src/engine/sweep.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

const TIMES = { upkeepEveryMs: 200 };

test('users older than the install come in', async () => {
  const world = await createWorld({ install: false });
  await signUpMany(world, 1_500);
  await applyInstall(world.db.sql, world.config, projectRef(world.db.hostedUrl, undefined));
  await world.start();
  await world.sandbox.until((state) => state.contactCount === 1_500);
  await world.settled();
  await expectInStep(world);
});

test('what triggers did not see is found when capture is said to have failed, and on the next start', async () => {
  const world = await createWorld();
  const worker = await world.start(undefined, { times: TIMES });
  await signUpMany(world, 20);
  await world.settled();
  await eventually(async () => !(await world.status()).sweep_wanted);
  await world.db.app.query(`set session_replication_role = replica`);
  await signUpMany(world, 5, 21);
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": 9}' where email = 'p1@example.com'`,
  );
  await world.db.app.query(`reset session_replication_role`);
  await world.db.app.query(`select nextval('rollcall.uncaptured')`);
  await world.sandbox.until((state) => state.contactCount === 25);
  await world.settled();
  await expectInStep(world);
  await worker.stop();

  await world.db.app.query(`set session_replication_role = replica`);
  await signUpMany(world, 5, 26);
  await world.db.app.query(`reset session_replication_role`);
  await world.start();
  await world.sandbox.until((state) => state.contactCount === 30);
  await world.settled();
  await expectInStep(world);
});

test('a sign-up whose capture failed comes in by itself, without a restart', async () => {
  const world = await createWorld();
  await world.start();
  await world.signUp('before@example.com');
  await world.settled();
  const other = await world.db.connect();
  await other.query('begin');
  await other.query('lock table rollcall.changes_0, rollcall.changes_1, rollcall.changes_2 in access exclusive mode');
  // The lock is held until this is over: to wait for it would be to wait for ever.
  await world.signUp('during@example.com', { full_name: 'During', n: 0 });
  await other.query('commit');
  // The default clocks: within 60 s is promised, a few seconds is how it is.
  await world.sandbox.until((state) => state.contact('during@example.com') !== undefined);
});

test('users who vanished unseen: a few are followed, many stop at the brake', async () => {
  const world = await createWorld();
  const unseen = async (text: string): Promise<void> => {
    await world.db.app.query(`set session_replication_role = replica`);
    await world.db.app.query(text);
    await world.db.app.query(`reset session_replication_role`);
    await world.db.app.query(`select nextval('rollcall.uncaptured')`);
  };
  await world.start(undefined, { times: TIMES });
  await signUpMany(world, 60);
  await world.settled();
  await unseen(`delete from auth.users where email in ('p1@example.com', 'p2@example.com')`);
  await world.sandbox.until((state) => state.contactCount === 58);
  await world.settled();

  await unseen(`delete from auth.users where email like 'p3%'`);
  await eventually(async () => (await world.status()).destinations[0]?.brakes.length === 1);
  expect((await world.status()).destinations[0]).toMatchObject({ pending: 0, brakes: [{ kind: 'deletes', held: 11 }] });
  // A worker that is at work all the while, and a sweep that sees them again.
  await world.db.app.query(`select nextval('rollcall.uncaptured')`);
  await world.signUp('later@example.com');
  await world.sandbox.until((state) => state.contact('later@example.com') !== undefined);
  await eventually(async () => !(await world.status()).sweep_wanted);
  expect(world.sandbox.state.contactCount).toBe(59);
  expect((await world.status()).destinations[0]?.brakes).toMatchObject([{ kind: 'deletes', held: 11 }]);
  await eventually(() => world.logs.some((line) => line.startsWith('error') && line.includes('they are held')));
});

test('an app that renames a mapped column: sends go on, the source is marked, and mends itself when it is back', async () => {
  const world = await createWorld();
  await world.start(undefined, { times: TIMES });
  await world.signUp('ann@example.com', { full_name: 'Ann', n: 0 });
  await world.settled();
  await world.db.app.query('alter table auth.users rename column raw_user_meta_data to meta');
  await world.db.app.query(
    `insert into auth.users (id, email, meta) values (gen_random_uuid(), 'ben@example.com', '{"full_name":"Ben","n":0}')`,
  );
  await eventually(async () => (await world.status()).sources[0]?.pause_code !== null);
  expect(world.logs.filter((line) => line.startsWith('error')).length).toBe(1);
  await world.db.app.query('alter table auth.users rename column meta to raw_user_meta_data');
  await world.sandbox.until((state) => state.contact('ben@example.com') !== undefined);
  await eventually(async () => (await world.status()).sources[0]?.pause_code === null);
  await expectInStep(world);
});

test('a worker that is stopped in a sweep leaves it to the next one at once', async () => {
  const world = await createWorld();
  const stopped = new AbortController();
  stopped.abort();
  const store = createStore(world.db.sql, {
    configHash: world.config.hash,
    projectRef: projectRef(world.db.hostedUrl, undefined),
    environment: world.config.environment,
  });
  const options = {
    store,
    log: { error() {}, warn() {}, info() {}, debug() {} },
    everyMs: 3_600_000,
    onFolded: () => undefined,
  };
  expect(await sweep(options, true, stopped.signal)).toBeUndefined();
  expect(await sweep(options, true, new AbortController().signal)).toBeDefined();
});
