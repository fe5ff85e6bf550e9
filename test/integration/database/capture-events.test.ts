import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import { eventTexts, logged, logs } from './capture-support.ts';
import type { Installed } from './support.ts';

const U1 = '00000000-0000-4000-8000-00000000000a';

/** A table of events whose rows lead to contacts by an address. */
async function eventsOf(columns: string, mapping: string, more = ''): Promise<Installed> {
  return withTables({
    ddl: `create schema x; create extension citext schema x; create type x.colour as enum ('red', 'blue'); grant usage on schema x to hosted;
          create table public.orders (${columns}, email text, secret text); ${more}`,
    connector: `${USERS}
table_mapping:
  orders:
    sync_as: events
    event_name: ordered
    ${mapping.replaceAll('\n', '\n    ')}`,
  });
}

test('a row as it was, mapped columns only: each operation that is named, and no other', async () => {
  const one = await eventsOf(
    'id int primary key, total int, note text',
    `operations: [insert, update, delete]
when: "old.total is distinct from total"
properties: { note: note }`,
  );
  const row = { total: 5, note: 'n', email: 'a@x.test' };
  expect((await logs(one, `insert into public.orders values (1, 5, 'n', 'a@x.test', 's')`)).events).toEqual([
    { source: 'public.orders', o: 'insert', k: '1', r: row },
  ]);
  expect(
    (await logs(one, `update public.orders set secret = 't'`, 'update public.orders set total = total')).events,
    'nothing that is mapped',
  ).toEqual([]);
  expect((await logs(one, `update public.orders set total = 6`)).events).toEqual([
    { source: 'public.orders', o: 'update', k: '1', r: { ...row, total: 6 }, p: row },
  ]);
  expect(
    (await logs(one, `update public.orders set id = 2, total = 7`)).events,
    'what it was is not known by its key',
  ).toEqual([{ source: 'public.orders', o: 'update', k: '2', r: { ...row, total: 7 }, p: null }]);
  expect((await logs(one, 'delete from public.orders')).events).toEqual([
    { source: 'public.orders', o: 'delete', k: '2', r: { ...row, total: 7 } },
  ]);
  const inserts = await eventsOf('id int primary key', 'properties: { id: id }');
  expect(
    (
      await logs(
        inserts,
        `insert into public.orders values (1)`,
        'update public.orders set id = 2',
        'delete from public.orders',
      )
    ).events,
  ).toMatchObject([{ o: 'insert' }]);
});

test('every digit of what is written, whatever the settings of the writer’s session', async () => {
  const columns: Readonly<Record<string, [type: string, value: string, json: string]>> = {
    big: ['bigint', '9007199254740993', '9007199254740993'],
    num: ['numeric', '12345678901234567890.12345678901234567890', '12345678901234567890.12345678901234567890'],
    f8: ['float8', '0.1::float8 + 0.2', '0.30000000000000004'],
    f4: ['real', '1.1', '1.1'],
    ts: ['timestamptz', `'2026-01-02 03:04:05.678901+00'`, '"2026-01-02T03:04:05.678901+00:00"'],
    lt: ['timestamp', `'2026-01-02 03:04:05.678901'`, '"2026-01-02T03:04:05.678901"'],
    d: ['date', `'2026-02-01'`, '"2026-02-01"'],
    iv: ['interval', `'1 day -2 hours'`, '"P1DT-2H"'],
    by: ['bytea', `'\\x00ff'`, '"\\\\x00ff"'],
    arr: [
      'timestamptz[]',
      `array['2026-01-02 03:04:05.678901+00'::timestamptz]`,
      '["2026-01-02T03:04:05.678901+00:00"]',
    ],
    rng: [
      'tstzrange',
      `'[2026-01-02 00:00+00, 2026-02-01 00:00+00)'`,
      '"[\\"2026-01-02 00:00:00+00\\",\\"2026-02-01 00:00:00+00\\")"',
    ],
    j: ['json', `'{"a": 9007199254740993}'`, '{"a": 9007199254740993}'],
    jb: ['jsonb', `'[1.10]'`, '[1.10]'],
    e: ['x.colour', `'red'`, '"red"'],
    c: ['x.citext', `'Mixed'`, '"Mixed"'],
    inf: ['timestamptz', `'infinity'`, '"infinity"'],
    nan: ['numeric', `'NaN'`, '"NaN"'],
    nul: ['text', 'null', 'null'],
    gen: ['int generated always as (abs(-7)) stored', 'default', '7'],
  };
  const names = Object.keys(columns);
  const one = await eventsOf(
    `at timestamptz, id float8, ${names.map((n) => `${n} ${columns[n]![0]}`).join(', ')}, primary key (id, at)`,
    `properties: { ${names.map((n) => `${n}: ${n}`).join(', ')} }`,
  );
  const { app } = one.db;
  for (const settings of [
    '',
    `set timezone = 'Asia/Kathmandu'; set datestyle = 'German, DMY'; set intervalstyle = 'sql_standard'; set extra_float_digits = -10; set bytea_output = 'escape'`,
  ]) {
    await app.query(settings);
    const [text] = await eventTexts(
      one,
      `delete from public.orders; insert into public.orders (at, id, ${names.join(', ')}) values ('2026-03-01 00:00+00', 0.1, ${names.map((n) => columns[n]![1]).join(', ')})`,
    );
    for (const name of names) expect(text).toContain(`"${name}": ${columns[name]![2]}`);
    const { events } = await logged(one);
    expect(events[0]?.k).toBe('[0.1, "2026-03-01T00:00:00+00:00"]');
  }
});

test('many rows of one statement come in pieces of a hundred, each once and in order', async () => {
  const one = await eventsOf('id int primary key', 'properties: { id: id }');
  const { events, rows } = await logs(one, `insert into public.orders select generate_series(1, 250)`);
  expect(rows).toBe(3);
  expect(events.map((e) => e.r['id'])).toEqual(Array.from({ length: 250 }, (_, n) => n + 1));
  expect(
    (await logs(one, 'begin', 'delete from public.orders', `insert into public.orders values (1)`, 'rollback')).events,
  ).toEqual([]);
});

test('rows that are counted and are events: one failing does not lose the other', async () => {
  const one = await withTables({
    ddl: `create table public.orders (id int primary key, user_id uuid, basket json, total int)`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes: { LTV: { sql: "sum(total)", from: orders, contact: { user_id: user_id } } }
table_mapping:
  orders: { sync_as: events, event_name: ordered, contact: { user_id: user_id }, properties: { basket: basket } }`,
  });
  expect(await logs(one, `insert into public.orders values (1, '${U1}', '{}', 5)`)).toMatchObject({
    keys: { contacts: [U1] },
    events: [{ k: '1', r: { user_id: U1, basket: {} } }],
  });
  const before = await one.uncaptured();
  // Text in json that jsonb does not take.
  expect(await logs(one, `insert into public.orders values (2, '${U1}', '{"a": "\\u0000"}', 5)`)).toMatchObject({
    keys: { contacts: [U1] },
    events: [],
  });
  expect(await one.uncaptured()).toBe(before + 1);
  await one.db.app.query('alter table public.orders rename total to amount');
  expect(
    await logs(
      one,
      `insert into public.orders values (3, '${U1}', '{}', 5)`,
      `update public.orders set amount = 6 where id = 3`,
    ),
  ).toMatchObject({
    keys: { contacts: [U1, U1] },
    events: [{ k: '3' }],
  });
  expect(await one.uncaptured(), 'the links are there, so that whoever is touched is taken').toBe(before + 1);
});

test('a projection that no longer fits: whole rows are kept, by the key as it is called now', async () => {
  const one = await eventsOf(
    'id int, shop text, total int, primary key (shop, id)',
    `operations: [insert, update, delete]\nproperties: { total: amount }`,
  );
  const { app } = one.db;
  const before = await one.uncaptured();
  await app.query('alter table public.orders rename total to amount');
  expect(
    (await logs(one, `insert into public.orders values (1, 'a', 5, 'a@x.test', 's'), (2, 'a', 6, 'a@x.test', 's')`))
      .events,
  ).toMatchObject([
    {
      source: 'public.orders',
      o: 'insert',
      k: '["a", 1]',
      r: { id: 1, shop: 'a', amount: 5, email: 'a@x.test', secret: 's' },
      raw: true,
      n: { id: 1, shop: 2, amount: 3 },
    },
    {
      source: 'public.orders',
      o: 'insert',
      k: '["a", 2]',
      r: { id: 2, shop: 'a', amount: 6, email: 'a@x.test', secret: 's' },
      raw: true,
      n: { id: 1, shop: 2, amount: 3 },
    },
  ]);
  await app.query('alter table public.orders rename id to number');
  expect((await logs(one, `update public.orders set amount = 7 where number = 1`)).events).toMatchObject([
    { o: 'update', k: '["a", 1]', r: { amount: 7 }, p: { amount: 5, number: 1 }, raw: true },
  ]);
  expect((await logs(one, `delete from public.orders where number = 2`)).events).toMatchObject([
    { o: 'delete', k: '["a", 2]', raw: true },
  ]);
  await app.query('alter table public.orders drop constraint orders_pkey');
  expect((await logs(one, `update public.orders set amount = 8`)).events).toMatchObject([
    { o: 'update', k: null, r: { amount: 8 }, p: null, raw: true },
  ]);
  await app.query('alter table public.orders rename number to id');
  await app.query('alter table public.orders rename amount to total');
  expect((await logs(one, `update public.orders set total = 9`)).events, 'it fits again').toMatchObject([
    { k: '["a", 1]', r: { total: 9 }, p: { total: 8 } },
  ]);
  expect(await one.uncaptured()).toBe(before);
});

test('of users only what may be mapped is ever captured, also when a column is gone', async () => {
  const one = await withTables({
    ddl: '',
    connector: `${USERS}
events:
  user.signed_up: true
  user.updated: true
  user.deleted: { event_name: left, properties: { app_metadata.provider: provider } }`,
  });
  const secrets = { encrypted_password: 'HASH', recovery_token: 'TOKEN', email_change: 'pending@x.test' };
  const insert = async (): Promise<string> =>
    one.insert(`${Math.random()}@x.test`, { full_name: 'A' }, { ...secrets, raw_app_meta_data: { provider: 'p' } });
  const id = await insert();
  await one.db.app.query(`update auth.users set encrypted_password = 'HASH2'`);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{}'`);
  await one.db.app.query('delete from auth.users');
  const { events, keys } = await logged(one);
  expect(events.map((e) => [e.source, e.o, e.k])).toEqual([
    ['auth.users', 'insert', id],
    ['auth.users', 'update', id],
    ['auth.users', 'delete', id],
  ]);
  expect(keys['contacts']).toEqual([id, id, id]);
  await one.db.app.query('alter table auth.users rename raw_app_meta_data to app_meta');
  const before = await one.uncaptured();
  const late = await one.insert('late@x.test', {}, secrets);
  expect(await one.uncaptured()).toBe(before);
  expect((await logged(one)).events.at(-1)).toMatchObject({
    o: 'insert',
    k: late,
    raw: true,
    r: { email: 'late@x.test' },
  });
  const all = JSON.stringify(await logged(one));
  for (const secret of ['HASH', 'TOKEN', 'pending', 'encrypted', 'token']) expect(all).not.toContain(secret);
});

test('events that could not be captured are counted, as no sweep brings them back', async () => {
  const one = await withTables({
    ddl: 'create table public.orders (id int primary key, email text)',
    connector: `table_mapping:
  orders:
    sync_as: events
    event_name: order_placed`,
  });
  const lost = async (): Promise<unknown> =>
    (await one.db.app.query(`select rollcall.status() -> 'events_lost' as n`)).rows[0].n;
  await one.db.app.query(`insert into public.orders values (1, 'a@x.test')`);
  expect(await lost()).toBe(0);
  await one.db.app.query('alter sequence rollcall.changes_id restart with 9223372036854775807 no cycle');
  await one.db.app.query(`select nextval('rollcall.changes_id')`);
  await one.db.app.query(`insert into public.orders values (2, 'a@x.test')`);
  expect(await lost()).toBe(1);
});
