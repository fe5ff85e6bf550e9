import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import { keysOf, logs } from './capture-support.ts';
import type { Installed } from './support.ts';

const U1 = '00000000-0000-4000-8000-00000000000a';
const U2 = '00000000-0000-4000-8000-00000000000b';

const people = async (one: Installed): Promise<void> => {
  await one.db.app.query(`insert into auth.users (id, email) values ('${U1}', 'u1@x.test'), ('${U2}', 'u2@x.test')`);
};

/** Columns of a table of contacts by address, its key, and a change of the key with what it gives. */
const KEYS: readonly [name: string, ddl: string, insert: string, change: string][] = [
  ['text', 'id text primary key', `'a'`, `id = 'b'`],
  ['composite', 'a int, id text, primary key (id, a)', `1, 'x'`, `a = 2`],
  ['citext, changed in case alone', 'id x.citext primary key', `'a'`, `id = 'A'`],
  ['enum', 'id x.colour primary key', `'red'`, `id = 'blue'`],
  ['domain', 'id x.code primary key', `'ABC'`, `id = 'XYZ'`],
  [
    'composite with enum and time',
    'at timestamptz, id x.colour, primary key (id, at)',
    `now(), 'red'`,
    `at = now() + interval '1 day'`,
  ],
  ['range', 'id x.span primary key', `'[1,2]'`, `id = '[3,4]'`],
  ['a type whose operators are in another schema', 'id x.ltree primary key', `'a.b'`, `id = 'a.c'`],
  ['bytea', 'id bytea primary key', `'\\x01'`, `id = '\\x02'`],
  ['numeric, changed in scale alone', 'id numeric primary key', `1.0`, `id = 1.00`],
];

test.each(KEYS)(
  'a primary key (%s) pairs the rows of an update, and a change of it is seen',
  async (_, ddl, values, change) => {
    const one = await withTables({
      ddl: `create schema x; create extension citext schema x; create extension ltree schema x;
          create type x.colour as enum ('red', 'blue'); create domain x.code as x.citext check (value ~ '^[A-Z]{3}$');
          create type x.span as range (subtype = int); grant usage on schema x to hosted;
          create table public.customers (${ddl}, email text, note text)`,
      connector: `${USERS}
table_mapping:
  customers:
    email: email
    note: NOTE`,
    });
    const columns = ddl.startsWith('a ') ? 'a, id' : ddl.startsWith('at ') ? 'at, id' : 'id';
    const before = await one.uncaptured();
    expect(
      await keysOf(one, `insert into public.customers (${columns}, email) values (${values}, 'A@x.test')`),
    ).toEqual(['email:a@x.test']);
    expect(await keysOf(one, `update public.customers set note = note`)).toEqual([]);
    expect(await keysOf(one, `update public.customers set note = 'n'`)).toEqual(['email:a@x.test']);
    const changed = await keysOf(one, `update public.customers set ${change}, note = 'm'`);
    expect(changed).toEqual(['email:a@x.test']);
    expect(await keysOf(one, `update public.customers set email = 'b@x.test'`), 'whose it was and is').toEqual([
      'email:a@x.test',
      'email:b@x.test',
    ]);
    expect(await keysOf(one, `delete from public.customers`)).toEqual(['email:b@x.test']);
    expect(await one.uncaptured()).toBe(before);
  },
);

test.each(['uuid', 'text', 'varchar(40)', 'varchar'])(
  'a column of user ids of type %s leads to users',
  async (type) => {
    const one = await withTables({
      ddl: `create table public.profiles (id bigint primary key generated always as identity, who ${type}, name text)`,
      connector: `${USERS}
table_mapping:
  profiles: { contact: { user_id: who }, name: FIRSTNAME }`,
    });
    await people(one);
    expect(
      await keysOf(one, `insert into public.profiles (who, name) values ('${U1}', 'a'), ('${U1}', 'b'), (null, 'c')`),
      'each once',
    ).toEqual([U1]);
    if (type !== 'uuid') {
      expect(await keysOf(one, `insert into public.profiles (who, name) values ('nobody', 'd')`)).toEqual([]);
      expect(await keysOf(one, `insert into public.profiles (who, name) values ('${U2.toUpperCase()}', 'd')`)).toEqual([
        U2,
      ]);
      await one.db.app.query(`delete from public.profiles where name = 'd'`);
    }
    expect(
      await keysOf(one, `update public.profiles set who = '${U2}' where name = 'b'`),
      'from one to the other',
    ).toEqual([U1, U2]);
    expect(await keysOf(one, `update public.profiles set who = null where name = 'b'`)).toEqual([U2]);
    expect(await keysOf(one, `delete from public.profiles`)).toEqual([U1]);
  },
);

test('what is watched: links, mapped columns, filters, expressions, the column that decides between rows, consent; nothing else', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, owner uuid references auth.users, name text, city json, tags text[],
            plan text, archived boolean, opted boolean, created_at timestamptz, total numeric generated always as (id * 2) stored, noise text)`,
    connector: `${USERS}
table_mapping:
  customers:
    contact: { user_id: owner }
    email: email
    name: FIRSTNAME
    "city.name": CITY
    total: TOTAL
    where: "archived is not true"
    attributes: { TIER: { sql: "upper(plan) || cardinality(tags)" } }`,
    consent: '{ column: customers.opted }',
  });
  await people(one);
  await one.db.app.query(
    `insert into public.customers (id, email, owner, city, tags) values (1, 'c@x.test', '${U1}', '{"name":"A"}', '{a}')`,
  );
  const set = (change: string): Promise<readonly string[]> => keysOf(one, `update public.customers set ${change}`);
  for (const change of [
    `email = 'C@x.test'`,
    `name = 'N'`,
    `city = '{"name": "A"}'`,
    `plan = 'p'`,
    `tags = '{a,b}'`,
    'archived = true',
    'opted = true',
    'created_at = now()',
  ])
    expect({ change, keys: await set(change) }).toEqual({ change, keys: [U1] });
  for (const change of [`noise = 'x'`, `name = name`, `city = '{"name": "A"}'`])
    expect({ change, keys: await set(change) }).toEqual({ change, keys: [] });
  expect(await set('id = 3'), 'the key, and with it the generated column').toEqual([U1]);
  expect(await set(`owner = null`)).toEqual([U1, 'email:c@x.test'].toSorted());
});

test('aggregates: a count sees rows come, go and change hands; a sum its column; rows of another table go by that one', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text);
          create table public.orders (id int primary key, customer_id int references public.customers on delete cascade on update cascade, total int, note text);
          create table public.visits (id int primary key, user_id uuid references auth.users on delete cascade, page text)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    VISITS: { sql: "count(*)", from: visits }
    LTV: { sql: "sum(total)", from: orders }
table_mapping:
  customers: { email: email }`,
  });
  await people(one);
  const via = 'public.orders.customer_id -> public.customers';
  expect(await keysOf(one, `insert into public.visits values (1, '${U1}', 'a'), (2, '${U1}', 'b')`)).toEqual([U1]);
  expect(await keysOf(one, `update public.visits set page = 'c'`)).toEqual([]);
  expect(await keysOf(one, `update public.visits set user_id = '${U2}' where id = 2`)).toEqual([U1, U2]);
  expect((await logs(one, `insert into public.customers values (1, 'a@x.test'), (2, 'b@x.test')`)).keys).toEqual({
    contacts: ['email:a@x.test', 'email:b@x.test'],
  });
  expect((await logs(one, `insert into public.orders values (10, 1, 5), (11, 1, 6)`)).keys).toEqual({ [via]: ['1'] });
  expect((await logs(one, `update public.orders set note = 'n'`)).keys).toEqual({});
  expect((await logs(one, `update public.orders set total = 7 where id = 10`)).keys).toEqual({ [via]: ['1'] });
  expect((await logs(one, `update public.orders set customer_id = 2 where id = 11`)).keys).toEqual({
    [via]: ['1', '2'],
  });
  expect(
    (await logs(one, `update public.customers set id = 5 where id = 2`)).keys,
    'a cascade is a statement too',
  ).toEqual({
    contacts: ['email:b@x.test'],
    [via]: ['2', '5'],
  });
  expect((await logs(one, `delete from public.customers where id = 5`)).keys).toEqual({
    contacts: ['email:b@x.test'],
    [via]: ['5'],
  });
  expect(
    await keysOf(one, `delete from auth.users where id = '${U1}'`),
    'the user, and the visits that go with it',
  ).toEqual([U1, U1]);
});

test('the tables under a view: any column counts, as what the view shows is not known', async () => {
  const one = await withTables({
    // Of virtual columns triggers see no values; before Postgres 18 there are none.
    ddl: `do $$ begin execute format('create table public.orders (id int primary key, user_id uuid references auth.users, total int,
            twice int generated always as (total * 2) %s)', case when current_setting('server_version_num')::int >= 180000 then 'virtual' else 'stored' end); end $$;
          create view public.order_totals as select user_id, sum(twice) as total from public.orders group by user_id`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    LTV: { sql: "sum(total)", from: order_totals, base_tables: [orders], contact: { user_id: user_id } }`,
  });
  await people(one);
  expect(await keysOf(one, `insert into public.orders (id, user_id, total) values (1, '${U1}', 5)`)).toEqual([U1]);
  expect(await keysOf(one, `update public.orders set total = 6`)).toEqual([U1]);
  expect(await keysOf(one, `update public.orders set total = 6`)).toEqual([]);
});

test('one table in two roles: its rows are contacts, and are counted for others', async () => {
  const one = await withTables({
    ddl: `create table public.people (id int primary key, email text, invited_by uuid references auth.users, note text)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    INVITED: { sql: "count(*)", from: people, contact: { user_id: invited_by } }
table_mapping:
  people: { contact: { email: email }, email: email, note: NOTE }`,
  });
  await people(one);
  expect(await keysOf(one, `insert into public.people values (1, 'p@x.test', '${U1}', 'n')`)).toEqual(
    [U1, 'email:p@x.test'].toSorted(),
  );
  expect(await keysOf(one, `update public.people set invited_by = '${U2}'`)).toEqual(
    [U1, U2, 'email:p@x.test'].toSorted(),
  );
  const { rows } = await one.db.app.query(
    `select count(*)::int as n from pg_trigger where tgrelid = 'public.people'::regclass and not tgisinternal`,
  );
  expect(rows[0].n).toBe(4);
});

test('COPY, MERGE, ON CONFLICT, a savepoint that is rolled back, row security and statements without rows', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, name text);
          alter table public.customers enable row level security; alter table public.customers force row level security;
          do $$ begin if not exists (select from pg_roles where rolname = 'shop_writer') then create role shop_writer; end if; end $$;
          grant all on public.customers to shop_writer; grant usage on schema public to shop_writer;
          create policy theirs on public.customers for all to shop_writer using (id < 100) with check (id < 100);
          create policy none on public.customers for select to hosted using (false)`,
    connector: `${USERS}
table_mapping:
  customers: { email: email, name: FIRSTNAME }`,
  });
  const as = (statement: string): readonly string[] => ['set role shop_writer', statement, 'reset role'];
  expect(await keysOf(one, ...as(`insert into public.customers values (1, 'a@x.test'), (2, 'b@x.test')`))).toEqual([
    'email:a@x.test',
    'email:b@x.test',
  ]);
  expect(
    await keysOf(
      one,
      ...as(
        `insert into public.customers values (1, 'new@x.test'), (3, 'c@x.test') on conflict (id) do update set email = excluded.email`,
      ),
    ),
  ).toEqual(['email:a@x.test', 'email:c@x.test', 'email:new@x.test']);
  expect(
    await keysOf(one, ...as(`insert into public.customers values (1, 'x@x.test') on conflict do nothing`)),
  ).toEqual([]);
  expect(
    await keysOf(
      one,
      ...as(`merge into public.customers c using (values (1), (2), (4)) v(id) on v.id = c.id
         when matched and c.id = 1 then update set name = 'm'
         when matched then delete
         when not matched then insert (id, email) values (v.id, 'd@x.test')`),
    ),
  ).toEqual(['email:b@x.test', 'email:d@x.test', 'email:new@x.test']);
  expect(await keysOf(one, `copy public.customers (id, email) from program 'echo 9,copied@x.test' csv`)).toEqual([
    'email:copied@x.test',
  ]);
  expect(
    await keysOf(
      one,
      'delete from public.customers where false',
      'update public.customers set name = name where false',
    ),
  ).toEqual([]);
  expect(
    await keysOf(
      one,
      'begin',
      `insert into public.customers values (20, 's1@x.test')`,
      'savepoint s',
      `insert into public.customers values (21, 's2@x.test')`,
      'rollback to s',
      'commit',
      'begin',
      `delete from public.customers`,
      'rollback',
    ),
  ).toEqual(['email:s1@x.test']);
  const before = await one.uncaptured();
  await one.db.app.query('truncate public.customers');
  expect(await one.uncaptured()).toBe(before + 1);
});

test('names with quotes, capitals, spaces and our own words; 1,000 columns', async () => {
  const hostile = `O'Brien "Orders" $rollcall$ \\ é`;
  const wide = Array.from({ length: 990 }, (_, n) => `"Column ${n}" int`).join(', ');
  const one = await withTables({
    ddl: `create schema "My Schema"; grant usage on schema "My Schema" to hosted;
          create table "My Schema".${quoted(hostile)} ("Id" int, "new" int, "o" text, "n" text, "k" text, v_keys text, rollcall_new text, "E-Mail" text, ${wide}, primary key ("Id", "new"));
          grant all on all tables in schema "My Schema" to hosted`,
    connector: `${USERS}
table_mapping:
  ${JSON.stringify(`My Schema.${hostile.replaceAll('\\', '\\\\')}`)}:
    contact: { email: "E-Mail" }
    "E-Mail": email
    o: O
    n: N
    k: K
    v_keys: V
    rollcall_new: R
    "Column 0": C0
    attributes: { WIDE: { sql: ${JSON.stringify(Array.from({ length: 990 }, (_, n) => `coalesce("Column ${n}", 0)`).join(' + '))} } }`,
  });
  const table = `"My Schema".${quoted(hostile)}`;
  const before = await one.uncaptured();
  expect(
    await keysOf(one, `insert into ${table} ("Id", "new", "E-Mail") values (1, 1, 'a@x.test'), (1, 2, 'b@x.test')`),
  ).toEqual(['email:a@x.test', 'email:b@x.test']);
  for (const column of ['"o"', '"n"', '"k"', 'v_keys', 'rollcall_new', '"Column 989"'])
    expect({ column, keys: await keysOf(one, `update ${table} set ${column} = '7' where "new" = 2`) }).toEqual({
      column,
      keys: ['email:b@x.test'],
    });
  expect(await keysOf(one, `update ${table} set "new" = 3 where "new" = 2`)).toEqual(['email:b@x.test']);
  expect(await keysOf(one, `delete from ${table}`)).toEqual(['email:a@x.test', 'email:b@x.test']);
  expect(await one.uncaptured()).toBe(before);
});

test('a whole table in one statement, in a session that made its plans for one row', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id text primary key, email text, name text)`,
    connector: `${USERS}
table_mapping:
  customers: { email: email, name: FIRSTNAME }`,
  });
  const { app } = one.db;
  for (let n = 0; n < 8; n += 1) {
    await app.query(`insert into public.customers values ($1, 'a@x.test')`, [randomUUID()]);
    await app.query(`update public.customers set name = $1`, [`n${n}`]);
    await app.query(`delete from public.customers`);
  }
  await app.query('truncate rollcall.changes_0');
  await app.query(`set statement_timeout = '20s'`);
  await app.query(`insert into public.customers select n, 'c' || n || '@x.test' from generate_series(1, 30000) n`);
  await app.query(`update public.customers set email = 'z' || email`);
  await app.query('delete from public.customers');
  const { rows } = await app.query(
    `select count(*)::int as rows, sum(cardinality(keys))::int as keys, max(cardinality(keys)) as most from rollcall.changes_0`,
  );
  expect(rows[0]).toEqual({ rows: 120, keys: 120_000, most: 1_000 });
});

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
