import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

const BY_EMAIL = `${USERS}
table_mapping:
  customers:
    email: email`;

/** Sweeps in pages of one row, and tells how many pages had one. */
async function pages(one: Installed): Promise<number> {
  let count = 0;
  for (let after: string | null = null; ;) {
    const page = await one.store.sweepPage(after, 1);
    count += page.scanned;
    if (page.lastKey === null) return count;
    after = page.lastKey;
  }
}

async function contacts(one: Installed): Promise<unknown[]> {
  const { rows } = await one.db.app.query(`select key from rollcall.contacts order by key`);
  return rows.map((row) => row.key);
}

const KEYS: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['extensions.citext', ['a', 'B', 'c', 'D', 'e']],
  ['public.nick', ['a', 'B', 'c', 'D', 'e']],
  ['extensions.ltree', ['a.b', 'a', 'a.b.c', 'B']],
  ['int[]', ['{1,2}', '{3}', '{1}', '{NULL}']],
  ['text[]', ['{"a,b"}', '{a,b}', '{}', '{"\\\\"}']],
  ['jsonb', ['{"a":1}', '[1]', '"s"', 'null', '1.0']],
  ['public.mood', ['x', 'a', 'm']],
  ['public.spot', ['(1,"a b")', '(1,)', '(0,z)']],
  ['int4range', ['[1,2)', '[4,9)', 'empty']],
  ['timestamptz', ['2026-01-01', '2026-01-01T00:00:00.000001Z', 'infinity', '-infinity', '0044-03-15 00:00:00+00 BC']],
  ['interval', ['1 mon', '29 days', '1 year', '-1 day 2 hours']],
  ['float8', ['0.1', '0.30000000000000004', 'NaN', 'Infinity', '-0']],
  ['numeric', ['1.10', '1.11', 'NaN']],
  ['bytea', ['\\x00', '\\x01', '\\xff']],
  ['text', ['a', 'B', 'b', 'é', 'Z/x', '"q"', '\\', '']],
  ['char(3)', ['a', 'b', 'B']],
  ['inet', ['10.0.0.0/8', '10.0.0.1', '::1']],
];

const EXTENSIONS = `create schema extensions; grant usage on schema extensions to hosted;
  create extension citext schema extensions; create extension ltree schema extensions;`;

test('a sweep pages over primary keys of every type', async () => {
  const tables = KEYS.map(([type], n) => `create table public.t${n} (k ${type} primary key, email text);`);
  const one = await withTables({
    ddl: `${EXTENSIONS} grant usage on schema public to hosted;
      create type public.mood as enum ('x', 'm', 'a'); create type public.spot as (x int, y text);
      create domain public.nick as extensions.citext; ${tables.join('\n')}`,
    connector: `${USERS}
table_mapping:${KEYS.map((_, n) => `\n  t${n}: { email: email }`).join('')}`,
  });
  const { app } = one.db;
  await app.query('set session_replication_role = replica');
  const all: string[] = [];
  for (const [n, [type, values]] of KEYS.entries()) {
    for (const [m, value] of values.entries()) {
      await app.query(`insert into public.t${n} values ($1::${type}, $2)`, [value, `${type}#${m}`]);
      all.push(`email:${type.toLowerCase()}#${m}`);
    }
  }
  expect(await pages(one)).toBe(all.length);
  expect(await contacts(one)).toEqual(all.toSorted());
  const { rows } = await app.query('select name from rollcall.sources where pause_code is not null');
  expect(rows).toEqual([]);
});

test('a sweep pages over a primary key of several columns', async () => {
  const one = await withTables({
    ddl: `${EXTENSIONS}
      create table public.customers (part int, k extensions.ltree, name extensions.citext, email text, primary key (part, k, name));
      create table public.plain (b timestamptz, a text, email text, primary key (b, a))`,
    connector: `${BY_EMAIL}
  plain:
    email: email`,
  });
  const { app } = one.db;
  await app.query(`set session_replication_role = replica;
    insert into public.customers select p, k::extensions.ltree, n, 'c' || p || k || n from generate_series(1, 2) p, unnest('{a,a.b,B}'::text[]) k, unnest('{y,Z,x}'::text[]) n;
    insert into public.plain select now() + n % 3 * interval '1 us', n, 'p' || n from generate_series(1, 9) n`);
  expect(await pages(one)).toBe(27);
  expect(await contacts(one)).toHaveLength(27);
});

test('the next page of a key with operators of its own is found by the index', async () => {
  const one = await withTables({
    ddl: `${EXTENSIONS}
      create table public.customers (k extensions.citext primary key, email text)`,
    connector: BY_EMAIL,
  });
  const { app } = one.db;
  const { rows } = await app.query(
    `select pg_get_functiondef(oid) as d from pg_proc where pronamespace = 'rollcall'::regnamespace and proname = 'sweep_1'`,
  );
  const condition = /where (t\."k" operator.*?) order by/.exec(rows[0].d as string)?.[1] ?? '';
  const plan = await app.query(
    `explain select from public.customers t where ${condition.replaceAll('p_after', `'["a"]'`)} order by t.k limit 1`,
  );
  expect(plan.rows.map((row) => row['QUERY PLAN'] as string).join('\n')).toMatch(/Index Cond: \(k OPERATOR/);
});

test('a table that is locked is paused by itself, and the sweep goes on', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text); create table public.zeta (id int primary key, email text);
      create table public.orders (id int primary key, customer_id int, total int)`,
    connector: `${USERS}
table_mapping:
  customers:
    email: email
    attributes: { LTV: { sql: "sum(total)", from: orders, contact: { customers: customer_id } } }
  zeta:
    email: email`,
  });
  const { app } = one.db;
  const paused = async (): Promise<unknown[]> => {
    const { rows } = await app.query('select name from rollcall.sources where pause_code is not null order by name');
    return rows.map((row) => row.name);
  };
  await app.query('insert into public.orders values (1, 1, 5)');
  const migration = await one.db.connect();
  await migration.query('begin; lock table public.customers in access exclusive mode');
  await one.foldAll();
  expect(await paused()).toEqual(['public.customers']);
  await migration.query('rollback');
  await one.store.recheckSources();
  expect(await paused()).toEqual([]);

  await app.query(`set session_replication_role = replica; insert into public.zeta values (1, 'z@x.test');
    insert into public.customers values (1, 'a@x.test')`);
  await migration.query('begin; lock table public.customers in access exclusive mode');
  expect(await one.sweepNow()).toMatchObject({ folded: 1 });
  expect(await paused()).toContain('public.customers');
  await migration.query('rollback');
  await one.store.recheckSources();
  await one.sweepNow();
  expect(await paused()).toEqual([]);
  expect(await one.desired('email:a@x.test')).toMatchObject({ payload: { LTV: 5 } });
});

const LISTED = `sync: { users: false }
${BY_EMAIL}`;

/** Forty users who are contacts because a row names them, delivered. */
async function listed(): Promise<Installed> {
  const one = await withTables({
    ddl: 'create table public.customers (id int primary key, email text, user_id uuid references auth.users on delete cascade)',
    connector: LISTED,
  });
  for (let n = 0; n < 40; n++) {
    const user = await one.insert(`u${n}@x.test`);
    await one.db.app.query('insert into public.customers values ($1, null, $2)', [n, user]);
  }
  await one.foldAll();
  await one.deliverAll();
  return one;
}

async function states(one: Installed): Promise<unknown[]> {
  const { rows } = await one.db.app.query(
    `select action, reason, count(*)::int as n from rollcall.desired group by 1, 2 order by 1, 2`,
  );
  return rows;
}

/** What the brakes hold at each destination. */
async function held(one: Installed): Promise<readonly number[]> {
  const { rows } = await one.db.app.query(
    `select sum(b.held)::int as n from rollcall.brake_states() b group by b.destination_id order by b.destination_id`,
  );
  return rows.map((row) => row.n as number);
}

test('users whom no table names any more, unseen: a few are followed, many stop at the brake', async () => {
  const one = await listed();
  const { app } = one.db;
  await app.query(`set session_replication_role = replica; delete from public.customers where id < 3;
    set session_replication_role = origin`);
  await one.sweepNow();
  expect(await held(one)).toEqual([0]);
  expect(await states(one)).toEqual([
    { action: 'delete', reason: 'not_synced', n: 3 },
    { action: 'upsert', reason: null, n: 37 },
  ]);
  await one.deliverAll();

  await app.query('truncate public.customers');
  await one.sweepNow();
  expect(await held(one)).toEqual([37]);
  expect(await one.claim()).toEqual([]);

  // The same with a destination that never had them.
  await app.query(`insert into rollcall.destinations (name, type, map_function, plan, account)
    select 'new', type, map_function, plan, account from rollcall.destinations`);
  await one.sweepNow();
  expect(await held(one)).toEqual([37, 0]);
  expect((await one.claim()).map(({ action }) => action)).toEqual([]);
});

test('those who are seen leaving stop at the same brake, and a sweep does not count them again', async () => {
  const one = await listed();
  await one.db.app.query('delete from public.customers where id < 20');
  await one.foldAll();
  expect(await states(one)).toContainEqual({ action: 'delete', reason: 'not_synced', n: 20 });
  expect(await held(one)).toEqual([20]);
  await one.sweepNow();
  expect(await held(one)).toEqual([20]);
  expect(await one.claim()).toEqual([]);
});
