import { expect, test } from 'vitest';
import { contact, due, event, stored, USER, withDestinations } from './events-contacts.ts';

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
