import { expect, test } from 'vitest';
import { contacts, events, project, refusal } from './inspect-support.ts';

test('no primary key is an error that says what to do, for contacts, events and what is counted', async () => {
  const db = await project();
  await db.app.query(`create table public.loose (id int unique not null, email text)`);
  for (const config of [{ tables: [contacts('loose', { email: 'email' })] }, { eventTables: [events('loose')] }]) {
    expect(await refusal(db, config)).toMatchObject({
      code: 'RC_NO_PRIMARY_KEY',
      message: expect.stringContaining('public.loose'),
      hint: expect.stringContaining('add primary key'),
      path: 'table_mapping.loose',
    });
  }
});

test('no such table: the closest one is named', async () => {
  const db = await project();
  await db.app.query(`create table public.customers (id int primary key, email text);
    create table public."Orders" (id int primary key); create schema app; create table app.invoices (id int primary key)`);
  const cases: [string, RegExp][] = [
    ['custmers', /"customers"/],
    ['orders', /"Orders"/],
    ['invoices', /"app\.invoices"/],
    ['app.customers', /"public\.customers"/],
    ['whatever', /There are: Orders, customers\./],
  ];
  for (const [name, hint] of cases) {
    const found = await refusal(db, { tables: [contacts(name, { email: 'email' })] });
    expect(found).toMatchObject({ code: 'RC_TABLE_UNKNOWN', path: `table_mapping.${name}`, line: 7 });
    expect(found.hint).toMatch(hint);
  }
  const schema = await refusal(db, { tables: [contacts('nowhere.t', { email: 'email' })] });
  expect(schema.message).toMatch(/no schema "nowhere"/);
  // Postgres cuts names at 63 bytes, and a longer one would find the wrong table.
  await db.app.query(`create table public."${'y'.repeat(63)}" (id int primary key, email text)`);
  expect(await refusal(db, { tables: [contacts('y'.repeat(64), { email: 'email' })] })).toMatchObject({
    code: 'RC_TABLE_UNKNOWN',
  });
});

test('a foreign table is refused; a sequence, an index or a type is no table', async () => {
  const db = await project();
  await db.app.query(`create foreign data wrapper nothing; create server far foreign data wrapper nothing;
    create foreign table public.remote (id int, email text) server far; create sequence public.numbers;
    create type public.pair as (a int, b int)`);
  expect(await refusal(db, { tables: [contacts('remote', { email: 'email' })] })).toMatchObject({
    code: 'RC_TABLE_KIND',
    message: expect.stringContaining('foreign table'),
  });
  for (const name of ['numbers', 'pair']) {
    expect(await refusal(db, { tables: [contacts(name)] })).toMatchObject({ code: 'RC_TABLE_UNKNOWN' });
  }
});
