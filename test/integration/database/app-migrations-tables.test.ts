import { test } from 'vitest';
import { USERS, withTables } from '../../support/tables.ts';

const SHOP = `create table public.customers (id int generated always as identity primary key, email text, name text, plan text, address json);
  create table public.orders (id int generated always as identity, shop text default 's', email text, total int, note text, primary key (shop, id));
  create table public.archive (like public.orders including all)`;

/** What the app's migrations do to its own tables, each on its own install. */
const MIGRATIONS: readonly string[] = [
  ...['email', 'name', 'plan', 'address', 'id'].map((column) => `alter table public.customers drop column ${column}`),
  ...['email', 'name', 'plan', 'address', 'id'].map(
    (column) => `alter table public.customers rename column ${column} to moved`,
  ),
  ...['email', 'total', 'note', 'id', 'shop'].map(
    (column) => `alter table public.orders drop column ${column} cascade`,
  ),
  ...['email', 'total', 'note', 'id', 'shop'].map(
    (column) => `alter table public.orders rename column ${column} to moved`,
  ),
  'alter table public.customers alter column email type varchar(300), alter column address type jsonb, alter column plan type int using 1',
  'alter table public.customers alter column email type json using to_json(email)',
  'alter table public.customers alter column id drop identity; alter table public.customers alter column id type uuid using gen_random_uuid(), alter column id set default gen_random_uuid()',
  'alter table public.orders alter column total type numeric(20,4), alter column email type bytea using null, alter column id type bigint',
  'alter table public.customers drop constraint customers_pkey',
  'alter table public.orders drop constraint orders_pkey',
  'alter table public.customers enable row level security, force row level security; create policy all_of_them on public.customers using (true)',
  'create schema shop; alter table public.customers set schema shop; create view public.customers as select * from shop.customers',
  'alter table public.orders rename to old_orders; alter table public.archive rename to orders',
  'drop table public.customers; create table public.customers (id int generated always as identity, email text, name text)',
  'create table public.more () inherits (public.customers)',
  'truncate public.customers, public.orders',
];

for (const migration of MIGRATIONS) {
  test(`the app goes on after its own migration: ${migration.slice(0, 90)}`, async () => {
    const one = await withTables({
      ddl: SHOP,
      connector: `${USERS}
table_mapping:
  customers: { email: email, name: FIRSTNAME, plan: PLAN, "address.city": CITY }
  orders: { sync_as: events, event_name: ordered, operations: [insert, update, delete], properties: { total: amount, note: note } }`,
    });
    const { app } = one.db;
    // Plans and functions are compiled before.
    const work = async (): Promise<void> => {
      for (const table of ['customers', 'orders']) {
        const { rows } = await app.query(
          `select attname::text as column from pg_attribute where attrelid = 'public.${table}'::regclass and attname = any($1) and not attisdropped`,
          [['name', 'note', 'total', 'plan']],
        );
        await app.query(`insert into public.${table} default values`);
        await app.query(`update public.${table} set ${rows[0].column} = null`);
        await app.query(`delete from public.${table}`);
        await app.query(`insert into public.${table} default values`);
      }
    };
    await work();
    await app.query(migration);
    await work();
    await one.store.fold(100);
    // Nothing of ours hangs on the tables.
    await app.query('drop table if exists public.orders, public.archive, public.old_orders');
    await app.query(
      migration.includes('create view')
        ? 'drop view public.customers; drop table shop.customers'
        : 'drop table public.customers cascade',
    );
    await one.store.fold(100);
  });
}
