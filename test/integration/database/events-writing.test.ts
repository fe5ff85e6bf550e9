import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { contact, due, event, stored, USER, withDestinations } from './events-contacts.ts';

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
