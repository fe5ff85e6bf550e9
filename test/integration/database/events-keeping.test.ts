import { expect, test } from 'vitest';
import { contact, due, event, stored, USER, withDestinations } from './events-contacts.ts';
import type { Events } from './events-support.ts';

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

/** As if the events had been written so many hours ago, in the order of their ids. */
async function age(on: Events, hours: readonly number[]): Promise<void> {
  await on.app.query(
    `update rollcall.events e set wait_until = e.wait_until - a.hours * interval '1 hour'
       from (select seq, row_number() over (order by seq) as n from rollcall.events) s
       join unnest($1::int[]) with ordinality as a(hours, n) using (n) where s.seq = e.seq`,
    [hours],
  );
}

const expire = async (on: Events, limit: number): Promise<number> =>
  (await on.app.query('select rollcall.expire_events($1) as n', [limit])).rows[0].n;

test('an event waits 72 hours for its contact, since it was taken; what has ended is forgotten after a week', async () => {
  const on = await withDestinations();
  const there = await contact(on, { key: USER, remote: 'a@x.y' });
  await contact(on, { key: 'email:b@x.y' });
  const longAgo = { happened_at: new Date(Date.now() - 96 * 3_600_000).toISOString() };
  await on.app.query(`update rollcall.destinations set enabled = false where name = 'two'`);
  await on.write([event(USER), event('email:b@x.y'), event('email:b@x.y', longAgo)]);
  await on.write([event('email:b@x.y')], false);
  await on.app
    .query(`insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state)
    values (gen_random_uuid(), 2, ${there}, 's', 'n', '{}', now(), true, 'pending')`);
  await age(on, [80, 73, 71, 90, 73]);
  await on.app.query('delete from rollcall.due');
  expect(await expire(on, 1)).toBe(1);
  expect(await expire(on, 100)).toBe(2);
  expect((await stored(on)).map((e) => [e.destination, e.state, e.reason, e.ready, e.ended])).toEqual([
    [1, 'pending', null, true, false],
    [1, 'dropped', 'no_contact', true, true],
    [1, 'pending', null, true, false],
    [1, 'dropped', 'no_contact', true, true],
    [2, 'dropped', 'no_destination', true, true],
  ]);
  // Should anything have forgotten it, whoever waits for the destination alone is due again.
  expect(await due(on)).toEqual([{ destination: 1, contact: there, lane: 0, leased: false }]);
  expect(await expire(on, 100)).toBe(0);
  await on.app.query(`update rollcall.events set ended_at = now() - interval '8 days' where state <> 'pending'`);
  expect(await expire(on, 1)).toBe(1);
  expect(await expire(on, 100)).toBe(2);
  expect(await stored(on)).toHaveLength(2);
});

test('the wait goes on while the contact is about to be made or the destination is paused, and holds up no other', async () => {
  const on = await withDestinations();
  await on.app.query(`update rollcall.destinations set enabled = false where name = 'two'`);
  const coming = await contact(on, { key: USER, address: 'a@x.y' });
  await contact(on, { key: 'email:refused@x.y', address: 'refused@x.y' });
  await on.app.query(
    `insert into rollcall.due (destination_id, contact_id, due_at) values (1, $1, now() + interval '1 day')`,
    [coming],
  );
  await on.write([event(USER), event('email:refused@x.y')]);
  await age(on, [300, 80]);
  const states = async (): Promise<string[]> => (await stored(on)).map((e) => e.state);
  await on.app.query(`update rollcall.destinations set pause_code = 'unauthorized', paused_until = now()`);
  for (let n = 0; n < 3; n += 1) expect(await expire(on, 1)).toBe(0);
  await on.app.query(`update rollcall.destinations set pause_code = null, paused_until = null`);
  expect(await expire(on, 100), 'looked at again in an hour').toBe(0);
  await age(on, [4, 2]);
  expect(await expire(on, 1)).toBe(0);
  expect(await expire(on, 1)).toBe(1);
  expect(await states()).toEqual(['pending', 'dropped']);
  await on.app.query('delete from rollcall.due');
  await age(on, [2]);
  expect(await expire(on, 1)).toBe(1);
  expect(await states()).toEqual(['dropped', 'dropped']);
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
