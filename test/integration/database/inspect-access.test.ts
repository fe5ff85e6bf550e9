import { expect, test } from 'vitest';
import { contacts, events, inspect, plainRole, project, refusal } from './inspect-support.ts';

test('without rights the GRANT that is missing is named', async () => {
  const db = await project();
  const { name, sql } = await plainRole(db);
  await db.app.query(`create schema "App"; create table "App"."People" (id int primary key, email text, plan text);
    create table "App".parts (id int, email text, primary key (id)) partition by range (id);
    create table "App".parts_1 partition of "App".parts for values from (0) to (10)`);
  const table = { schema: 'App', table: 'People' };
  const people = { tables: [contacts(table, { email: 'email' })] };
  const missing = async (config: Parameters<typeof refusal>[1]): Promise<string> => {
    const found = await refusal(db, config, sql);
    expect(found.code).toBe('RC_TABLE_PERMISSION');
    return found.hint.replace('As the owner of the table run: ', '');
  };
  const all = await missing(people);
  expect(all).toBe(`grant usage on schema "App" to ${name}; grant select, trigger on table "App"."People" to ${name};`);
  // The very statements heal it, one after the other.
  await db.app.query(`grant usage on schema "App" to ${name}`);
  expect(await missing(people)).toBe(`grant select, trigger on table "App"."People" to ${name};`);
  await db.app.query(`grant select on "App"."People" to ${name}`);
  expect(await missing(people)).toBe(`grant trigger on table "App"."People" to ${name};`);
  await db.app.query(`grant trigger on "App"."People" to ${name}; grant select, trigger on "App".parts to ${name}`);
  expect((await inspect(db, people, sql)).contacts).toHaveLength(1);
  // Triggers stand on every partition; rows are read through the parent.
  const parts = { tables: [contacts({ schema: 'App', table: 'parts' }, { email: 'email' })] };
  expect(await missing(parts)).toBe(`grant trigger on table "App".parts_1 to ${name};`);
  await db.app.query(`grant trigger on "App".parts_1 to ${name}`);
  expect((await inspect(db, parts, sql)).contacts).toHaveLength(1);
  // Events are captured and never read.
  await db.app.query(`revoke select on "App"."People" from ${name}`);
  const config = { eventTables: [events(table, { link: { kind: 'email', column: 'email' } })] };
  expect((await inspect(db, config, sql)).events).toHaveLength(1);
});

test('row security: a role that it applies to is told, one above it is not', async () => {
  const db = await project();
  const { name, sql } = await plainRole(db);
  await db.app.query(`create table public.people (id int primary key, email text);
    alter table public.people enable row level security;
    grant select, trigger on public.people to ${name};
    create view public.shown as select * from public.people;
    create view public.invoked with (security_invoker) as select * from public.people;
    grant select on public.shown, public.invoked to ${name}`);
  const people = { tables: [contacts('people', { email: 'email' })] };
  expect((await inspect(db, people)).contacts).toHaveLength(1);
  expect(await refusal(db, people, sql)).toMatchObject({
    code: 'RC_TABLE_ROW_SECURITY',
    message: expect.stringContaining(name),
    hint: expect.stringContaining('bypassrls'),
    path: 'table_mapping.people',
  });
  // A view reads as its owner, or as whoever asks.
  const view = (table: string) => ({ tables: [contacts(table, { email: 'email', everyMs: 1_000 })] });
  expect((await inspect(db, view('shown'), sql)).contacts).toHaveLength(1);
  expect((await inspect(db, view('invoked'))).contacts).toHaveLength(1);
  expect(await refusal(db, view('invoked'), sql)).toMatchObject({ code: 'RC_TABLE_ROW_SECURITY' });
  await db.app.query(`revoke select on public.people from ${name}`);
  expect(await refusal(db, view('invoked'), sql)).toMatchObject({
    code: 'RC_TABLE_PERMISSION',
    message: expect.stringContaining('permission denied for table people'),
  });
});
