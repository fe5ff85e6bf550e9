import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { aggregate, contacts, inspect, named, project, sql, withAttributes } from './inspect-support.ts';

const SHOP = `
  create table public.customers (id int primary key, email text, created_at timestamptz);
  create table public.orders (id int primary key, customer_id int references public.customers (id), customer_email text, total int, at timestamptz);
  create view public.order_view as select * from public.orders;`;

test('a config without tables has users only', async () => {
  const db = await project();
  const found = await inspect(db, withAttributes(sql('X', 'upper(email)'), attribute('Y', 'user_metadata.y')));
  expect(found).toMatchObject({ contacts: [], aggregates: [], events: [], reevaluateMs: undefined, warnings: [] });
  expect(found.users.columns.has('raw_user_meta_data')).toBe(true);
  expect(found.users.expressions.get('upper(email)')).toMatchObject({ type: 'text', columns: ['email'] });
});

test('aggregates over the same rows of one mapping are one source; rank is that of the mapping', async () => {
  const db = await project(SHOP);
  const paid = { where: { expression: 'total > 0', line: 1, column: 1 } };
  const byEmail = { link: { kind: 'email', column: 'customer_email' } } as const;
  const found = await inspect(db, {
    tables: [
      contacts('customers', {
        email: 'email',
        attributes: [
          sql('UP', 'upper(email)'),
          aggregate('A', 'count(*)', 'orders'),
          aggregate('B', 'max(at)', 'orders'),
        ],
      }),
    ],
    ...withAttributes(
      aggregate('C', 'count(*)', 'orders'),
      aggregate('D', 'sum(total)', 'orders', paid),
      aggregate('E', 'min(total)', 'orders', paid),
      aggregate('F', 'count(*)', 'orders', byEmail),
    ),
  });
  expect(found.aggregates.map((a) => [a.rank, a.attributes.map((x) => x.name).join(), a.where?.expression])).toEqual([
    [1, 'A,B', undefined],
    [2, 'C', undefined],
    [2, 'D,E', 'total > 0'],
    [2, 'F', undefined],
  ]);
  expect([...(found.aggregates[2]?.expressions.keys() ?? [])]).toEqual(['total > 0', 'sum(total)', 'min(total)']);
  expect([...(found.contacts[0]?.expressions.keys() ?? [])], 'aggregates are not of the row').toEqual(['upper(email)']);
  expect([...found.users.expressions.keys()]).toEqual([]);
});

const HOUR = 3_600_000;
const where = (expression: string) => ({ expression, line: 1, column: 1 });
const users = testConfig().userMapping;
const EVERY: [string, Partial<Config>, number | undefined][] = [
  [
    'nothing reads the clock',
    { tables: [contacts('customers', { email: 'email', attributes: [sql('A', 'upper(email)')] })] },
    undefined,
  ],
  ['an attribute of users', withAttributes(sql('A', 'now() - created_at')), HOUR],
  ['with its own time', withAttributes(sql('A', 'now() - created_at', 60_000)), 60_000],
  ['the condition of users', { userMapping: { ...users, where: where('created_at < now()') } }, HOUR],
  [
    'an attribute of a table',
    { tables: [contacts('customers', { email: 'email', attributes: [sql('A', 'age(created_at)', 5 * HOUR)] })] },
    5 * HOUR,
  ],
  [
    'the condition of a table',
    { tables: [contacts('customers', { email: 'email', where: where('created_at < CURRENT_DATE') })] },
    HOUR,
  ],
  [
    'an aggregate',
    withAttributes(aggregate('A', 'now() - max(at)', 'orders', { link: { kind: 'email', column: 'customer_email' } })),
    HOUR,
  ],
  [
    'the condition of an aggregate',
    withAttributes(aggregate('A', 'count(*)', 'orders', { where: where(`at > now() - interval '7 days'`) })),
    HOUR,
  ],
  ['a view of contacts', { tables: [contacts('order_view', { email: 'customer_email', everyMs: 20_000 })] }, 20_000],
  ['a view that is counted', withAttributes(aggregate('A', 'count(*)', 'order_view', { everyMs: 30_000 })), 30_000],
  [
    'a view with base tables',
    withAttributes(aggregate('A', 'count(*)', 'order_view', { baseTables: [named('orders')] })),
    undefined,
  ],
  [
    'the shortest counts',
    withAttributes(sql('A', 'now()', 50_000), sql('B', 'now() - created_at'), sql('C', 'CURRENT_DATE', 40_000)),
    40_000,
  ],
];

test.each(EVERY)('how often to look again: %s', async (_what, config, expected) => {
  const db = await project(SHOP);
  expect((await inspect(db, config)).reevaluateMs).toBe(expected);
});
