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
