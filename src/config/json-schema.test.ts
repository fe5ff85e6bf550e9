import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import {
  BASIC,
  connector,
  DEBUG,
  failure,
  FULL,
  FULL_ENV,
  SEGMENTS,
  mapping,
  MERGED,
  parse,
  registry,
  table,
  TABLES,
} from '../../test/support/config-text.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import { ADJUSTMENT_KEYS, GENERIC_KEYS } from './destination-keys.ts';
import { configJsonSchema } from './json-schema.ts';
import { ALERT_KEYS } from './read-alerts.ts';
import { BRAKE_KEYS, BRAKE_KINDS } from './read-brakes.ts';
import { COMPUTED_KEYS, RELATED_KEYS } from './read-computed.ts';
import { CONNECTOR_KEYS } from './read-connector.ts';
import { CONTACT_TABLE_KEYS } from './read-contact-table.ts';
import { EVENT_TABLE_KEYS } from './read-event-table.ts';
import { DELIVERY_KEYS, RETRY_KEYS } from './read-delivery.ts';
import { TOP_KEYS } from './read-root.ts';
import { SYNC_KEYS } from './read-sync.ts';
import { SYSTEM_EVENT_KEYS, SYSTEM_EVENT_NAMES } from './read-system-events.ts';
import { OPTION_KEYS } from './read-targets.ts';
import { USER_MAPPING_KEYS } from './read-user-mapping.ts';

const schema = configJsonSchema(registry);
// To make the code of it smaller takes Ajv longer than all that is judged by it.
const FAST = { allowUnionTypes: true, code: { optimize: false } };
const ajv = new Ajv2020({ ...FAST, formats: { uri: true }, keywords: ['secret'] });
const validate = ajv.compile(schema);
const problems = (text: string): unknown => (validate(parseDocument(text).toJS()) ? undefined : validate.errors);

interface Section {
  readonly properties: Readonly<Record<string, Section>>;
  readonly anyOf?: readonly Section[];
  readonly additionalProperties?: Section;
  readonly description?: string;
}

describe('the schema takes what parses', () => {
  test.each([
    ['Basic Setup', BASIC],
    ['Custom Table Mapping', TABLES],
    ['Debug Mode', DEBUG],
    ['all merged', MERGED],
    ['the whole grammar', FULL],
    ['segments', FULL + SEGMENTS],
    [
      'sections that say nothing',
      'connectors:\n  supabase:\n    sync:\n    user_mapping:\ndestinations:\nconsent:\nsweep:\nbrakes:\n',
    ],
    ['no brakes', 'brakes: off'],
    ['a brake that says nothing', 'brakes: {deletes: , changes: off}'],
    ['nobody', 'consent: nobody'],
    ['everyone with a basis', 'consent: {everyone: customers}'],
    ['a consent column of a table', `${table('customers', 'a: A')}consent: {column: customers.a}`],
    ['a table that says how its rows lead to contacts, and no more', table('profiles', 'contact: {user_id: id}')],
    ['a table’s empty sections', table('a', 'contact:', 'attributes:', 'base_tables:', 'b: B')],
    ['a column of the name of an option', table('a', '\\when: B', '\\properties: [C, {to: D}]')],
    ['an event’s empty sections', table('a', 'sync_as: events', 'event_name: x', 'properties:', 'operations:')],
    ['events in a list', connector('events: [auth.user.created, storage.object.deleted]')],
    ['events in a map', connector('events: {user.updated: {}, user.deleted: x, user.signed_in: "${E}"}')],
    ['no events', connector('events:')],
    ['no tables', connector('sync: {tables: []}')],
    ['delivery of events', 'delivery: {events: at_most_once}'],
    ['retry', 'delivery: {retry: {first: 2s, factor: 1.5, longest: 10m, window: 7d, retry_after_most: 2h}}'],
    ['retry from the environment', 'delivery: {retry: {factor: "${LIMIT}"}}'],
    ['a token', 'server: {metrics_token: "0123456789abcdef"}'],
    ['nothing of the server', 'server:'],
    [
      'alerts',
      `alerts: {url: "https://example.com/x", secret: whsec_${'A'.repeat(32)}, stuck_after: 5m, failed: 1, drift: 5}`,
    ],
  ])('%s', (name, text) => {
    expect(problems(text)).toBeUndefined();
    const needed = { SUPABASE_SERVICE_ROLE_KEY: 'key', E: 'true', ...FULL_ENV };
    expect(() => parse(text, needed), name).not.toThrow();
  });
});

describe('the schema refuses what has the wrong shape', () => {
  test.each([
    'destinatons: {}',
    'consent: everyone',
    'consent: {everyone: " "}',
    'sweep: {every: 1h30m}',
    'brakes: on',
    'brakes: {deletes: 5}',
    'brakes: {deletes: {share: 0.02}}',
    'brakes: {changes: {least: 0}}',
    'brakes: {leavers: off}',
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
    table('a', 'b: B', 'when: c'),
    table('a', 'b: {const: 1}'),
    table('a', 'contact: {user_id: b, email: c}'),
    table('a', 'contact: {}'),
    table('a', 'contact: user_id'),
    table('a', 'base_tables: [b, b]'),
    table('a', 'every: 5'),
    table('a', 'attributes: {A: {const: 1, from: b}}'),
    table('a', 'attributes: {A: {sql: "1", where: b}}'),
    table('a', 'attributes: {A: {from: b}}'),
    table('a', 'sync_as: events', 'event_name: x', 'b: B'),
    table('a', 'sync_as: events', 'event_name: x', 'where: b'),
    table('a', 'sync_as: events', 'event_name: x', 'operations: [upsert]'),
    table('a', 'sync_as: events', 'event_name: x', 'operations: []'),
    table('a', 'sync_as: events', 'event_name: x', 'properties: {b: {sql: "1", from: c}}'),
    connector('events: user.updated'),
    connector('events: [user.up]'),
    connector('events: {user.up: true}'),
    connector('events: {user.updated: 1}'),
    connector('events: {user.updated: {name: x}}'),
    'delivery: {events: once}',
    'delivery: {retry: 5m}',
    'delivery: {retry: {window: 3}}',
    'delivery: {retry: {factor: 0.5}}',
    'delivery: {retry: {tries: 9}}',
    'server: {metrics_token: short}',
    'server: {port: 1}',
    'alerts: {url: "https://example.com"}',
    'alerts: {url: "https://example.com", secret: "whsec_x", failed: 0}',
    'consent: nobody\ndestinations: {postbox: {token: "12345678", on_delete: remove}}',
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
    ['delivery', top.properties['delivery'], DELIVERY_KEYS],
    ['retry', top.properties['delivery']?.properties['retry'], RETRY_KEYS],
    ['alerts', top.properties['alerts'], ALERT_KEYS],
    ['brakes', top.properties['brakes']?.anyOf?.[2], BRAKE_KINDS],
    ['a brake', top.properties['brakes']?.anyOf?.[2]?.properties['deletes']?.anyOf?.[2], BRAKE_KEYS],
  ] as const)('%s', (_, section, keys) => {
    expect(Object.keys(section?.properties ?? {}).toSorted()).toEqual([...keys].toSorted());
    for (const property of Object.values(section?.properties ?? {})) {
      expect(property.description ?? property.anyOf).toBeDefined();
    }
  });

  const [contacts, events] = top.properties['table_mapping']?.additionalProperties?.anyOf ?? [];
  const keysOf = (section: Section | undefined): string[] =>
    Object.entries(section?.properties ?? {})
      .filter(([, property]) => (property as unknown) !== false)
      .map(([key]) => key)
      .toSorted();
  test('a table of contacts, and one of events', () => {
    expect(keysOf(contacts)).toEqual(CONTACT_TABLE_KEYS.toSorted());
    expect(keysOf(events)).toEqual(EVENT_TABLE_KEYS.toSorted());
    const refused = Object.keys(contacts?.properties ?? {}).filter((key) => !CONTACT_TABLE_KEYS.includes(key));
    expect(refused.toSorted()).toEqual(EVENT_TABLE_KEYS.filter((key) => !CONTACT_TABLE_KEYS.includes(key)).toSorted());
  });

  test('computed attributes', () => {
    const ways = contacts?.properties['attributes']?.additionalProperties?.anyOf ?? [];
    const keys = new Set(ways.flatMap((way) => keysOf(way)));
    expect([...keys].toSorted()).toEqual([...COMPUTED_KEYS, ...RELATED_KEYS, ...OPTION_KEYS].toSorted());
  });

  test('events of Auth and Storage', () => {
    const map = supabase?.properties['events']?.anyOf?.[1];
    expect(keysOf(map)).toEqual(SYSTEM_EVENT_NAMES.toSorted());
    expect(keysOf(map?.properties['user.updated']?.anyOf?.[2])).toEqual(SYSTEM_EVENT_KEYS.toSorted());
  });

  test('a destination', () => {
    const options = ['token', 'base_url', 'region', 'lists', 'limit', 'quiet', 'clear_as', 'webhook', 'headers'];
    const entry = top.properties['destinations']?.properties['postbox'];
    expect(keysOf(entry)).toEqual([...options, ...GENERIC_KEYS].toSorted());
    expect(keysOf(entry?.properties['attributes'])).toEqual(ADJUSTMENT_KEYS.toSorted());
  });

  test('user_mapping', () => {
    const keys = [...USER_MAPPING_KEYS, ...new Set(USER_COLUMNS.flatMap((column) => [column.name, column.sql]))];
    expect(Object.keys(supabase?.properties['user_mapping']?.properties ?? {}).toSorted()).toEqual(keys.toSorted());
  });
});

test('an empty registry allows no destination', () => {
  const none = new Ajv2020(FAST).compile(configJsonSchema([]));
  expect(none({ destinations: { postbox: {} } })).toBe(false);
  expect(none({ destinations: {} })).toBe(true);
});
