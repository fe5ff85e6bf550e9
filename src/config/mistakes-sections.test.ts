import { describe, expect, test } from 'vitest';
import { checkMistakes, connector, destination, failure, mistakes, table } from '../../test/support/config-text.ts';

describe('consent', () => {
  const ALL = ['column: user_metadata.marketing_opt_in', 'everyone: "<the stated basis>"', 'nobody'];
  test('is not defaulted: with destinations it must be said, and the three choices are listed', () => {
    const text = 'environment: x\ndestinations:\n  postbox: {token: "12345678"}\n';
    expect(mistakes(text)).toEqual(['2:1 RC_CONFIG_CONSENT_MISSING']);
    for (const choice of ALL) expect(failure(text).errors[0]?.hint).toContain(choice);
    expect(mistakes(`${text}consent:\n`)).toEqual(['4:1 RC_CONFIG_CONSENT_MISSING']);
  });
  checkMistakes([
    {
      name: 'everyone without a basis',
      text: 'consent: everyone',
      are: ['1:10 RC_CONFIG_CONSENT'],
      says: 'stated basis',
    },
    { name: 'everyone with an empty basis', text: 'consent: {everyone: "  "}', are: ['1:21 RC_CONFIG_VALUE'] },
    { name: 'everyone with no basis', text: 'consent:\n  everyone:', are: ['2:3 RC_CONFIG_CONSENT'] },
    { name: 'another word', text: 'consent: noone', are: ['1:10 RC_CONFIG_CONSENT'], hint: 'Say one' },
    { name: 'a truth value', text: 'consent: true', are: ['1:10 RC_CONFIG_TYPE'], hint: 'nobody' },
    { name: 'an empty map', text: 'consent: {}', are: ['1:10 RC_CONFIG_CONSENT'] },
    { name: 'two at once', text: 'consent: {column: role, everyone: x}', are: ['1:25 RC_CONFIG_CONSENT'] },
    { name: 'an unknown key', text: 'consent: {colum: role}', are: ['1:11 RC_CONFIG_UNKNOWN_KEY'], hint: '"column"' },
    { name: 'a secret column', text: 'consent: {column: email_change}', are: ['1:19 RC_CONFIG_COLUMN_REFUSED'] },
    {
      name: 'an unknown column',
      text: 'consent: {column: opt_in}',
      are: ['1:19 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: 'user_metadata.opt_in',
    },
    {
      name: 'a date without an answer',
      text: 'consent: {at: created_at}',
      are: ['1:11 RC_CONFIG_CONSENT'],
      says: 'at is for a column',
    },
    {
      name: 'a date in another table than the answer',
      text: `${table('customers', 'contact: {user_id: id}', 'name: NAME')}consent: {column: role, at: customers.at}`,
      are: ['5:29 RC_CONFIG_CONSENT'],
      says: 'another table',
    },
    { name: 'no column', text: 'consent: {column: }', are: ['1:11 RC_CONFIG_CONSENT'] },
    {
      name: 'no column of a mapped table',
      text: 'consent: {column: customers.opt_in}',
      are: ['1:19 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: 'A column of a mapped table is written table.column.',
    },
    {
      name: 'a table alone',
      text: `${table('customers', 'a: A')}consent: {column: customers}`,
      are: ['4:19 RC_CONFIG_COLUMN_UNKNOWN'],
    },
    {
      name: 'a table of events',
      text: `${table('orders', 'sync_as: events', 'event_name: x')}consent: {column: orders.opt_in}`,
      are: ['5:19 RC_CONFIG_CONSENT'],
      says: 'are events',
    },
    {
      name: 'a table that is not synced',
      text: `${connector('sync: {tables: []}')}${table('customers', 'a: A')}consent: {column: customers.opt_in}`,
      are: ['7:19 RC_CONFIG_CONSENT'],
      says: 'sync.tables leaves "customers" out',
    },
    {
      name: 'a hole in a table’s path',
      text: `${table('customers', 'a: A')}consent: {column: customers..x}`,
      are: ['4:19 RC_CONFIG_COLUMN_PATH'],
    },
    { name: 'all of the metadata', text: 'consent: {column: user_metadata}', are: ['1:19 RC_CONFIG_COLUMN_PATH'] },
  ]);
});

describe('delivery', () => {
  checkMistakes([
    {
      name: 'an unknown policy for events',
      text: 'delivery: {events: exactly_once}',
      are: ['1:20 RC_CONFIG_VALUE'],
      hint: 'at_least_once, at_most_once',
    },
    { name: 'text for the section', text: 'delivery: at_most_once', are: ['1:11 RC_CONFIG_TYPE'] },
    {
      name: 'a time for the schedule',
      text: 'delivery:\n  retry: 5m',
      are: ['2:10 RC_CONFIG_TYPE'],
      says: 'first, factor',
    },
    {
      name: 'an unknown key of the schedule',
      text: 'delivery: {retry: {windw: 3d}}',
      are: ['1:20 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"window"',
    },
    {
      name: 'several at once',
      text: 'delivery:\n  retry:\n    first: 0s\n    factor: fast\n    longest: 5\n    window: 90d\n    retry_after_most: 1h30m',
      are: [
        '3:12 RC_CONFIG_DURATION',
        '4:13 RC_CONFIG_TYPE',
        '5:14 RC_CONFIG_TYPE',
        '6:13 RC_CONFIG_DURATION',
        '7:23 RC_CONFIG_DURATION',
      ],
    },
    {
      name: 'a factor below one',
      text: 'delivery: {retry: {factor: 0.5}}',
      are: ['1:28 RC_CONFIG_VALUE'],
      says: `"delivery.retry.factor" can't be "0.5"`,
      hint: 'from 1 to 100',
    },
    {
      name: 'a factor of the environment',
      text: 'delivery: {retry: {factor: "${FACTOR}"}}',
      env: { FACTOR: '101' },
      are: ['1:28 RC_CONFIG_VALUE'],
      says: 'the value of its environment variable',
    },
    {
      name: 'a first wait above the longest',
      text: 'delivery: {retry: {first: 10m}}',
      are: ['1:27 RC_CONFIG_VALUE'],
      hint: 'Say both',
    },
    {
      name: 'a longest wait below the first',
      text: 'delivery:\n  retry: {first: 1m, longest: 30s}',
      are: ['2:31 RC_CONFIG_VALUE'],
    },
  ]);
});

describe('server and alerts', () => {
  const secret = `whsec_${'A'.repeat(32)}`;
  checkMistakes([
    { name: 'a token that can be guessed', text: 'server: {metrics_token: abc}', are: ['1:25 RC_CONFIG_VALUE'] },
    {
      name: 'a token that no header can hold',
      text: 'server: {metrics_token: "sixteen letters and spaces"}',
      are: ['1:25 RC_CONFIG_VALUE'],
    },
    { name: 'an unknown key of the server', text: 'server: {token: x}', are: ['1:10 RC_CONFIG_UNKNOWN_KEY'] },
    {
      name: 'alerts to nobody',
      text: 'alerts: {stuck_after: 1m}',
      are: ['1:9 RC_CONFIG_MISSING', '1:9 RC_CONFIG_MISSING'],
    },
    {
      name: 'alerts without encryption',
      text: `alerts: {url: "http://example.com/x", secret: ${secret}}`,
      are: ['1:15 RC_CONFIG_VALUE'],
    },
    {
      name: 'a secret that is too short',
      text: 'alerts: {url: "https://example.com", secret: whsec_AAAA}',
      are: ['1:46 RC_CONFIG_VALUE'],
    },
    {
      name: 'a count of nothing',
      text: `alerts: {url: "https://example.com", secret: ${secret}, failed: 0, drift: many}`,
      are: ['1:94 RC_CONFIG_VALUE', '1:104 RC_CONFIG_TYPE'],
    },
  ]);
});

describe('destinations', () => {
  const TOKEN = 'token: "0123456789"';
  checkMistakes([
    { name: 'a list', text: 'destinations: [postbox]', are: ['1:15 RC_CONFIG_TYPE'] },
    {
      name: 'an unknown name without a type',
      text: 'consent: nobody\ndestinations:\n  postbx: {}',
      are: ['3:3 RC_CONFIG_DESTINATION'],
      hint: '"postbox"',
    },
    {
      name: 'an unknown type',
      text: destination('type: postbux', TOKEN),
      are: ['4:11 RC_CONFIG_DESTINATION'],
      hint: '"postbox"',
    },
    {
      name: 'a name that can be no key',
      text: 'consent: nobody\ndestinations: {"a b": {type: postbox}}',
      are: ['2:16 RC_CONFIG_VALUE'],
    },
    {
      name: 'text for options',
      text: 'consent: nobody\ndestinations:\n  postbox: 0123456789abcdef',
      are: ['3:12 RC_CONFIG_TYPE'],
    },
    {
      name: 'a missing option',
      text: 'consent: nobody\ndestinations:\n  postbox:\n',
      are: ['3:3 RC_CONFIG_MISSING'],
      says: '"destinations.postbox.token" is missing',
      hint: 'API token of the account.',
    },
    {
      name: 'a missing option whose key is there',
      text: destination('region: eu', 'token:'),
      are: ['5:5 RC_CONFIG_MISSING'],
    },
    {
      name: 'an unknown option, though the schema strips it',
      text: destination(TOKEN, 'lsts: [1]'),
      are: ['5:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"lists"',
    },
    {
      name: 'a value out of a list',
      text: destination(TOKEN, 'region: asia'),
      are: ['5:5 RC_CONFIG_DESTINATION_OPTION'],
      says: '"eu"|"us"',
    },
    {
      name: 'a wrong type',
      text: destination(TOKEN, 'limit: many'),
      are: ['5:5 RC_CONFIG_DESTINATION_OPTION'],
      says: 'expected number',
    },
    {
      name: 'a wrong item',
      text: destination(TOKEN, 'lists: [1, true, a, {}]'),
      are: ['5:16 RC_CONFIG_DESTINATION_OPTION', '5:25 RC_CONFIG_DESTINATION_OPTION'],
      says: 'expected number or string',
    },
    {
      name: 'an unknown key deep inside',
      text: destination(TOKEN, 'webhook:', '  path: /x', '  secrt: y'),
      are: ['7:7 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"secret"',
    },
    {
      name: 'a missing key deep inside',
      text: destination(TOKEN, 'webhook: {}'),
      are: ['5:5 RC_CONFIG_MISSING'],
      says: '"destinations.postbox.webhook.path"',
    },
    {
      name: 'a wrong value deep inside',
      text: destination(TOKEN, 'headers: {a: 5}'),
      are: ['5:15 RC_CONFIG_DESTINATION_OPTION'],
    },
    {
      name: 'a variable that is no number',
      text: destination(TOKEN, 'limit: ${N}'),
      env: { N: 'many-secrets' },
      are: ['5:5 RC_CONFIG_DESTINATION_OPTION'],
    },
    {
      name: 'an unknown policy for those who leave',
      text: destination(TOKEN, 'on_delete: remove'),
      are: ['5:16 RC_CONFIG_VALUE'],
      hint: 'delete, unsubscribe, keep',
    },
    {
      name: 'a misspelt policy for those who leave',
      text: destination(TOKEN, 'on_delet: keep'),
      are: ['5:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"on_delete"',
    },
    {
      name: 'many at once',
      text: destination('tokn: x', 'region: mars', 'limit: -1'),
      are: [
        '3:3 RC_CONFIG_MISSING',
        '4:5 RC_CONFIG_UNKNOWN_KEY',
        '5:5 RC_CONFIG_DESTINATION_OPTION',
        '6:5 RC_CONFIG_DESTINATION_OPTION',
      ],
    },
  ]);
});

describe('write_back', () => {
  checkMistakes([
    { name: 'a word', text: 'write_back: unsubscribed', are: ['1:13 RC_CONFIG_TYPE'] },
    { name: 'no place', text: 'write_back: {}', are: ['1:13 RC_CONFIG_WRITE_BACK'], says: 'no place' },
    {
      name: 'two places in one',
      text: 'write_back: {column: profiles.left, app_metadata: left}',
      are: ['1:37 RC_CONFIG_WRITE_BACK'],
      hint: 'list',
    },
    { name: 'a column without a table', text: 'write_back: {column: left}', are: ['1:22 RC_CONFIG_WRITE_BACK'] },
    {
      name: 'a table of Supabase',
      text: 'write_back: {column: auth.users.left}',
      are: ['1:22 RC_CONFIG_TABLE_REFUSED'],
    },
    {
      name: 'an unknown key',
      text: 'write_back: {colum: a.b}',
      are: ['1:13 RC_CONFIG_WRITE_BACK', '1:14 RC_CONFIG_UNKNOWN_KEY'],
    },
    {
      name: 'a link for metadata',
      text: 'write_back: [{app_metadata: left, insert: true}]',
      are: ['1:35 RC_CONFIG_WRITE_BACK'],
      says: 'insert is for a column',
    },
    {
      name: 'another word',
      text: 'write_back: [{column: profiles.left, says: gone}]',
      are: ['1:44 RC_CONFIG_VALUE'],
      hint: 'opted_out',
    },
    { name: 'another policy', text: 'consent_policy: everywhere', are: ['1:17 RC_CONFIG_VALUE'] },
    { name: 'one role', text: 'consent_readers: service_role', are: ['1:18 RC_CONFIG_TYPE'] },
  ]);
});
