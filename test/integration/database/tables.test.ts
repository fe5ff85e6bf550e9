import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';

test('profiles keyed by the user’s id: found by its foreign key, and it wins over the metadata', async () => {
  const one = await withTables({
    ddl: 'create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text)',
    connector: `${USERS}
table_mapping:
  profiles:
    full_name: FIRSTNAME`,
  });
  const user = await one.insert('a@x.test', { full_name: 'signed up as' });
  await one.db.app.query(`insert into public.profiles values ($1, 'calls herself')`, [user]);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ payload: { FIRSTNAME: 'calls herself' } });
  await one.db.app.query('update public.profiles set full_name = null');
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ payload: { FIRSTNAME: 'signed up as' } });
});

test('precedence: an earlier table wins, a null falls through, a null that clears is under all', async () => {
  const one = await withTables({
    ddl: `create table public.first (user_id uuid primary key references auth.users, a text, b text, c text);
          create table public.second (user_id uuid primary key references auth.users, a text, b text, c text)`,
    connector: `${USERS}
table_mapping:
  first:
    a: A
    b: { to: B, when_null: clear }
    c: { to: C, when_null: clear }
  second:
    a: A
    b: B`,
  });
  const user = await one.insert('a@x.test', { full_name: 'U' });
  await one.db.app.query(`insert into public.first values ($1, 'first', null, null)`, [user]);
  await one.db.app.query(`insert into public.second values ($1, 'second', 'second', null)`, [user]);
  await one.foldAll();
  expect((await one.desired(user))?.payload).toEqual({ A: 'first', B: 'second', C: null, FIRSTNAME: 'U' });
});

test('aggregates over rows found by foreign key, by address and through another table', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text);
          create table public.orders (id int primary key, customer_id int references public.customers on delete cascade, total numeric(20,2), paid boolean, at timestamptz);
          create table public.tickets (id int primary key, user_id uuid references auth.users on delete cascade);
          create table public.visits (id int primary key, user_email text)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    TICKETS: { sql: "count(*)", from: tickets }
    VISITS: { sql: "count(*)", from: visits }
    ORDERS: { sql: "count(*)", from: orders }
    LTV: { sql: "sum(total)", from: orders, where: "paid" }
    LAST: { sql: "max(orders.at)", from: orders }
table_mapping:
  customers:
    email: email`,
  });
  const user = await one.insert('a@x.test', {});
  const { app } = one.db;
  await app.query(`insert into public.customers values (1, 'A@x.test'), (2, 'other@x.test')`);
  await app.query(
    `insert into public.orders values (1, 1, 9007199254740993.25, true, '2026-01-02 03:04:05.678901+00'), (2, 1, 7, false, null), (3, 2, 1, true, null)`,
  );
  await app.query('insert into public.tickets values (1, $1)', [user]);
  await app.query(`insert into public.visits values (1, 'a@x.test'), (2, 'a@X.test'), (3, 'z@x.test')`);
  await one.foldAll();
  const text = async (key: string): Promise<string> => {
    const { rows } = await app.query(
      'select s.payload::text as p from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id where c.key = $1',
      [key],
    );
    return rows[0].p as string;
  };
  expect(JSON.parse(await text(user))).toMatchObject({
    TICKETS: 1,
    VISITS: 2,
    ORDERS: 2,
    LAST: '2026-01-02T03:04:05.678901Z',
  });
  expect(await text(user)).toContain('"LTV": 9007199254740993.25');
  expect(await one.desired('email:other@x.test')).toMatchObject({ payload: { ORDERS: 1, TICKETS: 0, LTV: 1 } });

  await app.query('delete from public.orders where id = 1');
  await app.query('delete from public.tickets');
  await app.query('update public.visits set user_email = $1 where id = 1', ['z@x.test']);
  await one.foldAll();
  expect((await one.desired(user))?.payload).toEqual({ TICKETS: 0, VISITS: 1, ORDERS: 1 });
  await app.query('update public.orders set customer_id = 2 where id = 2');
  await one.foldAll();
  expect((await one.desired(user))?.payload).toMatchObject({ ORDERS: 0 });
  expect(await one.desired('email:other@x.test')).toMatchObject({ payload: { ORDERS: 2 } });
  await app.query('delete from public.customers where id = 2');
  await one.foldAll();
  expect(await one.desired('email:other@x.test')).toMatchObject({ action: 'none', reason: 'gone' });
});

test('a condition on a table: rows for which it is not true do not count', async () => {
  const one = await withTables({
    ddl: 'create table public.customers (id int primary key, email text, archived boolean)',
    connector: `${USERS}
table_mapping:
  customers:
    email: email
    where: archived is not true`,
  });
  await one.db.app.query(`insert into public.customers values (1, 'a@x.test', null), (2, 'b@x.test', true)`);
  await one.foldAll();
  expect((await one.desired('email:a@x.test'))?.action).toBe('upsert');
  expect((await one.desired('email:b@x.test'))?.action ?? 'none').toBe('none');
  await one.db.app.query('update public.customers set archived = not coalesce(archived, false)');
  await one.foldAll();
  expect((await one.desired('email:a@x.test'))?.action).toBe('none');
  expect((await one.desired('email:b@x.test'))?.action).toBe('upsert');
});

test('without users of their own, users that a table points at are contacts', async () => {
  const one = await withTables({
    ddl: 'create table public.members (user_id uuid primary key references auth.users on delete cascade)',
    connector: `sync: { users: false }
${USERS}
table_mapping:
  members:
    attributes: { MEMBER: { const: true } }`,
  });
  const [a, b] = [await one.insert('a@x.test', {}), await one.insert('b@x.test', {})];
  await one.db.app.query('insert into public.members values ($1)', [a]);
  await one.foldAll();
  expect(await one.desired(a)).toMatchObject({ action: 'upsert', payload: { MEMBER: true } });
  expect(await one.desired(b)).toMatchObject({ action: 'none', reason: 'not_synced' });
});

test('a column of a table says who may be mailed', async () => {
  const one = await withTables({
    ddl: 'create table public.customers (id int primary key, email text, opted_in boolean)',
    connector: `${USERS}
table_mapping:
  customers:
    email: email`,
    consent: '{ column: customers.opted_in }',
  });
  const user = await one.insert('user@x.test', {});
  await one.db.app.query(
    `insert into public.customers values (1, 'yes@x.test', true), (2, 'no@x.test', false), (3, 'null@x.test', null), (4, 'user@x.test', true)`,
  );
  await one.foldAll();
  expect((await one.desired('email:yes@x.test'))?.consent).toBe('basis');
  expect((await one.desired('email:no@x.test'))?.consent).toBe('opted_out');
  expect((await one.desired('email:null@x.test'))?.consent).toBe('none');
  expect((await one.desired(user))?.consent).toBe('basis');
  await one.db.app.query('update public.customers set opted_in = null');
  await one.foldAll();
  expect((await one.desired('email:yes@x.test'))?.consent).toBe('opted_out');
});

test('a view is read through the tables under it', async () => {
  const one = await withTables({
    ddl: `create table public.payments (id int primary key, user_id uuid references auth.users on delete cascade, cents bigint);
          create view public.totals as select user_id, sum(cents) as cents from public.payments group by user_id`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    CENTS: { sql: "sum(cents)", from: totals, contact: { user_id: user_id }, base_tables: [payments] }`,
  });
  const user = await one.insert('a@x.test', {});
  await one.db.app.query('insert into public.payments values (1, $1, 5), (2, $1, 6)', [user]);
  await one.foldAll();
  expect((await one.desired(user))?.payload).toEqual({ CENTS: 11 });
});

test('what triggers missed in a table, the sweep finds', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int, part text, email text, name text, primary key (part, id));
          create table public.orders (id int primary key, email text)`,
    connector: `${USERS}
table_mapping:
  customers:
    email: email
    name: FIRSTNAME
    attributes: { ORDERS: { sql: "count(*)", from: orders } }`,
  });
  const { app } = one.db;
  await app.query(`set session_replication_role = replica;
    insert into public.customers select n, 'p' || n % 3, 'c' || n || '@x.test', 'N' || n from generate_series(1, 2500) n;
    insert into public.orders values (1, 'c7@x.test')`);
  expect(await one.sweepNow()).toMatchObject({ folded: 2500 });
  expect(await one.desired('email:c7@x.test')).toMatchObject({ payload: { FIRSTNAME: 'N7', ORDERS: 1 } });
  await app.query(`delete from public.customers where id = 7; update public.customers set name = 'new' where id = 8;
    set session_replication_role = origin`);
  await one.sweepNow();
  expect(await one.desired('email:c7@x.test')).toMatchObject({ action: 'none', reason: 'gone' });
  expect(await one.desired('email:c8@x.test')).toMatchObject({ payload: { FIRSTNAME: 'new' } });
  expect(await one.sweepNow()).toMatchObject({ folded: 0 });
});

test('columns of any name, in expressions and conditions, are those of the row', async () => {
  const one = await withTables({
    ddl: `create domain public.uid as uuid;
          create table public.customers (id int primary key, email text, address jsonb, key text, v_ids int, rollcall_x text, user_id public.uid);
          create table public."or""ders" (id int primary key, customer_id int references public.customers, key int, status text)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    KEYS: { sql: "sum(key)", from: 'or"ders', where: "id > 0 and status = 'x'" }
table_mapping:
  customers:
    contact: { user_id: user_id }
    email: email
    where: "id > 0 and address is not null and v_ids = 7"
    attributes:
      CITY: { sql: "address ->> 'city'" }
      KEY: { sql: "key || id" }
      ROW: { sql: "to_jsonb(customers)", type: json }`,
  });
  const { app } = one.db;
  const user = await one.insert('u@x.test', {});
  await app.query(`insert into public.customers values (1, 'a@x.test', '{"city": "Ulm"}', 'k', 7, 'x', null),
    (2, 'b@x.test', '{}', 'k', 8, 'x', null), (3, null, '{"city": "Bonn"}', 'u', 7, null, '${user}')`);
  await app.query(
    `insert into public."or""ders" values (1, 1, 40, 'x'), (2, 1, 2, 'x'), (3, 1, 5, 'y'), (4, 3, 9, 'x')`,
  );
  await one.foldAll();
  const row = {
    id: 1,
    email: 'a@x.test',
    address: { city: 'Ulm' },
    key: 'k',
    v_ids: 7,
    rollcall_x: 'x',
    user_id: null,
  };
  expect((await one.desired('email:a@x.test'))?.payload).toEqual({ CITY: 'Ulm', KEY: 'k1', ROW: row, KEYS: 42 });
  expect((await one.desired(user))?.payload).toMatchObject({ CITY: 'Bonn', KEYS: 9 });
  expect((await one.desired('email:b@x.test'))?.action ?? 'none').toBe('none');
  const { rows } = await app.query('select name from rollcall.sources where pause_code is not null');
  expect(rows).toEqual([]);
});
