import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { TestDatabase } from '../../support/database.ts';
import { aggregate, contacts, events, inspect, named, project, withAttributes } from './inspect-support.ts';

/** The statements that the warnings name. */
async function wanted(db: TestDatabase, more: Partial<Config>): Promise<string[]> {
  const { warnings } = await inspect(db, more);
  return warnings.map((w) => {
    expect(w).toMatchObject({ code: 'RC_WARN_NO_INDEX', line: expect.any(Number), column: expect.any(Number) });
    return /create index .*;$/.exec(w.message)?.[0] ?? w.message;
  });
}

const rows = (table: string, columns: string, values: string, count: number): string =>
  `insert into ${table} (${columns}) select ${values} from generate_series(1, ${count}) n; analyze ${table};`;

const PEOPLE = `create table public.people (id int primary key, email text, user_id uuid references auth.users (id));
  ${rows('public.people', 'id, email', `n, n || '@x.y'`, 1_500)}`;
const people = { tables: [contacts('people', { email: 'email' })] };

test('an index that is missing is named by the statement that makes it, and the statement heals it', async () => {
  const db = await project(PEOPLE);
  const statements = await wanted(db, people);
  expect(statements).toEqual([
    'create index on "public"."people" ("user_id");',
    `create index on "public"."people" (lower(normalize(btrim("email"::text, E' \\t\\r\\n'))));`,
  ]);
  await db.app.query(statements[0] ?? '');
  expect(await wanted(db, people)).toEqual(statements.slice(1));
  await db.app.query(statements[1] ?? '');
  expect(await wanted(db, people)).toEqual([]);
});

test('small tables, views and tables of events need none', async () => {
  const db = await project(`${PEOPLE}
    create table public.few (id int primary key, email text); ${rows('public.few', 'id', 'n', 900)}
    create table public.fresh (id int primary key, email text);
    create view public.shown as select * from public.people`);
  expect(
    await wanted(db, {
      tables: [
        contacts('few', { email: 'email' }),
        contacts('fresh', { email: 'email' }),
        contacts('shown', { email: 'email', everyMs: 1_000 }),
      ],
      eventTables: [events('people')],
    }),
  ).toEqual([]);
});

test('which indexes will do', async () => {
  const db = await project(`
    create table public.t (id int primary key, who uuid, other int) with (autovacuum_enabled = off);
    ${rows('public.t', 'id', 'n', 2_000)}`);
  const config = { tables: [contacts('t', { link: { kind: 'user', column: 'who' } })] };
  const missing = ['create index on "public"."t" ("who");'];
  const cases: [string, boolean][] = [
    ['create index x on public.t (who)', true],
    ['create unique index x on public.t (who, other) include (id)', true],
    ['create index x on public.t using hash (who)', true],
    ['create index x on public.t (who desc nulls last)', true],
    ['create index x on public.t (who) where who is not null', true],
    ['create index x on public.t (who) where other > 3', false],
    ['create index x on public.t (who) where other is not null', false],
    ['create index x on public.t (other, who)', false],
    ['create index x on public.t using brin (who)', false],
    ['create index x on public.t ((who::text))', false],
    [
      `create index x on public.t (who); update pg_index set indisvalid = false where indexrelid = 'public.x'::regclass`,
      false,
    ],
  ];
  for (const [statement, enough] of cases) {
    await db.app.query(statement);
    expect({ statement, wanted: await wanted(db, config) }).toEqual({ statement, wanted: enough ? [] : missing });
    await db.app.query('drop index public.x');
  }
});

test('rows behind an aggregate, by way of another table too; one warning however many ask', async () => {
  const db = await project(`${PEOPLE}
    create index on public.people (user_id); create index on public.people (lower(normalize(btrim(email, E' \\t\\r\\n'))));
    create table public.orders (id int primary key, person_id int references public.people (id), "Total" int);
    ${rows('public.orders', 'id, person_id', 'n, n', 1_200)}`);
  const config = {
    ...people,
    ...withAttributes(
      aggregate('N', 'count(*)', 'orders'),
      aggregate('PAID', 'count(*)', 'orders', { where: { expression: '"Total" > 0', line: 1, column: 1 } }),
    ),
  };
  expect(await wanted(db, config)).toEqual(['create index on "public"."orders" ("person_id");']);
  await db.app.query('create index on public.orders (person_id)');
  expect(await wanted(db, config)).toEqual([]);
});

test("a partitioned table is as large as its partitions, and the parent's index counts", async () => {
  const db = await project(`
    create table public.logs (id int, email text, primary key (id)) partition by range (id);
    create table public.logs_1 partition of public.logs for values from (0) to (1000);
    create table public.logs_2 partition of public.logs for values from (1000) to (9000);
    ${rows('public.logs', 'id', 'n', 1_400)}
    create index on public.logs_1 (lower(normalize(btrim(email, E' \\t\\r\\n'))))`);
  const config = { tables: [contacts('logs', { email: 'email' })] };
  const [statement = '', ...more] = await wanted(db, config);
  expect(more).toEqual([]);
  await db.app.query(statement);
  expect(await wanted(db, config)).toEqual([]);
});

test('hostile names and types: the statement works as it stands', async () => {
  const db = await project(`create extension citext; create domain public.address as citext;
    create table public."we""ird 'table" (id int primary key, "select" public.address, "Who" varchar(50));
    ${rows(`public."we""ird 'table"`, 'id', 'n', 1_100)}`);
  const table = named({ schema: 'public', table: `we"ird 'table` });
  const config = { tables: [contacts(table, { email: 'select', link: { kind: 'user', column: 'Who' } })] };
  const statements = await wanted(db, config);
  expect(statements).toHaveLength(2);
  for (const statement of statements) await db.app.query(statement);
  expect(await wanted(db, config)).toEqual([]);
});
