import { expect, test } from 'vitest';
import type { InspectedExpression } from '../../../src/sql/compile/value.ts';
import { inspectSources } from '../../../src/sql/inspect/sources.ts';
import type { TestDatabase } from '../../support/database.ts';
import { testConfig } from '../../support/config.ts';
import { inConfig, ORDERS } from './inspect-orders.ts';
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

test('expressions over a row of a table: types, and the columns they read', async () => {
  const db = await project(ORDERS);
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
  const db = await project(ORDERS);
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
  const db = await project(ORDERS);
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
  const db = await project(ORDERS);
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
