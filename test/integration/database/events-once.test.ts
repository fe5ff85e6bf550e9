import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Claimed } from '../../../src/engine/ports.ts';
import { withTables } from '../../support/tables.ts';
import { type Installed, LEASE } from './support.ts';

const CONNECTOR = `user_mapping:
  unconfirmed: true
  email: email
table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    properties: { id: id }`;

async function withOrder(policy: string): Promise<Installed> {
  const one = await withTables({
    ddl: 'create table public.orders (id int primary key, email text)',
    connector: CONNECTOR,
    more: `delivery: { events: ${policy} }`,
  });
  await one.insert('a@x.test', {});
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`insert into public.orders values (1, 'a@x.test')`);
  await one.foldAll();
  return one;
}

/** Claims, and lets the lease run out as if the worker had been killed. */
async function loseLease(one: Installed): Promise<readonly Claimed[]> {
  const claimed = await one.claim(10, { token: randomUUID(), ...LEASE });
  await one.db.app.query(`update rollcall.due set due_at = clock_timestamp() - interval '1 second'`);
  return claimed;
}

test('an event under a lost lease is sent again, unless it may be sent once only', async () => {
  const often = await withOrder('at_least_once');
  expect((await loseLease(often))[0]?.events).toHaveLength(1);
  expect((await often.claim())[0]?.events).toHaveLength(1);

  const once = await withOrder('at_most_once');
  expect((await loseLease(once))[0]?.events).toHaveLength(1);
  expect((await once.claim())[0]?.events).toEqual([]);
  const { rows } = await once.db.app.query('select state, reason from rollcall.events');
  expect(rows).toEqual([{ state: 'dead', reason: 'unknown_not_repeated' }]);
});

test('only what was handed out under the lost lease is given up', async () => {
  const one = await withOrder('at_most_once');
  const { app } = one.db;
  await loseLease(one);
  // Happened before the one that was handed out, and came later; and one behind it.
  await app.query(`insert into public.orders values (2, 'a@x.test'), (3, 'a@x.test')`);
  await one.foldAll();
  await app.query(
    `update rollcall.events set happened_at = happened_at - interval '1 hour' where properties @> '{"id": 2}'`,
  );
  const states = async (): Promise<unknown[]> =>
    (await app.query(`select state from rollcall.events order by (properties ->> 'id')::int`)).rows.map((r) => r.state);
  const claimed = await loseLease(one);
  expect(claimed[0]?.events.map((e) => Number(e.properties['id']))).toEqual([2, 3]);
  expect(await states()).toEqual(['dead', 'pending', 'pending']);
  await one.claim();
  expect(await states()).toEqual(['dead', 'dead', 'dead']);
});

test('a lease that was settled or given back is not held against the next one', async () => {
  const one = await withOrder('at_most_once');
  const [delivery] = await one.claim();
  const retry = { kind: 'retry', code: 'http_503', message: '' } as const;
  await one.store.settle(one.destination, one.lease, [
    {
      delivery: delivery!,
      outcome: undefined,
      events: [{ id: delivery!.events[0]!.id, outcome: retry, latencyMs: 1 }],
      waitMs: 0,
      latencyMs: 1,
    },
  ]);
  const [again] = await one.claim();
  expect(again?.events).toHaveLength(1);
  await one.store.release(one.destination, one.lease.token, [again!.contactId]);
  // Not sendable now, so it is not handed out.
  await one.db.app.query(`update rollcall.events set ready = false`);
  expect((await loseLease(one))[0]?.events).toEqual([]);
  await one.db.app.query(`update rollcall.events set ready = true`);
  expect((await one.claim())[0]?.events).toHaveLength(1);
});

test('attempts are logged in the order they were made, and a wait is kept', async () => {
  const one = await withOrder('at_least_once');
  await one.db.app.query(`update auth.users set email = 'b@x.test'`);
  await one.foldAll();
  const [delivery] = await one.claim();
  expect(delivery).toMatchObject({ sendState: true, action: 'upsert' });
  const event = delivery?.events[0];
  await one.store.settle(one.destination, one.lease, [
    {
      delivery: delivery!,
      outcome: { kind: 'delivered' },
      events: [{ id: event!.id, outcome: { kind: 'retry', code: 'http_503', message: '' }, latencyMs: 1 }],
      waitMs: 60_000,
      latencyMs: 1,
    },
  ]);
  const { rows } = await one.db.app.query('select action, outcome from rollcall.attempts order by id desc limit 2');
  expect(rows).toEqual([
    { action: 'event', outcome: 'retry' },
    { action: 'upsert', outcome: 'delivered' },
  ]);
  expect(await one.claim()).toEqual([]);
});
