import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

const CUSTOMERS = `create table public.customers (
  id int primary key, email text, user_id uuid references auth.users on delete set null, full_name text, created_at timestamptz);`;

const CONNECTOR = `${USERS}
table_mapping:
  customers:
    email: email
    full_name: FIRSTNAME`;

const world = (): Promise<Installed> => withTables({ ddl: CUSTOMERS, connector: CONNECTOR });

async function customer(one: Installed, id: number, email: string | null, name: string, user: string | null = null) {
  await one.db.app.query('insert into public.customers values ($1, $2, $3, $4, now())', [id, email, user, name]);
}

test('a row of customers without a user is a contact by its address', async () => {
  const one = await world();
  await customer(one, 1, ' Ann@X.test ', 'Ann');
  await one.foldAll();
  expect(await one.desired('email:ann@x.test')).toMatchObject({
    action: 'upsert',
    address: 'ann@x.test',
    payload: { FIRSTNAME: 'Ann' },
    due: true,
  });
});

test('customers row before the auth user: the contact becomes the user’s, in one step and without a deletion', async () => {
  const one = await world();
  await customer(one, 1, 'ann@x.test', 'Ann');
  await one.foldAll();
  await one.deliverAll();
  const user = await one.insert('ann@x.test', {});
  await one.foldAll();
  expect(await one.desired('email:ann@x.test')).toMatchObject({ action: 'none', reason: 'merged', due: false });
  expect(await one.desired(user)).toMatchObject({
    action: 'upsert',
    address: 'ann@x.test',
    payload: { FIRSTNAME: 'Ann' },
  });
  const sent = await one.deliverAll();
  expect(sent.map((d) => [d.action, d.address])).toEqual([['upsert', 'ann@x.test']]);
});

test('customers row after the auth user: its values go to the user', async () => {
  const one = await world();
  const user = await one.insert('ann@x.test', { full_name: 'from sign-up' });
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ payload: { FIRSTNAME: 'from sign-up' } });
  await customer(one, 1, 'ANN@x.test', 'from the shop');
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ payload: { FIRSTNAME: 'from the shop' } });
  expect((await one.desired('email:ann@x.test'))?.action ?? 'none').toBe('none');
});

test('a user who moves away leaves the address to the customers row, and takes that of another', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', { full_name: 'U' });
  await customer(one, 1, 'a@x.test', 'A');
  await customer(one, 2, 'b@x.test', 'B');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set email = 'b@x.test' where id = $1`, [user]);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ address: 'b@x.test', payload: { FIRSTNAME: 'B' } });
  expect(await one.desired('email:a@x.test')).toMatchObject({ action: 'upsert', address: 'a@x.test' });
  expect(await one.desired('email:b@x.test')).toMatchObject({ action: 'none', reason: 'merged' });
});

test('two customers rows with one email: the newest counts; when it goes, the other does', async () => {
  const one = await world();
  await one.db.app.query(`insert into public.customers values
    (1, 'ann@x.test', null, 'Old', '2026-01-01'), (2, 'Ann@x.test', null, 'New', '2026-02-01')`);
  await one.foldAll();
  expect(await one.desired('email:ann@x.test')).toMatchObject({ payload: { FIRSTNAME: 'New' } });
  await one.db.app.query('delete from public.customers where id = 2');
  await one.foldAll();
  expect(await one.desired('email:ann@x.test')).toMatchObject({ payload: { FIRSTNAME: 'Old' } });
  await one.db.app.query('delete from public.customers');
  await one.foldAll();
  expect(await one.desired('email:ann@x.test')).toMatchObject({ action: 'none', reason: 'gone' });
});

test('a row that moves from one contact to another folds both', async () => {
  const one = await world();
  const [a, b] = [await one.insert('a@x.test', { full_name: 'A' }), await one.insert('b@x.test', { full_name: 'B' })];
  await customer(one, 1, 'shop@x.test', 'Shop', a);
  await one.foldAll();
  expect(await one.desired(a)).toMatchObject({ payload: { FIRSTNAME: 'Shop' } });
  await one.db.app.query('update public.customers set user_id = $1', [b]);
  await one.foldAll();
  expect(await one.desired(a)).toMatchObject({ payload: { FIRSTNAME: 'A' } });
  expect(await one.desired(b)).toMatchObject({ payload: { FIRSTNAME: 'Shop' } });
  await one.db.app.query('delete from auth.users where id = $1', [b]);
  await one.foldAll();
  expect(await one.desired(b)).toMatchObject({ action: 'none', reason: 'gone' });
  expect(await one.desired('email:shop@x.test')).toMatchObject({ action: 'upsert', payload: { FIRSTNAME: 'Shop' } });
});

test('case and Unicode variants of one address are one contact', async () => {
  const one = await world();
  const user = await one.insert('José@x.test', {});
  await customer(one, 1, 'JoSe\u0301@X.test', 'José');
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ address: 'josé@x.test', payload: { FIRSTNAME: 'José' } });
});

test('phone-only and anonymous users are no contacts until they have an address', async () => {
  const one = await world();
  const phone = await one.insert(null, {}, { phone: '4915112345678' });
  const anonymous = await one.insert(null, {}, { is_anonymous: true });
  await customer(one, 1, 'later@x.test', 'Later', anonymous);
  await one.foldAll();
  expect(await one.desired(phone)).toMatchObject({ action: 'none', reason: 'no_address' });
  expect(await one.desired(anonymous)).toMatchObject({ action: 'none', reason: 'anonymous' });
  await one.db.app.query(`update auth.users set is_anonymous = false, email = 'now@x.test' where id = $1`, [anonymous]);
  await one.foldAll();
  expect(await one.desired(anonymous)).toMatchObject({
    action: 'upsert',
    address: 'now@x.test',
    payload: { FIRSTNAME: 'Later' },
  });
});

test('SSO users who share an address: one holds it, both are fed by its rows, and the other follows', async () => {
  const one = await world();
  const first = await one.insert('sso@x.test', {}, { is_sso_user: true });
  const second = await one.insert('sso@x.test', {}, { is_sso_user: true });
  await customer(one, 1, 'sso@x.test', 'Shared');
  await one.foldAll();
  const [a, b] = [await one.desired(first), await one.desired(second)];
  const [holder, waiter] = a?.action === 'upsert' ? [first, second] : [second, first];
  expect(new Set([a?.action, b?.action])).toEqual(new Set(['none', 'upsert']));
  await one.db.app.query('delete from auth.users where id = $1', [holder]);
  await one.foldAll();
  expect(await one.desired(waiter)).toMatchObject({
    action: 'upsert',
    address: 'sso@x.test',
    payload: { FIRSTNAME: 'Shared' },
  });
});

test('two users who change places, each with rows of a table', async () => {
  const one = await world();
  const [a, b] = [await one.insert('a@x.test', {}), await one.insert('b@x.test', {})];
  await customer(one, 1, 'a@x.test', 'Row A');
  await customer(one, 2, 'b@x.test', 'Row B');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`begin;
    update auth.users set email = 'tmp@x.test' where id = '${a}';
    update auth.users set email = 'a@x.test' where id = '${b}';
    update auth.users set email = 'b@x.test' where id = '${a}'; commit`);
  await one.foldAll();
  expect(await one.desired(a)).toMatchObject({ address: 'b@x.test', payload: { FIRSTNAME: 'Row B' } });
  expect(await one.desired(b)).toMatchObject({ address: 'a@x.test', payload: { FIRSTNAME: 'Row A' } });
});

test('an address used again by a new user while the removal of the old one waits: no deletion is sent', async () => {
  const one = await world();
  const old = await one.insert('a@x.test', {});
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from auth.users where id = $1', [old]);
  await one.foldAll();
  expect(await one.desired(old)).toMatchObject({ action: 'delete', due: true });
  await one.insert('a@x.test', {});
  await one.foldAll();
  expect(await one.desired(old)).toMatchObject({ action: 'none', due: false });
  expect((await one.deliverAll()).map((d) => d.action)).toEqual(['upsert']);
});

test('past addresses are kept with the contact', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  await one.db.app.query(`update auth.users set email = 'b@x.test' where id = $1`, [user]);
  await one.foldAll();
  const { rows } = await one.db.app.query(
    'select p.address from rollcall.past_addresses p join rollcall.contacts c on c.id = p.contact_id where c.key = $1',
    [user],
  );
  expect(rows).toEqual([{ address: 'a@x.test' }]);
});

test.each(['text', 'varchar(64)'])('a user id of type %s, in either case', async (type) => {
  const one = await withTables({
    ddl: `create table public.profiles (id ${type} primary key, nick text);`,
    connector: `${USERS}
table_mapping:
  profiles:
    contact: { user_id: id }
    nick: NICK`,
  });
  const [lower, upper] = [await one.insert('l@x.test', {}), await one.insert('u@x.test', {})];
  await one.db.app.query('insert into public.profiles values ($1, $2), ($3, $4), ($5, $6)', [
    lower,
    'low',
    upper.toUpperCase(),
    'UP',
    'no uuid at all',
    'nobody',
  ]);
  await one.foldAll();
  expect(await one.desired(lower)).toMatchObject({ payload: { NICK: 'low' } });
  expect(await one.desired(upper)).toMatchObject({ payload: { NICK: 'UP' } });
  await one.db.app.query(`update public.profiles set nick = 'up' where id = $1`, [upper.toUpperCase()]);
  await one.foldAll();
  expect(await one.desired(upper)).toMatchObject({ payload: { NICK: 'up' } });
});
