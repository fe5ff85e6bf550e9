import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import {
  BASIC,
  connector,
  DEBUG,
  failure,
  FULL,
  mapping,
  MERGED,
  registry,
  TABLES,
} from '../../test/support/config-text.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import { configJsonSchema } from './json-schema.ts';
import { CONNECTOR_KEYS } from './read-connector.ts';
import { TOP_KEYS } from './read-root.ts';
import { SYNC_KEYS } from './read-sync.ts';
import { USER_MAPPING_KEYS } from './read-user-mapping.ts';

const schema = configJsonSchema(registry);
const ajv = new Ajv2020({ allowUnionTypes: true, formats: { uri: true }, keywords: ['secret'] });
const validate = ajv.compile(schema);
const problems = (text: string): unknown => (validate(parseDocument(text).toJS()) ? undefined : validate.errors);

interface Section {
  readonly properties: Readonly<Record<string, Section>>;
  readonly anyOf?: readonly Section[];
  readonly description?: string;
}

describe('the schema takes what parses', () => {
  test.each([
    ['Basic Setup', BASIC],
    ['Custom Table Mapping', TABLES],
    ['Debug Mode', DEBUG],
    ['all merged', MERGED],
    ['the whole grammar', FULL],
    [
      'sections that say nothing',
      'connectors:\n  supabase:\n    sync:\n    user_mapping:\ndestinations:\nconsent:\nsweep:\n',
    ],
    ['nobody', 'consent: nobody'],
    ['everyone with a basis', 'consent: {everyone: customers}'],
  ])('%s', (_, text) => expect(problems(text)).toBeUndefined());
});

describe('the schema refuses what has the wrong shape', () => {
  test.each([
    'destinatons: {}',
    'consent: everyone',
    'consent: {everyone: " "}',
    'sweep: {every: 1h30m}',
    'consent: nobody\ndestinations: {postbox: {}}',
    'consent: nobody\ndestinations: {postbox: {token: "12345678", lsts: []}}',
    'consent: nobody\ndestinations: {mine: {token: "12345678"}}',
    'consent: nobody\ndestinations: {postbox: {token: "12345678", region: asia}}',
    connector('enabled: "yes"'),
    connector('log_level: loud'),
    connector('sync: {tables: customers}'),
    mapping('encrypted_password: PW'),
    mapping('email.domain: DOMAIN'),
    mapping('phone: {to: SMS, transform: e146}'),
    mapping('phone: {transform: e164}'),
    mapping('phone: []'),
    mapping('attributes: {A: {const: 1, sql: "1"}}'),
    'table_mapping: {orders: {sync_as: events}}',
    'table_mapping: {orders: {event_name: x}}',
  ])('%j', (text) => {
    expect(problems(text)).toBeDefined();
    expect(failure(text).errors.length).toBeGreaterThan(0);
  });
});

describe('the schema knows the keys the parser knows', () => {
  const top = schema as unknown as Section;
  const supabase = top.properties['connectors']?.properties['supabase']?.anyOf?.[0];
  test.each([
    ['top', top, TOP_KEYS],
    ['connector', supabase, CONNECTOR_KEYS],
    ['sync', supabase?.properties['sync'], SYNC_KEYS],
  ] as const)('%s', (_, section, keys) => {
    expect(Object.keys(section?.properties ?? {}).toSorted()).toEqual([...keys].toSorted());
    for (const property of Object.values(section?.properties ?? {})) {
      expect(property.description ?? property.anyOf).toBeDefined();
    }
  });

  test('user_mapping', () => {
    const keys = [...USER_MAPPING_KEYS, ...new Set(USER_COLUMNS.flatMap((column) => [column.name, column.sql]))];
    expect(Object.keys(supabase?.properties['user_mapping']?.properties ?? {}).toSorted()).toEqual(keys.toSorted());
  });
});

test('an empty registry allows no destination', () => {
  const none = new Ajv2020({ allowUnionTypes: true }).compile(configJsonSchema([]));
  expect(none({ destinations: { postbox: {} } })).toBe(false);
  expect(none({ destinations: {} })).toBe(true);
});
