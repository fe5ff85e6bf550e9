import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { column, condition, type Events, eventSource, eventsDatabase, type ReadEvent } from './events-support.ts';

const USER = '6f1c1bd0-0000-4000-8000-000000000001';
const SOURCE = 'public.orders';

/** A captured row of `orders`, made by hand. */
function row(
  id: number,
  more: Readonly<Record<string, unknown>> = {},
  t = '2026-01-01T00:00:00Z',
  o = 'insert',
): object {
  return { o, k: String(id), t, r: { id, user_id: USER, v: 'x', ...more } };
}

async function orders(operations: readonly ('insert' | 'update' | 'delete')[] = ['insert']): Promise<Events> {
  const on = await eventsDatabase();
  await on.app.query('create table public.orders (id int primary key, user_id uuid, v text)');
  const table = await on.table('orders');
  await on.install(
    eventSource(
      table,
      { user: column(table, 'user_id') },
      { name: 'order', operations, properties: [attribute('ID', 'id'), attribute('V', 'v')] },
    ),
  );
  return on;
}

const ids = (events: readonly ReadEvent[]): unknown[] => events.map((e) => JSON.parse(e.properties ?? '{}').ID);

async function held(on: Events): Promise<unknown[]> {
  const { rows } = await on.app.query(
    `select source, log_id::int as log, place, event ->> 'k' as k, event -> 'fresh' as fresh from rollcall.held_events order by id`,
  );
  return rows;
}

test('the id of an event is a UUID made of where it comes from: the same each time, and another for each event', async () => {
  const on = await orders();
  const changes = [
    { log: 7, source: SOURCE, events: [row(1), row(2)] },
    { log: 8, source: SOURCE, events: [row(1), { ...row(1), k: '1", "insert' }] },
  ];
  const first = await on.read(changes);
  expect(first).toHaveLength(4);
  expect(new Set(first.map((e) => e.id)).size).toBe(4);
  for (const { id } of first)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(await on.read(changes)).toEqual(first);
  expect((await on.read([changes[1]!])).map((e) => e.id)).toEqual(first.slice(2).map((e) => e.id));
  await on.app.query('update rollcall.install set id = gen_random_uuid()');
  const other = await on.read(changes);
  expect(other.filter((e) => first.some((f) => f.id === e.id))).toEqual([]);
});

test('events come in the order in which they happened, whatever the order of their transactions', async () => {
  const on = await orders();
  const read = await on.read([
    { log: 5, xid: 10, source: SOURCE, events: [row(4, {}, '2026-01-01T00:00:00.000004Z')] },
    {
      log: 1,
      xid: 11,
      source: SOURCE,
      events: [row(3, {}, '2026-01-01T00:00:00.000003Z'), row(2, {}, '2026-01-01T00:00:00.000002Z')],
    },
    {
      log: 2,
      xid: 11,
      source: SOURCE,
      events: [row(5, {}, '2026-01-01T00:00:00.000004Z'), row(6, {}, '2026-01-01T00:00:00.000004Z')],
    },
    { log: 3, xid: 11, source: SOURCE, events: [row(1, {}, '2026-01-01T00:00:00.000001Z')] },
  ]);
  expect(ids(read)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a transaction that began first and wrote last comes last', async () => {
  const on = await orders(['update']);
  await on.app.query(`insert into public.orders values (1, $1, 'first')`, [USER]);
  // What the trigger does, in two transactions of which the one with the lower id writes after the other's commit.
  await on.app.query(`create function public.taken() returns trigger language plpgsql as $$ begin
    perform rollcall.capture('{}', 'public.orders', array_agg(jsonb_build_object('o', 'update', 'k', n.id::text, 't', clock_timestamp(), 'r', to_jsonb(n)))) from n;
    return null; end $$;
    create trigger t after update on public.orders referencing new table as n for each statement execute function public.taken()`);
  await on.app.query(CAPTURE);
  const early = await on.db.connect();
  await early.query('begin; select pg_current_xact_id()');
  await on.app.query(`update public.orders set v = 'middle'`);
  await early.query(`update public.orders set v = 'last'; commit`);
  const { rows } = await on.app.query(
    `select id::int as log, xid::text::int as xid, source, to_jsonb(events) as events from rollcall.changes_0 order by xid, id`,
  );
  expect(rows.map((r) => r.events[0].r.v)).toEqual(['last', 'middle']);
  expect((await on.read(rows)).map((e) => JSON.parse(e.properties!).V)).toEqual(['middle', 'last']);
});

/** The log as the capture function of an install writes it. */
const CAPTURE = `create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null)
  returns void language sql as 'insert into rollcall.changes_0 (keys, source, events) values (p_keys, p_source, p_events)'`;

test('a row that cannot be mapped is one dead event, and the others are as they would be', async () => {
  const on = await eventsDatabase();
  await on.app.query(`create table public.t (id int primary key, user_id uuid, v text);
    create function public.picky(t text) returns text language plpgsql as $$ begin
      if t = 'custom' then raise 'refused' using errcode = 'PT400'; end if;
      if t = 'assert' then assert false; end if;
      if t = 'gone' then perform 1 from public.not_there; end if;
      return t;
    end $$`);
  const table = await on.table('t');
  await on.install(
    eventSource(
      table,
      { user: column(table, 'user_id') },
      { name: 'all', properties: [attribute('V', 'v')] },
      { name: 'numbers', properties: [attribute('N', { kind: 'sql', expression: `1 / v::int` })] },
      { name: 'picky', when: condition(`public.picky(v) is not null`) },
    ),
  );
  const bad = new Map([
    [17, ['0', '22012', undefined]],
    [118, ['x', '22P02', undefined]],
    [119, ['custom', '22P02', 'PT400']],
    [200, ['assert', '22P02', 'P0004']],
    [299, ['gone', '22P02', '42P01']],
  ] as const);
  const events = Array.from({ length: 300 }, (_, n) => row(n, { v: bad.get(n as 17)?.[0] ?? '1' }));
  const read = await on.read([{ log: 1, source: 'public.t', events }]);
  expect(read).toHaveLength(900);
  const failed = read.filter((e) => e.code !== null);
  expect(failed.map((e) => [e.name, e.code])).toEqual(
    [...bad.values()].flatMap(([, number, picky]) => [
      ['numbers', number],
      ...(picky === undefined ? [] : [['picky', picky]]),
    ]),
  );
  for (const event of failed)
    expect(event).toMatchObject({ key: USER, properties: null, message: expect.stringMatching(/./) });
  expect(new Set(read.map((e) => e.id)).size).toBe(900);
  // Without the bad ones the ids are the same.
  const good = events.map((e, n) => (bad.has(n as 17) ? row(n, { v: '1' }) : e));
  const all = await on.read([{ log: 1, source: 'public.t', events: good }]);
  expect(all.every((e) => e.code === null)).toBe(true);
  expect(all.map((e) => e.id)).toEqual(read.map((e) => e.id));
});

test('a row whose very columns are no longer of their types fails without a contact', async () => {
  const on = await orders();
  const read = await on.read([
    {
      log: 1,
      source: SOURCE,
      events: [
        row(1),
        row(2, { id: 'not a number' }),
        row(3),
        { o: 'insert', k: '4', t: '2026-01-01T00:00:00Z', r: { id: 4, user_id: USER } },
      ],
    },
  ]);
  expect(read.map((e) => [e.name, e.key, e.code])).toEqual([
    ['order', USER, null],
    [SOURCE, null, '22P02'],
    ['order', USER, null],
    ['order', USER, 'RC_EVENT_COLUMN'],
  ]);
});

test('an event too large for any destination is dead', async () => {
  const on = await orders();
  const [large, small] = await on.read([
    { log: 1, source: SOURCE, events: [row(1, { v: 'x'.repeat(200_000) }), row(2)] },
  ]);
  expect(large).toMatchObject({
    code: 'too_large',
    key: USER,
    properties: null,
    message: expect.stringContaining('131072'),
  });
  expect(small).toMatchObject({ code: null });
});

test('rows of a source nobody knows are nobody’s, and those of a paused one are held as they are', async () => {
  const on = await orders();
  await on.app.query(`select rollcall.pause_source('public.orders', 'drift', 'a column is gone')`);
  const changes = [
    { log: 1, source: 'public.other', events: [row(1)] },
    { log: 2, source: SOURCE, events: [row(2, { gone: 1 }), row(3)] },
    { log: 3, source: SOURCE, events: [row(4)] },
  ];
  expect(await on.read(changes)).toEqual([]);
  expect(await held(on)).toEqual([
    { source: SOURCE, log: 2, place: 1, k: '2', fresh: null },
    { source: SOURCE, log: 2, place: 2, k: '3', fresh: null },
    { source: SOURCE, log: 3, place: 1, k: '4', fresh: null },
  ]);
  const waiting = async (): Promise<unknown> =>
    (await on.app.query('select rollcall.events_held() as held')).rows[0].held;
  expect(await waiting()).toBe(false);
  await on.app.query(`select rollcall.resume_source('public.orders')`);
  expect(await waiting()).toBe(true);
  const read = await on.read([{ log: 4, source: SOURCE, events: [row(5)] }]);
  expect(ids(read)).toEqual([2, 3, 4, 5]);
  expect(await held(on)).toEqual([]);
  expect(await waiting()).toBe(false);
  // As if they had never been held.
  expect((await on.read(changes)).map((e) => e.id)).toEqual(read.slice(0, 3).map((e) => e.id));
  expect(await on.read([])).toEqual([]);

  await on.app.query(`select rollcall.pause_source('public.orders', 'drift', 'a column is gone')`);
  await on.read(changes);
  await on.app.query(`update rollcall.sources set enabled = false where name = 'public.orders'`);
  await on.read([]);
  expect(await held(on)).toEqual([]);
});

test('held rows go before new ones, a thousand at a time', async () => {
  const on = await orders();
  await on.app.query(`select rollcall.pause_source('public.orders', 'drift', 'x')`);
  const many = (from: number, count: number): object[] => Array.from({ length: count }, (_, n) => row(from + n));
  await on.read([{ log: 1, source: SOURCE, events: many(0, 1_500) }]);
  await on.app.query(`select rollcall.resume_source('public.orders')`);
  expect(ids(await on.read([{ log: 2, source: SOURCE, events: many(1_500, 5) }]))).toEqual(
    Array.from({ length: 1_000 }, (_, n) => n),
  );
  expect(await held(on)).toHaveLength(505);
  expect(ids(await on.read([{ log: 3, source: SOURCE, events: many(1_505, 5) }]))).toEqual(
    Array.from({ length: 510 }, (_, n) => n + 1_000),
  );
  expect(await held(on)).toEqual([]);
});

test('what cannot be read without any row pauses its source, keeps its rows, and holds up no other', async () => {
  const on = await orders();
  await on.app.query(`
    create table public.customers (id int primary key, user_id uuid);
    create table public.visits (id int primary key, customer_id int);
    insert into public.customers values (1, '${USER}');
    grant select on public.customers to hosted`);
  const visits = await on.table('visits');
  const customers = await on.table('customers');
  const link = {
    via: {
      column: column(visits, 'customer_id'),
      target: customers,
      targetColumn: column(customers, 'id'),
      link: { user: column(customers, 'user_id') },
    },
  };
  await on.install(eventSource(visits, link, { name: 'visit' }));
  const visit = (id: number): object => ({
    o: 'insert',
    k: String(id),
    t: '2026-01-01T00:00:00Z',
    r: { customer_id: 1 },
  });
  const pause = async (): Promise<unknown> =>
    (await on.app.query(`select pause_code, pause_message from rollcall.sources where name = 'public.visits'`)).rows[0];
  let log = 0;
  for (const [damage, repair, code, message] of [
    [
      'alter table public.customers rename user_id to uid',
      'alter table public.customers rename uid to user_id',
      '42703',
      /user_id/,
    ],
    [
      'revoke select on public.customers from hosted',
      'grant select on public.customers to hosted',
      '42501',
      /permission/,
    ],
    [
      'alter table public.customers rename to clients',
      'alter table public.clients rename to customers',
      '42P01',
      /customers/,
    ],
  ] as const) {
    await on.app.query(damage);
    log += 10;
    const read = await on.read([
      { log, source: 'public.visits', events: [visit(log), visit(log + 1)] },
      { log: log + 1, source: SOURCE, events: [row(log)] },
    ]);
    expect(ids(read)).toEqual([log]);
    expect(await pause()).toEqual({ pause_code: code, pause_message: expect.stringMatching(message) });
    await on.read([{ log: log + 2, source: 'public.visits', events: [visit(log + 2)] }]);
    expect((await held(on)).map((h) => (h as { k: string }).k)).toEqual([log, log + 1, log + 2].map(String));
    const check = on.db.sql.query(`select rollcall.check_events('public.visits')`);
    await expect(check).rejects.toMatchObject({ code: 'RC003', detail: code });
    // Resumed too early, it pauses again and still has its rows in order.
    await on.app.query(`select rollcall.resume_source('public.visits')`);
    expect(await on.read([{ log: log + 3, source: 'public.visits', events: [visit(log + 3)] }])).toEqual([]);
    expect(await pause()).toMatchObject({ pause_code: code });
    await on.app.query(repair);
    await on.db.sql.query(`select rollcall.check_events('public.visits')`);
    await on.app.query(`select rollcall.resume_source('public.visits')`);
    const after = await on.read([]);
    expect(after.map((e) => [e.name, e.key, e.code])).toEqual(Array.from({ length: 4 }, () => ['visit', USER, null]));
    expect(await held(on)).toEqual([]);
  }
  // Waiting is nobody's dead letter.
  const locker = await on.db.connect();
  await locker.query('begin; lock table public.customers in access exclusive mode');
  const session = await on.db.connect(on.db.hostedUrl);
  await session.query(`set lock_timeout = '50ms'`);
  await expect(
    session.query(
      `select rollcall.read_events(array[row(99, '1', 'public.visits', array['{"o":"insert","r":{"customer_id":1}}'::jsonb])::rollcall.change])`,
    ),
  ).rejects.toMatchObject({ code: '55P03' });
  await locker.query('rollback');
});

test('an update in the transaction that inserted its row is no event, in one piece of the log or in two, held or not', async () => {
  const on = await eventsDatabase();
  await on.app.query('create table public.t (id int primary key, user_id uuid, v text)');
  const table = await on.table('t');
  await on.install(
    eventSource(
      table,
      { user: column(table, 'user_id') },
      { name: 'new', properties: [attribute('ID', 'id')] },
      { name: 'changed', operations: ['update'], properties: [attribute('ID', 'id')], notWithInsert: true },
      { name: 'also changed', operations: ['update'], properties: [attribute('ID', 'id')] },
    ),
  );
  const source = 'public.t';
  const update = (id: number): object => row(id, {}, '2026-01-01T00:00:01Z', 'update');
  const names = (events: readonly ReadEvent[]): unknown[] => events.map((e) => [e.name, JSON.parse(e.properties!).ID]);
  const both = (id: number): unknown[] => [
    ['changed', id],
    ['also changed', id],
  ];
  // An update before the insert (the key was another row's then) is one.
  expect(
    names(
      await on.read([
        { log: 1, xid: 50, source, events: [{ ...update(1), t: '2026-01-01T00:00:00Z' }] },
        { log: 2, xid: 50, source, events: [row(1), row(2)] },
        { log: 3, xid: 50, source, events: [update(1), update(2), update(3)] },
        { log: 4, xid: 51, source, events: [update(2)] },
      ]),
    ),
  ).toEqual([...both(1), ['new', 1], ['new', 2], ['also changed', 1], ['also changed', 2], ...both(3), ...both(2)]);

  await on.app.query(
    `insert into rollcall.changes_1 (id, xid, source, events) select x.id, '60', x.source, array(select jsonb_array_elements(x.events))
       from jsonb_to_recordset($1::jsonb) as x(id bigint, source text, events jsonb)`,
    [
      JSON.stringify([
        { id: 10, source, events: [row(1), row(2)] },
        { id: 11, source: 'public.other', events: [row(3)] },
        { id: 12, source, events: [update(3)] },
        { id: 20, source, events: [row(4)] },
      ]),
    ],
  );
  const rest = [
    { log: 13, xid: 60, source, events: [update(1), update(3), update(4)] },
    { log: 14, xid: 61, source, events: [update(2)] },
  ];
  const expected = [['also changed', 1], ...both(3), ...both(4), ...both(2)];
  expect(names(await on.read(rest))).toEqual(expected);
  await on.app.query(`select rollcall.pause_source('public.t', 'drift', 'x')`);
  expect(await on.read(rest)).toEqual([]);
  expect((await held(on)).map((h) => (h as { fresh: unknown }).fresh)).toEqual([true, null, null, null]);
  await on.app.query(`select rollcall.resume_source('public.t'); truncate rollcall.changes_1`);
  expect(names(await on.read([{ log: 15, xid: 60, source, events: [update(9)] }]))).toEqual([...expected, ...both(9)]);
});

test('the session’s settings change nothing', async () => {
  const on = await eventsDatabase();
  await on.app.query(
    `create table public.t (id int primary key, user_id uuid, at timestamp, span interval, f float8, b bytea)`,
  );
  const table = await on.table('t');
  const source = eventSource(
    table,
    { user: column(table, 'user_id') },
    { properties: ['at', 'span', 'f', 'b'].map((c) => attribute(c, { kind: 'sql', expression: `${c}::text` })) },
  );
  await on.install(source);
  await on.app.query(
    `insert into public.t values (1, $1, '2026-03-29 02:30:00.000001', '1 mon 2 days 03:00', 0.1::float8 + 0.2, '\\x0001')`,
    [USER],
  );
  const event = (await on.captured(source, { at: '2026-01-01T00:00:00+00:00' }))[0];
  const first = await on.read([{ log: 1, source: 'public.t', events: [event] }]);
  expect(JSON.parse(first[0]!.properties!)).toEqual({
    at: '2026-03-29 02:30:00.000001',
    span: 'P1M2DT3H',
    f: '0.30000000000000004',
    b: '\\x0001',
  });
  await on.app.query(`alter role hosted in database ${on.db.name} set timezone = 'America/St_Johns';
    alter role hosted in database ${on.db.name} set datestyle = 'German, DMY'; alter role hosted in database ${on.db.name} set intervalstyle = 'postgres_verbose';
    alter role hosted in database ${on.db.name} set extra_float_digits = -10; alter role hosted in database ${on.db.name} set bytea_output = 'escape';
    alter role hosted in database ${on.db.name} set search_path = 'public'`);
  const session = await on.db.connect(on.db.hostedUrl);
  const { rows } = await session.query(
    `select to_jsonb(e) || jsonb_build_object('properties', e.properties::text) as event
       from unnest(rollcall.read_events(array[row(1, '1000', 'public.t', array[$1::jsonb])::rollcall.change])) e`,
    [event],
  );
  expect({ ...rows[0].event, happened_at: undefined }).toEqual({ ...first[0], happened_at: undefined });
  expect(Date.parse(rows[0].event.happened_at)).toBe(Date.parse(first[0]!.happened_at));
});
