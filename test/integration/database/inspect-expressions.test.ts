import { expect, test } from 'vitest';
import type { InspectedExpression } from '../../../src/sql/compile/value.ts';
import { inspectSources } from '../../../src/sql/inspect.ts';
import type { TestDatabase } from '../../support/database.ts';
import { testConfig } from '../../support/config.ts';
import {
  aggregate,
  contacts,
  events,
  inspect,
  named,
  project,
  refusal,
  sql,
  systemEvent,
  withAttributes,
} from './inspect-support.ts';

const SETUP = `
  create type public.state as enum ('open', 'paid');
  create type public.spot as (street text, state public.state);
  create domain public.price as numeric(10, 2);
  create domain public.picky as text check (length(value) > 1);
  create type public.other_state as enum ('x');
  create table public.orders (id int primary key, email text, total public.price, state public.state, states public.state[],
    home public.spot, note public.picky, items jsonb, created_at timestamptz, "user" text);
  create table public.secrets (id int primary key, value text);
  create function public.tier_of(t numeric) returns text language sql immutable as 'select 1::text';
  create function public.dice() returns int language sql volatile as 'select 1';
  create function public.add(a int, b int) returns int language sql immutable as 'select a + b';
  create aggregate public.total_of (int) (sfunc = public.add, stype = int, initcond = '0');`;

async function row(db: TestDatabase, expression: string): Promise<InspectedExpression | undefined> {
  const { contacts: found } = await inspect(db, {
    tables: [contacts('orders', { email: 'email', attributes: [sql('X', expression)] })],
  });
  return found[0]?.expressions.get(expression);
}

async function rows(db: TestDatabase, expression: string, allowFunctions: string[] = []) {
  const { aggregates } = await inspect(db, { ...withAttributes(aggregate('X', expression, 'orders')), allowFunctions });
  return aggregates[0]?.expressions.get(expression);
}

async function event(db: TestDatabase, expression: string): Promise<InspectedExpression | undefined> {
  const { events: found } = await inspect(db, {
    eventTables: [events('orders', { properties: [sql('x', expression)] })],
  });
  return found[0]?.expressions.get(expression);
}

const inConfig = (expression: string) => ({
  row: { tables: [contacts('orders', { email: 'email', attributes: [sql('X', expression)] })] },
  rows: withAttributes(aggregate('X', expression, 'orders')),
  event: { eventTables: [events('orders', { properties: [sql('x', expression)] })] },
});

test('expressions over a row of a table: types, and the columns they read', async () => {
  const db = await project(SETUP);
  const cases: [string, string, string[]][] = [
    ['upper(email)', 'text', ['email']],
    ['orders.total * 2', 'float', ['total']],
    ['total', 'float', ['total']],
    ['note', 'text', ['note']],
    ['state', 'text', ['state']],
    [`state = 'paid'`, 'boolean', ['state']],
    [`state in ('paid', 'open') and states @> array['paid']::public.state[]`, 'boolean', ['state', 'states']],
    [`(home).state = 'paid' or (home).street is null`, 'boolean', ['home']],
    ['home', 'json', ['home']],
    [`items -> 0 ->> 'sku'`, 'text', ['items']],
    ['states', 'json', ['states']],
    [`note || 'x'`, 'text', ['note']],
    ['"user"', 'text', ['user']],
    [`'same for all'`, 'text', []],
    ['created_at > now()', 'boolean', ['created_at']],
  ];
  for (const [expression, type, columns] of cases) {
    const found = await row(db, expression);
    expect({ expression, type: found?.type, columns: found?.columns.toSorted() }).toEqual({
      expression,
      type,
      columns,
    });
    expect(found?.timeDependent).toBe(expression.includes('now()'));
  }
  expect((await row(db, 'to_jsonb(orders)'))?.columns).toHaveLength(10);
});

test('an aggregate gives one value for all rows, and nothing else does', async () => {
  const db = await project(SETUP);
  const cases: [string, string, string[]][] = [
    ['count(*)', 'integer', []],
    ['max(created_at)', 'timestamp', ['created_at']],
    ['max(orders.total)', 'float', ['total']],
    ['sum(total)', 'float', ['total']],
    ['count(distinct state)', 'integer', ['state']],
    [`count(*) filter (where state = 'paid') > 3`, 'boolean', ['state']],
    [`string_agg(email, ',' order by created_at)`, 'text', ['created_at', 'email']],
    [`(array_agg(state order by created_at desc))[1]`, 'text', ['created_at', 'state']],
    [`percentile_cont(0.5) within group (order by total)`, 'float', ['total']],
    [`case when count(*) > 10 then 'gold' else 'tin' end`, 'text', []],
    [`(select max(x) from unnest(array_agg(total)) as x)`, 'float', ['total']],
    [`now() - max(created_at)`, 'text', ['created_at']],
    [`jsonb_agg(items)`, 'json', ['items']],
    [`count(*)::int`, 'integer', []],
  ];
  for (const [expression, type, columns] of cases) {
    const found = await rows(db, expression);
    expect({ expression, type: found?.type, columns: found?.columns.toSorted() }).toEqual({
      expression,
      type,
      columns,
    });
  }
  expect((await rows(db, 'count(orders)'))?.columns, 'a whole row').toHaveLength(10);
  expect((await rows(db, 'age(max(created_at))'))?.timeDependent).toBe(true);
  expect(await rows(db, 'public.total_of(id)', ['public.total_of', 'public.add'])).toMatchObject({ type: 'integer' });
  for (const expression of ['total', '1', 'upper(email)', 'now()', '(select count(*) from unnest(states))']) {
    const found = await refusal(db, inConfig(expression).rows);
    expect({ expression, message: found.message }).toMatchObject({
      message: expect.stringMatching(/value for each row/),
    });
    expect(found.hint).toMatch(/count\(\*\)/);
  }
  for (const expression of ['max(total) + total', 'count(*) over ()', 'unnest(array_agg(id))', 'max(count(*))'])
    expect(await refusal(db, inConfig(expression).rows)).toMatchObject({ code: 'RC_SQL_EXPRESSION' });
  for (const scope of ['row', 'event'] as const) {
    expect(await refusal(db, inConfig('count(*)')[scope])).toMatchObject({
      message: expect.stringMatching(/one value for each row/),
      hint: expect.stringContaining('from:'),
    });
  }
});

test('what an event was before is the row "old"; a bare column is the row as it is', async () => {
  const db = await project(SETUP);
  expect(await event(db, 'total - old.total')).toMatchObject({ type: 'float', columns: ['total'] });
  expect(await event(db, `state = 'paid' and old.state is distinct from state`)).toMatchObject({ type: 'boolean' });
  expect((await event(db, `orders.email || old."user"`))?.columns.toSorted()).toEqual(['email', 'user']);
  expect((await event(db, 'to_jsonb(old)'))?.columns).toHaveLength(10);
  for (const scope of ['row', 'rows'] as const) {
    expect(await refusal(db, inConfig('max(old.total)')[scope])).toMatchObject({ code: 'RC_SQL_EXPRESSION' });
  }
  const { events: found } = await inspect(db, {
    eventTables: [events('orders', { when: { expression: 'total > old.total', line: 4, column: 2 } })],
    systemEvents: [
      systemEvent('user.updated', { when: { expression: `user_metadata <> old.user_metadata`, line: 5, column: 2 } }),
    ],
  });
  expect(found.map((e) => e.types[0]?.when?.expression)).toEqual([
    'total > old.total',
    `user_metadata <> old.user_metadata`,
  ]);
  expect(found[1]?.expressions.get('user_metadata <> old.user_metadata')?.columns).toEqual(['user_metadata']);
  // The hash is not there, neither as it is nor as it was.
  for (const expression of [
    'old.encrypted_password',
    'encrypted_password',
    'raw_user_meta_data',
    `to_jsonb(old) ->> 1`,
  ]) {
    const config = { systemEvents: [systemEvent('user.updated', { properties: [sql('x', expression)] })] };
    if (expression.startsWith('to_jsonb')) {
      const whole = (await inspect(db, config)).events[0]?.expressions.get(expression)?.columns ?? [];
      expect(whole).toContain('user_metadata');
      expect(whole.join()).not.toMatch(/token|password|change/);
    } else {
      expect(await refusal(db, config)).toMatchObject({ code: 'RC_SQL_EXPRESSION' });
    }
  }
});

test('conditions must be true or false, and say where they stand', async () => {
  const db = await project(SETUP);
  const condition = (expression: string) => ({ expression, line: 21, column: 9 });
  const wrong = condition('total');
  const aggregated = aggregate('N', 'count(*)', 'orders', { where: wrong });
  const places = [
    [{ tables: [contacts('orders', { email: 'email', where: wrong })] }, 'where', 'table_mapping.orders.where'],
    [{ eventTables: [events('orders', { when: wrong })] }, 'when', 'table_mapping.orders.when'],
    [withAttributes(aggregated), 'where', 'user_mapping.attributes.N.from.where'],
    [
      { systemEvents: [systemEvent('user.signed_up', { when: condition('email') })] },
      'when',
      'events.user.signed_up.when',
    ],
  ] as const;
  for (const [config, name, path] of places) {
    expect(await refusal(db, config)).toMatchObject({
      code: 'RC_SQL_EXPRESSION',
      message: expect.stringContaining(`The condition "${name}" must be true or false`),
      path,
      line: 21,
    });
  }
  const right = condition(`state = 'paid'`);
  const { aggregates } = await inspect(db, withAttributes(aggregate('N', 'count(*)', 'orders', { where: right })));
  expect(aggregates[0]?.expressions.get(right.expression)).toMatchObject({ type: 'boolean', columns: ['state'] });
});

test('expressions that reach beyond their row are refused wherever they stand, and nothing is left behind', async () => {
  const db = await project(SETUP);
  const refused = [
    '(select value from public.secrets limit 1)',
    '(select total from public.orders o limit 1)',
    '(select encrypted_password from auth.users limit 1)',
    '(select rolname from pg_roles limit 1)',
    `(select setting from pg_settings limit 1)`,
    `exists (select from pg_temp.rollcall_projection)::text || (select 1 from pg_class limit 1)`,
    '(select email from pg_temp.rollcall_projection limit 1)',
    'random()',
    'clock_timestamp()',
    `query_to_xml('select 1', true, false, '')`,
    `current_setting('server_version')`,
    `pg_read_file('/etc/passwd')`,
    'CURRENT_USER',
    'public.tier_of(total)',
    'public.dice()',
    `'x'::public.other_state`,
    `email::public.picky`,
    'ctid',
    'orders.tableoid',
    'nope',
    `created_at < 'now'::timestamptz`,
    '1, 2',
    '1) as a, (2',
    '1) as value union all select (2',
    '1) from pg_temp.rollcall_projection as x where (true',
    '1) as value from pg_temp.rollcall_projection as orders; drop table public.secrets; --',
    '1) as value from pg_temp.rollcall_projection; drop table public.secrets; select (2',
    `1); drop table public.secrets; --`,
    '1 /* ',
    `'`,
    '$1',
    '',
  ];
  const allowed: string[] = [];
  for (const expression of refused) {
    for (const [scope, config] of Object.entries(inConfig(expression))) {
      try {
        const { code } = await refusal(db, config);
        if (code !== 'RC_SQL_EXPRESSION') allowed.push(`${scope}: ${expression}: ${code}`);
      } catch (error) {
        allowed.push(`${scope}: ${expression}: ${String(error)}`);
      }
    }
    // The same inside an aggregate, which is what an aggregate's author would write.
    if (expression === '1, 2') continue; // a record there
    const inside = inConfig(`max((${expression})::text)`).rows;
    await refusal(db, inside).catch(() => allowed.push(`aggregate of ${expression}`));
  }
  expect(allowed).toEqual([]);
  const left = await db.app.query(`select relname from pg_class where relname like 'rollcall%'`);
  expect(left.rows).toEqual([]);
  expect((await db.app.query('select * from public.secrets')).rows).toEqual([]);
});

test('functions of the project need to be listed, in aggregates and events too', async () => {
  const db = await project(SETUP);
  for (const config of [
    inConfig('public.tier_of(total)').row,
    inConfig('max(public.tier_of(total))').rows,
    inConfig('public.tier_of(old.total)').event,
  ]) {
    expect(await refusal(db, config)).toMatchObject({
      hint: expect.stringContaining('list public.tier_of under allow_functions'),
    });
    await inspect(db, { ...config, allowFunctions: ['public.tier_of'] });
  }
  expect(await refusal(db, { ...inConfig('public.dice()').row, allowFunctions: ['public.dice'] })).toMatchObject({
    message: expect.stringContaining('another value each time'),
  });
});

test('a mistake says what Postgres says, where it stands, and which columns there are', async () => {
  const db = await project(SETUP);
  const found = await refusal(db, { tables: [contacts('orders', { email: 'email', attributes: [sql('X', 'totl')] })] });
  expect(found).toMatchObject({ code: 'RC_SQL_EXPRESSION', path: 'X', line: 1 });
  expect(found.message).toBe('This SQL expression does not work: column "totl" does not exist.');
  expect(found.hint).toContain('id, email, total, state');
});

test('the session stays as it was, and a citext column compares as text', async () => {
  const db = await project(`create extension citext; create table public.people (id int primary key, email citext)`);
  await db.sql.transaction(async (tx) => {
    await tx.script(`set local search_path = 'public', 'auth'; set local row_security = on`);
    const config = testConfig({
      tables: [contacts('people', { email: 'email', attributes: [sql('X', `email = 'A@x.y'`)] })],
    });
    const found = await inspectSources(tx, config);
    expect(found.contacts[0]?.expressions.get(`email = 'A@x.y'`)).toMatchObject({
      type: 'boolean',
      columns: ['email'],
    });
    expect(await tx.query('show search_path')).toEqual([{ search_path: 'public, auth' }]);
    expect(found.contacts[0]?.table).toMatchObject(named('people'));
  });
});
