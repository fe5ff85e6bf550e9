import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SweepReport } from '../../../src/engine/sweep-report.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { rollcall, tempFile } from '../../cli/run-cli.ts';
import { onCleanup } from '../../support/database.ts';
import { eventually, firstSweepOver, signUpMany } from '../../support/people.ts';
import { createWorld, type RunningWorker, type World, type WorldOptions } from '../../support/world.ts';

// Each cause is made to happen for real, beside a worker.
const TIMES = { upkeepEveryMs: 200 };

const CUSTOMERS: WorldOptions = {
  ddl: 'create table public.customers (id int primary key, email text, full_name text)',
  connector: `table_mapping:
  customers:
    email: email
    full_name: FIRSTNAME`,
};

/** The worker of each world. */
const workers = new WeakMap<World, RunningWorker>();

/** A world of three users and three customers, in step. */
async function crowd(options: WorldOptions = CUSTOMERS): Promise<World> {
  const world = await createWorld(options);
  workers.set(world, await world.start(undefined, { times: TIMES }));
  await firstSweepOver(world);
  await signUpMany(world, 3);
  if (options === CUSTOMERS) await addCustomers(world, 1, 3);
  await world.settled();
  expect(addresses(world)).toHaveLength(options === CUSTOMERS ? 6 : 3);
  return world;
}

async function addCustomers(world: World, from: number, to: number): Promise<void> {
  await world.db.app.query(
    `insert into public.customers select n, 'c' || n || '@example.com', 'Customer ' || n from generate_series($1::int, $2::int) n`,
    [from, to],
  );
}

const addresses = (world: World): string[] =>
  world.sandbox.state
    .contacts()
    .map(({ email }) => email)
    .toSorted();

const nameOf = (world: World, email: string): unknown => world.sandbox.state.contact(email)?.fields['FIRSTNAME'];

const reportOf = async (world: World): Promise<SweepReport | null> =>
  (await world.db.app.query('select sweep_report as report from rollcall.install')).rows[0]
    .report as SweepReport | null;

/** Waits until the sandbox is as it should be, and returns the report of a sweep that names a cause. */
async function healed(world: World, cause: string, condition: () => boolean): Promise<SweepReport> {
  let report: SweepReport | null = null;
  await eventually(async () => {
    report = await reportOf(world);
    return report?.why.some((why) => why.cause === cause) === true;
  });
  await eventually(condition);
  await world.settled();
  expect(condition()).toBe(true);
  return report!;
}

/** Runs `rollcall sweep` and then a worker, waits until the sandbox is as it should be, and returns the report. */
async function swept(world: World, condition: () => boolean): Promise<SweepReport> {
  const file = await tempFile('rollcall.yaml', world.yaml);
  const { code, stdout, stderr } = await rollcall(['sweep', '--json', '--config', file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  await world.start(undefined, { times: TIMES });
  await eventually(condition);
  await world.settled();
  expect(condition()).toBe(true);
  return JSON.parse(stdout) as SweepReport;
}

/** Runs statements that no trigger sees, while no worker is there whose own sweep could. */
async function unseen(world: World, ...texts: readonly string[]): Promise<void> {
  await workers.get(world)?.stop();
  await world.db.app.query(
    `begin; set local session_replication_role = replica; ${texts.map((text) => `${text};`).join(' ')} commit`,
  );
}

const USER = `insert into auth.users (id, email, raw_user_meta_data) values (gen_random_uuid(), 'new@example.com', '{"full_name":"New"}')`;

test('TRUNCATE of a table of contacts', async () => {
  const world = await crowd();
  await world.db.app.query('truncate public.customers');
  const report = await healed(world, 'truncate', () => addresses(world).every((email) => email.startsWith('p')));
  expect(report).toMatchObject({
    found: { missing: 0, returned: 0, stale: 0, gone: 3 },
    why: [{ cause: 'truncate', source: 'public.customers', count: 1 }],
  });
  expect(addresses(world)).toHaveLength(3);
});

test('TRUNCATE of auth.users', async () => {
  const world = await crowd();
  await world.db.app.query('truncate auth.users');
  const report = await healed(world, 'truncate', () => addresses(world).every((email) => email.startsWith('c')));
  expect(report).toMatchObject({
    found: { gone: 3 },
    why: [{ cause: 'truncate', source: 'auth.users', count: 1 }],
  });
  expect(addresses(world)).toHaveLength(3);
});

test('a TRUNCATE that was rolled back is told as one, and nobody is out of step', async () => {
  const world = await crowd();
  await world.db.app.query('begin; truncate public.customers; rollback');
  const report = await healed(world, 'truncate', () => true);
  expect(report).toMatchObject({ found: { gone: 0 }, why: [{ cause: 'truncate', count: 1 }] });
  expect(addresses(world)).toHaveLength(6);
});

test('session_replication_role = replica: rows that came, changed and went', async () => {
  const world = await crowd();
  await unseen(
    world,
    USER,
    `insert into public.customers values (9, 'c9@example.com', 'Nine')`,
    `update auth.users set raw_user_meta_data = '{"full_name":"Changed"}' where email = 'p1@example.com'`,
    `update public.customers set full_name = 'Changed' where id = 1`,
    `delete from auth.users where email = 'p2@example.com'`,
    `delete from public.customers where id = 2`,
  );
  const report = await swept(
    world,
    () =>
      addresses(world).join(' ') ===
        'c1@example.com c3@example.com c9@example.com new@example.com p1@example.com p3@example.com' &&
      nameOf(world, 'p1@example.com') === 'Changed' &&
      nameOf(world, 'c1@example.com') === 'Changed',
  );
  expect(report).toMatchObject({ found: { missing: 2, returned: 0, stale: 2, gone: 2 }, why: [{ cause: 'unseen' }] });
});

test('triggers that were switched off are switched on again', async () => {
  const world = await crowd();
  await world.db.app.query(`begin; alter table auth.users disable trigger user; ${USER}; commit`);
  const report = await healed(
    world,
    'trigger_disabled',
    () => world.sandbox.state.contact('new@example.com') !== undefined,
  );
  expect(report).toMatchObject({
    found: { missing: 1 },
    why: [{ cause: 'trigger_disabled', source: 'auth.users' }],
    unwatched: [],
  });
  await world.signUp('seen@example.com');
  await world.sandbox.until((state) => state.contact('seen@example.com') !== undefined);
});

test('triggers that were dropped are made again', async () => {
  const world = await crowd();
  await world.db.app.query(
    `begin; drop trigger rollcall_insert on auth.users; drop trigger rollcall_update on public.customers; ${USER};
     update public.customers set full_name = 'Changed' where id = 1; commit`,
  );
  const report = await healed(
    world,
    'trigger_missing',
    () => world.sandbox.state.contact('new@example.com') !== undefined && nameOf(world, 'c1@example.com') === 'Changed',
  );
  expect(report).toMatchObject({
    why: [
      { cause: 'trigger_missing', source: 'auth.users' },
      { cause: 'trigger_missing', source: 'public.customers' },
    ],
  });
  expect((await world.db.app.query('select rollcall.missing_triggers()')).rows).toEqual([]);
});

test('triggers that cannot be made again are reported', async () => {
  const world = await crowd();
  const other = await world.db.connect();
  await world.db.app.query('drop trigger rollcall_insert on public.customers');
  // Writers go on beside this lock; a trigger cannot be made.
  await other.query('begin; lock table public.customers in row exclusive mode');
  await unseen(world, USER);
  const report = await swept(world, () => world.sandbox.state.contact('new@example.com') !== undefined);
  await other.query('rollback');
  expect([...report.unwatched, ...report.why.flatMap((why) => why.source ?? [])]).toEqual(['public.customers']);
});

test('a partition that was added, with rows written to it before it has triggers', async () => {
  const world = await crowd({
    ddl: `create table public.leads (id int, region text, email text, full_name text, primary key (id, region)) partition by list (region);
      create table public.leads_a partition of public.leads for values in ('a')`,
    connector: `table_mapping:
  leads:
    email: email
    full_name: FIRSTNAME`,
  });
  await world.db.app.query(
    `begin; create table public.leads_b partition of public.leads for values in ('b'); grant all on public.leads_b to hosted;
     insert into public.leads_b values (1, 'b', 'lead@example.com', 'Lead'); commit`,
  );
  const report = await healed(world, 'partition_new', () => nameOf(world, 'lead@example.com') === 'Lead');
  expect(report).toMatchObject({
    found: { missing: 1 },
    why: [{ cause: 'partition_new', source: 'public.leads_b' }],
  });
  await world.db.app.query(`insert into public.leads_b values (2, 'b', 'seen@example.com', 'Seen')`);
  await world.sandbox.until((state) => state.contact('seen@example.com') !== undefined);
});

test('rows written before the install', async () => {
  const world = await createWorld({ ...CUSTOMERS, install: false });
  await signUpMany(world, 3);
  await addCustomers(world, 1, 3);
  await applyInstall(world.db.sql, world.config, projectRef(world.db.hostedUrl, undefined));
  await world.start(undefined, { times: TIMES });
  const report = await healed(world, 'installed', () => addresses(world).length === 6);
  expect(report).toMatchObject({ scanned: 6, found: { missing: 6 }, failed: 0, why: [{ cause: 'installed' }] });
});

test('a capture that failed', async () => {
  const world = await crowd();
  const other = await world.db.connect();
  await other.query('begin');
  await other.query('lock table rollcall.changes_0, rollcall.changes_1, rollcall.changes_2 in access exclusive mode');
  await world.db.app.query(USER);
  await other.query('commit');
  const report = await healed(
    world,
    'capture_failed',
    () => world.sandbox.state.contact('new@example.com') !== undefined,
  );
  expect(report).toMatchObject({ found: { missing: 1 }, why: [{ cause: 'capture_failed', count: 1 }] });
});

test('a restore: the rows of an earlier time, by COPY in replica mode', async () => {
  const world = await crowd();
  const file = join(tmpdir(), `rollcall-${randomUUID()}.copy`);
  onCleanup(() => rm(file, { force: true }));
  const { app } = world.db;
  await app.query(`copy public.customers to '${file}'`);
  await app.query(`update public.customers set full_name = 'Later' where id = 1; delete from public.customers where id = 2;
    insert into public.customers values (4, 'c4@example.com', 'Later')`);
  await world.settled();
  expect(nameOf(world, 'c1@example.com')).toBe('Later');
  expect(addresses(world)).toContain('c4@example.com');
  await unseen(world, 'delete from public.customers', `copy public.customers from '${file}'`);
  const report = await swept(
    world,
    () =>
      addresses(world)
        .filter((email) => email.startsWith('c'))
        .join(' ') === 'c1@example.com c2@example.com c3@example.com' &&
      nameOf(world, 'c1@example.com') === 'Customer 1',
  );
  const { missing, returned, stale, gone } = report.found;
  // Of one who left it depends on the time what is still known.
  expect({ back: missing + returned, stale, gone }).toEqual({ back: 1, stale: 1, gone: 1 });
  expect(report.why).toEqual([{ cause: 'unseen' }]);
});
