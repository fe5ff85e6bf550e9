import { expect, test } from 'vitest';
import type { BaseTable } from '../../../src/sql/source.ts';
import {
  aggregate,
  contacts,
  events,
  inspect,
  linkText,
  named,
  project,
  refusal,
  sql,
  withAttributes,
} from './inspect-support.ts';

const SHOP = `
  create table public.customers (id int primary key, mail text, user_id uuid references auth.users (id));
  create table public.orders (id int primary key, customer_id int references public.customers (id), total numeric);
  create table public.items (id int primary key, sku text);
  create view public.order_totals as select c.mail as email, c.id as customer_id, o.total
    from public.orders o join public.customers c on c.id = o.customer_id;
  create materialized view public.best as select * from public.order_totals;`;

const shop = [contacts('customers', { email: 'mail' })];
const bases = (list: readonly BaseTable[] | undefined) => list?.map((b) => `${b.table.name} ${linkText(b.link)}`);

test('a view is a source of contacts and of aggregates, with the tables whose triggers tell of it', async () => {
  const db = await project(SHOP);
  const watch = { baseTables: [named('orders'), named('customers')] };
  const found = await inspect(db, {
    tables: [...shop, contacts('order_totals', { email: 'email', ...watch, attributes: [sql('T', 'total * 2')] })],
    ...withAttributes(
      aggregate('LTV', 'sum(total)', 'order_totals', { baseTables: [named('orders')] }),
      aggregate('BEST', 'max(total)', 'best', {
        everyMs: 60_000,
        link: { kind: 'table', table: named('customers'), column: 'customer_id' },
      }),
    ),
  });
  const through = 'public.orders via:customer_id->public.customers.id(user:user_id email:mail)';
  expect(found.contacts[1]).toMatchObject({
    table: { kind: 'view', primaryKey: [] },
    link: { email: { name: 'email' } },
  });
  // The link of a base table that is mapped is that of its mapping.
  expect(bases(found.contacts[1]?.bases)).toEqual([through, 'public.customers user:user_id email:mail']);
  expect(found.contacts[1]?.expressions.get('total * 2')?.columns).toEqual(['total']);
  expect(found.aggregates.map((a) => [a.table.name, a.table.kind, linkText(a.link), bases(a.bases)])).toEqual([
    ['public.order_totals', 'view', 'email:email', [through]],
    ['public.best', 'view', 'via:customer_id->public.customers.id(user:user_id email:mail)', []],
  ]);
  expect(found.reevaluateMs).toBe(60_000);
});

test('a view that nothing watches is an error with a place', async () => {
  const db = await project(SHOP);
  const path = 'table_mapping.order_totals';
  for (const name of ['order_totals', 'best']) {
    expect(await refusal(db, { tables: [contacts(name, { email: 'email', path })] })).toMatchObject({
      code: 'RC_VIEW_NOT_WATCHED',
      hint: expect.stringMatching(/base_tables.*every/),
      path,
      line: 7,
    });
  }
  const total = aggregate('T', 'sum(total)', 'order_totals');
  expect(await refusal(db, withAttributes(total))).toMatchObject({
    code: 'RC_VIEW_NOT_WATCHED',
    path: 'user_mapping.attributes.T.from',
  });
});

test('base tables must be tables, and lead to contacts', async () => {
  const db = await project(SHOP);
  const over = (base: string) => ({
    tables: shop,
    ...withAttributes(aggregate('T', 'sum(total)', 'order_totals', { baseTables: [named(base)] })),
  });
  const path = 'user_mapping.attributes.T.from.base_tables';
  expect(await refusal(db, over('best'))).toMatchObject({ code: 'RC_VIEW_NOT_WATCHED', path });
  expect(await refusal(db, over('ordrs'))).toMatchObject({
    code: 'RC_TABLE_UNKNOWN',
    hint: 'Did you mean "orders"?',
    path,
  });
  expect(await refusal(db, over('items'))).toMatchObject({
    code: 'RC_NO_CONTACT_LINK',
    hint: expect.stringContaining('every'),
    path,
  });
});

test('events of a view are an error', async () => {
  const db = await project(SHOP);
  for (const name of ['order_totals', 'best']) {
    expect(await refusal(db, { eventTables: [events(name)] })).toMatchObject({
      code: 'RC_VIEW_EVENTS',
      path: `table_mapping.${name}`,
    });
  }
});

test('a view that reads a secret of auth.users is refused, however deep it lies', async () => {
  const db = await project(
    `
    create view public.fine as select id, email, raw_user_meta_data, instance_id from auth.users;
    create view public.hash as select id, email, encrypted_password from auth.users;
    create view public.deep_1 as select email, encrypted_password as harmless from public.hash;
    create view public.deep_2 as select email, harmless from public.deep_1;
    create materialized view public.deep_3 as select email from public.deep_2;
    create view public.used as select email from auth.users where recovery_token <> '';
    create view public.pending as select email_change as email from auth.users;
    create view public.whole as select u.email, to_jsonb(u) as all from auth.users u;
    create view public.whole_deep as select email from public.whole;
    create view public.subquery as select email, (select to_jsonb(x) from auth.users x where x.id = y.id) from auth.users y;
    create view public.whole_other as select u.email, to_jsonb(o) as all from auth.users u, public.notes_holder o;
    alter table auth.users add column mothers_name text;
    create view public.added as select email, mothers_name from auth.users;
    create view public.named_all as select * from public.fine;
    create table auth.sessions (id uuid primary key, user_id uuid, created_at timestamptz, refresh_token_hmac_key text);
    create view public.seen as select u.email, max(s.created_at) as at from auth.users u join auth.sessions s on s.user_id = u.id group by 1;
    create view public.session_key as select u.email, s.refresh_token_hmac_key from auth.users u join auth.sessions s on s.user_id = u.id;
    create schema vault; create table vault.decrypted (email text);
    create view public.vaulted as select email from vault.decrypted;`.replace(
      'create view public.fine',
      'create table public.notes_holder (id int); create view public.fine',
    ),
  );
  const view = (name: string) => ({ tables: [contacts(name, { email: 'email', everyMs: 1_000 })] });
  for (const name of ['fine', 'named_all', 'whole_other', 'seen']) {
    expect((await inspect(db, view(name))).contacts, name).toHaveLength(1);
  }
  const secret: [string, RegExp][] = [
    ['hash', /auth\.users\.encrypted_password, directly or through other views: it is a secret/],
    ['deep_2', /auth\.users\.encrypted_password/],
    ['deep_3', /auth\.users\.encrypted_password/],
    ['used', /auth\.users\.recovery_token/],
    ['pending', /email_change.*a pending address never leaves/],
    ['whole', /the whole row of auth\.users/],
    ['whole_deep', /the whole row of auth\.users/],
    ['subquery', /the whole row of auth\.users/],
    ['added', /auth\.users\.mothers_name/],
    ['session_key', /auth\.sessions\.refresh_token_hmac_key/],
    ['vaulted', /vault\.decrypted\.email/],
  ];
  for (const [name, message] of secret) {
    const found = await refusal(db, view(name));
    expect(found).toMatchObject({ code: 'RC_VIEW_SECRET', path: `table_mapping.${name}`, line: 7 });
    expect(found.message).toMatch(message);
    const counted = withAttributes(aggregate('N', 'count(*)', name, { everyMs: 1_000 }));
    expect(await refusal(db, counted)).toMatchObject({ code: 'RC_VIEW_SECRET' });
  }
});
