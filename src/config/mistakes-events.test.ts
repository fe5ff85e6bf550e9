import { describe } from 'vitest';
import { checkMistakes, connector, table } from '../../test/support/config-text.ts';

const events = (...lines: readonly string[]): string => table('orders', 'sync_as: events', 'event_name: x', ...lines);

describe('tables of events', () => {
  checkMistakes([
    {
      name: 'no name',
      text: table('orders', 'sync_as: events'),
      are: ['2:3 RC_CONFIG_MISSING'],
      says: 'no event_name',
    },
    {
      name: 'an empty name',
      text: table('orders', 'sync_as: events', 'event_name: ""'),
      are: ['4:17 RC_CONFIG_VALUE'],
    },
    {
      name: 'a name that is too long',
      text: table('orders', 'sync_as: events', `event_name: ${'x'.repeat(256)}`),
      are: ['4:17 RC_CONFIG_VALUE'],
      says: "an event's name has 1 to 255 characters",
    },
    {
      name: 'keys of contacts',
      text: events('where: a', 'attributes: {A: {const: 1}}', 'base_tables: [a]', 'every: 1h'),
      are: ['5:5 RC_CONFIG_VALUE', '6:5 RC_CONFIG_VALUE', '7:5 RC_CONFIG_VALUE', '8:5 RC_CONFIG_VALUE'],
      says: '"where" is for contacts',
      hint: 'Write when.',
    },
    {
      name: 'a column outside properties',
      text: events('total: amount', 'propertys: {a: b}'),
      are: ['5:5 RC_CONFIG_UNKNOWN_KEY', '6:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'Columns of an event stand under properties',
    },
    { name: 'properties that are no map', text: events('properties: [a]'), are: ['5:17 RC_CONFIG_TYPE'] },
    {
      name: 'a property without a name',
      text: events('properties: {a: , b: 1, c: []}'),
      are: ['5:18 RC_CONFIG_MISSING', '5:26 RC_CONFIG_TYPE', '5:32 RC_CONFIG_MISSING'],
    },
    {
      name: 'a property twice',
      text: events('properties: {a: X, b: [Y, {to: X}], X: {const: 1}}'),
      are: ['5:36 RC_CONFIG_DUPLICATE_TARGET', '5:41 RC_CONFIG_DUPLICATE_TARGET'],
    },
    {
      name: 'a property over other rows',
      text: events('properties: {n: {sql: "count(*)", from: items, every: 1h}}'),
      are: ['5:39 RC_CONFIG_UNKNOWN_KEY', '5:52 RC_CONFIG_UNKNOWN_KEY'],
    },
    { name: 'no operation', text: events('operations: []'), are: ['5:17 RC_CONFIG_MISSING'] },
    {
      name: 'an operation outside a list',
      text: events('operations: insert'),
      are: ['5:17 RC_CONFIG_TYPE'],
      hint: '[insert, update]',
    },
    {
      name: 'operations that are none, and one twice',
      text: events('operations: [insrt, 1, ~, delete, delete]'),
      are: ['5:18 RC_CONFIG_VALUE', '5:25 RC_CONFIG_TYPE', '5:28 RC_CONFIG_TYPE', '5:39 RC_CONFIG_VALUE'],
      hint: '"insert"',
    },
    { name: 'a condition that is empty', text: events('when: " "'), are: ['5:11 RC_CONFIG_VALUE'] },
  ]);
});

const system = (text: string): string => connector(`events: ${text}`);

describe('events of Auth and Storage', () => {
  checkMistakes([
    { name: 'text', text: system('user.signed_up'), are: ['3:13 RC_CONFIG_TYPE'], hint: 'user.signed_in' },
    {
      name: 'an unknown one',
      text: system('{user.signedup: true}'),
      are: ['3:14 RC_CONFIG_EVENT_UNKNOWN'],
      hint: '"user.signed_up"',
    },
    {
      name: 'unknown ones in a list',
      text: system('[user.signed_out, 5, ~]'),
      are: ['3:14 RC_CONFIG_EVENT_UNKNOWN', '3:31 RC_CONFIG_TYPE', '3:34 RC_CONFIG_TYPE'],
    },
    {
      name: 'one of the environment is not told',
      text: system('["${E}"]'),
      env: { E: 'user.secret' },
      are: ['3:14 RC_CONFIG_EVENT_UNKNOWN'],
      says: 'there is no event the value of its environment variable',
    },
    {
      name: 'one under two names',
      text: system('[user.signed_up, auth.user.created]'),
      are: ['3:30 RC_CONFIG_DUPLICATE_EVENT'],
      says: 'first at 3:14',
    },
    {
      name: 'one under two names in a map',
      text: system('{auth.user.created: false, user.signed_up: true}'),
      are: ['3:40 RC_CONFIG_DUPLICATE_EVENT'],
    },
    {
      name: 'one that says nothing',
      text: system('{user.updated: }'),
      are: ['3:14 RC_CONFIG_MISSING'],
      hint: 'Write true',
    },
    { name: 'a word for a truth value', text: system('{user.updated: yes}'), are: ['3:28 RC_CONFIG_TYPE'] },
    { name: 'a number', text: system('{user.updated: 1}'), are: ['3:28 RC_CONFIG_TYPE'] },
    { name: 'a list', text: system('{user.updated: [a]}'), are: ['3:28 RC_CONFIG_TYPE'] },
    { name: 'an empty name', text: system('{user.updated: ""}'), are: ['3:28 RC_CONFIG_VALUE'] },
    {
      name: 'an unknown option',
      text: system('{user.updated: {name: x, event_name: 1}}'),
      are: ['3:29 RC_CONFIG_UNKNOWN_KEY', '3:50 RC_CONFIG_TYPE'],
      hint: '"event_name"',
    },
    {
      name: 'secrets of users',
      text: system('{user.signed_in: {properties: {encrypted_password: p, email_change: e, nope_nope: n}}}'),
      are: ['3:44 RC_CONFIG_COLUMN_REFUSED', '3:67 RC_CONFIG_COLUMN_REFUSED', '3:84 RC_CONFIG_COLUMN_UNKNOWN'],
    },
    {
      name: 'a secret in a template',
      text: system('{user.signed_in: {properties: {id: {to: x, transform: {template: "{recovery_token}"}}}}}'),
      are: ['3:78 RC_CONFIG_TRANSFORM'],
    },
    {
      name: 'columns that a file has not, or does not tell',
      text: system('{storage.object.created: {properties: {size: s, path_tokens: p, bucket: b}}}'),
      are: ['3:52 RC_CONFIG_COLUMN_UNKNOWN', '3:61 RC_CONFIG_COLUMN_UNKNOWN', '3:77 RC_CONFIG_COLUMN_UNKNOWN'],
      says: 'storage.objects has no column "size"',
      hint: 'bucket_id, name',
    },
    {
      name: 'a path into a plain column of a file',
      text: system('{storage.object.created: {properties: {name.x: s, metadata..y: t}}}'),
      are: ['3:52 RC_CONFIG_COLUMN_PATH', '3:63 RC_CONFIG_COLUMN_PATH'],
    },
    {
      name: 'at the top level',
      text: 'events: [user.updated]',
      are: ['1:1 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'under connectors.supabase',
    },
  ]);
});
