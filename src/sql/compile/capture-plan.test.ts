import { expect, test } from 'vitest';
import { attribute, testConfig } from '../../../test/support/config.ts';
import type {
  AggregateSource,
  ContactSource,
  EventSource,
  RowLink,
  SourceColumn,
  Sources,
  SourceTable,
} from '../source.ts';
import { textSettings } from './capture-events.ts';
import { captureFunction } from './capture-names.ts';
import { capturePlans, triggerTables } from './capture-plan.ts';
import { viaName } from './link.ts';

const column = (name: string, sqlType = 'text'): SourceColumn => ({ name, sqlType, type: 'text' });

function table(name: string, columns: readonly SourceColumn[], kind: SourceTable['kind'] = 'table'): SourceTable {
  return {
    schema: 'public',
    table: name,
    name: `public.${name}`,
    kind,
    columns: new Map(columns.map((c) => [c.name, c])),
    primaryKey: kind === 'view' ? [] : columns.slice(0, 1),
  };
}

const ID = column('id', 'integer');
const EMAIL = column('email');
const USER = column('user_id', 'uuid');
const customers = table('customers', [ID, EMAIL, column('name'), column('note')]);
const orders = table('orders', [
  ID,
  USER,
  column('customer_id', 'integer'),
  column('total', 'numeric'),
  column('at', 'timestamp with time zone'),
]);

function contacts(of: SourceTable, link: RowLink, bases: ContactSource['bases'] = []): ContactSource {
  const mapping = {
    table: of,
    link: undefined,
    email: link.email?.name,
    attributes: [attribute('NAME', 'name')],
    where: undefined,
    baseTables: [],
    everyMs: undefined,
    path: 'x',
    line: 1,
    column: 1,
  };
  return { table: of, mapping, link, rank: 1, expressions: new Map(), bases };
}

function aggregate(
  of: SourceTable,
  link: RowLink,
  expression: string,
  columns: readonly string[],
  bases: AggregateSource['bases'] = [],
): AggregateSource {
  const source = {
    kind: 'aggregate' as const,
    expression,
    from: {
      table: of,
      link: undefined,
      where: undefined,
      baseTables: [],
      everyMs: undefined,
      path: 'x',
      line: 1,
      column: 1,
    },
  };
  const expressions = new Map([[expression, { type: 'integer' as const, columns, timeDependent: false }]]);
  return { table: of, link, where: undefined, attributes: [attribute('A', source)], rank: 1, expressions, bases };
}

function events(of: SourceTable, more: Partial<EventSource['types'][number]> = {}): EventSource {
  const type = {
    name: 'e',
    operations: ['insert' as const],
    condition: undefined,
    when: undefined,
    properties: [attribute('total', 'total')],
    notWithInsert: false,
    ...more,
  };
  return { table: of, link: { user: USER }, types: [type], expressions: new Map() };
}

function plans(more: Partial<Sources>): ReturnType<typeof capturePlans> {
  const users = {
    columns: new Set(['id', 'email', 'raw_user_meta_data', 'encrypted_password']),
    expressions: new Map(),
  };
  return capturePlans(testConfig(), {
    users,
    contacts: [],
    aggregates: [],
    events: [],
    reevaluateMs: undefined,
    adjustments: new Map(),
    clockAttributes: [],
    writeBacks: [],
    warnings: [],
    ...more,
  });
}

test('users are always captured, by what is mapped of them', () => {
  expect(plans({})).toMatchObject([
    {
      table: { name: 'auth.users' },
      states: [{ source: null, columns: ['id', 'email', 'raw_user_meta_data'] }],
      events: undefined,
    },
  ]);
});

test('a table of contacts is watched in its links and mapped columns', () => {
  const [, plan] = plans({ contacts: [contacts(customers, { email: EMAIL })] });
  expect(plan?.states).toEqual([{ source: null, links: [{ email: EMAIL }], columns: ['email', 'name'] }]);
});

test('a count reads no column and still follows its links; aggregates with one link are one role', () => {
  const link = { user: USER };
  const [, plan] = plans({
    aggregates: [aggregate(orders, link, 'count(*)', []), aggregate(orders, { ...link }, 'sum(total)', ['total'])],
  });
  expect(plan?.states).toEqual([{ source: null, links: [link], columns: ['user_id', 'total'] }]);
});

test('a column of ids and the same column as addresses are two links', () => {
  const [, plan] = plans({
    aggregates: [
      aggregate(orders, { user: USER }, 'count(*)', []),
      aggregate(orders, { email: USER }, 'count(id)', []),
    ],
  });
  expect(plan?.states).toMatchObject([{ links: [{ user: USER }, { email: USER }] }]);
});

test('rows that belong to other rows log keys of those, and those are watched in what leads from them', () => {
  const via = { column: column('customer_id', 'integer'), target: customers, targetColumn: ID, link: { email: EMAIL } };
  const [, plan, target] = plans({ aggregates: [aggregate(orders, { via }, 'count(*)', [])] });
  expect(plan?.states).toEqual([{ source: viaName(orders, via), links: [{ via }], columns: ['customer_id'] }]);
  expect(target).toMatchObject({ table: customers, states: [{ source: null, columns: ['email', 'id'] }] });
});

test('a view has no plan; of the tables under it any column counts', () => {
  const view = table('totals', [USER, column('name')], 'view');
  const found = plans({
    contacts: [contacts(view, { user: USER }, [{ table: orders, link: { user: USER } }])],
    aggregates: [aggregate(orders, { user: USER }, 'count(*)', [])],
  });
  expect(found.map((p) => p.table.name)).toEqual(['auth.users', 'public.orders']);
  expect(found[1]?.states).toEqual([{ source: null, links: [{ user: USER }], columns: 'all' }]);
});

test('events beside state make one plan; an update that must not be in the insert’s transaction needs the insert', () => {
  const [, plan] = plans({
    aggregates: [aggregate(orders, { user: USER }, 'count(*)', [])],
    events: [events(orders, { operations: ['update'], notWithInsert: true })],
  });
  expect(plan?.states).toHaveLength(1);
  expect(plan?.events).toEqual({
    columns: ['user_id', 'total'],
    operations: ['insert', 'update'],
    wholeRows: true,
    writtenBack: false,
  });
});

test('of users never more than the columns that may be mapped', () => {
  const users: SourceTable = { ...table('users', [column('id', 'uuid'), EMAIL]), schema: 'auth', name: 'auth.users' };
  const [plan] = plans({ events: [{ ...events(users), link: { user: column('id', 'uuid') } }] });
  expect(plan?.events).toMatchObject({
    columns: ['id'],
    wholeRows: expect.arrayContaining(['email', 'raw_user_meta_data']),
  });
  expect(plan?.states).toHaveLength(1);
});

test('settings that fix text are there where a type needs them', () => {
  const settings = (of: SourceTable): string =>
    textSettings({
      table: of,
      states: [],
      events: { columns: [...of.columns.keys()], operations: ['insert'], wholeRows: true, writtenBack: false },
    });
  expect(textSettings({ table: orders, states: [], events: undefined })).toBe('');
  expect(settings(orders), 'a time in jsonb is the same moment whatever its offset').toBe('set extra_float_digits = 1');
  expect(settings(table('t', [column('at', 'timestamp(3) with time zone')])), 'a key is text').toContain(
    `set timezone = 'UTC'`,
  );
  for (const type of ['interval', 'bytea', 'tstzrange', 'public.colour'])
    expect({ type, settings: settings(table('t', [ID, column('c', type)])) }).toEqual({
      type,
      settings: expect.stringContaining('intervalstyle'),
    });
  for (const type of [
    'character varying(40)',
    'numeric(12,2)',
    'jsonb',
    'text[]',
    'double precision',
    'time without time zone',
    'date[]',
  ])
    expect({ type, settings: settings(table('t', [ID, column('c', type)])) }).toEqual({
      type,
      settings: 'set extra_float_digits = 1',
    });
});

test('each table has a function of its own, with a name that Postgres does not cut', () => {
  const names = [
    { schema: 'auth', table: 'users' },
    { schema: 'public', table: 'users' },
    { schema: 'a.b', table: 'c' },
    { schema: 'a', table: 'b.c' },
    { schema: 'public', table: 'Orders' },
    { schema: 'public', table: 'orders' },
    { schema: 'public', table: 'ü'.repeat(31) },
    { schema: 'public', table: `"'$rollcall$\\` },
    { schema: 'public', table: 'x'.repeat(63) },
    { schema: 'public', table: `${'x'.repeat(62)}y` },
  ].map(captureFunction);
  expect(new Set(names).size).toBe(names.length);
  expect(names[0]).toBe('capture_users');
  for (const name of names) expect(name).toMatch(/^capture_[a-z0-9_]{1,55}$/);
});

test('each source is told of by the triggers on its table', () => {
  const found = triggerTables(plans({ contacts: [contacts(customers, { email: EMAIL })] }));
  expect([...found]).toEqual([
    ['auth.users', [{ table: '"auth"."users"', function: 'capture_users' }]],
    ['public.customers', [{ table: '"public"."customers"', function: captureFunction(customers) }]],
  ]);
});
