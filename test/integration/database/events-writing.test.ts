import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Events, eventsDatabase, type ReadEvent } from './events-support.ts';

const USER = '6f1c1bd0-0000-4000-8000-000000000001';

interface Contact {
  readonly key: string;
  readonly action?: string;
  readonly reason?: string | null;
  readonly address?: string | null;
  readonly waiting?: string | null;
  readonly remote?: string | null;
  readonly remoteId?: string | null;
}

/** Two destinations that take events, one that does not, and one that is gone. */
async function withDestinations(): Promise<Events> {
  const on = await eventsDatabase();
  await on.app.query(
    `insert into rollcall.destinations (name, type, map_function, plan, account, takes_events, enabled) values
       ('one', 'x', 'm', '{}', 'a', true, true), ('two', 'x', 'm', '{}', 'a', true, true),
       ('deaf', 'x', 'm', '{}', 'a', false, true), ('gone', 'x', 'm', '{}', 'a', true, false)`,
  );
  return on;
}

/** Writes a contact with its state at the first destination; returns its id. */
async function contact(on: Events, of: Contact, destination = 1): Promise<number> {
  const { rows } = await on.app.query(
    `with c as (insert into rollcall.contacts (key) values ($1) on conflict (key) do update set key = excluded.key returning id)
     insert into rollcall.desired (destination_id, contact_id, action, reason, address, waiting_for, remote_address, remote_id, hash, version)
       select $2, c.id, $3, $4, $5, $6, $7, $8, '', 1 from c returning contact_id::int as id`,
    [
      of.key,
      destination,
      of.action ?? 'upsert',
      of.reason ?? null,
      of.address ?? null,
      of.waiting ?? null,
      of.remote ?? null,
      of.remoteId ?? null,
    ],
  );
  return rows[0].id;
}

function event(key: string | null, more: Partial<ReadEvent> = {}): ReadEvent {
  return {
    id: randomUUID(),
    source: 'public.t',
    key,
    name: 'happened',
    properties: '{"n": 9007199254740993}',
    happened_at: new Date().toISOString(),
    code: null,
    message: null,
    ...more,
  };
}

interface Stored {
  readonly id: string;
  readonly destination: number;
  readonly contact: number | null;
  readonly state: string;
  readonly reason: string | null;
  readonly ready: boolean;
  readonly ended: boolean;
}

async function stored(on: Events, where = 'true'): Promise<Stored[]> {
  const { rows } = await on.app.query(
    `select id, destination_id as destination, contact_id::int as contact, state, reason, ready, ended_at is not null as ended
       from rollcall.events where ${where} order by destination_id, seq`,
  );
  return rows;
}

async function due(on: Events): Promise<unknown[]> {
  const { rows } = await on.app.query(
    `select destination_id as destination, contact_id::int as contact, lane, token is not null as leased from rollcall.due order by 1, 2`,
  );
  return rows;
}

test('an event is stored once for each destination that takes events, and whoever exists there is due', async () => {
  const on = await withDestinations();
  const there = await contact(on, { key: USER, remote: 'a@x.y' });
  await contact(on, { key: USER, remoteId: 'r1' }, 2);
  const absent = await contact(on, { key: 'email:b@x.y', address: 'b@x.y' });
  const list = [event(USER), event('email:b@x.y'), event(USER)];
  await on.write(list);
  const all = await stored(on);
  expect(all.filter((e) => e.destination === 1)).toEqual(
    [there, absent, there].map((id, n) => ({
      id: list[n]!.id,
      destination: 1,
      contact: id,
      state: 'pending',
      reason: null,
      ready: true,
      ended: false,
    })),
  );
  expect(all.map((e) => e.destination)).toEqual([1, 1, 1, 2, 2, 2]);
  expect(await due(on)).toEqual([
    { destination: 1, contact: there, lane: 0, leased: false },
    { destination: 2, contact: there, lane: 0, leased: false },
  ]);
  const { rows } = await on.app.query('select distinct name, source, properties::text as p from rollcall.events');
  expect(rows).toEqual([{ name: 'happened', source: 'public.t', p: '{"n": 9007199254740993}' }]);

  // The same events again are no more events, whatever became of them.
  await on.app.query(
    `update rollcall.events set state = 'delivered', ended_at = now() where destination_id = 1; delete from rollcall.due`,
  );
  await on.write(list);
  expect(await stored(on)).toHaveLength(6);
  expect(await stored(on, `state = 'pending'`)).toHaveLength(3);
  expect(await due(on)).toEqual([]);
});

test('what leads to nobody, cannot be mapped, or is of a filtered person ends at once, with the reason', async () => {
  const on = await withDestinations();
  const filtered = { key: randomUUID(), action: 'none', reason: 'filtered' };
  const leaving = { key: randomUUID(), action: 'delete', reason: 'filtered', remote: 'l@x.y' };
  const kept = { key: randomUUID(), action: 'none', reason: 'filtered', remote: 'k@x.y' };
  const unsubscribed = { key: randomUUID(), action: 'unsubscribe', reason: 'filtered', remoteId: 'u' };
  const gone = { key: randomUUID(), action: 'delete', reason: 'gone', remote: 'g@x.y' };
  for (const of of [filtered, leaving, kept, unsubscribed, gone]) await contact(on, of);
  await on.write([
    event(null),
    event(null, { code: '22P02', message: 'invalid input' }),
    event(kept.key, { code: 'RC_EVENT_COLUMN', message: 'no column', properties: null }),
    event(randomUUID()),
    ...[filtered, leaving, kept, unsubscribed, gone].map((c) => event(c.key)),
  ]);
  const one = await stored(on, 'destination_id = 1');
  expect(one.map((e) => [e.contact !== null, e.state, e.reason, e.ready, e.ended])).toEqual([
    [false, 'dropped', 'no_contact_link', true, true],
    [false, 'dead', '22P02', true, true],
    [true, 'dead', 'RC_EVENT_COLUMN', true, true],
    [false, 'dropped', 'no_contact', true, true],
    [true, 'dropped', 'filtered', true, true],
    [true, 'dropped', 'filtered', true, true],
    [true, 'pending', null, true, false],
    [true, 'pending', null, true, false],
    [true, 'pending', null, true, false],
  ]);
  const { rows } = await on.app.query(
    `select message from rollcall.events where destination_id = 1 and message is not null order by seq`,
  );
  expect(rows).toEqual([{ message: 'invalid input' }, { message: 'no column' }]);
  expect(await due(on)).toHaveLength(3);
});

test('an address leads to the user who has it, then to the one who waits for it, then to whoever is known by it', async () => {
  const on = await withDestinations();
  const holder = await contact(on, { key: randomUUID(), address: 'a@x.y', remote: 'a@x.y' });
  await contact(on, { key: randomUUID(), waiting: 'a@x.y' });
  const merged = await contact(on, { key: 'email:a@x.y', action: 'none', reason: 'merged' });
  const byAddress = await contact(on, { key: 'email:b@x.y', address: 'b@x.y', remote: 'b@x.y' });
  const second = await contact(on, { key: randomUUID(), waiting: 'b@x.y' });
  await contact(on, { key: randomUUID(), waiting: 'b@x.y' });
  const alone = await contact(on, { key: 'email:c@x.y', address: 'c@x.y' });
  // At the other destination the same addresses are others'.
  await contact(on, { key: 'email:a@x.y', address: 'a@x.y' }, 2);
  await on.write(['a', 'b', 'c'].map((name) => event(`email:${name}@x.y`)));
  expect((await stored(on, 'destination_id = 1')).map((e) => e.contact)).toEqual([holder, second, alone]);
  expect((await stored(on, 'destination_id = 2')).map((e) => e.contact)).toEqual([merged, byAddress, alone]);
  expect(await due(on)).toEqual([{ destination: 1, contact: holder, lane: 0, leased: false }]);
});

test('events of an unfinished window wait, and are in order and due once it is complete', async () => {
  const on = await withDestinations();
  const id = await contact(on, { key: USER, remote: 'a@x.y' });
  const other = await contact(on, { key: 'email:b@x.y' });
  await on.write([event(USER), event('email:b@x.y'), event(null)], false);
  expect((await stored(on, 'destination_id = 1')).map((e) => e.ready)).toEqual([false, false, true]);
  expect(await due(on)).toEqual([]);
  await on.write([event(USER)], false);
  await on.app.query('select rollcall.release_events()');
  expect((await stored(on)).every((e) => e.ready)).toBe(true);
  expect(await due(on)).toEqual([{ destination: 1, contact: id, lane: 0, leased: false }]);
  await on.app.query(`delete from rollcall.due`);
  await on.app.query('select rollcall.release_events()');
  expect(await due(on)).toEqual([]);
  expect(other).toBeGreaterThan(0);
});

test('a contact that is due already stays as it is, but in the live lane', async () => {
  const on = await withDestinations();
  const id = await contact(on, { key: USER, remote: 'a@x.y' });
  await on.app.query(
    `insert into rollcall.due (destination_id, contact_id, lane, due_at, token, tries) values (1, $1, 1, now() + interval '1 hour', gen_random_uuid(), 3)`,
    [id],
  );
  await on.write([event(USER)]);
  const { rows } = await on.app.query(
    `select lane, tries, token is not null as leased, due_at > now() + interval '50 min' as later from rollcall.due where destination_id = 1`,
  );
  expect(rows).toEqual([{ lane: 0, tries: 3, leased: true, later: true }]);
});

test('a queue row that is being taken away comes back for the event, whichever transaction is first', async () => {
  const on = await withDestinations();
  const id = await contact(on, { key: USER, remote: 'a@x.y' });
  const queue = `insert into rollcall.due (destination_id, contact_id, due_at) values (1, ${id}, now()) on conflict do nothing`;
  // As settle does it: the queue row is locked, then a later statement looks for events.
  const lock = `select from rollcall.due where contact_id = ${id} for update`;
  const finish = `delete from rollcall.due where contact_id = ${id}
    and not exists (select from rollcall.events e where e.contact_id = ${id} and e.destination_id = 1 and e.state = 'pending')`;
  const write = `select rollcall.write_events(array[row(gen_random_uuid(), 's', '${USER}', 'n', '{}', now(), null, null)::rollcall.read_event], true)`;
  const settler = await on.db.connect();
  const writer = await on.db.connect();
  const blocked = async (client: typeof settler): Promise<void> => {
    const pid = (client as unknown as { processID: number }).processID;
    for (;;) {
      const { rows } = await on.app.query('select cardinality(pg_blocking_pids($1)) > 0 as yes', [pid]);
      if (rows[0].yes) return;
    }
  };
  await on.app.query(queue);
  await settler.query('begin');
  await settler.query(lock);
  const writing = writer.query(write);
  await blocked(writer);
  await settler.query(finish);
  await settler.query('commit');
  await writing;
  expect(await due(on)).toHaveLength(1);

  await on.app.query(`delete from rollcall.events`);
  await writer.query('begin');
  await writer.query(write);
  await settler.query('begin');
  const settling = settler.query(lock);
  await blocked(settler);
  await writer.query('commit');
  await settling;
  await settler.query(finish);
  await settler.query('commit');
  expect(await due(on)).toHaveLength(1);
});

test('an event waits 72 hours for its contact; what has ended is forgotten after a week', async () => {
  const on = await withDestinations();
  const there = await contact(on, { key: USER, remote: 'a@x.y' });
  await contact(on, { key: 'email:b@x.y' });
  const hours = (n: number): string => new Date(Date.now() - n * 3_600_000).toISOString();
  await on.app.query(`update rollcall.destinations set enabled = false where name = 'two'`);
  await on.write([
    event(USER, { happened_at: hours(80) }),
    event('email:b@x.y', { happened_at: hours(73) }),
    event('email:b@x.y', { happened_at: hours(71) }),
  ]);
  await on.write([event('email:b@x.y', { happened_at: hours(90) })], false);
  await on.app
    .query(`insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state)
    values (gen_random_uuid(), 2, ${there}, 's', 'n', '{}', now() - interval '73 hours', true, 'pending')`);
  await on.app.query('delete from rollcall.due');
  const expire = async (limit: number): Promise<number> =>
    (await on.app.query('select rollcall.expire_events($1) as n', [limit])).rows[0].n;
  expect(await expire(1)).toBe(1);
  expect(await expire(100)).toBe(2);
  expect((await stored(on)).map((e) => [e.destination, e.state, e.reason, e.ready, e.ended])).toEqual([
    [1, 'pending', null, true, false],
    [1, 'dropped', 'no_contact', true, true],
    [1, 'pending', null, true, false],
    [1, 'dropped', 'no_contact', true, true],
    [2, 'dropped', 'no_destination', true, true],
  ]);
  // Should anything have forgotten it, whoever waits for the destination alone is due again.
  expect(await due(on)).toEqual([{ destination: 1, contact: there, lane: 0, leased: false }]);
  expect(await expire(100)).toBe(0);
  await on.app.query(`update rollcall.events set ended_at = now() - interval '8 days' where state <> 'pending'`);
  expect(await expire(1)).toBe(1);
  expect(await expire(100)).toBe(2);
  expect(await stored(on)).toHaveLength(2);
});

test('what waits for somebody who is filtered out is dropped, unless they are kept', async () => {
  const on = await withDestinations();
  const contacts = [];
  for (const n of [1, 2, 3, 4]) contacts.push(await contact(on, { key: `email:${n}@x.y`, remote: `${n}@x.y` }));
  await on.write(
    [1, 2, 3, 4].map((n) => event(`email:${n}@x.y`)),
    false,
  );
  await on.app.query(
    `update rollcall.desired set reason = 'filtered', action = case contact_id when $1 then 'delete' when $2 then 'none' else 'upsert' end
    where contact_id in ($1, $2)`,
    contacts.slice(0, 2),
  );
  await on.app.query(`select rollcall.drop_filtered_events(1::smallint, $1)`, [contacts.slice(0, 3)]);
  expect((await stored(on, 'destination_id = 1')).map((e) => [e.state, e.reason, e.ready, e.ended])).toEqual([
    ['dropped', 'filtered', true, true],
    ['pending', null, false, false],
    ['pending', null, false, false],
    ['pending', null, false, false],
  ]);
  expect((await stored(on, 'destination_id = 2')).every((e) => e.state === 'pending')).toBe(true);
});
