import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { expect, test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';
import { type Installed, LEASE } from './support.ts';

const world = (destination = ''): Promise<Installed> =>
  withTables({
    ddl: `create table public.customers (id int primary key, email text);
          create table public.orders (id int primary key, email text)`,
    connector: `${USERS}
table_mapping:
  customers:
    email: email
  orders:
    sync_as: events
    event_name: order_placed`,
    destination,
  });

async function keys(one: Installed): Promise<string[]> {
  const { rows } = await one.db.app.query('select key from rollcall.contacts order by key');
  return rows.map((row) => row.key as string);
}

async function somebodyWaitsFor(one: Installed, other: Client): Promise<void> {
  const { rows: own } = await other.query('select pg_backend_pid() as pid');
  await expect
    .poll(async () => {
      const { rows } = await one.db.app.query(
        `select count(*)::int as n from pg_stat_activity where $1 = any(pg_blocking_pids(pid))`,
        [own[0].pid],
      );
      return rows[0].n as number;
    })
    .toBe(1);
}

test('whoever left and is nowhere any more is forgotten, past addresses too', async () => {
  const one = await world();
  const user = await one.insert('a@x.test', {});
  await one.db.app.query(`insert into public.customers values (1, 'c@x.test'), (2, 'stays@x.test')`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set email = 'b@x.test'`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`delete from auth.users; delete from public.customers where id = 1`);
  await one.foldAll();
  await one.store.tidy(1e9);
  await one.sweepNow();
  expect(await keys(one)).toEqual([user, 'email:c@x.test', 'email:stays@x.test'].toSorted());
  await one.deliverAll();
  await one.store.tidy(1e9);
  expect(await keys(one)).toEqual(['email:stays@x.test']);
  const { rows } = await one.db.app.query('select address from rollcall.past_addresses');
  expect(rows).toEqual([]);
});

test('one who is kept at a destination is kept here, and so is one for whom an event waits', async () => {
  const one = await world('on_delete: keep');
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`delete from auth.users; insert into public.orders values (1, 'later@x.test')`);
  await one.foldAll();
  await one.store.tidy(1e9);
  await one.sweepNow();
  expect(await keys(one)).toEqual([user, 'email:later@x.test'].toSorted());
  await one.db.app.query(`update rollcall.events set wait_until = now()`);
  await one.store.tidy(1e9);
  await one.sweepNow();
  expect(await keys(one)).toEqual([user]);
});

test('somebody who comes back at the moment of being forgotten is folded', async () => {
  const one = await world();
  await one.db.app.query(`insert into public.customers values (1, 'a@x.test')`);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from public.customers');
  await one.foldAll();
  await one.deliverAll();
  const other = await one.db.connect();
  await other.query('begin');
  await other.query('select rollcall.forget_contacts(10)');
  await one.db.app.query(`insert into public.customers values (2, 'a@x.test')`);
  const folded = one.foldAll();
  await somebodyWaitsFor(one, other);
  await other.query('commit');
  await folded;
  expect((await one.desired('email:a@x.test'))?.action).toBe('upsert');
});

test('somebody of whom a late answer comes at the moment of being forgotten is kept, to be removed once more', async () => {
  const one = await world();
  await one.insert('a@x.test', {});
  await one.foldAll();
  const lost = { token: randomUUID(), ...LEASE };
  const [stale] = await one.claim(10, lost);
  const later = `update rollcall.due set due_at = now(), unknown_until = unknown_until - interval '3 minutes'`;
  await one.db.app.query(later);
  await one.deliverAll();
  await one.db.app.query('delete from auth.users');
  await one.foldAll();
  await one.db.app.query(later);
  await one.deliverAll();
  const other = await one.db.connect();
  await other.query('begin');
  await other.query(`select rollcall.settle($1::smallint, $2::uuid, interval '2 minutes', $3)`, [
    one.destination,
    lost.token,
    JSON.stringify([
      {
        contact: stale!.contactId,
        version: '1',
        action: 'upsert',
        outcome: 'unknown',
        address: 'a@x.test',
        events: [],
      },
    ]),
  ]);
  const forgotten = one.db.app.query('select rollcall.forget_contacts(10)');
  const watcher = { ...one, db: { ...one.db, app: await one.db.connect() } };
  await somebodyWaitsFor(watcher, other);
  await other.query('commit');
  await forgotten;
  const { rows } = await one.db.app.query(
    'select s.action from rollcall.due d left join rollcall.desired s using (destination_id, contact_id)',
  );
  expect(rows).toEqual([{ action: 'delete' }]);
});
