import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

async function letters(one: Installed): Promise<unknown[]> {
  const { rows } = await one.db.app.query(
    `select c.key, l.stage, l.code from rollcall.dead_letters l join rollcall.contacts c on c.id = l.contact_id order by c.key`,
  );
  return rows;
}

async function paused(one: Installed): Promise<Record<string, string>> {
  const { rows } = await one.db.app.query(
    'select name, pause_code from rollcall.sources where pause_code is not null order by name',
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.pause_code])) as Record<string, string>;
}

async function actions(one: Installed, keys: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const key of keys) found.push((await one.desired(key))?.action ?? 'none');
  return found;
}

const CUSTOMERS =
  'create table public.customers (id int primary key, email text, user_id uuid references auth.users, plan text);';

test('a row that a table’s condition fails for fails its own contact, whatever leads to it and without an index', async () => {
  const one = await withTables({
    ddl: CUSTOMERS,
    connector: `${USERS}
table_mapping:
  customers:
    email: email
    where: "plan::int > 0"`,
  });
  const { app } = one.db;
  await app.query(
    `insert into public.customers select n, 'c' || n || '@x.test', null, n % 2 from generate_series(1, 300) n`,
  );
  await app.query(`insert into public.customers values (1000, 'bad@x.test', null, 'x')`);
  const [bad, good] = [await one.insert('u@x.test'), await one.insert('v@x.test')];
  await app.query(`insert into public.customers values (1001, null, $1, 'y'), (1002, null, $2, '1')`, [bad, good]);
  await one.foldAll();
  expect(await letters(one)).toEqual(
    [bad, 'email:bad@x.test'].toSorted().map((key) => ({ key, stage: 'map', code: '22P02' })),
  );
  expect(await actions(one, [good, 'email:c1@x.test', 'email:c2@x.test', 'email:c299@x.test'])).toEqual([
    'upsert',
    'upsert',
    'none',
    'upsert',
  ]);
  const user = await one.insert('w@x.test');
  expect(await one.foldAll()).toMatchObject({ failed: 0 });
  expect(await actions(one, [user])).toEqual(['upsert']);
  expect(await one.sweepNow()).toMatchObject({ folded: 0 });
  await app.query(`update public.customers set plan = '1' where id >= 1000`);
  await one.foldAll();
  expect(await letters(one)).toEqual([]);
  expect(await actions(one, [bad, 'email:bad@x.test'])).toEqual(['upsert', 'upsert']);
});

test('the same for a condition on related rows, found directly and through another table', async () => {
  const one = await withTables({
    ddl: `${CUSTOMERS}
      create table public.orders (id int primary key, customer_id int references public.customers, total text);
      create table public.visits (id int primary key, email text, seconds text)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
table_mapping:
  customers:
    email: email
    attributes:
      ORDERS: { sql: "count(*)", from: orders, where: "total::int > 0" }
      VISITS: { sql: "count(*)", from: visits, where: "seconds::int > 0" }`,
  });
  const { app } = one.db;
  await app.query(`insert into public.customers select n, 'c' || n || '@x.test' from generate_series(1, 20) n`);
  await app.query(`insert into public.orders select n, n, n from generate_series(1, 20) n`);
  await app.query(`insert into public.visits select n, 'c' || n || '@x.test', n from generate_series(1, 20) n`);
  await app.query(
    `insert into public.orders values (100, 3, 'x'); insert into public.visits values (100, 'c4@x.test', 'y')`,
  );
  await one.foldAll();
  expect(await letters(one)).toEqual([
    { key: 'email:c3@x.test', stage: 'map', code: '22P02' },
    { key: 'email:c4@x.test', stage: 'map', code: '22P02' },
  ]);
  expect(await one.desired('email:c5@x.test')).toMatchObject({ payload: { ORDERS: 1, VISITS: 1 } });
  expect(await paused(one)).toEqual({});
});

test('a view that a row makes fail for everybody is paused by itself, until that row is mended', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, plan text);
      create view public.paying as select id, email, plan::int as plan from public.customers where plan::int > 0;
      create table public.zeta (id int primary key, email text)`,
    connector: `${USERS}
table_mapping:
  paying:
    email: email
    plan: PLAN
    base_tables: [customers]
  zeta:
    email: email`,
  });
  const { app } = one.db;
  await app.query(`insert into public.customers values (1, 'a@x.test', '1')`);
  await one.foldAll();
  await app.query(`insert into public.customers values (2, 'bad@x.test', 'x')`);
  const user = await one.insert('u@x.test');
  expect(await one.foldAll()).toMatchObject({ failed: 0 });
  expect(await paused(one)).toEqual({ 'public.paying': '22P02' });
  expect(await actions(one, [user, 'email:a@x.test'])).toEqual(['upsert', 'upsert']);

  await one.store.recheckSources();
  expect(await paused(one)).toEqual({ 'public.paying': '22P02' });

  // Found by the sweep first: it goes on to the table behind the view.
  await app.query(`update rollcall.sources set pause_code = null`);
  await app.query(`set session_replication_role = replica; insert into public.zeta values (1, 'z@x.test');
    update public.customers set plan = '5' where id = 1; set session_replication_role = origin`);
  expect(await one.sweepNow()).toMatchObject({ folded: 1 });
  expect(await paused(one)).toEqual({ 'public.paying': '22P02' });
  expect(await one.desired('email:a@x.test')).toMatchObject({ action: 'upsert', payload: { PLAN: 1 } });

  await app.query(`update public.customers set plan = '7' where id = 2`);
  await one.store.recheckSources();
  expect(await paused(one)).toEqual({});
  await one.sweepNow();
  expect(await one.desired('email:a@x.test')).toMatchObject({ payload: { PLAN: 5 } });
  expect(await one.desired('email:bad@x.test')).toMatchObject({ payload: { PLAN: 7 } });
  expect(await letters(one)).toEqual([]);
});

test('a key that no row of the other table can have leads to nobody, and stops nothing', async () => {
  const one = await withTables({
    ddl: `${CUSTOMERS} create table public.orders (id int primary key, customer_ref bigint, total int)`,
    connector: `${USERS}
table_mapping:
  customers:
    email: email
    attributes: { LTV: { sql: "sum(total)", from: orders, contact: { customers: customer_ref } } }`,
  });
  const { app } = one.db;
  await app.query(`insert into public.customers values (1, 'a@x.test'), (2, 'b@x.test')`);
  await one.foldAll();
  await app.query('insert into public.orders values (1, 3000000000, 5), (2, 1, 7)');
  await one.foldAll();
  expect(await paused(one)).toEqual({});
  expect(await one.desired('email:a@x.test')).toMatchObject({ payload: { LTV: 7 } });
  // Logged while the column had another type.
  await app.query(`set session_replication_role = replica; insert into public.orders values (3, 2, 9);
    set session_replication_role = origin`);
  await app.query(`select rollcall.capture($1, 'public.orders.customer_ref -> public.customers')`, [
    ['x', ...Array.from({ length: 40 }, (_, n) => `no ${n}`), '2', '1.5'],
  ]);
  await one.foldAll();
  expect(await paused(one)).toEqual({});
  expect(await one.desired('email:b@x.test')).toMatchObject({ payload: { LTV: 9 } });
});
