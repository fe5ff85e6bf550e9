import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { tablesConfig, USERS, withTables } from '../../support/tables.ts';
import { around, type Installed, REF } from './support.ts';

const DDL = `create table public.customers (id int primary key, email text, name text, plan text);
  create table public.orders (id int primary key, email text, total bigint, note text)`;

const connector = (name: string, total: string): string => `${USERS}
table_mapping:
  customers:
    email: email
    ${name}: FIRSTNAME
    plan: PLAN
  orders:
    sync_as: events
    event_name: order_placed
    properties: { ${total}: amount }`;

const world = (): Promise<Installed> => withTables({ ddl: DDL, connector: connector('name', 'total') });

async function sources(one: Installed): Promise<Record<string, string>> {
  const { rows } = await one.db.app.query(
    'select name, pause_message from rollcall.sources where pause_code is not null order by name',
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.pause_message])) as Record<string, string>;
}

async function events(one: Installed): Promise<object[]> {
  const { rows } = await one.db.app.query(
    'select name, properties, state from rollcall.events order by happened_at, seq',
  );
  return rows as object[];
}

const DRIFTS: readonly [string, string, string, string][] = [
  [
    'renamed',
    'alter table public.customers rename name to label',
    'The column name is gone.',
    'alter table public.customers rename label to name',
  ],
  [
    'dropped',
    'alter table public.customers drop column name',
    'The column name is gone.',
    `alter table public.customers add column name text; update public.customers set name = 'Ann'`,
  ],
  [
    'retyped',
    `alter table public.customers alter column name type jsonb using to_jsonb(name)`,
    'The column name was text and is jsonb.',
    `alter table public.customers alter column name type text using name #>> '{}'`,
  ],
];

test.each(DRIFTS)(
  'a mapped column that is %s pauses its source alone, and heals when it is put back',
  async (_, sql, message, back) => {
    const one = await world();
    const { app } = one.db;
    await app.query(`insert into public.customers values (1, 'ann@x.test', 'Ann', 'free')`);
    await one.foldAll();
    await app.query(sql);
    await app.query(`update public.customers set plan = 'pro'`);
    await app.query(`insert into public.customers (id, email) values (2, 'new@x.test')`);
    const user = await one.insert('user@x.test', { full_name: 'U' });
    await one.foldAll();
    expect(await sources(one)).toEqual({ 'public.customers': message });
    // What the table gave stays, and others go on.
    expect(await one.desired('email:ann@x.test')).toMatchObject({
      action: 'upsert',
      payload: { FIRSTNAME: 'Ann', PLAN: 'free' },
    });
    expect(await one.desired(user)).toMatchObject({ action: 'upsert', payload: { FIRSTNAME: 'U' } });
    await app.query(back);
    await one.store.recheckSources();
    expect(await sources(one)).toEqual({});
    await one.sweepNow();
    expect(await one.desired('email:ann@x.test')).toMatchObject({ payload: { FIRSTNAME: 'Ann', PLAN: 'pro' } });
    expect((await one.desired('email:new@x.test'))?.action).toBe('upsert');
  },
);

test('an apply with the column’s new name heals, and nothing was lost', async () => {
  const one = await world();
  const { app } = one.db;
  await app.query(`insert into public.customers values (1, 'ann@x.test', 'Ann', 'free')`);
  await one.foldAll();
  await app.query(
    `alter table public.customers rename name to label; alter table public.orders rename total to amount`,
  );
  await app.query(`update public.customers set label = 'Anna'`);
  await app.query(`insert into public.orders values (1, 'ann@x.test', 9007199254740993)`);
  await one.foldAll();
  expect(Object.keys(await sources(one))).toEqual(['public.customers', 'public.orders']);
  expect(await events(one)).toEqual([]);
  const config = tablesConfig({ ddl: DDL, connector: connector('label', 'amount') });
  await applyInstall(one.db.sql, config, REF);
  const healed = await around(one.db, config);
  await healed.foldAll();
  await healed.sweepNow();
  expect(await sources(one)).toEqual({});
  expect(await healed.desired('email:ann@x.test')).toMatchObject({ payload: { FIRSTNAME: 'Anna' } });
  const { rows } = await app.query('select properties::text as p from rollcall.events');
  expect(rows).toEqual([{ p: '{"amount": 9007199254740993}' }]);
});

test('rights taken away pause the source with the database’s words', async () => {
  const one = await world();
  const { app } = one.db;
  await app.query(`insert into public.customers values (1, 'ann@x.test', 'Ann', 'free')`);
  await one.foldAll();
  await app.query('revoke select on public.customers from hosted');
  await app.query(`update public.customers set name = 'Anna'`);
  const user = await one.insert('user@x.test', {});
  await one.foldAll();
  expect((await sources(one))['public.customers']).toContain('permission denied');
  expect((await one.desired(user))?.action).toBe('upsert');
  await app.query('grant select on public.customers to hosted');
  await one.store.recheckSources();
  await one.sweepNow();
  expect(await one.desired('email:ann@x.test')).toMatchObject({ payload: { FIRSTNAME: 'Anna' } });
});

test('a table that another transaction keeps locked pauses alone, until the lock is gone', async () => {
  const one = await world();
  const migration = await one.db.connect();
  await migration.query('begin; lock table public.customers in access exclusive mode');
  const user = await one.insert('user@x.test', { full_name: 'U' });
  await one.foldAll();
  expect(await sources(one)).toEqual({ 'public.customers': 'Another transaction has locked it.' });
  expect((await one.desired(user))?.action).toBe('upsert');
  await migration.query('commit');
  await one.store.recheckSources();
  expect(await sources(one)).toEqual({});
});

test('events of a column that is renamed and named back are made, with its values', async () => {
  const one = await world();
  const { app } = one.db;
  await app.query('alter table public.orders rename column total to amount');
  await app.query(`insert into public.orders values (1, 'ann@x.test', 5)`);
  await one.foldAll();
  await app.query('alter table public.orders rename column amount to total');
  await one.store.recheckSources();
  await one.foldAll();
  expect(await events(one)).toEqual([{ name: 'order_placed', properties: { amount: 5 }, state: 'pending' }]);
});

test('sign-ups are told although a column that another event of users needs is gone for a while', async () => {
  const one = await withTables({
    ddl: 'select',
    connector: `${USERS}
events:
  user.signed_up: true
  user.updated: true`,
  });
  const { app } = one.db;
  await app.query('alter table auth.users rename column phone to phone_x');
  await one.insert('a@x.test', {});
  await app.query('alter table auth.users rename column phone_x to phone');
  await one.foldAll();
  expect(await events(one)).toEqual([{ name: 'user.signed_up', properties: {}, state: 'pending' }]);
  const { rows } = await app.query(`select rollcall.status() -> 'events_lost' as n`);
  expect(rows).toEqual([{ n: 0 }]);
});
