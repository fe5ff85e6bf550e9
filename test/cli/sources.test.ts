import { beforeEach, describe, expect, test } from 'vitest';
import { CONNECTOR, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});

/** `table: trigger` of every trigger of ours; those of a partition have a suffix, which is left out. */
async function triggers(): Promise<string[]> {
  const { rows } = await shop.db.app.query<{ name: string }>(
    `select t.tgrelid::regclass || ': ' || regexp_replace(t.tgname, '_[0-9a-f]{8}$', '') as name from pg_trigger t where t.tgname ~ '^rollcall_' order by 1`,
  );
  return rows.map((row) => row.name);
}

const four = (table: string): string[] =>
  ['delete', 'insert', 'truncate', 'update'].map((event) => `${table}: rollcall_${event}`);

const SMALL = `
    user_mapping: {email: email, unconfirmed: true}
    table_mapping:
      orders: {sync_as: events, event_name: order_placed, contact: {email: status}, properties: {total: amount}}`;

describe('apply', () => {
  test('shows what is read, and how each table leads to its contact', async () => {
    const file = await shop.write();
    const { code, stdout, stderr } = await shop.run(file, 'apply', '--yes');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [warnings = '', plan = ''] = stdout.split('1 warning.\n\n');
    // Where a line ends depends on how long the folder's name is.
    expect(warnings.replaceAll('\n', ' ')).toContain(`warning RC_WARN_EVENTS_NO_CONTACT: ${file}:34:7`);
    expect(plan).toBe(`First install, environment test
  ${shop.where}

Database
  + schema rollcall
  + migrations: 1 state, 2 log, 3 jobs, 4 brakes, 5 audit, 6 sweep, 7 failures,
    8 alerts, 9 claimed, 10 consent, 11 consent sync, 12 erasure, 13 left there,
    14 homes, 15 pump, 16 taken over, 17 segments, 18 was, 19 wal, 20 since
  + ${/(\d+) functions/.exec(plan)?.[0]}
  + triggers on auth.users, profiles, customers, orders: rollcall_insert,
    rollcall_update, rollcall_delete, rollcall_truncate
  + destination mailtrap

Sources
  profiles: contacts by id
  customers: contacts by user_id, else email; where archived is not true
  order_totals: contacts by email; looked at again when orders changes and
    every 2 h
  orders: attributes ORDERS; contact by customer_id -> customers
  orders: attributes LAST_ORDER; contact by customer_id -> customers; where
    status = 'paid'
  orders: events order_placed on insert; contact by customer_id -> customers;
    when total > 0; total -> amount, status (lower) -> order_status, line_items
  refunds: events refunded on insert; not sent, as nothing leads to a contact
  auth.users: events user.signed_up; contact by id; app_metadata.provider ->
    provider
  auth.users: events logged_in on user.signed_in; contact by id;
    app_metadata.provider -> provider

Everybody is looked at again every 2 h, as a value may change without its row.

Consent: people whose customers.marketing_opt_in is true

Attributes
  email                             ->  email       address
  customers.email                   ->  email       address
  order_totals.email                ->  email       address
  profiles.full_name                ->  FIRSTNAME   text       new field
  customers.full_name               ->  FIRSTNAME   text       new field
  customers.address.city            ->  CITY        text       new field
  customers: constant "shop"        ->  SOURCE      text       new field
  customers: sql: upper(plan)       ->  TIER        text       new field
  order_totals.total                ->  LTV         float      new field
  user_metadata.full_name           ->  FIRSTNAME   text       new field
  sql: count(*) from orders         ->  ORDERS      integer    new field
  sql: max(created_at) from orders  ->  LAST_ORDER  timestamp  new field

Fields at mailtrap that will be created: FIRSTNAME (text), CITY (text), SOURCE
(text), TIER (text), LTV (float), ORDERS (integer), LAST_ORDER (date)

Created 7 fields at mailtrap.
Applied. Next: \`rollcall start\` runs a worker, \`rollcall status\` shows what it
does. Workers with another config end now: start them again.
Does the account have contacts already? Run \`rollcall adopt\` before \`rollcall
start\`: it takes over who is there and who has left.
`);
    expect(await triggers()).toEqual(['auth.users', 'customers', 'orders', 'profiles'].flatMap(four));
    const again = await shop.run(file, 'apply', '--yes');
    expect(again.stdout).toContain(`Same config again, environment test\n  ${shop.where}\n`);
    expect(again.stdout).not.toContain('triggers on');
  });

  test('triggers come and go with the tables, and those that are lacking are made again', async () => {
    const small = await shop.write(SMALL);
    const first = await shop.run(small, 'apply', '--yes');
    expect(first.stdout).toContain('  + triggers on auth.users, orders: rollcall_insert,');
    expect(first.stdout).toContain(
      'Sources\n  orders: events order_placed on insert; contact by status; total -> amount\n',
    );
    expect(first.stdout).not.toContain('looked at again');

    const more = await shop.run(await shop.write(), 'apply', '--yes');
    expect(more.stdout).toContain(`Update, environment test\n  ${shop.where}\n`);
    expect(more.stdout).toContain('  + triggers on profiles, customers: rollcall_insert,');

    const less = await shop.run(small, 'apply', '--yes');
    expect(less.stdout).toContain('  - triggers on customers, profiles: nothing of them is captured any more\n');
    expect(await triggers()).toEqual(['auth.users', 'orders'].flatMap(four));

    await shop.db.app
      .query(`alter table auth.users disable trigger rollcall_delete; drop trigger rollcall_insert on orders;
      drop trigger rollcall_update on orders`);
    const mended = await shop.run(small, 'apply', '--yes');
    expect(mended.stdout).toContain(`Update, environment test\n  ${shop.where}\n`);
    expect(mended.stdout).toContain(
      '  + triggers on auth.users: rollcall_delete\n  + triggers on orders: rollcall_insert, rollcall_update\n',
    );
    expect((await shop.run(small, 'status')).code).toBe(0);
  });

  test('a partitioned table is named with its partitions', async () => {
    await shop.db.app
      .query(`create table visits (id bigint, email text, at date, primary key (id, at)) partition by range (at);
      create table visits_old partition of visits for values from (minvalue) to ('2026-01-01');
      grant select, trigger on visits, visits_old to hosted`);
    const file = await shop.write(`${SMALL}\n      visits: {sync_as: events, event_name: visited}`);
    const { stdout } = await shop.run(file, 'apply', '--yes');
    expect(stdout).toContain('  + triggers on auth.users, orders, visits with its partitions: rollcall_insert,');
    expect(stdout).toContain('  visits: events visited on insert; contact by email\n');
    expect(await triggers()).toEqual(['auth.users', 'orders', 'visits', 'visits_old'].flatMap(four));
    expect((await shop.run(await shop.write(SMALL), 'apply', '--yes')).stdout).toContain(
      '  - triggers on visits, visits_old: nothing of them is captured any more\n',
    );
  });

  test('what the database has against a table stops it, and nothing is changed', async () => {
    await shop.db.app.query('alter table customers drop constraint customers_pkey cascade');
    const { code, stdout, stderr } = await shop.run(await shop.write(), 'apply', '--yes');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error RC_NO_PRIMARY_KEY: The table public\.customers has no primary key.*\n {2}at .*:16:7\n/,
    );
    expect(await triggers()).toEqual([]);
  });
});

interface Json {
  readonly problems: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
  readonly triggers_missing: readonly string[];
  readonly sources: readonly { readonly name: string; readonly pause_code: string | null; readonly held: number }[];
  readonly destinations: readonly { readonly events: Readonly<Record<string, number>> }[];
}

const text = (stdout: string): string => stdout.replaceAll(/\s+/g, ' ');

describe('status', () => {
  test('a table that changed is paused: what to do, and how much is held', async () => {
    const file = await shop.write();
    await shop.run(file, 'apply', '--yes');
    await shop.db.app.query(`insert into customers (email) values ('ann@example.com');
      alter table orders rename column total to amount;
      insert into orders (customer_id, amount) values (1, 12), (1, 13)`);
    await shop.db.sql.query('select rollcall.fold(i.config_hash, 1000) from rollcall.install i');
    const { code, stdout } = await shop.run(file, 'status');
    expect(code).toBe(1);
    expect(text(stdout)).toContain(
      "RC_SOURCE_PAUSED: public.orders can't be read (drift): The column total is gone. Until it can, what it gave to contacts stays as it was, and 2 rows are held for their events. Nothing is lost. Make the config fit and run `rollcall apply`, or put back what is gone: it is then read again by itself.",
    );
    const json = JSON.parse((await shop.run(file, 'status', '--json')).stdout) as Json;
    expect(json.problems.map((problem) => problem.code)).toEqual(['RC_SOURCE_PAUSED']);
    expect(json.sources.filter((source) => source.held > 0)).toMatchObject([
      { name: 'public.orders', pause_code: 'drift', held: 2 },
    ]);

    const fitting = CONNECTOR.replace('when: total > 0', 'when: amount > 0').replace(
      '{total: amount',
      '{amount: amount',
    );
    const mended = await shop.write(fitting);
    expect((await shop.run(mended, 'apply', '--yes')).code).toBe(0);
    await shop.db.sql.query('select rollcall.fold(i.config_hash, 1000) from rollcall.install i');
    const healed = await shop.run(mended, 'status');
    expect(healed.code).toBe(0);
    expect(healed.stdout).toContain('Events at mailtrap: 2 pending; in the last 7 days 0 delivered\n');
  });

  test('events that wait, arrived, were dropped or refused', async () => {
    const file = await shop.write();
    await shop.run(file, 'apply', '--yes');
    await shop.db.app.query(`
      insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, reason, message, ended_at)
      select gen_random_uuid(), d.id, 1, 'public.orders', 'order_placed', '{}', now(), true, e.state, e.reason, e.message,
             case when e.state <> 'pending' then now() end
        from rollcall.destinations d
        cross join (values ('pending', null, null), ('delivered', null, null), ('delivered', null, null), ('dropped', 'no_contact', null),
          ('dropped', 'filtered', null), ('dropped', 'filtered', null), ('dead', 'invalid_property', 'ann@example.com is too long'))
          as e(state, reason, message)`);
    const { code, stdout } = await shop.run(file, 'status');
    expect(code).toBe(1);
    expect(text(stdout)).toContain(
      'Events at mailtrap: 1 pending; in the last 7 days 2 delivered, 3 dropped (2 filtered, 1 no contact), 1 failed',
    );
    expect(text(stdout)).toContain(
      "RC_EVENTS_FAILED: mailtrap: 1 event can't be delivered: 1 x invalid_property. The events after them go on.",
    );
    expect(stdout).not.toContain('ann@example.com');
    const json = JSON.parse((await shop.run(file, 'status', '--json')).stdout) as Json;
    expect(json.destinations[0]?.events).toEqual({
      pending: 1,
      delivered: 2,
      'dropped no_contact': 1,
      'dropped filtered': 2,
      'dead invalid_property': 1,
    });
  });

  test('missing triggers are told with their tables', async () => {
    const file = await shop.write();
    await shop.run(file, 'apply', '--yes');
    await shop.db.app
      .query(`alter table auth.users disable trigger rollcall_update; drop trigger rollcall_insert on orders;
      drop trigger rollcall_delete on orders`);
    const { code, stdout } = await shop.run(file, 'status');
    expect(code).toBe(1);
    expect(text(stdout)).toContain(
      'RC_TRIGGERS_MISSING: Triggers are missing, or switched off: auth.users: rollcall_update; public.orders: rollcall_delete, rollcall_insert. Run `rollcall apply`.',
    );
    const json = JSON.parse((await shop.run(file, 'status', '--json')).stdout) as Json;
    expect(json.triggers_missing).toEqual([
      'auth.users: rollcall_update',
      'public.orders: rollcall_delete',
      'public.orders: rollcall_insert',
    ]);
  });
});

test('uninstall names the tables, and leaves nothing on them', async () => {
  const file = await shop.write(CONNECTOR);
  await shop.run(file, 'apply', '--yes');
  const { code, stdout } = await shop.run(file, 'uninstall', '--yes');
  expect(code).toBe(0);
  expect(stdout).toContain('\n  - 16 triggers on auth.users, customers, orders, profiles\n  - schema rollcall with ');
  expect(await triggers()).toEqual([]);
  await shop.db.app.query(
    `insert into customers (email) values ('ann@example.com'); insert into orders (customer_id) values (1)`,
  );
});
