import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { withTables } from '../../support/tables.ts';
import { views } from './adjustments-support.ts';
import { REF } from './support.ts';

const USERS = `user_mapping:
  unconfirmed: true
  email: email
  user_metadata.full_name: FIRSTNAME
  user_metadata.plan: PLAN`;

test('somebody known by an address alone leaves with the user who has it', async () => {
  const one = await withTables({
    ddl: 'create table readers (id int primary key, email text, topic text)',
    connector: `${USERS}\ntable_mapping:\n  readers: { email: email, topic: TOPIC }`,
    destination: `on_delete: unsubscribe\nwhere: "plan is null or plan = 'pro'"`,
  });
  await one.db.app.query(`insert into readers values (1, 'ann@x.test', 'news')`);
  await one.foldAll();
  await one.deliverAll();
  const reader = 'email:ann@x.test';
  expect((await views(one, 'mailtrap')).get(reader)).toMatchObject({ action: 'upsert', payload: { TOPIC: 'news' } });

  // The user is the same person, and no contact there: the address is unsubscribed, and not deleted as a double would be.
  const ann = await one.insert('ann@x.test', { plan: 'free' });
  await one.foldAll();
  const left = await views(one, 'mailtrap');
  expect(left.get(ann)).toMatchObject({ action: 'none', reason: 'filtered' });
  expect(left.get(reader)).toMatchObject({ action: 'unsubscribe', reason: 'filtered' });
  expect(await one.sweepNow()).toMatchObject({ folded: 0 });
  // Also when only the row of the reader is looked at.
  await one.db.app.query(`update readers set topic = 'sports'`);
  expect(await one.foldAll()).toMatchObject({ changed: 0 });
  await one.deliverAll();

  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"plan": "pro"}'`);
  await one.foldAll();
  const back = await views(one, 'mailtrap');
  expect(back.get(ann)).toMatchObject({ action: 'upsert', payload: { PLAN: 'pro', TOPIC: 'sports' } });
  expect(back.get(reader)).toMatchObject({ action: 'none', reason: 'merged' });
  await one.deliverAll();
  expect(await one.sweepNow()).toMatchObject({ folded: 0 });
});

test('what a paused table gave is known by the names of the mapping', async () => {
  const one = await withTables({
    ddl: `create table profiles (id uuid primary key, tier text, city text)`,
    connector: `${USERS}\ntable_mapping:\n  profiles: { tier: TIER, city: CITY, contact: { user_id: id } }`,
    destination: `attributes: { rename: { TIER: CITY, CITY: TOWN }, retype: { CITY: json } }\nwhere: tier = 'gold'`,
  });
  const ann = await one.insert('ann@x.test', { full_name: 'Ann' });
  const bob = await one.insert('bob@x.test', { full_name: 'Bob' });
  await one.db.app.query(`insert into profiles values ($1, 'gold', 'Rome'), ($2, 'tin', 'Oslo')`, [ann, bob]);
  await one.foldAll();
  const payload = { CITY: 'gold', TOWN: 'Rome' };
  expect((await views(one, 'mailtrap')).get(ann)).toMatchObject({ payload: { ...payload, FIRSTNAME: 'Ann' } });
  // Functions are numbered anew, so what each gave is forgotten.
  await applyInstall(one.db.sql, one.config, REF);
  await one.db.app.query('alter table profiles rename column tier to level');
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Other"}'`);
  await one.foldAll();
  const paused = await views(one, 'mailtrap');
  expect(paused.get(ann)).toMatchObject({ action: 'upsert', payload: { ...payload, FIRSTNAME: 'Other' } });
  expect(paused.get(bob)).toMatchObject({ action: 'none', reason: 'filtered' });
});
