import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { fatalError } from '../../../src/engine/fatal.ts';
import { planDatabase } from '../../../src/cli/apply-plan.ts';
import { applyInstall, uninstall } from '../../../src/sql/apply.ts';
import { MIGRATIONS } from '../../../src/sql/install-script.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../../support/database.ts';
import { around, everyLane, installed, REF } from './support.ts';

/** Everything the catalogs know, but for what Postgres itself moves about. */
async function catalog(db: TestDatabase): Promise<unknown> {
  const { rows } = await db.app.query(`
    select x.kind, x.what from (
      select 'schema' as kind, nspname::text || coalesce(nspacl::text, '') as what from pg_namespace where nspname !~ '^pg_(temp|toast)'
      union all select 'relation', oid::regclass::text || relkind::text || coalesce(relacl::text, '') || relhastriggers::text from pg_class
        where relnamespace not in (select oid from pg_namespace where nspname ~ '^pg_(temp|toast)')
      union all select 'function', oid::regprocedure::text || coalesce(proacl::text, '') from pg_proc
      union all select 'type', oid::regtype::text from pg_type where typnamespace not in (select oid from pg_namespace where nspname ~ '^pg_(temp|toast)')
      union all select 'trigger', tgname || tgrelid::regclass from pg_trigger
      union all select 'default', defaclacl::text from pg_default_acl
      union all select 'event trigger', evtname::text from pg_event_trigger
      union all select 'publication', pubname::text from pg_publication
      union all select 'constraint', conname || conrelid::regclass::text from pg_constraint
      union all select 'depend', classid::regclass || ' ' || pg_describe_object(classid, objid, objsubid) from pg_depend
        where refobjid = 'auth.users'::regclass) x order by 1, 2`);
  // The flag that a table once had triggers is cleared by the next vacuum only.
  return rows.map((row) => `${row.kind} ${row.what}`.replace(/^(relation auth\.users.*?)(?:true|false)$/, '$1'));
}

test('an uninstall leaves nothing behind, whoever owns the table', async () => {
  const db = await createDatabase();
  const before = await catalog(db);
  await applyInstall(db.sql, testConfig(), REF);
  expect(await catalog(db)).not.toEqual(before);
  await uninstall(db.sql);
  expect(await catalog(db)).toEqual(before);
  await uninstall(db.sql);
  await applyInstall(db.sql, testConfig(), REF);
  await uninstall(db.sql);
  expect(await catalog(db)).toEqual(before);
});

test('an install is the same when it runs twice, and when two processes run it at once', async () => {
  const db = await createDatabase();
  await applyInstall(db.sql, testConfig(), REF);
  const once = await catalog(db);
  await applyInstall(db.sql, testConfig(), REF);
  expect(await catalog(db)).toEqual(once);
  await uninstall(db.sql);
  const other = openPg({ url: db.hostedUrl });
  onCleanup(() => other.close());
  await Promise.all([
    applyInstall(db.sql, testConfig(), REF),
    applyInstall(other, testConfig(), REF),
    applyInstall(db.sql, testConfig(), REF),
  ]);
  expect(await catalog(db)).toEqual(once);
  const { rows } = await db.app.query('select version, name from rollcall.migrations order by version');
  expect(rows).toEqual(MIGRATIONS.map(({ version, name }) => ({ version, name })));
});

test('a second apply with the same config asks for no lock on auth.users, and one that cannot have it gives up soon', async () => {
  const one = await installed();
  const app = await one.db.connect();
  await app.query('begin');
  await app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'open@x.y')`);
  await applyInstall(one.db.sql, testConfig(), REF);
  await app.query('commit');
  await one.db.app.query(
    'drop trigger rollcall_delete on auth.users; alter table auth.users disable trigger rollcall_insert',
  );
  await app.query('begin');
  await app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'open2@x.y')`);
  await expect(applyInstall(one.db.sql, testConfig(), REF)).rejects.toMatchObject({ code: '55P03' });
  await app.query('rollback');
  await applyInstall(one.db.sql, testConfig(), REF);
  const { rows } = await one.db.app.query(
    `select tgname, tgenabled from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal order by 1`,
  );
  expect(rows).toEqual(
    ['rollcall_delete', 'rollcall_insert', 'rollcall_truncate', 'rollcall_update'].map((tgname) => ({
      tgname,
      tgenabled: 'O',
    })),
  );
});

test('the printed script is one file that any client can run, with a hostile search_path', async () => {
  const db = await createDatabase();
  const { script } = await planDatabase(db.sql, testConfig());
  expect((await db.app.query(`select to_regnamespace('rollcall') as n`)).rows[0].n).toBeNull();
  const hosted = await db.connect(db.hostedUrl);
  await hosted.query(`set search_path = public; begin; ${script}; commit`);
  await hosted.query(`begin; ${script}; commit`);
  await expect(
    createStore(db.sql, { configHash: testConfig().hash, projectRef: REF, environment: 'test' }).claim(
      1,
      { token: randomUUID(), leaseMs: 1, graceMs: 1 },
      everyLane(1),
    ),
  ).rejects.toMatchObject({ code: 'RC002', detail: 'unbound' });
  await applyInstall(db.sql, testConfig(), REF);
  const one = await around(db, testConfig());
  const id = await one.insert('a@x.y');
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ action: 'upsert' });
});

test("nothing is granted to public or to the API roles; what runs with its owner's rights has an empty search_path", async () => {
  const db = await createDatabase();
  for (const role of ['anon', 'authenticated'])
    await db.app.query(`do $$ begin create role ${role}; exception when duplicate_object then null; end $$`);
  await applyInstall(db.sql, testConfig(), REF);
  const { rows } = await db.app.query(`
    select r.name as role, x.what from unnest(array['anon', 'authenticated', 'supabase_auth_admin']) as r(name), lateral (
      select 'schema' as what where has_schema_privilege(r.name, 'rollcall', 'usage, create')
      union all select c.oid::regclass::text from pg_class c where c.relnamespace = 'rollcall'::regnamespace and c.relkind in ('r', 'v')
        and has_table_privilege(r.name, c.oid, 'select, insert, update, delete, truncate, references, trigger')
      union all select c.oid::regclass::text from pg_class c where c.relnamespace = 'rollcall'::regnamespace and c.relkind = 'S'
        and has_sequence_privilege(r.name, c.oid, 'usage, select, update')
      union all select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'rollcall'::regnamespace
        and has_function_privilege(r.name, p.oid, 'execute')) x`);
  expect(rows).toEqual([]);
  const functions = await db.app.query(
    `select proname, prosecdef, 'search_path=""' = any(proconfig) as safe from pg_proc where pronamespace = 'rollcall'::regnamespace`,
  );
  expect(
    functions.rows
      .filter((f) => f.prosecdef)
      .map((f) => String(f.proname))
      .toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(['can_email', 'can_email', 'capture_users', 'consent_of', 'wake_edge']);
  expect(functions.rows.filter((f) => f.prosecdef && f.safe !== true)).toEqual([]);
});

test('no object of ours depends on a column of the app', async () => {
  const one = await installed({
    userMapping: { ...testConfig().userMapping, where: { expression: 'banned_until is null', line: 1, column: 1 } },
  });
  const { rows } = await one.db.app.query(
    `select pg_describe_object(classid, objid, objsubid) as what from pg_depend
      where refobjid = 'auth.users'::regclass and refobjsubid > 0 and deptype = 'n'
        and pg_describe_object(classid, objid, objsubid) like '%rollcall%'`,
  );
  expect(rows).toEqual([]);
});

test('a new config is applied over the state: contacts, versions and deliveries stay, and everything is looked at again', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A', plan: 'pro' });
  await one.foldAll();
  await one.deliverAll();
  await one.sweepNow();
  const other = {
    hash: 'c'.repeat(64),
    userMapping: { ...testConfig().userMapping, attributes: [attribute('PLAN', 'user_metadata.plan')] },
  };
  const again = await installed(other, one.db);
  const problem = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'DONE',
      (error: unknown) => fatalError(error)?.code,
    );
  expect(await problem(one.store.fold(10))).toBe('RC_CONFIG_NOT_APPLIED');
  expect(await problem(one.claim())).toBe('RC_CONFIG_NOT_APPLIED');
  expect(await again.store.beginSweep(3_600_000, false)).toBeDefined();
  expect(await again.store.sweepPage(null, 100)).toMatchObject({ folded: 1 });
  expect(await again.desired(id)).toMatchObject({
    version: 2,
    delivered_version: 1,
    payload: { PLAN: 'pro' },
    due: true,
  });
});

test('destinations that leave the config are disabled and keep their state; switched off, nothing is captured', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const off = await installed({ enabled: false, hash: 'd'.repeat(64) }, one.db);
  expect(await off.store.destinations()).toEqual([]);
  await one.insert('b@x.y');
  expect(await one.logged()).toEqual([id]);
  const on = await installed({ hash: 'e'.repeat(64) }, one.db);
  expect(await on.store.destinations()).toMatchObject([{ name: 'mailtrap', id: one.destination }]);
  await on.sweepNow();
  expect((await one.db.app.query('select count(*)::int as n from rollcall.due')).rows).toEqual([{ n: 2 }]);
});

test('an expression that cannot run in the mapping is told at apply', async () => {
  const db = await createDatabase();
  const config = testConfig({
    userMapping: {
      ...testConfig().userMapping,
      attributes: [attribute('X', { kind: 'sql', expression: `'x'::regtype::oid` }, { type: 'integer' })],
    },
  });
  await expect(applyInstall(db.sql, config, REF)).rejects.toThrow();
  expect((await db.app.query(`select to_regnamespace('rollcall') as n`)).rows[0].n, 'all or nothing').toBeNull();
});

test('a clone, another project and another environment send nothing until they are bound', async () => {
  const one = await installed();
  await one.insert('a@x.y');
  await one.foldAll();
  const tries = async (store = one.store): Promise<unknown> =>
    store.claim(one.destination, one.lease, everyLane(1)).then(
      () => 'SENT',
      (error: { code: string; detail: string }) => `${error.code} ${error.detail}`,
    );
  const hash = one.config.hash;
  expect(await tries(createStore(one.db.sql, { configHash: hash, projectRef: 'other', environment: 'test' }))).toBe(
    'RC002 project',
  );
  expect(await tries(createStore(one.db.sql, { configHash: hash, projectRef: REF, environment: 'staging' }))).toBe(
    'RC002 environment',
  );

  const clone = `c_${randomUUID().replaceAll('-', '')}`;
  const maintenance = new URL(one.db.url);
  maintenance.pathname = '/postgres';
  const admin = await one.db.connect(maintenance.toString());
  onCleanup(async () => {
    const last = await createDatabase().then((db) => db.connect(maintenance.toString()));
    await last.query(`drop database if exists ${clone} with (force)`);
  });
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${one.db.name}'`);
  await admin.query(`create database ${clone} template ${one.db.name}`);
  await admin.query(`grant create on database ${clone} to hosted`);
  const url = new URL(one.db.hostedUrl);
  url.pathname = `/${clone}`;
  const sql = openPg({ url: url.toString() });
  onCleanup(() => sql.close());
  const store = createStore(sql, { configHash: hash, projectRef: REF, environment: 'test' });
  expect(await tries(store)).toBe('RC002 database name');
  await expect(applyInstall(sql, testConfig(), REF)).rejects.toMatchObject({ code: 'RC002' });
  const [before] = await sql.query<{ n: string }>('select rollcall.uncaptured_count() as n');
  await sql.query('select rollcall.bind($1, $2)', [REF, 'test']);
  const [after] = await sql.query<{ n: string; lo: string }>(
    'select rollcall.uncaptured_count() as n, (select lo::text from rollcall.fold_position) as lo',
  );
  expect(Number(after!.n), 'everything is looked at again').toBe(Number(before!.n) + 1);
  expect(after!.lo).toMatch(/^\d+:\d+:/);
  expect(await tries(store)).toBe('SENT');
});

test('a rebind forgets positions in transaction ids of another cluster', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.db.app.query(`update rollcall.fold_position set lo = '4000000000:4000000000:'`);
  await one.db.app.query(`update rollcall.install set identity = jsonb_set(identity, '{system_identifier}', '"1"')`);
  expect(await one.foldAll(), 'the far position hides every change').toMatchObject({ taken: 0 });
  await one.db.sql.query('select rollcall.bind($1, $2)', [REF, 'test']);
  const late = await one.insert('b@x.y');
  expect(await one.foldAll()).toMatchObject({ taken: 1 });
  await one.sweepNow();
  expect(await one.desired(id)).toMatchObject({ action: 'upsert' });
  expect(await one.desired(late)).toMatchObject({ action: 'upsert' });
});
