import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

const world = (policy: string): Promise<Installed> =>
  withTables({ ddl: 'select', connector: USERS, destination: `on_delete: ${policy}` });

const LEAVING = {
  'hard delete': 'delete from auth.users where id = $1',
  // Supabase Auth puts a hash where the address was (models/user.go, SoftDeleteUser).
  'soft delete': `update auth.users set email = 'aGFzaA', raw_user_meta_data = '{}', deleted_at = now() where id = $1`,
  ban: `update auth.users set banned_until = now() + interval '1 day' where id = $1`,
} as const;

test.each(Object.entries(LEAVING))('%s: deleted at the destination, by default', async (_, sql) => {
  const one = await withTables({ ddl: 'select', connector: USERS });
  const user = await one.insert('a@x.test', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(sql, [user]);
  await one.foldAll();
  const sent = await one.deliverAll();
  expect(sent.map((d) => [d.action, d.address, d.remote?.address])).toEqual([['delete', null, 'a@x.test']]);
  expect(await one.desired(user)).toMatchObject({ action: 'none', remote_address: null, due: false });
});

test.each(Object.entries(LEAVING))('%s: unsubscribed, with the address it is known under', async (_, sql) => {
  const one = await world('unsubscribe');
  const user = await one.insert('a@x.test', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(sql, [user]);
  await one.foldAll();
  const sent = await one.deliverAll();
  expect(sent.map((d) => [d.action, d.address, d.remote?.address, d.attributes])).toEqual([
    ['unsubscribe', null, 'a@x.test', {}],
  ]);
  expect(await one.desired(user)).toMatchObject({ action: 'unsubscribe', remote_address: 'a@x.test', due: false });
  await one.foldAll();
  expect(await one.deliverAll()).toEqual([]);
});

test.each(Object.entries(LEAVING))('%s: kept as it is', async (_, sql) => {
  const one = await world('keep');
  const user = await one.insert('a@x.test', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(sql, [user]);
  await one.foldAll();
  expect(await one.deliverAll()).toEqual([]);
  expect(await one.desired(user)).toMatchObject({ action: 'none', remote_address: 'a@x.test' });
});

test('the address of somebody who left and was unsubscribed belongs to whoever signs up with it next', async () => {
  const one = await world('unsubscribe');
  const user = await one.insert('a@x.test', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from auth.users where id = $1', [user]);
  await one.foldAll();
  const next = await one.insert('a@x.test', { full_name: 'B' });
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'none', remote_address: null, due: false });
  expect((await one.deliverAll()).map((d) => [d.action, d.attributes])).toEqual([['upsert', { FIRSTNAME: 'B' }]]);
  expect(await one.desired(next)).toMatchObject({ remote_address: 'a@x.test' });
});

test('a ban that is lifted brings the contact back; one that ends by itself is found by the sweep', async () => {
  const one = await world('delete');
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set banned_until = now() + interval '1 hour'`);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'delete', reason: 'banned' });
  await one.db.app.query(`update auth.users set banned_until = null`);
  await one.foldAll();
  expect(await one.desired(user)).toMatchObject({ action: 'upsert' });
  await one.db.app.query(`update auth.users set banned_until = clock_timestamp() + interval '150 milliseconds'`);
  await one.foldAll();
  expect((await one.desired(user))?.reason).toBe('banned');
  await one.db.app.query(`select pg_sleep_until(banned_until) from auth.users`);
  await one.sweepNow();
  expect(await one.desired(user)).toMatchObject({ action: 'upsert' });
});
