import { expect, test } from 'vitest';
import { applyInstall, uninstall } from '../../../src/sql/apply.ts';
import { tablesConfig, USERS, withTables } from '../../support/tables.ts';
import { keysOf, logged, logs } from './capture-support.ts';
import { around, type Installed, REF } from './support.ts';

const CONTACTS = `${USERS}
table_mapping:
  customers: { email: email, name: FIRSTNAME }`;

const EVENTS = `${USERS}
table_mapping:
  orders: { sync_as: events, event_name: ordered, operations: [insert, update, delete], contact: { email: email }, properties: { total: amount } }`;

async function ensure(one: Installed): Promise<number> {
  const [row] = await one.db.sql.query<{ made: number }>('select rollcall.ensure_triggers() as made');
  return row?.made ?? 0;
}

async function missing(one: Installed): Promise<readonly string[]> {
  const rows = await one.db.sql.query<{ table_name: string; trigger_name: string }>(
    'select * from rollcall.missing_triggers()',
  );
  return rows.map((row) => `${row.table_name} ${row.trigger_name.replace(/_[0-9a-f]{8}$/, '_*')}`);
}

const PARTITIONED = `create table public.orders (id int, at date, email text, total int, primary key (id, at)) partition by range (at);
  create table public.orders_2025 partition of public.orders for values from ('2025-01-01') to ('2026-01-01');
  create table public.orders_2026 partition of public.orders for values from ('2026-01-01') to ('2027-01-01') partition by hash (id);
  create table public.orders_2026_0 partition of public.orders_2026 for values with (modulus 2, remainder 0);
  create table public.orders_2026_1 partition of public.orders_2026 for values with (modulus 2, remainder 1)`;

test('partitions of any depth: each write is seen once, through the parent or past it, and moves are updates', async () => {
  const one = await withTables({ ddl: PARTITIONED, connector: EVENTS });
  const { app } = one.db;
  const seen = async (...statements: readonly string[]): Promise<unknown[]> =>
    (await logs(one, ...statements)).events.map((e) => [e.o, e.k, e.r['total'], e.p?.['total']]);
  expect(
    await seen(`insert into public.orders values (1, '2025-05-05', 'a@x.test', 1), (2, '2026-05-05', 'a@x.test', 2)`),
  ).toEqual([
    ['insert', '[1, "2025-05-05"]', 1, undefined],
    ['insert', '[2, "2026-05-05"]', 2, undefined],
  ]);
  expect(await seen(`insert into public.orders_2025 values (3, '2025-05-05', 'a@x.test', 3)`)).toMatchObject([
    ['insert', '[3, "2025-05-05"]', 3, undefined],
  ]);
  expect(await seen(`insert into public.orders_2026 values (4, '2026-05-05', 'a@x.test', 4)`)).toMatchObject([
    ['insert', '[4, "2026-05-05"]', 4, undefined],
  ]);
  const { rows } = await app.query('select tableoid::regclass::text as leaf from public.orders where id = 4');
  expect(await seen(`update ${rows[0].leaf} set total = 5`)).toContainEqual(['update', '[4, "2026-05-05"]', 5, 4]);
  expect(
    await seen(`update public.orders set at = '2026-01-01', total = 9 where id = 1`),
    'from one partition to another',
  ).toEqual([['update', '[1, "2026-01-01"]', 9, undefined]]);
  expect(await seen(`delete from public.orders where id = 1`)).toEqual([['delete', '[1, "2026-01-01"]', 9, undefined]]);
  const before = await one.uncaptured();
  await app.query('truncate public.orders_2025');
  expect(await one.uncaptured()).toBe(before + 1);
  expect(await missing(one)).toEqual([]);
});

test('a contact whose row moves between partitions is seen once, and not when nothing else changed', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int, region text, email text, name text, primary key (id, region)) partition by list (region);
          create table public.customers_eu partition of public.customers for values in ('eu');
          create table public.customers_us partition of public.customers for values in ('us', 'ca')`,
    connector: CONTACTS,
  });
  await one.db.app.query(`insert into public.customers values (1, 'eu', 'a@x.test')`);
  expect(await keysOf(one, `update public.customers set region = 'us'`)).toEqual(['email:a@x.test']);
  expect(await keysOf(one, `update public.customers set email = 'b@x.test'`)).toEqual([
    'email:a@x.test',
    'email:b@x.test',
  ]);
  expect(await keysOf(one, `update public.customers set name = name`)).toEqual([]);
});

test('inherited tables: statements on the parent and on the child, each once', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, name text);
          create table public.members (card text) inherits (public.customers);
          create table public.staff (desk text) inherits (public.customers);
          create table public.directors () inherits (public.staff, public.members)`,
    connector: CONTACTS,
  });
  expect(await keysOf(one, `insert into public.directors (id, email) values (1, 'd@x.test')`)).toEqual([
    'email:d@x.test',
  ]);
  expect(await keysOf(one, `update public.customers set name = 'n'`)).toEqual(['email:d@x.test']);
  expect(await keysOf(one, `update public.staff set name = 'm'`)).toEqual(['email:d@x.test']);
  expect(await keysOf(one, `update public.staff set desk = 'm'`)).toEqual([]);
  expect(await keysOf(one, `delete from public.customers`)).toEqual(['email:d@x.test']);
});

test('a child with a plan of its own has the triggers of both', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, name text);
          create table public.members (id int primary key, card text) inherits (public.customers)`,
    connector: `${CONTACTS}
  members: { email: email, card: CARD }`,
  });
  expect(await keysOf(one, `insert into public.members (id, email) values (1, 'm@x.test')`)).toEqual([
    'email:m@x.test',
    'email:m@x.test',
  ]);
  expect(await keysOf(one, `update public.members set card = 'c'`)).toEqual(['email:m@x.test']);
  expect(await missing(one)).toEqual([]);
});

test('what is missing, switched off or wrong is named and made again; a sweep follows; what is right is left alone', async () => {
  const one = await withTables({ ddl: PARTITIONED, connector: EVENTS });
  const { app } = one.db;
  const triggers = async (): Promise<string[]> =>
    (
      await app.query(
        `select tgrelid::regclass || ' ' || tgname || ' ' || oid || ' ' || xmin as t from pg_trigger where tgname like 'rollcall%' order by 1`,
      )
    ).rows.map((row) => row.t as string);
  const before = await triggers();
  const uncaptured = await one.uncaptured();
  expect(await ensure(one)).toBe(0);
  expect(await triggers()).toEqual(before);
  expect(await one.uncaptured(), 'nothing was missing').toBe(uncaptured);
  await app.query(
    `create table public.orders_2027 partition of public.orders for values from ('2027-01-01') to ('2028-01-01')`,
  );
  await app.query('grant all on public.orders_2027 to hosted');
  await app.query('alter table auth.users disable trigger rollcall_insert');
  await app.query('drop trigger rollcall_update on public.orders');
  await app.query('alter table public.orders_2025 disable trigger all');
  await app.query(
    `create or replace trigger rollcall_delete after delete on public.orders for each statement execute function rollcall.capture_users()`,
  );
  const lacks = [
    'auth.users rollcall_insert',
    'public.orders rollcall_delete',
    'public.orders rollcall_update',
    ...['orders_2025', 'orders_2027'].flatMap((table) =>
      ['delete', 'insert', 'truncate', 'update'].map((event) => `public.${table} rollcall_${event}_*`),
    ),
  ];
  expect(await missing(one)).toEqual(lacks);
  expect(await ensure(one)).toBe(lacks.length);
  expect(await missing(one)).toEqual([]);
  expect(await one.uncaptured(), 'one sweep is asked for').toBe(uncaptured + 1);
  expect(
    (await logs(one, `insert into public.orders_2027 values (1, '2027-05-05', 'a@x.test', 1)`)).events,
  ).toHaveLength(1);
  expect(await ensure(one)).toBe(0);
});

test('a table that is locked, or that this role may not touch, holds up no other and waits for the next time', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, name text)`,
    connector: CONTACTS,
  });
  const { app } = one.db;
  await app.query('drop trigger rollcall_insert on public.customers; drop trigger rollcall_insert on auth.users');
  const locker = await one.db.connect();
  await locker.query('begin');
  await locker.query('lock table public.customers in row exclusive mode');
  // The lock is still held: to wait for it would be to wait for ever.
  expect(await ensure(one)).toBe(1);
  expect(await missing(one)).toEqual(['public.customers rollcall_insert']);
  await locker.query('rollback');
  await app.query('revoke all on public.customers from hosted');
  expect(await ensure(one)).toBe(0);
  expect(await missing(one)).toEqual(['public.customers rollcall_insert']);
  await app.query('grant trigger on public.customers to hosted');
  expect(await ensure(one)).toBe(1);
  await app.query('drop table public.customers');
  expect(await missing(one)).toEqual(
    ['delete', 'insert', 'truncate', 'update'].map((e) => `"public"."customers" rollcall_${e}`),
  );
  expect(await ensure(one)).toBe(0);
});

test('a partition that was detached has no events until it is attached again; a table that was renamed has', async () => {
  const one = await withTables({ ddl: PARTITIONED, connector: EVENTS });
  const { app } = one.db;
  await app.query(
    `insert into public.orders values (1, '2025-05-05', 'a@x.test', 1), (2, '2026-05-05', 'a@x.test', 1)`,
  );
  await app.query('alter table public.orders detach partition public.orders_2025');
  expect((await logs(one, 'delete from public.orders_2025')).events, 'moved to an archive').toEqual([]);
  await app.query(
    `alter table public.orders attach partition public.orders_2025 for values from ('2025-01-01') to ('2026-01-01')`,
  );
  expect(
    (await logs(one, `insert into public.orders_2025 values (3, '2025-05-05', 'a@x.test', 1)`)).events,
  ).toHaveLength(1);
  await app.query('alter table public.orders rename to purchases');
  expect((await logs(one, `update public.purchases set total = 2 where id = 2`)).events).toMatchObject([
    { source: 'public.orders', o: 'update', k: '[2, "2026-05-05"]' },
  ]);
  await app.query(
    'create table public.orders (id int primary key, email text, total int); grant all on public.orders to hosted',
  );
  expect((await logs(one, `update public.purchases set total = 3`)).events, 'another table has its name now').toEqual(
    [],
  );
  await ensure(one);
  expect((await logs(one, `insert into public.orders values (7, 'a@x.test', 1)`)).events).toMatchObject([{ k: '7' }]);
});

test('above a foreign table no rows are collected, so that the app’s writes go on: they are counted', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int, email text, name text, primary key (id)) partition by range (id);
          create table public.near partition of public.customers for values from (0) to (10)`,
    connector: CONTACTS,
  });
  const { app } = one.db;
  const { port, username, password } = new URL(one.db.url);
  await app.query(`create table public.elsewhere (id int, email text, name text);
    create extension postgres_fdw; create server other foreign data wrapper postgres_fdw options (dbname '${one.db.name}', host '127.0.0.1', port '${port}');
    create user mapping for current_user server other options (user '${username}', password '${password}');
    alter table public.customers drop constraint customers_pkey;
    create foreign table public.far partition of public.customers for values from (10) to (20) server other options (table_name 'elsewhere')`);
  expect(await ensure(one)).toBe(3);
  const before = await one.uncaptured();
  await app.query(`insert into public.customers values (1, 'a@x.test'), (11, 'b@x.test')`);
  await app.query(`update public.customers set name = 'n'`);
  await app.query(`delete from public.customers where id = 11`);
  expect(await one.uncaptured()).toBe(before + 3);
  expect(await keysOf(one, `update public.near set name = 'm'`)).toEqual(['email:a@x.test']);
  expect(await missing(one)).toEqual([]);
});

test('a config that names a table no longer takes its triggers away, and uninstall takes all, for a role that owns none', async () => {
  const one = await withTables({
    ddl: `${PARTITIONED}; create table public.customers (id int primary key, email text, name text)`,
    connector: CONTACTS,
  });
  const { db } = one;
  const captured = async (): Promise<string[]> =>
    (
      await db.app.query(
        `select distinct tgrelid::regclass::text as t from pg_trigger where tgname like 'rollcall%' order by 1`,
      )
    ).rows.map((row) => row.t as string);
  expect(await captured()).toEqual(['auth.users', 'customers']);
  const orders = tablesConfig({ ddl: '', connector: EVENTS });
  await applyInstall(db.sql, orders, REF);
  expect(await captured()).toEqual([
    'auth.users',
    'orders',
    'orders_2025',
    'orders_2026',
    'orders_2026_0',
    'orders_2026_1',
  ]);
  expect((await logs(await around(db, orders), `insert into public.customers values (1, 'a@x.test')`)).rows).toBe(0);
  await uninstall(db.sql);
  expect(await captured()).toEqual([]);
  const { rows } = await db.app.query(`select count(*)::int as n from pg_proc where proname ~ 'capture'`);
  expect(rows[0].n).toBe(0);
});

test('what is captured while nobody folds is folded later, partitions and all', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, name text) partition by hash (id);
          create table public.customers_0 partition of public.customers for values with (modulus 2, remainder 0);
          create table public.customers_1 partition of public.customers for values with (modulus 2, remainder 1)`,
    connector: CONTACTS,
  });
  await one.db.app.query(
    `insert into public.customers select n, 'c' || n || '@x.test', 'N' || n from generate_series(1, 20) n`,
  );
  await one.foldAll();
  await one.db.app.query(`update public.customers_0 set name = 'zero'; update public.customers set name = name || '!'`);
  expect((await logged(one)).keys['contacts']?.length).toBeGreaterThan(20);
  await one.foldAll();
  const { rows } = await one.db.app.query('select id, name, email from public.customers');
  for (const row of rows)
    expect(await one.desired(`email:${row.email}`)).toMatchObject({ payload: { FIRSTNAME: row.name } });
});
