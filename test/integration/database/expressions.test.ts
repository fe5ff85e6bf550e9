import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { RollcallError } from '../../../src/core/errors.ts';
import { inspectSources } from '../../../src/sql/inspect/sources.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { installed } from './support.ts';

function withSql(expression: string, more: Partial<Config> = {}): Config {
  const base = testConfig();
  return {
    ...base,
    userMapping: { ...base.userMapping, attributes: [attribute('X', { kind: 'sql', expression })] },
    ...more,
  };
}

async function inspect(db: TestDatabase, expression: string, more: Partial<Config> = {}) {
  const { users } = await db.sql.transaction((tx) => inspectSources(tx, withSql(expression, more)));
  return users.expressions.get(expression);
}

async function refusal(db: TestDatabase, expression: string): Promise<string> {
  try {
    await inspect(db, expression);
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'RC_SQL_EXPRESSION') return error.message;
    return `WRONG ERROR ${String(error)}`;
  }
  return 'ALLOWED';
}

test('expressions over the allowed columns are allowed, and their types are inferred', async () => {
  const db = await createDatabase();
  const cases: [string, string][] = [
    ['email', 'text'],
    [`user_metadata->>'plan'`, 'text'],
    [`user_metadata->'plan'`, 'json'],
    [`(user_metadata->>'age')::int + 1`, 'integer'],
    [`(user_metadata->>'big')::bigint`, 'integer'],
    [`(user_metadata->>'score')::numeric(10,2)`, 'float'],
    [`(user_metadata->>'score')::float8`, 'float'],
    [`created_at > '2020-01-01'`, 'boolean'],
    [`created_at::date`, 'date'],
    ['created_at', 'timestamp'],
    [`created_at::timestamp`, 'timestamp'],
    [`string_to_array(email, '@')`, 'json'],
    [`case when is_anonymous then 'a' else 'b' end`, 'text'],
    [`coalesce(users.phone, 'none') || E'\\n' -- a comment`, 'text'],
    ['id', 'text'],
    [`to_jsonb(users)`, 'json'],
    [`email collate "C" < 'b'`, 'boolean'],
    [`null`, 'text'],
  ];
  for (const [expression, type] of cases) {
    expect({ expression, type: (await inspect(db, expression))?.type }).toEqual({ expression, type });
  }
});

test('what reads the clock is flagged, what does not is not', async () => {
  const db = await createDatabase();
  const clock = [
    'now()',
    'CURRENT_DATE',
    'CURRENT_TIMESTAMP(3)',
    'LOCALTIME',
    'age(created_at)',
    'statement_timestamp()',
  ];
  for (const expression of clock)
    expect({ expression, flagged: (await inspect(db, expression))?.timeDependent }).toEqual({
      expression,
      flagged: true,
    });
  for (const expression of ['created_at', `'now'`, `extract(day from created_at)`])
    expect({ expression, flagged: (await inspect(db, expression))?.timeDependent }).toEqual({
      expression,
      flagged: false,
    });
});

test('expressions that reach beyond their row are refused, and nothing is left behind', async () => {
  const db = await createDatabase();
  await db.app.query(`
    create function public.leak() returns text language sql immutable as 'select 1::text';
    create function public.plus(a text, b text) returns text language sql immutable as 'select a || b';
    create operator public.<%%> (leftarg = text, rightarg = text, function = public.plus);
    create type public.plan as enum ('a', 'b');
    create domain public.picky as text check (length(value) > 1);
    create type public.wrapped as (v text);
    create function public.to_wrapped(text) returns public.wrapped language sql immutable as 'select row($1)::public.wrapped';
    create cast (text as public.wrapped) with function public.to_wrapped(text);
    create table public.other (x text);
    grant all on public.other to hosted;
    grant usage on schema public to hosted;`);
  const refused = [
    'encrypted_password',
    'users.confirmation_token',
    'raw_user_meta_data',
    'email_change',
    `(select encrypted_password from auth.users limit 1)`,
    `(select x from public.other limit 1)`,
    `(select rolname from pg_roles limit 1)`,
    `(select setting from pg_settings limit 1)`,
    `(select table_name from information_schema.tables limit 1)`,
    `exists (select from pg_class)`,
    'random()',
    'clock_timestamp()',
    'gen_random_uuid()',
    `nextval('public.s')`,
    `query_to_xml('select 1', true, false, '')`,
    `table_to_xml('auth.users', true, false, '')::text`,
    `database_to_xml(true, false, '')`,
    `current_setting('server_version')`,
    `set_config('a.b', 'c', false)`,
    `pg_read_file('/etc/passwd')`,
    `pg_sleep(1)::text`,
    'current_database()',
    'version()',
    'CURRENT_USER',
    'SESSION_USER',
    'CURRENT_CATALOG',
    'CURRENT_SCHEMA',
    `ts_stat('select 1')::text`,
    `has_table_privilege('auth.users', 'select')`,
    'public.leak()',
    `email::text operator(public.<%%>) 'a'`,
    `(user_metadata->>'p')::public.plan`,
    `(user_metadata->>'p')::public.picky`,
    `((user_metadata->>'p')::public.wrapped).v`,
    'count(*)',
    'max(email)',
    'row_number() over ()',
    `unnest(array[1, 2])`,
    `jsonb_array_elements(user_metadata)`,
    `created_at < 'now'::timestamptz`,
    `created_at::date = 'today'`,
    '1, 2',
    '1) as a, (2',
    '1) as value union all select (2',
    '1) as value from pg_class union select (2',
    `1) as value from auth.users as users where (true`,
    `1) as value from pg_temp.rollcall_projection as users; drop table public.other; --`,
    `1); drop table public.other; --`,
    `1 /* `,
    `'`,
    '$1',
    '',
    'email; select 1',
    'p_keys',
    'k.key',
    'a.address',
  ];
  const allowed: string[] = [];
  for (const expression of refused) {
    const message = await refusal(db, expression);
    if (message === 'ALLOWED' || message.startsWith('WRONG')) allowed.push(`${expression}: ${message}`);
  }
  expect(allowed).toEqual([]);
  const left = await db.app.query(`select relname from pg_class where relname like 'rollcall%'`);
  expect(left.rows).toEqual([]);
  expect((await db.app.query('select * from public.other')).rows).toEqual([]);
});

test('a function of the project may be called once the config lists it, unless it is volatile', async () => {
  const db = await createDatabase();
  await db.app.query(`
    create function public.tier_of(t text) returns int language sql immutable as 'select length(t)';
    create function public.dice() returns int language sql volatile as 'select 1';
    grant usage on schema public to hosted;`);
  const listed = { allowFunctions: ['public.tier_of', 'public.dice'] };
  expect(await inspect(db, 'public.tier_of(email::text)', listed)).toMatchObject({ type: 'integer' });
  await expect(inspect(db, 'public.dice()', listed)).rejects.toThrow(/another value each time/);
  await expect(inspect(db, 'public.tier_of(email::text)')).rejects.toMatchObject({
    code: 'RC_SQL_EXPRESSION',
    hint: expect.stringContaining('allow_functions'),
  });
});

test('to_jsonb(users) holds the mappable columns and no hash or token', async () => {
  const one = await installed({ userMapping: withSql('to_jsonb(users)').userMapping });
  const id = await one.insert(
    'a@x.y',
    { a: 1 },
    { encrypted_password: '$2a$secret', recovery_token: 'tok-en', phone_change: '+1' },
  );
  await one.foldAll();
  const row = (await one.desired(id))?.payload['X'] as Record<string, unknown>;
  expect(row).toMatchObject({ email: 'a@x.y', user_metadata: { a: 1 } });
  expect(JSON.stringify(row)).not.toMatch(/secret|tok-en|encrypted|_change|token/);
});

test('every column may be named without its table, id too', async () => {
  const one = await installed({
    userMapping: { ...withSql('id::text').userMapping, where: { expression: 'id is not null', line: 1, column: 1 } },
  });
  const id = await one.insert('a@x.y');
  await one.foldAll();
  expect((await one.desired(id))?.payload).toEqual({ X: id });
});
