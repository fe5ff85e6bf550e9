import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

const DDL = `create table public.customers (
    id int primary key, email text, user_id uuid references auth.users on delete set null, full_name text, plan text, opt boolean);
  create table public.orders (id int primary key, email text)`;

const world = (more = '', consent?: string, head = USERS): Promise<Installed> =>
  withTables({
    ddl: DDL,
    connector: `${head}
table_mapping:
  customers:
    email: email
    full_name: FIRSTNAME
${more}
  orders:
    sync_as: events
    event_name: order_placed`,
    ...(consent === undefined ? {} : { consent }),
  });

const row = (one: Installed, values: string): Promise<unknown> =>
  one.db.app.query(`insert into public.customers (id, email, user_id, full_name, plan, opt) values ${values}`);

test('a contact that cannot be mapped any more gives its address to the user who has it, and the fold comes to rest', async () => {
  const one = await world(`    attributes: { N: { sql: "plan::int" } }`);
  await row(one, `(1, 'a@x.test', null, 'A', '1', null)`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update public.customers set plan = 'x'`);
  await one.foldAll();
  const user = await one.insert('a@x.test', {});
  await row(one, `(2, 'b@x.test', '${user}', 'Own', '2', null)`);
  await one.db.app.query('delete from public.customers where id = 1');
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({
    action: 'upsert',
    address: 'a@x.test',
    payload: { FIRSTNAME: 'Own', N: 2 },
  });
});

test('a guest who orders, then signs up: the order is the user’s', async () => {
  const one = await world();
  await one.db.app.query(`insert into public.orders values (1, 'a@x.test')`);
  await one.foldAll();
  await one.insert('a@x.test', {});
  await one.foldAll();
  expect((await one.claim()).map((d) => d.events.map((e) => e.name))).toEqual([['order_placed']]);
});

test('without users of their own: a user who was there first becomes the contact of a row with their address', async () => {
  const one = await world('', undefined, `sync: { users: false }\n${USERS}`);
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ reason: 'not_synced' });
  await row(one, `(1, 'a@x.test', null, 'A', null, null)`);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'upsert', payload: { FIRSTNAME: 'A' } });
  expect((await one.desired('email:a@x.test'))?.action ?? 'none').toBe('none');
});

test('a row that is mended makes the user a contact whom it could not make one before', async () => {
  const one = await world(`    attributes: { N: { sql: "plan::int" } }`);
  await row(one, `(1, 'a@x.test', null, 'A', 'x', null)`);
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'none', reason: 'unmapped' });
  await one.db.app.query(`update public.customers set plan = '1'`);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'upsert', payload: { FIRSTNAME: 'A', N: 1 } });
});

test('a paused table deletes nobody: whoever it knows by address takes over when the user leaves', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', {});
  await row(one, `(1, 'a@x.test', null, 'A', null, null)`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('alter table public.customers rename full_name to label; delete from auth.users');
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'none', reason: 'gone' });
  expect(await one.desired('email:a@x.test')).toMatchObject({ action: 'upsert', payload: { FIRSTNAME: 'A' } });
  expect((await one.deliverAll()).map((d) => d.action)).toEqual(['upsert']);
});

test('a paused table goes on saying who opted in, and of whom it never said anything nothing is made', async () => {
  const one = await world('', '{ column: customers.opt }');
  await row(one, `(1, 'a@x.test', null, 'A', null, true)`);
  const banned = await one.insert('b@x.test', {});
  await row(one, `(2, 'b@x.test', null, 'B', null, true)`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('alter table public.customers rename full_name to label');
  const user = await one.insert('a@x.test', {});
  const stranger = await one.insert('new@x.test', {});
  await one.db.app.query(`update auth.users set banned_until = 'infinity' where id = $1`, [banned]);
  await one.foldAll();
  await one.db.app.query(`update auth.users set banned_until = null where id = $1`, [banned]);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'upsert', consent: 'basis' });
  expect(await one.desired(banned)).toMatchObject({ action: 'upsert', consent: 'basis' });
  expect(await one.desired(stranger)).toMatchObject({ action: 'none', reason: 'source_paused' });
  await one.db.app.query('alter table public.customers rename label to full_name');
  await one.store.recheckSources();
  await one.sweepNow();
  expect(await one.desired(stranger)).toMatchObject({ action: 'upsert', consent: 'none' });
});

test('a paused table freezes only what it gave itself', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', { full_name: 'Old' });
  await one.foldAll();
  await one.db.app.query('alter table public.customers rename full_name to label');
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "New"}'`);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ payload: { FIRSTNAME: 'New' } });
});

test('a dead letter outlives a sweep, and its contact too', async () => {
  const one = await world(`    attributes: { N: { sql: "plan::int" } }`);
  await row(one, `(1, 'a@x.test', null, 'A', 'x', null)`);
  await one.foldAll();
  await one.sweepNow();
  await one.store.tidy(1e9);
  const { rows } = await one.db.app.query('select stage from rollcall.dead_letters');
  expect(rows).toEqual([{ stage: 'map' }]);
});

test('who stays a customer is not deleted when the user is, however small the pieces', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', {});
  await row(one, `(1, 'shop@x.test', '${user}', 'A', null, null), (2, 'a@x.test', null, 'B', null, null)`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from auth.users');
  await one.store.fold(1);
  expect((await one.claim()).map((d) => d.action)).not.toContain('delete');
});

test('of users who share an address the next one has it as soon as the first one leaves', async () => {
  const one = await world();
  const first = await one.insert('a@x.test', {}, { is_sso_user: true });
  await one.foldAll();
  const second = await one.insert('a@x.test', {}, { is_sso_user: true });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from auth.users where id = $1', [first]);
  await one.store.fold(1);
  expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'a@x.test' });
  expect((await one.claim()).map((d) => d.action)).toEqual(['upsert']);
});
