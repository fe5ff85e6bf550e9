import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

const ORDERS = `create table public.orders (id int primary key, user_id uuid references auth.users, status text, note text)`;
const MAPPED = `${USERS}
table_mapping:
  orders:
    sync_as: events
    event_name: order
    operations: [insert, update, delete]
    properties: { id: id, status: status }`;

interface Stored {
  readonly id: string;
  readonly key: string | null;
  readonly name: string;
  /** As text: a parsed number would be rounded. */
  readonly properties: string;
  readonly state: string;
  readonly reason: string | null;
  readonly ready: boolean;
}

async function stored(one: Installed): Promise<Stored[]> {
  const { rows } = await one.db.app.query(
    `select e.id, c.key, e.name, e.properties::text as properties, e.state, e.reason, e.ready
       from rollcall.events e left join rollcall.contacts c on c.id = e.contact_id order by e.happened_at, e.seq`,
  );
  return rows;
}

const statuses = (events: readonly Stored[]): unknown[] => events.map((e) => JSON.parse(e.properties).status);

test('what the triggers capture becomes events, in the order in which it was written', async () => {
  const one = await withTables({ ddl: ORDERS, connector: MAPPED });
  const { app } = one.db;
  const user = await one.insert('ann@x.test');
  const early = await one.db.connect();
  await early.query('begin; select pg_current_xact_id()');
  await app.query(`insert into public.orders values (1, $1, 'new', 'secret')`, [user]);
  await app.query(`update public.orders set note = 'nothing mapped'`);
  await app.query(`begin; update public.orders set status = 'undone'; rollback`);
  await app.query(`update public.orders set status = 'paid'`);
  await early.query(`update public.orders set status = 'sent'`);
  await early.query('commit');
  await app.query('delete from public.orders');
  await one.foldAll();
  const events = await stored(one);
  expect(statuses(events)).toEqual(['new', 'paid', 'sent', 'sent']);
  for (const event of events) expect(event).toMatchObject({ key: user, name: 'order', state: 'pending', ready: true });
  const [claimed] = await one.claim();
  expect(claimed).toMatchObject({ action: 'upsert', sendState: true });
  expect(claimed!.events.map((e) => e.id)).toEqual(events.map((e) => e.id));
});

test('in a window folded in pieces nothing is sent before all is in order, and a piece folded again makes no second event', async () => {
  const one = await withTables({ ddl: ORDERS, connector: MAPPED });
  const { app } = one.db;
  const user = await one.insert('ann@x.test');
  await one.foldAll();
  await one.deliverAll();
  const early = await one.db.connect();
  await early.query('begin; select pg_current_xact_id()');
  await app.query(`insert into public.orders values (1, $1, 'first', null)`, [user]);
  await early.query(`update public.orders set status = 'third'`);
  const late = app.query(`update public.orders set status = 'fourth'`);
  await early.query(`update public.orders set note = 'x'; commit`);
  await late;
  const { rows: before } = await app.query(
    `select lo::text as lo from rollcall.fold_position order by id desc limit 1`,
  );
  // By transaction: third, first, fourth.
  expect(await one.store.fold(1)).toMatchObject({ taken: 1 });
  expect(statuses(await stored(one))).toEqual(['third']);
  expect(await one.claim()).toEqual([]);
  await one.store.fold(1);
  expect((await stored(one)).map((e) => e.ready)).toEqual([false, false]);
  await one.foldAll(1);
  const events = await stored(one);
  expect(statuses(events)).toEqual(['first', 'third', 'fourth']);
  const [claimed] = await one.claim();
  expect(claimed!.sendState).toBe(false);
  expect(claimed!.events.map((e) => e.properties['status'])).toEqual(['first', 'third', 'fourth']);

  await app.query(`delete from rollcall.fold_position`);
  await app.query(`insert into rollcall.fold_position (lo) values ($1::pg_snapshot)`, [before[0].lo]);
  expect(await one.foldAll(2)).toMatchObject({ taken: 3 });
  expect(await stored(one)).toEqual(events);
});

test('values of every type survive from the table to the claim, whatever the writer’s session is set to', async () => {
  const names = [
    'big',
    'num',
    'f',
    'at',
    'span',
    'day',
    'bytes',
    'mood',
    'amount',
    'mail',
    'words',
    'spot',
    'doc',
    'nil',
    'twice',
    'paid',
  ];
  const one = await withTables({
    ddl: `create extension citext schema public;
      create type public.mood as enum ('fine', 'so so'); create domain public.amount as numeric(20, 4) not null;
      create type public.spot as (city text, "at" timestamptz);
      create table public.things (id bigint, part text, primary key (id, part), user_id uuid references auth.users, big bigint, num numeric, f float8, at timestamptz,
        span interval, day date, bytes bytea, mood public.mood, amount public.amount, mail public.citext, words text[], spot public.spot,
        doc jsonb, nil jsonb, twice bigint generated always as (big * 2) stored, paid money)`,
    connector: `${USERS}
table_mapping:
  things:
    sync_as: events
    event_name: thing
    properties: ${JSON.stringify(Object.fromEntries(names.map((n) => [n, n])))}`,
  });
  const user = await one.insert('ann@x.test');
  const writer = await one.db.connect();
  await writer.query(`set timezone = 'America/St_Johns'; set datestyle = 'German, DMY'; set intervalstyle = 'sql_standard'; set extra_float_digits = -10;
    set bytea_output = 'escape'`);
  await writer.query(
    `insert into public.things (id, part, user_id, big, num, f, at, span, day, bytes, mood, amount, mail, words, spot, doc, nil, paid)
     values (9007199254740993, 'a"|,b', $1, 4611686018427387904 - 1, 12345678901234567890.10, 0.1::float8 + 0.2, '2026-01-02 03:04:05.678901Z',
       interval '1 mon 2 days 03:00', '2026-02-03', '\\x00ff', 'so so', 1.5, 'Ann@X.y', array['a', null, '"'], row('Ü', '2026-01-01Z'),
       '{"n": [1.50, null, 9007199254740993]}', 'null', 12.5)`,
    [user],
  );
  await one.foldAll();
  const [event] = await stored(one);
  expect(event).toMatchObject({ key: user, state: 'pending' });
  const { rows } = await one.db.app.query('select key, value::text as value from jsonb_each($1::jsonb) order by key', [
    event!.properties,
  ]);
  expect(Object.fromEntries(rows.map((row) => [row.key, row.value]))).toEqual({
    big: '4611686018427387903',
    num: '12345678901234567890.10',
    f: '0.30000000000000004',
    at: '"2026-01-02T03:04:05.678901Z"',
    span: '"P1M2DT3H"',
    day: '"2026-02-03"',
    bytes: '"\\\\x00ff"',
    mood: '"so so"',
    amount: '1.5000',
    mail: '"Ann@X.y"',
    words: '["a", null, "\\""]',
    spot: '{"at": "2026-01-01T00:00:00+00:00", "city": "Ü"}',
    doc: '{"n": [1.50, null, 9007199254740993]}',
    twice: '9223372036854775806',
    paid: '"$12.50"',
  });
});

test('signing up is one event: an update in the same transaction is none of its own, a later one is', async () => {
  const one = await withTables({
    ddl: 'select 1',
    connector: `${USERS}
events:
  user.signed_up: true
  user.updated: { event_name: changed, properties: { user_metadata.full_name: name, email: mail } }
  user.deleted: true`,
  });
  const { app } = one.db;
  await app.query(`begin;
    insert into auth.users (id, email, raw_user_meta_data) values ('6f1c1bd0-0000-4000-8000-000000000001', 'ann@x.test', '{}');
    update auth.users set role = 'authenticated', encrypted_password = 'hash';
    update auth.users set raw_user_meta_data = '{"full_name": "Ann"}';
    commit`);
  await app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}', encrypted_password = 'hash2'`);
  await app.query(`update auth.users set last_sign_in_at = now()`);
  await app.query(`delete from auth.users`);
  // Piece by piece, the insert is in another piece than the updates.
  await one.foldAll(1);
  const events = await stored(one);
  expect(events.map((e) => [e.name, JSON.parse(e.properties)])).toEqual([
    ['user.signed_up', expect.anything()],
    ['changed', { name: 'Anna', mail: 'ann@x.test' }],
    ['user.deleted', expect.anything()],
  ]);
  const { rows } =
    await app.query(`select count(*)::int as n from (table rollcall.changes_0 union all table rollcall.changes_1 union all table rollcall.changes_2) c
    where c::text like '%hash%'`);
  expect(rows).toEqual([{ n: 0 }]);
});

test('an event of an address is the user’s who has it, and one that cannot be mapped is dead', async () => {
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, mail text); create table public.visits (id int primary key,
      customer int references public.customers, n text)`,
    connector: `${USERS}
table_mapping:
  customers: { mail: email }
  visits: { sync_as: events, event_name: visit, properties: { n: { to: n, type: integer } } }`,
  });
  const { app } = one.db;
  const user = await one.insert('ann@x.test');
  await app.query(`insert into public.customers values (1, ' Ann@X.test'), (2, 'bob@x.test'), (3, null)`);
  await app.query(
    `insert into public.visits values (1, 1, '1'), (2, 2, '2'), (3, 3, '3'), (4, 1, 'many'), (5, 2, '5')`,
  );
  await one.foldAll();
  expect((await stored(one)).map((e) => [e.key, e.state, e.reason])).toEqual([
    [user, 'pending', null],
    ['email:bob@x.test', 'pending', null],
    [null, 'dropped', 'no_contact_link'],
    [user, 'dead', '22P02'],
    ['email:bob@x.test', 'pending', null],
  ]);
});
