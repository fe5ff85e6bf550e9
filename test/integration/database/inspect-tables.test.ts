import { expect, test } from 'vitest';
import type { SourceTable } from '../../../src/sql/source.ts';
import type { TestDatabase } from '../../support/database.ts';
import { attribute } from '../../support/config.ts';
import { contacts, events, inspect, project, refusal } from './inspect-support.ts';

/** A table of events whose rows have an address: what it is like. */
async function shape(db: TestDatabase, schema: string, table: string, email = 'email'): Promise<SourceTable> {
  const sources = await inspect(db, {
    eventTables: [events({ schema, table }, { link: { kind: 'email', column: email } })],
  });
  const found = sources.events[0]?.table;
  if (found === undefined) throw new Error('no source');
  return found;
}

const columnsOf = (table: SourceTable): Record<string, string> =>
  Object.fromEntries([...table.columns.values()].map((c) => [c.name, `${c.sqlType} = ${c.type}`]));

test('columns of every type: what a text is cast to, and the type an attribute has', async () => {
  const db = await project();
  await db.app.query(`
    create type public.mood as enum ('fine', 'grim');
    create type public."Mixed Case" as enum ('a');
    create type public.place as (street text, no int);
    create domain public.price as numeric(10, 2) check (value >= 0);
    create domain public.net_price as public.price;
    create domain public.key as uuid;
    create domain public.doc as jsonb;
    create domain public.tags as text[];
    create type public.numeric as (lies text);
    create table public.all_types (
      id int8 generated always as identity primary key, gone text, email text,
      small int2, whole int4, exact numeric, fixed numeric(12,3), price public.price, net public.net_price not null default 0,
      f4 real, f8 double precision, flag boolean, day date, at timestamptz(3), local timestamp, clock time, span interval,
      j json, jb jsonb, doc public.doc, arr int[], moods public.mood[], tags public.tags, home public.place,
      mood public.mood, mixed public."Mixed Case", code varchar(20), fixed_text char(3), key public.key, raw bytea, ip inet,
      span_of int4range, cash money, twice int generated always as (small * 2) stored, oid_of oid, fake public.numeric);
    alter table public.all_types drop column gone;`);
  const table = await shape(db, 'public', 'all_types');
  expect(table).toMatchObject({ schema: 'public', table: 'all_types', name: 'public.all_types', kind: 'table' });
  expect(columnsOf(table)).toEqual({
    id: 'bigint = integer',
    email: 'text = text',
    small: 'smallint = integer',
    whole: 'integer = integer',
    exact: 'numeric = float',
    fixed: 'numeric(12,3) = float',
    price: 'numeric(10,2) = float',
    net: 'numeric(10,2) = float',
    f4: 'real = float',
    f8: 'double precision = float',
    flag: 'boolean = boolean',
    day: 'date = date',
    at: 'timestamp(3) with time zone = timestamp',
    local: 'timestamp without time zone = timestamp',
    clock: 'time without time zone = text',
    span: 'interval = text',
    j: 'json = json',
    jb: 'jsonb = json',
    doc: 'jsonb = json',
    arr: 'integer[] = json',
    moods: 'public.mood[] = json',
    tags: 'text[] = json',
    home: 'public.place = json',
    mood: 'public.mood = text',
    mixed: 'public."Mixed Case" = text',
    code: 'character varying(20) = text',
    fixed_text: 'character(3) = text',
    key: 'uuid = text',
    raw: 'bytea = text',
    ip: 'inet = text',
    span_of: 'int4range = text',
    cash: 'money = text',
    twice: 'integer = integer',
    oid_of: 'oid = text',
    fake: 'public."numeric" = json',
  });
  expect(table.primaryKey.map((c) => c.name)).toEqual(['id']);
});

test('a domain is known beside the type under it', async () => {
  const db = await project(`create domain public.key as uuid; create domain public.own_key as public.key;
    create table public.people (id public.own_key primary key, user_id public.key references auth.users (id))`);
  const { contacts: found } = await inspect(db, { tables: [contacts('people')] });
  expect(found[0]?.table.primaryKey).toEqual([{ name: 'id', sqlType: 'uuid', type: 'text', domain: 'public.own_key' }]);
  expect(found[0]?.link.user).toEqual({ name: 'user_id', sqlType: 'uuid', type: 'text', domain: 'public.key' });
});

// No trigger can read one: Postgres 18 raises "unexpected virtual generated column reference".
test('a virtual generated column is none, and whoever names it is told why', async (context) => {
  const db = await project();
  const { rows } = await db.app.query(`select current_setting('server_version_num')::int >= 180000 as new`);
  if (rows[0]?.new !== true) return context.skip('Postgres has none before version 18');
  await db.app.query(`create table public.people (id int primary key, email text, a int,
    twice int generated always as (a * 2) virtual, thrice int generated always as (a * 3) stored)`);
  const people = (...attributes: ReturnType<typeof attribute>[]) => ({
    tables: [contacts('people', { email: 'email', attributes })],
  });
  const { contacts: found } = await inspect(
    db,
    people(attribute('A', 'thrice'), attribute('B', { kind: 'sql', expression: 'to_jsonb(people)' })),
  );
  const columns = ['id', 'email', 'a', 'thrice'];
  expect([...(found[0]?.table.columns.keys() ?? [])]).toEqual(columns);
  expect(found[0]?.expressions.get('to_jsonb(people)')?.columns).toEqual(columns);
  expect(await refusal(db, people(attribute('A', 'twice')))).toMatchObject({
    code: 'RC_CONFIG_COLUMN_UNKNOWN',
    message: expect.stringContaining('public.people.twice is a virtual generated column'),
    hint: expect.stringContaining('stored'),
  });
  const inSql = attribute('A', { kind: 'sql', expression: 'twice + 1' });
  expect((await refusal(db, people(inSql))).hint).toContain('Virtual generated ones (twice) do not count.');
});

test('citext is text, and may hold an address or the id of a user', async (context) => {
  const db = await project();
  const made = await db.app.query('create schema ext; create extension citext schema ext').then(
    () => true,
    () => false,
  );
  if (!made) return context.skip('this Postgres has no citext');
  await db.app.query(`create domain public.address as ext.citext;
    create table public.people (id int primary key, email ext.citext, other public.address, list ext.citext[])`);
  const table = await shape(db, 'public', 'people');
  expect(columnsOf(table)).toEqual({
    id: 'integer = integer',
    email: 'ext.citext = text',
    other: 'ext.citext = text',
    list: 'ext.citext[] = json',
  });
  for (const link of [{ kind: 'user', column: 'other' } as const, { kind: 'email', column: 'other' } as const]) {
    const { events: found } = await inspect(db, { eventTables: [events('people', { link })] });
    expect(found).toHaveLength(1);
  }
});

const HOSTILE: readonly [string, string][] = [
  ['quotes', `a"b'c`],
  ['emoji', '👩‍🚀 orders 🚀'],
  ['63 bytes', 'x'.repeat(63)],
  ['a keyword', 'select'],
  ['mixed case', 'OrderItems'],
  ['a dollar quote', '$rollcall$ $$'],
  ['a backslash', 'back\\slash'],
  ['a comment', '-- /* x'],
  ['blanks', ' spaced  out '],
  ['a dot', 'orders.old'],
  ['our own word', 'rollcall_projection'],
  ['the row before', 'old'],
];

test.each(HOSTILE)('names with %s: schema, table, columns, key and expressions', async (_what, name) => {
  const db = await project();
  const q = `"${name.replaceAll('"', '""')}"`;
  await db.app.query(`create schema ${q};
    create table ${q}.${q} (${q} text, "E Mail" text, "Key" int, primary key ("Key", ${q}))`);
  const table = { schema: name, table: name };
  const whole = { kind: 'sql', expression: `to_jsonb(${q}.*) ->> 'E Mail'` } as const;
  const one = { kind: 'sql', expression: `${q}.${q} || ${q}."E Mail"` } as const;
  const sources = await inspect(db, {
    eventTables: [
      events(table, {
        link: { kind: 'email', column: 'E Mail' },
        properties: [attribute('a', one), attribute('b', { kind: 'column', path: [name] })],
      }),
    ],
  });
  const again = await inspect(db, {
    tables: [contacts(table, { email: 'E Mail', attributes: [attribute('A', one), attribute('W', whole)] })],
  });
  const found = sources.events[0];
  expect(found?.table.name).toBe(`${name}.${name}`);
  expect([...(found?.table.columns.keys() ?? [])]).toEqual([name, 'E Mail', 'Key']);
  expect(found?.table.primaryKey.map((c) => c.name)).toEqual(['Key', name]);
  expect(found?.expressions.get(one.expression)?.columns.toSorted()).toEqual(['E Mail', name].toSorted());
  expect(again.contacts[0]?.expressions.get(one.expression)?.columns.toSorted()).toEqual(['E Mail', name].toSorted());
  expect(again.contacts[0]?.expressions.get(whole.expression)?.columns).toEqual([name, 'E Mail', 'Key']);
});

test('a table of 1,000 columns', async () => {
  const db = await project();
  const list = Array.from({ length: 997 }, (_, n) => `c${n} ${n % 2 === 0 ? 'text' : 'numeric'}`);
  await db.app.query(`create table public.wide (id int primary key, email text, "C_last" jsonb, ${list.join(', ')})`);
  const { contacts: found } = await inspect(db, {
    tables: [
      contacts('wide', {
        email: 'email',
        attributes: [
          attribute('A', { kind: 'sql', expression: 'c995 + wide.c1' }),
          attribute('B', { kind: 'sql', expression: 'to_jsonb(wide)' }),
        ],
      }),
    ],
  });
  expect(found[0]?.table.columns.size).toBe(1_000);
  expect(found[0]?.expressions.get('c995 + wide.c1')).toMatchObject({ type: 'float', columns: ['c1', 'c995'] });
  expect(found[0]?.expressions.get('to_jsonb(wide)')?.columns).toHaveLength(1_000);
  const wrong = await refusal(db, {
    tables: [contacts('wide', { email: 'email', attributes: [attribute('A', 'zzz')] })],
  });
  expect(wrong.hint).toMatch(/^There are: id, email, C_last, .* and 988 more\.$/);
});

test('partitioned tables, partitions, and tables that inherit', async () => {
  const db = await project();
  await db.app.query(`
    create table public.visits (at date, id int, email text, primary key (id, at)) partition by range (at);
    create table public.visits_2025 partition of public.visits for values from ('2025-01-01') to ('2026-01-01');
    create table public.animals (id text primary key, email text);
    create table public.dogs (breed text) inherits (public.animals);
    alter table public.dogs add primary key (id)`);
  const kinds: string[] = [];
  for (const name of ['visits', 'visits_2025', 'animals', 'dogs']) {
    const table = await shape(db, 'public', name);
    kinds.push(
      `${name}: ${table.kind}, ${table.primaryKey.map((c) => c.name).join('+')}, ${[...table.columns.keys()].join('+')}`,
    );
  }
  expect(kinds).toEqual([
    'visits: partitioned, id+at, at+id+email',
    'visits_2025: table, id+at, at+id+email',
    'animals: table, id, id+email',
    'dogs: table, id, id+email+breed',
  ]);
});

test('a primary key in its own order, without what its index only includes', async () => {
  const db = await project();
  await db.app.query(`create table public.keyed (a int, b text, c uuid, email text, primary key (c, a) include (b))`);
  expect((await shape(db, 'public', 'keyed')).primaryKey).toEqual([
    { name: 'c', sqlType: 'uuid', type: 'text' },
    { name: 'a', sqlType: 'integer', type: 'integer' },
  ]);
});
