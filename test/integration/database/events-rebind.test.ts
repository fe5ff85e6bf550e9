import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import { type Installed, LEASE, REF } from './support.ts';

async function shop(more: { readonly destination?: string; readonly more?: string } = {}): Promise<Installed> {
  const one = await withTables({
    ddl: 'create table public.orders (id int primary key, user_id uuid)',
    connector: `${USERS}
table_mapping:
  orders: { sync_as: events, event_name: order_placed, contact: { user_id: user_id }, properties: { id: id } }`,
    ...more,
  });
  await one.insert('a@x.test');
  await one.foldAll();
  await one.deliverAll();
  return one;
}

async function rebind(one: Installed): Promise<void> {
  await one.db.app.query(`update rollcall.install set identity = identity || '{"database": "elsewhere"}'`);
  await one.db.sql.query('select rollcall.bind($1, $2)', [REF, 'test']);
}

test('events of a window that was being folded in pieces are sent after a rebind', async () => {
  const one = await shop();
  await one.db.app.query(`insert into public.orders select n, id from auth.users, generate_series(1, 3) n`);
  await one.db.app.query(`insert into public.orders select 4, id from auth.users`);
  await one.store.fold(2);
  expect(await one.claim(), 'the window is not complete').toEqual([]);
  await rebind(one);
  expect((await one.claim()).map((c) => [c.sendState, c.events.length])).toEqual([[true, 3]]);
});

test('events of somebody who left and is kept are due after a rebind', async () => {
  const one = await shop({ destination: 'on_delete: keep' });
  await one.db.app.query('begin');
  await one.db.app.query(`insert into public.orders select 1, id from auth.users`);
  await one.db.app.query('delete from auth.users');
  await one.db.app.query('commit');
  await one.foldAll();
  await rebind(one);
  expect((await one.claim()).map((c) => [c.sendState, c.events.length])).toEqual([[false, 1]]);
  await one.deliverAll();
});

test('an event that may be sent once only and was handed out before a rebind is not sent again', async () => {
  const one = await shop({ more: 'delivery: { events: at_most_once }' });
  await one.db.app.query(`insert into public.orders select 1, id from auth.users`);
  await one.foldAll();
  expect(await one.claim(10, { token: randomUUID(), ...LEASE })).toHaveLength(1);
  await one.db.app.query(`insert into public.orders select 2, id from auth.users`);
  await one.foldAll();
  await rebind(one);
  expect((await one.claim()).map((c) => c.events.map((e) => Number(e.properties['id'])))).toEqual([[2]]);
});
