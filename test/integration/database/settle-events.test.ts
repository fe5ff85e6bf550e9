import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Claimed, Lease } from '../../../src/engine/ports.ts';
import { USERS, withTables } from '../../support/tables.ts';
import { type Installed, LEASE } from './support.ts';

const CONNECTOR = `${USERS}
table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    contact: { user_id: user_id }
    properties: { id: id }`;
const DELIVERED: Outcome = { kind: 'delivered' };
const REJECT: Outcome = { kind: 'reject', code: 'invalid', message: '' };
const UNKNOWN: Outcome = { kind: 'unknown', code: 'timeout', message: '' };
const MISSING: Outcome = { kind: 'retry', code: 'contact_missing', message: '', forgetRemote: true };

/** A user, `a@x.test`, delivered unless said otherwise. */
async function withUser(deliver = true, destination?: string): Promise<{ one: Installed; user: string }> {
  const one = await withTables({
    ddl: 'create table public.orders (id int primary key, user_id uuid)',
    connector: CONNECTOR,
    ...(destination === undefined ? {} : { destination }),
  });
  const user = await one.insert('a@x.test');
  await one.foldAll();
  if (deliver) await one.deliverAll();
  return { one, user };
}

async function order(one: Installed, id = 1): Promise<void> {
  await one.db.app.query(`insert into public.orders select $1, id from auth.users`, [id]);
  await one.foldAll();
}

async function rename(one: Installed, name: string): Promise<void> {
  await one.db.app.query(`update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $1::text)`, [
    name,
  ]);
  await one.foldAll();
}

/** Settles what events came to, and the state where there was one to send. */
async function settle(
  one: Installed,
  delivery: Claimed,
  state: Outcome,
  event: Outcome,
  lease: Lease = one.lease,
): Promise<void> {
  await one.store.settle(one.destination, lease, [
    {
      delivery,
      outcome: delivery.sendState ? state : undefined,
      events:
        delivery.sendState && state.kind !== 'delivered'
          ? []
          : delivery.events.map(({ id }) => ({ id, outcome: event, latencyMs: 1 })),
      waitMs: 0,
      latencyMs: 1,
    },
  ]);
}

/** Claims and settles until nothing is due; what each unit was. Ends when it does not come to an end. */
async function play(one: Installed, state: Outcome, event: Outcome): Promise<string[]> {
  const units: string[] = [];
  while (units.length < 8) {
    const claimed = await one.claim();
    if (claimed.length === 0) break;
    for (const delivery of claimed) {
      units.push(`${delivery.sendState ? delivery.action : 'events'} ${delivery.events.length}`);
      await settle(one, delivery, state, event);
    }
  }
  return units;
}

const fates = async (one: Installed): Promise<unknown[]> =>
  (await one.db.app.query(`select concat_ws(' ', state, reason) as fate from rollcall.events order by seq`)).rows.map(
    (row) => row.fate,
  );

/** Until somebody waits for the session of `holder`. */
async function blocks(watcher: pg.Client, holder: pg.Client): Promise<void> {
  const { processID } = holder as unknown as { processID: number };
  for (;;) {
    const { rows } = await watcher.query(
      `select exists (select from pg_stat_activity a where $1 = any(pg_blocking_pids(a.pid))) as yes`,
      [processID],
    );
    if (rows[0].yes) return;
  }
}

test.each(['release', 'settle'])(
  'events released while the first upsert of their contact is settled are due, when the %s is first',
  async (first) => {
    const { one, user } = await withUser(false);
    await order(one);
    await one.db.app.query('update rollcall.events set ready = false');
    const [delivery] = await one.claim();
    expect(delivery).toMatchObject({ sendState: true, events: [] });
    const [holder, waiter] = [await one.db.connect(), await one.db.connect()];
    const release = ['select rollcall.release_events()', []] as const;
    const result = {
      contact: delivery!.contactId,
      version: 1,
      action: 'upsert',
      outcome: 'delivered',
      address: 'a@x.test',
    };
    const settling = [
      `select rollcall.settle($1, $2, '2 min', $3)`,
      [one.destination, one.lease.token, JSON.stringify([result])],
    ] as const;
    const [before, after] = first === 'release' ? [release, settling] : [settling, release];
    await holder.query('begin');
    await holder.query(before[0], [...before[1]]);
    const waiting = waiter.query(after[0], [...after[1]]);
    await blocks(one.db.app, holder);
    await holder.query('commit');
    await waiting;
    expect(await one.desired(user)).toMatchObject({ delivered_version: 1, due: true, leased: false });
    expect(await play(one, DELIVERED, DELIVERED)).toEqual(['events 1']);
    expect(await one.desired(user)).toMatchObject({ due: false });
  },
);

test('an event of somebody whose state was refused is told, and the lease ends', async () => {
  const { one, user } = await withUser(false);
  await one.settle((await one.claim())[0]!, UNKNOWN);
  await one.settle((await one.claim())[0]!, REJECT);
  // It may exist there: only that is known.
  expect(await one.desired(user)).toMatchObject({ remote_address: 'a@x.test', delivered_version: null, due: false });
  await order(one);
  expect(await play(one, REJECT, DELIVERED)).toEqual(['events 1']);
  expect(await one.desired(user)).toMatchObject({ due: false });
  expect(await fates(one)).toEqual(['delivered']);
});

test('a state that is refused while events wait is not sent again and again', async () => {
  const { one, user } = await withUser(false);
  await order(one);
  await one.settle((await one.claim())[0]!, UNKNOWN);
  expect(await play(one, REJECT, DELIVERED)).toEqual(['upsert 1', 'events 1']);
  expect(await one.desired(user)).toMatchObject({ due: false });
});

test('who is gone at the destination is made again for an event', async () => {
  const { one, user } = await withUser();
  await order(one);
  await settle(one, (await one.claim())[0]!, DELIVERED, MISSING);
  expect(await play(one, DELIVERED, DELIVERED)).toEqual(['upsert 1']);
  expect(await one.desired(user)).toMatchObject({ due: false, delivered_version: 1 });
  expect(await fates(one)).toEqual(['delivered']);
});

test('gone there, and refused: tried once more as a new contact, and then its events wait for it', async () => {
  const { one, user } = await withUser();
  await rename(one, 'Z');
  await one.settle((await one.claim())[0]!, REJECT);
  await order(one);
  expect(await play(one, REJECT, MISSING)).toEqual(['events 1', 'upsert 1']);
  expect(await one.desired(user)).toMatchObject({ due: false, remote_address: null, remote_id: null });
  const { rows } = await one.db.app.query('select code from rollcall.dead_letters');
  expect(rows).toEqual([{ code: 'invalid' }]);
  await order(one, 2);
  expect(await one.claim(), 'nobody to tell it of').toEqual([]);
  expect(await fates(one)).toEqual(['pending', 'pending']);
  await rename(one, 'Y');
  expect(await play(one, DELIVERED, DELIVERED)).toEqual(['upsert 2']);
  expect(await fates(one)).toEqual(['delivered', 'delivered']);
});

test.each(['keep', 'unsubscribe'])(
  'who left with on_delete: %s and is gone there has events for nobody',
  async (policy) => {
    const { one, user } = await withUser(true, `on_delete: ${policy}`);
    await one.db.app.query('begin');
    await one.db.app.query(`insert into public.orders select 1, id from auth.users`);
    await one.db.app.query('delete from auth.users');
    await one.db.app.query('commit');
    await one.foldAll();
    const units = policy === 'keep' ? ['events 1'] : ['unsubscribe 1', 'events 1'];
    expect(await play(one, DELIVERED, MISSING)).toEqual(units);
    expect(await one.desired(user)).toMatchObject({ due: false, remote_address: null, remote_id: null });
    expect(await fates(one)).toEqual(['pending']);
  },
);

test('that a contact is gone there, said under a lost lease, is no news', async () => {
  const { one, user } = await withUser();
  await order(one);
  const lost = { token: randomUUID(), ...LEASE };
  const [late] = await one.claim(10, lost);
  await one.db.app.query(`update rollcall.due set due_at = clock_timestamp() - interval '1 second'`);
  await settle(one, (await one.claim())[0]!, DELIVERED, DELIVERED);
  await one.db.app.query(`update rollcall.due set due_at = clock_timestamp(), unknown_until = clock_timestamp()`);
  await play(one, DELIVERED, DELIVERED);
  const before = await one.desired(user);
  expect(before).toMatchObject({ due: false, delivered_version: 1 });
  await settle(one, late!, DELIVERED, MISSING, lost);
  expect(await one.desired(user)).toEqual(before);
});

/** Somebody known by an address alone, with one order; both are folded and nothing is sent yet. */
async function withLead(destination?: string): Promise<Installed> {
  const one = await withTables({
    ddl: `create table public.leads (email text primary key, name text);
      create table public.orders (id int primary key, email text)`,
    connector: `${USERS}
table_mapping:
  leads: { email: email, name: NAME }
  orders:
    sync_as: events
    event_name: order_placed
    contact: { email: email }
    properties: { id: id }`,
    ...(destination === undefined ? {} : { destination }),
  });
  await one.db.app.query(`insert into public.leads values ('a@x.test', 'Ann');
    insert into public.orders values (1, 'a@x.test')`);
  await one.foldAll();
  return one;
}

test('an event under lease goes along when its contact becomes a user, and is not handed out again before that lease is settled', async () => {
  const one = await withLead('on_delete: keep');
  const [sending] = await one.claim();
  expect(sending?.events).toHaveLength(1);
  await one.insert('a@x.test');
  await one.foldAll();
  await one.db.app.query('delete from public.leads; delete from auth.users');
  await one.foldAll();
  const other = { ...one.lease, token: randomUUID() };
  const handed = async (): Promise<number> => (await one.claim(100, other)).flatMap(({ events }) => events).length;
  expect(await handed()).toBe(0);
  await settle(one, sending!, DELIVERED, DELIVERED);
  expect(await handed()).toBe(0);
  expect((await one.db.app.query('select state, held_by from rollcall.events')).rows).toEqual([
    { state: 'delivered', held_by: null },
  ]);
});

test('one that was not accepted is handed out as soon as the lease it was under is settled', async () => {
  const one = await withLead();
  const [sending] = await one.claim();
  await one.insert('a@x.test');
  await one.foldAll();
  const other = { ...one.lease, token: randomUUID() };
  expect(await one.claim(100, other)).toEqual([]);
  await settle(one, sending!, DELIVERED, { kind: 'retry', code: 'http_500', message: '' });
  expect((await one.claim(100, other)).map(({ events }) => events.length)).toEqual([1]);
});
