import { describe, expect, test } from 'vitest';
import { BASIC, checkMistakes, connector, failure, mapping, MERGED, mistakes } from '../../test/support/config-text.ts';

describe('keys', () => {
  checkMistakes([
    {
      name: 'an unknown key at the top, with the nearest',
      text: 'consent: nobody\ndestinatons: {}\n',
      are: ['2:1 RC_CONFIG_UNKNOWN_KEY'],
      says: 'unknown key "destinatons"',
      hint: 'Did you mean "destinations"?',
    },
    {
      name: 'an unknown connector',
      text: 'connectors:\n  supbase: {}',
      are: ['2:3 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"supabase"',
    },
    {
      name: 'an unknown key of the connector',
      text: connector('api-key: x'),
      are: ['3:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"api_key"',
    },
    {
      name: 'an unknown key of sync',
      text: connector('sync:', '  user: true'),
      are: ['4:7 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"users"',
    },
    {
      name: 'an unknown kind of brake',
      text: 'brakes:\n  delete: off',
      are: ['2:3 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"deletes"',
    },
    { name: 'an unknown key of a brake', text: 'brakes: {deletes: {most: 5}}', are: ['1:20 RC_CONFIG_UNKNOWN_KEY'] },
    { name: 'an unknown key of delivery', text: 'delivery: {gracee: 1m}', are: ['1:12 RC_CONFIG_UNKNOWN_KEY'] },
    {
      name: 'an unknown key of sweep',
      text: 'sweep:\n  evry: 1m',
      are: ['2:3 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"every"',
    },
    {
      name: 'a key of the connector at the top',
      text: 'user_mapping: {email: email}',
      are: ['1:1 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'It belongs under connectors.supabase.',
    },
    {
      name: 'a key of the top in the connector',
      text: connector('consent: nobody'),
      are: ['3:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'It belongs at the top level of the file.',
    },
    {
      name: 'a key that stands twice, with both lines',
      text: connector('enabled: true', 'debug: true', 'enabled: false'),
      are: ['5:5 RC_CONFIG_DUPLICATE_KEY'],
      says: 'first on line 3',
    },
    {
      name: 'a table mapped in both places',
      text: `${MERGED}table_mapping:\n  orders: {total: TOTAL}\n`,
      env: { SUPABASE_SERVICE_ROLE_KEY: 'service-key' },
      are: ['43:3 RC_CONFIG_DUPLICATE_KEY'],
      says: 'first at 30:7',
    },
  ]);
});

describe('types and values', () => {
  checkMistakes([
    {
      name: 'a word for a truth value',
      text: connector('enabled: yes'),
      are: ['3:14 RC_CONFIG_TYPE'],
      says: '"connectors.supabase.enabled" must be true or false, not text',
      hint: 'true and false only',
    },
    {
      name: 'a list for a map',
      text: connector('sync: [users]'),
      are: ['3:11 RC_CONFIG_TYPE'],
      says: 'must be a map, not a list',
    },
    { name: 'text for a list', text: connector('sync:', '  tables: customers'), are: ['4:15 RC_CONFIG_TYPE'] },
    {
      name: 'a number for text',
      text: connector('api_key: 12345'),
      are: ['3:14 RC_CONFIG_TYPE'],
      hint: 'Put it in quotes.',
    },
    { name: 'a truth value in tables', text: connector('sync: {tables: [a, true]}'), are: ['3:24 RC_CONFIG_TYPE'] },
    {
      name: 'a table without a name',
      text: connector('sync: {tables: [a, ~, b.c.d]}'),
      are: ['3:24 RC_CONFIG_TYPE', '3:27 RC_CONFIG_VALUE'],
    },
    {
      name: 'a table listed twice',
      text: connector('sync: {tables: [a, a]}'),
      are: ['3:24 RC_CONFIG_VALUE'],
      says: 'listed twice',
    },
    {
      name: 'an unknown log level',
      text: connector('log_level: verbos'),
      are: ['3:16 RC_CONFIG_VALUE'],
      hint: '"verbose"',
    },
    { name: 'no URL', text: connector('project_url: xyz.supabase.co'), are: ['3:18 RC_CONFIG_VALUE'] },
    {
      name: 'another kind of URL',
      text: connector('project_url: ftp://xyz.supabase.co'),
      are: ['3:18 RC_CONFIG_VALUE'],
    },
    { name: 'an empty key', text: connector('api_key: ""'), are: ['3:14 RC_CONFIG_VALUE'], says: 'is empty' },
    {
      name: 'an empty variable',
      text: connector('api_key: ${K}'),
      env: { K: '' },
      are: ['3:14 RC_CONFIG_VALUE'],
      says: 'environment variable is',
    },
    {
      name: 'another database',
      text: 'database_url: mysql://db',
      are: ['1:15 RC_CONFIG_VALUE'],
      says: 'postgres:// URL',
    },
    { name: 'an environment that is too long', text: `environment: ${'x'.repeat(64)}`, are: ['1:14 RC_CONFIG_VALUE'] },
    {
      name: 'a duration without a unit',
      text: 'sweep:\n  every: 60',
      are: ['2:10 RC_CONFIG_TYPE'],
      says: 'a duration such as',
    },
    { name: 'brakes that are no word', text: 'brakes: none', are: ['1:9 RC_CONFIG_TYPE'], says: 'off, or a map' },
    {
      name: 'a share without its sign',
      text: 'brakes: {deletes: {share: 2}}',
      are: ['1:27 RC_CONFIG_TYPE'],
      says: '2%',
    },
    { name: 'a share of nothing', text: 'brakes: {deletes: {share: 0%}}', are: ['1:27 RC_CONFIG_VALUE'] },
    { name: 'a share of more than all', text: 'brakes: {changes: {share: 101%}}', are: ['1:27 RC_CONFIG_VALUE'] },
    { name: 'a part of a contact', text: 'brakes: {changes: {least: 1.5}}', are: ['1:27 RC_CONFIG_VALUE'] },
    { name: 'a number as text', text: 'brakes: {changes: {least: "9"}}', are: ['1:27 RC_CONFIG_TYPE'] },
    { name: 'a duration that is none', text: 'delivery:\n  grace: 1h30m', are: ['2:10 RC_CONFIG_DURATION'] },
    { name: 'a duration of nothing', text: 'delivery: {grace: 0s}', are: ['1:19 RC_CONFIG_DURATION'] },
    { name: 'a duration no timer holds', text: 'sweep: {every: 25d}', are: ['1:16 RC_CONFIG_DURATION'] },
    {
      name: 'a number that loses digits',
      text: mapping('attributes:', '  X: {const: 12345678901234567890}'),
      are: ['5:20 RC_CONFIG_NUMBER'],
      hint: 'quotes',
    },
    { name: 'infinity', text: mapping('attributes: {X: {const: .inf}}'), are: ['4:31 RC_CONFIG_NUMBER'] },
  ]);
});

describe('environment', () => {
  checkMistakes([
    {
      name: 'a missing variable',
      text: BASIC,
      are: ['5:15 RC_CONFIG_ENV_MISSING'],
      says: 'the environment variable SUPABASE_SERVICE_ROLE_KEY is not set',
      hint: 'Set SUPABASE_SERVICE_ROLE_KEY',
    },
    {
      name: 'several in one value, each at its place',
      text: 'environment: a-${ONE}-${TWO}-${ONE}',
      are: ['1:16 RC_CONFIG_ENV_MISSING', '1:23 RC_CONFIG_ENV_MISSING', '1:30 RC_CONFIG_ENV_MISSING'],
    },
    {
      name: 'inside a long text',
      text: mapping('where: |', '  true and', '  role = ${ROLE}'),
      are: ['6:16 RC_CONFIG_ENV_MISSING'],
    },
    {
      name: 'in a list',
      text: connector('sync:', '  tables:', '    - ${T}'),
      are: ['5:11 RC_CONFIG_ENV_MISSING'],
    },
    {
      name: 'a name that is none',
      text: 'environment: "${1}"',
      are: ['1:15 RC_CONFIG_ENV_SYNTAX'],
    },
    { name: 'an open brace', text: 'environment: x${NAME', are: ['1:15 RC_CONFIG_ENV_SYNTAX'], hint: '$${' },
  ]);

  test('a value from the environment is never told', () => {
    const env = { LEVEL: 's3cr3t-level', T: 's3cr3t-transform', C: 's3cr3t-consent', D: 's3cr3t-type' };
    const text = `${connector('log_level: ${LEVEL}', 'user_mapping:', '  phone: {to: SMS, transform: "${T}"}')}consent: \${C}\ndestinations: {a: {type: "\${D}"}}\n`;
    const error = failure(text, env);
    expect(error.errors).toHaveLength(4);
    expect(JSON.stringify([error.message, error.errors.map((one) => [one.message, one.hint])])).not.toContain('s3cr3t');
  });
});

test('mistakes of every section are told at once, in the order of the file', () => {
  const text = `${connector('enabled: si', 'user_mapping:', '  emial: email', '  phone: {to: SMS, transform: x}')}sweep: {every: 5}\nconsnt: nobody\n`;
  expect(mistakes(text)).toEqual([
    '3:14 RC_CONFIG_TYPE',
    '5:7 RC_CONFIG_COLUMN_UNKNOWN',
    '6:35 RC_CONFIG_TRANSFORM',
    '7:16 RC_CONFIG_TYPE',
    '8:1 RC_CONFIG_UNKNOWN_KEY',
  ]);
  const error = failure(text);
  expect(error.code).toBe('RC_CONFIG_INVALID');
  expect(error.message).toContain('rollcall.yaml has 5 mistakes:\n  rollcall.yaml:3:14 ');
  expect(error.errors[1]?.place?.path).toBe('connectors.supabase.user_mapping.emial');
});
