import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { onCleanup } from '../support/database.ts';
import { CONNECTOR, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});

const NO_CONTACT = `RC_WARN_EVENTS_NO_CONTACT`;

/** Everything that a check might leave behind. */
async function traces(): Promise<unknown[]> {
  const { rows } = await shop.db.app.query(`
    select nspname as name from pg_namespace where nspname ~ '^rollcall' union all select tgname from pg_trigger where tgname ~ 'rollcall'
    union all select relname from pg_class where relname ~ 'rollcall'`);
  return rows;
}

test('what a config means, beside its database', async () => {
  const file = await shop.write();
  const { code, stdout, stderr } = await shop.run(file, 'config', 'check');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [warnings = '', summary] = stdout.split('1 warning.\n\n');
  expect(warnings.replaceAll('\n', ' ')).toContain(
    `warning ${NO_CONTACT}: ${file}:34:7 The events of public.refunds are not sent. Nothing leads from a row`,
  );
  expect(summary).toBe(`ok ${file}, environment test

destinations  mailtrap
on_delete     unsubscribe
consent       people whose customers.marketing_opt_in is true
address       email, also unconfirmed ones
attributes
  profiles.full_name                ->  FIRSTNAME   text
  customers.full_name               ->  FIRSTNAME   text
  customers.address.city            ->  CITY        text
  customers: constant "shop"        ->  SOURCE      text
  customers: sql: upper(plan)       ->  TIER        text
  order_totals.total                ->  LTV         float
  user_metadata.full_name           ->  FIRSTNAME   text
  sql: count(*) from orders         ->  ORDERS      integer
  sql: max(created_at) from orders  ->  LAST_ORDER  timestamp
sources
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
database      checked: ${shop.where}
`);
  expect(await traces()).toEqual([]);
});

test('--offline asks nobody: what only the database knows is left open', async () => {
  const file = await shop.write();
  const { code, stdout, stderr } = await shop.run(file, 'config', 'check', '--offline');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`ok ${file}, environment test\n`);
  expect(stdout).toContain(`  order_totals.total                ->  LTV
  user_metadata.full_name           ->  FIRSTNAME
`);
  expect(stdout).toContain(`sources
  profiles: contacts by id
  customers: contacts by foreign key to auth.users, else email; where archived
    is not true
`);
  expect(stdout).toContain(`  orders: attributes ORDERS; contact found by foreign key or name
`);
  expect(stdout).toContain(`  refunds: events refunded on insert; contact found by foreign key or name
  auth.users: events user.signed_up; contact by id
`);
  expect(stdout).toMatch(/\ndatabase {6}not checked: --offline\n$/);
  expect(stdout).not.toContain(NO_CONTACT);
});

test('--json carries the same', async () => {
  const file = await shop.write();
  const online = await shop.run(file, 'config', 'check', '--json');
  expect(online).toMatchObject({ code: 0, stderr: '' });
  expect(online.stdout).not.toContain(shop.sandbox.token);
  expect(JSON.parse(online.stdout)).toMatchObject({
    ok: true,
    users: true,
    destinations: [{ name: 'mailtrap', type: 'mailtrap', on_delete: 'unsubscribe' }],
    attributes: expect.arrayContaining([
      { from: 'sql: count(*) from orders', to: 'ORDERS', type: 'integer' },
      { from: 'order_totals.total', to: 'LTV', type: 'float' },
    ]) as unknown,
    sources: [
      { as: 'contacts', table: 'profiles', contact: 'id' },
      { as: 'contacts', table: 'customers', contact: 'user_id, else email', where: 'archived is not true' },
      { as: 'contacts', table: 'order_totals', again: { tables: ['orders'], every_ms: 7_200_000 } },
      { as: 'aggregates', table: 'orders', attributes: ['ORDERS'], contact: 'customer_id -> customers', where: null },
      { as: 'aggregates', table: 'orders', attributes: ['LAST_ORDER'], where: "status = 'paid'" },
      {
        as: 'events',
        table: 'orders',
        event: 'order_placed',
        on: ['insert'],
        contact: 'customer_id -> customers',
        when: 'total > 0',
        properties: [
          { from: 'total', to: 'amount' },
          { from: 'status (lower)', to: 'order_status' },
          { from: 'line_items', to: 'line_items' },
        ],
        sent: true,
      },
      { as: 'events', table: 'refunds', event: 'refunded', contact: null, sent: false },
      { as: 'events', table: 'auth.users', event: 'user.signed_up', on: ['user.signed_up'], contact: 'id' },
      { as: 'events', table: 'auth.users', event: 'logged_in', on: ['user.signed_in'] },
    ],
    warnings: [{ code: NO_CONTACT, line: 34, column: 7 }],
    database: { checked: true },
  });
  const offline = await shop.run(file, 'config', 'check', '--json', '--offline');
  expect(JSON.parse(offline.stdout)).toMatchObject({
    ok: true,
    sources: expect.arrayContaining([
      expect.objectContaining({ as: 'aggregates', attributes: ['ORDERS'], contact: null }),
      expect.objectContaining({ table: 'refunds', contact: null, sent: true }),
      expect.objectContaining({ event: 'user.signed_up', properties: null }),
    ]) as unknown,
    warnings: [],
    database: { checked: false, reason: '--offline' },
  });
});

describe('mistakes that only the database shows', () => {
  test.each([
    [
      'a table that is not there',
      CONNECTOR.replaceAll('from: orders', 'from: ordres'),
      /^error RC_TABLE_UNKNOWN: This database has no table or view "public\.ordres"\.\n {2}at .*rollcall\.yaml:9:41\n {2}Did you mean "orders"\?\n$/,
    ],
    [
      'a column that is not there',
      CONNECTOR.replace('full_name: FIRSTNAME\n        address', 'fullname: FIRSTNAME\n        address'),
      /^error RC_CONFIG_COLUMN_UNKNOWN: .*"fullname".*\n {2}at .*rollcall\.yaml:18:9\n {2}Did you mean "full_name"\?\n$/,
    ],
    [
      'one attribute of two types',
      CONNECTOR.replace('total: LTV', 'total: FIRSTNAME'),
      /^error RC_ATTRIBUTE_TYPES: The attribute FIRSTNAME is float here and text at .*\n {2}at .*rollcall\.yaml:26:9\n {2}Give both one type/,
    ],
  ])('%s', async (_what, connector, message) => {
    const file = await shop.write(connector);
    const ran = await shop.run(file, 'config', 'check');
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(message);
    const [, code = ''] = /^error (\w+):/.exec(ran.stderr) ?? [];
    const json = await shop.run(file, 'config', 'check', '--json');
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, errors: [{ code, place: { file } }] });
    expect((await shop.run(file, 'config', 'check', '--offline')).code).toBe(0);
    expect(await traces()).toEqual([]);
  });

  test('an index that is missing is a warning with the statement that makes it', async () => {
    await shop.db.app.query(`insert into customers (email) select n || '@example.com' from generate_series(1, 2000) n;
      create index on customers (user_id); analyze customers`);
    const { code, stdout } = await shop.run(await shop.write(), 'config', 'check');
    expect(code).toBe(0);
    expect(stdout.replaceAll('\n', ' ')).toMatch(
      /warning RC_WARN_NO_INDEX: \S+rollcall\.yaml:16:7 public\.customers has about 2000 rows .* Run: create index on "public"\."customers" \(lower\(/,
    );
    expect(stdout).toContain('2 warnings.\n');
  });
});

describe('a database that can’t be asked is no mistake', () => {
  const note = (stdout: string): string =>
    /^database {6}(.*(?:\n {14}.*)*)/m.exec(stdout)?.[1]?.replaceAll(/\s+/g, ' ') ?? '';

  test('nobody listens', async () => {
    const file = await shop.write(CONNECTOR, 'postgres://someone:hunter2secret@127.0.0.1:1/postgres');
    const { code, stdout, stderr } = await shop.run(file, 'config', 'check');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(note(stdout)).toBe("not checked: The database at 127.0.0.1:1 can't be reached (ECONNREFUSED)");
    expect(stdout).not.toContain('hunter2');
    const json = await shop.run(file, 'config', 'check', '--json');
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      database: { checked: false, reason: "The database at 127.0.0.1:1 can't be reached (ECONNREFUSED)" },
    });
  });

  test('a login that is refused', async () => {
    const url = new URL(shop.db.hostedUrl);
    url.pathname = '/nowhere';
    const { code, stdout } = await shop.run(await shop.write(CONNECTOR, url.toString()), 'config', 'check');
    expect(code).toBe(0);
    expect(note(stdout)).toMatch(/^not checked: The database at .* refuses this user, password or database name/);
  });

  test('nobody answers: it does not wait for ever', async () => {
    const server = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onCleanup(async () => {
      await new Promise((resolve) => {
        server.close(resolve);
      });
    });
    const { port } = server.address() as AddressInfo;
    const file = await shop.write(CONNECTOR, `postgres://someone@127.0.0.1:${port}/postgres`);
    const { code, stdout } = await shop.run(file, 'config', 'check');
    expect(code).toBe(0);
    expect(note(stdout)).toMatch(/^not checked: The database at 127\.0\.0\.1:\d+ can't be reached/);
  });

  test('a URL that is none, and a certificate that is not there, are mistakes', async () => {
    const file = await shop.write(CONNECTOR, 'postgres://u:hunter2@h:x/d');
    const ran = await shop.run(file, 'config', 'check');
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('error RC_DATABASE_URL: The database URL is not a Postgres URL.');
    expect(ran.stderr).not.toContain('hunter2');
  });
});
