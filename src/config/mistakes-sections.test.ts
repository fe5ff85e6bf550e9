import { describe, expect, test } from 'vitest';
import { checkMistakes, destination, failure, mistakes } from '../../test/support/config-text.ts';

const table = (...lines: readonly string[]): string =>
  `table_mapping:\n  orders:\n${lines.map((line) => `    ${line}\n`).join('')}`;

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
    { name: 'no column', text: 'consent: {column: }', are: ['1:11 RC_CONFIG_CONSENT'] },
    { name: 'all of the metadata', text: 'consent: {column: user_metadata}', are: ['1:19 RC_CONFIG_COLUMN_PATH'] },
  ]);
});

describe('tables', () => {
  checkMistakes([
    { name: 'no mapping', text: 'table_mapping:\n  orders:\n', are: ['2:3 RC_CONFIG_MISSING'] },
    { name: 'a mapping that is a list', text: 'table_mapping:\n  orders: [a]\n', are: ['2:11 RC_CONFIG_TYPE'] },
    { name: 'no name of a table', text: 'table_mapping: {a.b.c: {x: Y}}', are: ['1:17 RC_CONFIG_VALUE'] },
    {
      name: 'an unknown kind',
      text: table('sync_as: event', 'event_name: x'),
      are: ['3:14 RC_CONFIG_VALUE', '4:5 RC_CONFIG_VALUE'],
      hint: '"events"',
    },
    {
      name: 'events without a name',
      text: table('sync_as: events'),
      are: ['2:3 RC_CONFIG_MISSING'],
      says: 'no event_name',
    },
    {
      name: 'events with an empty name',
      text: table('sync_as: events', 'event_name: ""'),
      are: ['4:17 RC_CONFIG_VALUE'],
    },
    {
      name: 'event keys without events',
      text: table('event_name: x', 'properties: {a: b}'),
      are: ['3:5 RC_CONFIG_VALUE', '4:5 RC_CONFIG_VALUE'],
      hint: 'sync_as: events',
    },
    {
      name: 'properties that are no map',
      text: table('sync_as: events', 'event_name: x', 'properties: [a]'),
      are: ['5:17 RC_CONFIG_TYPE'],
    },
    {
      name: 'a property without a name',
      text: table('sync_as: events', 'event_name: x', 'properties: {a: , b: 1}'),
      are: ['5:18 RC_CONFIG_TYPE', '5:26 RC_CONFIG_TYPE'],
    },
    {
      name: 'one target twice',
      text: table('a: X', 'b: X'),
      are: ['4:8 RC_CONFIG_DUPLICATE_TARGET'],
      says: 'first at 3:8',
    },
    { name: 'an unknown transform', text: table('a: {to: X, transform: uper}'), are: ['3:27 RC_CONFIG_TRANSFORM'] },
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
