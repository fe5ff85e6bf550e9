import { describe, expect, test } from 'vitest';
import {
  connector,
  destination,
  FULL,
  FULL_ENV,
  mapping,
  parse,
  table,
  warnings,
} from '../../test/support/config-text.ts';

const app = (name: string): object => ({ schema: 'app', table: name });
const pub = (name: string): object => ({ schema: 'public', table: name });
const column = (name: string, ...path: readonly string[]): object =>
  expect.objectContaining({ name, source: { kind: 'column', path } });

describe('the whole grammar', () => {
  const config = parse(FULL, FULL_ENV);

  test('tables of contacts, in order', () => {
    expect(config.tables).toEqual([
      {
        table: pub('customers'),
        link: { kind: 'user', column: 'user_id' },
        email: 'email',
        attributes: [
          column('PLAN', 'plan'),
          expect.objectContaining({ name: 'TIER', transforms: [{ name: 'lower' }], line: 55, column: 18 }),
          column('CITY', 'address', 'city'),
          column('NAME', 'na.me'),
          column('PLACE', 'where'),
          expect.objectContaining({ name: 'SOURCE', source: { kind: 'const', value: 'shop' } }),
          expect.objectContaining({
            name: 'ORDERS',
            source: {
              kind: 'aggregate',
              expression: 'count(*)',
              from: {
                table: app('orders'),
                link: undefined,
                where: undefined,
                baseTables: [],
                everyMs: undefined,
                path: 'table_mapping.customers.attributes.ORDERS.from',
                line: 60,
                column: 71,
              },
              everyMs: undefined,
            },
          }),
        ],
        where: { expression: 'archived is not true', line: 59, column: 12 },
        baseTables: [],
        everyMs: undefined,
        path: 'table_mapping.customers',
        line: 51,
        column: 3,
      },
      {
        table: pub('totals'),
        link: { kind: 'email', column: 'buyer' },
        email: undefined,
        attributes: [column('SPENT', 'sum')],
        where: undefined,
        baseTables: [app('orders')],
        everyMs: 3_600_000,
        path: 'table_mapping.totals',
        line: 61,
        column: 3,
      },
    ]);
  });

  test('attributes of users over other tables', () => {
    expect(config.userMapping.attributes.slice(10)).toMatchObject([
      {
        name: 'PAID',
        source: {
          kind: 'aggregate',
          expression: 'count(*)',
          from: {
            table: app('orders'),
            link: { kind: 'table', table: pub('customers'), column: 'customer_id' },
            where: { expression: 'paid', line: 23, column: 58 },
            path: 'connectors.supabase.user_mapping.attributes.PAID.from',
            line: 23,
            column: 39,
          },
        },
      },
      {
        name: 'SPENT',
        source: {
          from: { table: pub('totals'), baseTables: [app('orders'), pub('refunds')], everyMs: 1_800_000 },
          everyMs: 1_800_000,
        },
      },
    ]);
  });

  test('tables of events', () => {
    expect(config.eventTables).toEqual([
      {
        table: app('orders'),
        link: { kind: 'table', table: pub('customers'), column: 'customer_id' },
        name: 'order_placed',
        operations: ['insert', 'update'],
        properties: [
          column('amount', 'total'),
          expect.objectContaining({ name: 'order_status', transforms: [{ name: 'lower' }], onNull: 'clear' }),
          column('line_items', 'items'),
          expect.objectContaining({ name: 'items_text', type: 'text' }),
          expect.objectContaining({
            name: 'cents',
            source: { kind: 'sql', expression: '(total * 100)::int' },
            type: 'integer',
          }),
        ],
        when: { expression: 'total > coalesce(old.total, 0)', line: 45, column: 11 },
        path: 'table_mapping.app.orders',
        line: 40,
        column: 3,
      },
    ]);
  });
});

describe('which tables are synced', () => {
  const three = (tables: string): string =>
    `${connector(`sync: {tables: ${tables}}`)}table_mapping:\n  a: {x: X}\n  b: {sync_as: events, event_name: e}\n  c: {y: Y}\n`;
  const names = (text: string): string[] => {
    const config = parse(text);
    return [...config.tables, ...config.eventTables].map(({ table }) => table.table);
  };

  test('all that are mapped, unless sync.tables says otherwise', () => {
    expect(names(three(''))).toEqual(['a', 'c', 'b']);
    expect(names(three('[public.b, c]'))).toEqual(['c', 'b']);
    expect(names(three('[]'))).toEqual([]);
    expect(warnings(parse(three('[public.b, c]')))).toEqual(['5:3 RC_WARN_TABLE_NOT_SYNCED']);
  });

  test('a table that is read through another is not told to be unmapped', () => {
    const text = (tables: string): string =>
      `${connector(
        `sync: {tables: [${tables}]}`,
        'user_mapping: {attributes: {N: {sql: "count(*)", from: app.a, base_tables: [b]}}}',
      )}${table('v', 'base_tables: [c]', 'x: X')}`;
    expect(warnings(parse(text('app.a, b, c, v')))).toEqual([]);
    expect(warnings(parse(text('a, v')))).toEqual(['3:21 RC_WARN_TABLE_NOT_MAPPED']);
  });

  test('a mapping that is not synced may lead to another that is not', () => {
    const text = `${connector('sync: {tables: []}')}table_mapping:\n  a: {x: X}\n  b: {contact: {a: a_id}, y: Y}\n`;
    expect(warnings(parse(text))).toEqual(['5:3 RC_WARN_TABLE_NOT_SYNCED', '6:3 RC_WARN_TABLE_NOT_SYNCED']);
  });

  test('those under the connector come before those at the top level', () => {
    const text = `table_mapping: {a: {x: X}}\n${connector('table_mapping: {b: {x: X}}')}`;
    expect(names(text)).toEqual(['b', 'a']);
  });
});

describe('tables of contacts', () => {
  test('one target in two tables is precedence, no mistake', () => {
    const { tables } = parse('table_mapping: {a: {x: X, m: email}, b: {y: X, n: EMAIL}}');
    expect(tables.map(({ email, attributes }) => [email, attributes[0]?.name])).toEqual([
      ['m', 'X'],
      ['n', 'X'],
    ]);
  });

  test('a table may be contacts and be counted', () => {
    const text = `${table('orders', 'total: TOTAL')}  people:\n    attributes: {N: {sql: "count(*)", from: orders}}\n`;
    expect(parse(text).tables).toHaveLength(2);
  });

  test('tables that lead to a contact by way of another', () => {
    const text = 'table_mapping: {visits: {contact: {shop.customers: who}, x: X}, shop.customers: {email: email}}';
    expect(parse(text).tables[0]?.link).toEqual({
      kind: 'table',
      table: { schema: 'shop', table: 'customers' },
      column: 'who',
    });
  });

  test('the column that leads to the contact may be the address too', () => {
    expect(parse(table('a', 'contact: {email: mail}', 'mail: [email, MAIL]')).tables).toMatchObject([
      { link: { kind: 'email', column: 'mail' }, email: 'mail', attributes: [{ name: 'MAIL' }] },
    ]);
    expect(parse(table('a', 'contact: {email: m\\.x}', 'm\\.x: email')).tables[0]?.email).toBe('m.x');
  });

  test('templates read columns and paths', () => {
    const { tables } = parse(table('a', 'b: {to: X, transform: {template: "{value} { c } {d.e}"}}'));
    expect(tables[0]?.attributes[0]?.transforms).toEqual([{ name: 'template', template: '{value} {c} {d.e}' }]);
  });
});

describe('a column of a table as consent', () => {
  const consent = (text: string): unknown =>
    parse(`table_mapping: {customers: {a: A}, app.customers: {a: A}}\nconsent: {column: ${text}}`).consent;
  test.each([
    ['customers.opt_in', pub('customers'), ['opt_in']],
    ['public.customers.opt_in', pub('customers'), ['opt_in']],
    ['app.customers.flags.news', app('customers'), ['flags', 'news']],
    ['customers.a\\.b', pub('customers'), ['a.b']],
    ['user_metadata.opt_in', undefined, ['user_metadata', 'opt_in']],
  ])('%s', (text, name, path) =>
    expect(consent(text)).toEqual({ kind: 'column', ...(name && { table: name }), path, line: 2, column: 19 }),
  );
});

test('what becomes of those who leave is said for each destination', () => {
  const text = (policy: string): string => destination('token: "12345678"', `on_delete: ${policy}`);
  expect(['delete', 'unsubscribe', 'keep', ''].map((policy) => parse(text(policy)).destinations[0]?.onDelete)).toEqual([
    'delete',
    'unsubscribe',
    'keep',
    'delete',
  ]);
  expect(parse(destination('token: "12345678"', 'on_delete: ${P}'), { P: 'keep' }).destinations[0]).toMatchObject({
    onDelete: 'keep',
    options: expect.not.objectContaining({ on_delete: 'keep' }),
  });
});

test('an expression is evaluated again after a time of its own', () => {
  const { userMapping } = parse(mapping('attributes: {A: {sql: now(), every: 90s}, B: {sql: now()}}'));
  expect(userMapping.attributes.map(({ source }) => source.kind === 'sql' && source.everyMs)).toEqual([
    90_000,
    undefined,
  ]);
});
