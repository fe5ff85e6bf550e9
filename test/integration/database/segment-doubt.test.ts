import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { Claimed, Lease } from '../../../src/engine/ports.ts';
import { USERS, withTables } from '../../support/tables.ts';
import { type Installed, LEASE } from './support.ts';

/*
 * A list that a contact joins or leaves while a request is on its way, whose sender is never heard of again: what that request has done
 * is not known, so the next one says it again.
 */

let one: Installed;
let user = '';

beforeEach(async () => {
  one = await withTables({
    ddl: '',
    connector: USERS,
    more: 'segments:\n  pro: { filter: user_metadata->>plan=eq.pro, list: Pro }',
  });
  user = await one.insert('a@x.test', { plan: 'free' });
});

async function plan(name: string): Promise<void> {
  await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [user, { plan: name }]);
  await one.foldAll();
}

async function delivered(): Promise<void> {
  for (const delivery of await one.claim()) await one.settle(delivery, 'delivered');
}

/** The lease of whoever is gone ends. @returns what the next one sends of lists */
async function afterLoss(): Promise<Claimed['lists']> {
  await one.db.app.query('update rollcall.due set due_at = clock_timestamp() where token is not null');
  const next: Lease = { ...LEASE, token: randomUUID() };
  const [claimed] = await one.claim(1, next);
  return claimed?.lists;
}

test('joined by a request of which nothing is known, and left since: it is left', async () => {
  await one.foldAll();
  await delivered();
  await plan('pro');
  expect((await one.claim())[0]?.lists).toEqual({ in: ['Pro'], join: ['Pro'], leave: [] });
  await plan('free');
  expect(await afterLoss()).toEqual({ in: [], join: [], leave: ['Pro'] });
});

test('left by a request of which nothing is known, and joined again since: it is joined', async () => {
  await plan('pro');
  await delivered();
  await plan('free');
  expect((await one.claim())[0]?.lists).toEqual({ in: [], join: [], leave: ['Pro'] });
  await plan('pro');
  expect(await afterLoss()).toEqual({ in: ['Pro'], join: ['Pro'], leave: [] });
});

test('joined and left before anybody could send it: nothing is said of it, as others may have put them there', async () => {
  await one.foldAll();
  await delivered();
  await plan('pro');
  await plan('free');
  expect((await one.claim())[0]?.lists).toEqual({ in: [], join: [], leave: [] });
});

test('as it was when nothing was on its way: a member is told no second time', async () => {
  await plan('pro');
  await delivered();
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"plan": "pro", "full_name": "Ann"}'`);
  await one.foldAll();
  expect((await one.claim())[0]?.lists).toEqual({ in: ['Pro'], join: [], leave: [] });
});
