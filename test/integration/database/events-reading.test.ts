import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { ids, orders, row, SOURCE, USER } from './events-orders.ts';
import { column, condition, eventSource, eventsDatabase } from './events-support.ts';

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
