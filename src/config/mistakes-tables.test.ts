import { describe } from 'vitest';
import { checkMistakes, connector, mapping, table } from '../../test/support/config-text.ts';

const contacts = (...lines: readonly string[]): string => table('customers', ...lines);
const related = (text: string): string => mapping(`attributes: {N: {sql: "count(*)", ${text}}}`);
const PLATFORM =
  'vault pgsodium net cron pg_catalog information_schema extensions realtime supabase_functions pg_temp_3';

describe('names of tables', () => {
  checkMistakes([
    { name: 'no name', text: 'table_mapping: {a.b.c: {x: Y}}', are: ['1:17 RC_CONFIG_VALUE'], hint: 'schema.table' },
    {
      name: 'a hole in the name',
      text: 'table_mapping: {a.: {x: Y}, .b: {x: Y}, " c": {x: Y}, "d\\te": {x: Y}}',
      are: ['1:17 RC_CONFIG_VALUE', '1:29 RC_CONFIG_VALUE', '1:41 RC_CONFIG_VALUE', '1:55 RC_CONFIG_VALUE'],
    },
    {
      name: 'users',
      text: 'table_mapping: {auth.users: {email: email}}',
      are: ['1:17 RC_CONFIG_TABLE_REFUSED'],
      says: '"auth.users" can\'t be read as a table: users are mapped under user_mapping',
    },
    {
      name: 'files',
      text: 'table_mapping: {storage.objects: {name: NAME}}',
      are: ['1:17 RC_CONFIG_TABLE_REFUSED'],
      says: 'under events',
    },
    { name: 'our own', text: related('from: rollcall.contacts'), are: ['4:47 RC_CONFIG_TABLE_REFUSED'] },
    ...PLATFORM.split(' ').map((schema) => ({
      name: schema,
      text: contacts(`base_tables: [${schema}.x]`),
      are: ['3:19 RC_CONFIG_TABLE_REFUSED'],
      says: 'that schema belongs to Postgres or to Supabase',
    })),
    {
      name: 'a refused schema in sync.tables',
      text: connector('sync: {tables: [vault.secrets]}'),
      are: ['3:21 RC_CONFIG_TABLE_REFUSED'],
    },
    {
      name: 'a refused schema from the environment is not told',
      text: related('from: "${T}"'),
      env: { T: 'auth.secret' },
      are: ['4:47 RC_CONFIG_TABLE_REFUSED'],
      says: 'the value of its environment variable can',
    },
    {
      name: 'one table under two names',
      text: 'table_mapping:\n  orders: {a: A}\n  public.orders: {b: B}\n',
      are: ['3:3 RC_CONFIG_DUPLICATE_KEY'],
      says: 'first at 2:3',
    },
    {
      name: 'one table twice in a list',
      text: connector('sync: {tables: [orders, public.orders]}'),
      are: ['3:29 RC_CONFIG_VALUE'],
      says: 'listed twice',
    },
  ]);
});

describe('tables of contacts', () => {
  checkMistakes([
    { name: 'no mapping', text: 'table_mapping:\n  orders:\n', are: ['2:3 RC_CONFIG_MISSING'] },
    { name: 'a mapping that is a list', text: 'table_mapping:\n  orders: [a]\n', are: ['2:11 RC_CONFIG_TYPE'] },
    {
      name: 'an unknown kind',
      text: contacts('sync_as: event', 'event_name: x'),
      are: ['3:14 RC_CONFIG_VALUE', '4:5 RC_CONFIG_VALUE'],
      hint: '"events"',
    },
    {
      name: 'keys of events',
      text: contacts('event_name: x', 'properties: {a: b}', 'operations: [insert]', 'when: a'),
      are: ['3:5 RC_CONFIG_VALUE', '4:5 RC_CONFIG_VALUE', '5:5 RC_CONFIG_VALUE', '6:5 RC_CONFIG_VALUE'],
      says: '"event_name" needs sync_as: events',
      hint: '\\event_name',
    },
    {
      name: 'one target twice',
      text: contacts('a: X', 'b: X', 'attributes: {X: {const: 1}}'),
      are: ['4:8 RC_CONFIG_DUPLICATE_TARGET', '5:18 RC_CONFIG_DUPLICATE_TARGET'],
      says: 'first at 3:8',
    },
    { name: 'an unknown transform', text: contacts('a: {to: X, transform: uper}'), are: ['3:27 RC_CONFIG_TRANSFORM'] },
    {
      name: 'a path with a hole',
      text: contacts('a..b: X', 'c.: Y'),
      are: ['3:5 RC_CONFIG_COLUMN_PATH', '4:5 RC_CONFIG_COLUMN_PATH'],
    },
    {
      name: 'an empty place in a template',
      text: contacts('a: {to: X, transform: {template: "{} {b..c} {d\\\\.e}"}}'),
      are: ['3:38 RC_CONFIG_TRANSFORM', '3:38 RC_CONFIG_TRANSFORM', '3:38 RC_CONFIG_TRANSFORM'],
    },
    {
      name: 'two addresses',
      text: contacts('email: email', 'mail: Email'),
      are: ['4:11 RC_CONFIG_DUPLICATE_TARGET'],
    },
    { name: 'an address with options', text: contacts('a: {to: email, type: text}'), are: ['3:20 RC_CONFIG_ADDRESS'] },
    { name: 'an address inside a column', text: contacts('a.b: email'), are: ['3:10 RC_CONFIG_ADDRESS'], hint: '\\.' },
    {
      name: 'an address that is computed',
      text: contacts('attributes: {EMAIL: {sql: a}}'),
      are: ['3:18 RC_CONFIG_ADDRESS'],
    },
    {
      name: 'an address beside the column that leads to the contact',
      text: contacts('contact: {email: a}', 'b: email'),
      are: ['3:5 RC_CONFIG_ADDRESS'],
      says: 'found by "a", so "b"',
    },
    { name: 'a condition that is none', text: contacts('where: [a]', 'a: A'), are: ['3:12 RC_CONFIG_TYPE'] },
    { name: 'a time that is none', text: contacts('every: often'), are: ['3:12 RC_CONFIG_DURATION'] },
    { name: 'base tables that are no list', text: contacts('base_tables: orders'), are: ['3:18 RC_CONFIG_TYPE'] },
    { name: 'a base table twice', text: contacts('base_tables: [a, a]'), are: ['3:22 RC_CONFIG_VALUE'] },
    {
      name: 'no base table',
      text: contacts('base_tables: [~, 5]'),
      are: ['3:19 RC_CONFIG_TYPE', '3:22 RC_CONFIG_TYPE'],
    },
  ]);
});

describe('what leads to the contact', () => {
  const link = (text: string): string => `${contacts('id: ID')}  visits: {contact: ${text}}\n`;
  checkMistakes([
    { name: 'text', text: link('user_id'), are: ['4:21 RC_CONFIG_TYPE'], hint: '\\contact' },
    { name: 'nothing', text: link('{}'), are: ['4:21 RC_CONFIG_CONTACT'], hint: '{user_id: <column>}' },
    { name: 'two ways', text: link('{user_id: a, email: b}'), are: ['4:34 RC_CONFIG_CONTACT'], says: 'one way only' },
    { name: 'no column', text: link('{user_id: }'), are: ['4:22 RC_CONFIG_MISSING'] },
    { name: 'a number', text: link('{email: 5}'), are: ['4:29 RC_CONFIG_TYPE'] },
    { name: 'a path', text: link('{email: a.b}'), are: ['4:29 RC_CONFIG_COLUMN_PATH'], says: '"a.b" is a path' },
    {
      name: 'a path of the environment is not told',
      text: link('{email: "${C}"}'),
      env: { C: 'secret.path' },
      are: ['4:29 RC_CONFIG_COLUMN_PATH'],
      says: 'the value of its environment variable is a path',
    },
    { name: 'a misspelt word', text: link('{userid: a}'), are: ['4:22 RC_CONFIG_CONTACT'], hint: '"user_id"' },
    { name: 'a misspelt table', text: link('{customer: a}'), are: ['4:22 RC_CONFIG_CONTACT'], hint: '"customers"' },
    { name: 'users as a table', text: link('{auth.users: a}'), are: ['4:22 RC_CONFIG_TABLE_REFUSED'] },
    {
      name: 'itself',
      text: link('{visits: a}'),
      are: ['4:22 RC_CONFIG_CONTACT'],
      says: 'by way of a table themselves',
    },
    {
      name: 'a table of events',
      text: `${table('orders', 'sync_as: events', 'event_name: x')}  visits: {contact: {orders: a}}\n`,
      are: ['5:22 RC_CONFIG_CONTACT'],
      says: 'nor a mapped table of contacts',
    },
    {
      name: 'a table that leads to another',
      text: `${link('{customers: customer_id}')}  pages: {contact: {visits: visit_id}}\n`,
      are: ['5:21 RC_CONFIG_CONTACT'],
    },
    {
      name: 'a table that is not synced',
      text: `${connector('sync: {tables: [visits]}')}${link('{customers: customer_id}')}`,
      are: ['7:22 RC_CONFIG_CONTACT'],
      says: 'sync.tables leaves "customers" out',
    },
    { name: 'of an aggregate', text: related('from: a, contact: {b: c}'), are: ['4:60 RC_CONFIG_CONTACT'] },
  ]);
});

describe('computed attributes', () => {
  const KEYS = 'where: a, contact: {email: b}, base_tables: [c]';
  checkMistakes([
    {
      name: 'keys of another table’s rows, without it',
      text: related(KEYS),
      are: ['4:41 RC_CONFIG_VALUE', '4:51 RC_CONFIG_VALUE', '4:72 RC_CONFIG_VALUE'],
      says: '"where" needs from',
    },
    {
      name: 'an expression’s keys beside a constant',
      text: mapping('attributes: {N: {const: 1, from: a, every: 1h}}'),
      are: ['4:34 RC_CONFIG_VALUE', '4:43 RC_CONFIG_VALUE'],
      says: '"from" needs sql',
    },
    { name: 'from without sql', text: mapping('attributes: {N: {from: a}}'), are: ['4:20 RC_CONFIG_MISSING'] },
    { name: 'from nothing', text: related('from: '), are: ['4:41 RC_CONFIG_MISSING'], says: 'the table is missing' },
    { name: 'from several', text: related('from: [a, b]'), are: ['4:47 RC_CONFIG_TYPE'] },
    { name: 'a time that is none', text: related('every: 0s'), are: ['4:48 RC_CONFIG_DURATION'] },
    { name: 'an unknown key', text: related('form: a'), are: ['4:41 RC_CONFIG_UNKNOWN_KEY'], hint: '"from"' },
  ]);
});
