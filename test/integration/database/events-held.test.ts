import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { ids, orders, row, SOURCE, USER } from './events-orders.ts';
import { column, eventSource, eventsDatabase, type Events, type ReadEvent } from './events-support.ts';

async function held(on: Events): Promise<unknown[]> {
  const { rows } = await on.app.query(
    `select source, log_id::int as log, place, event ->> 'k' as k, event -> 'fresh' as fresh from rollcall.held_events order by id`,
  );
  return rows;
}

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
