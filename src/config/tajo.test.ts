import { describe, expect, test } from 'vitest';
import { BASIC, DEBUG, MERGED, parse, TABLES, warnings } from '../../test/support/config-text.ts';
import { DEFAULT_RETRY } from '../core/retry.ts';

const KEY = { SUPABASE_SERVICE_ROLE_KEY: 'service-key' };
const codes = (config: { warnings: readonly { code: string }[] }) => config.warnings.map((warning) => warning.code);

describe('the blocks of the Tajo page', () => {
  test('Basic Setup', () => {
    const config = parse(BASIC, KEY);
    expect(config).toMatchObject({
      enabled: true,
      users: true,
      projectUrl: 'https://xyzcompany.supabase.co',
      environment: 'production',
      destinations: [],
      consent: undefined,
      databaseUrl: undefined,
      delivery: { graceMs: 120_000, events: 'at_least_once', retry: DEFAULT_RETRY },
      sweep: { everyMs: 3_600_000 },
      log: { level: 'info', queries: false, realtime: false },
      userMapping: { address: ['email'], where: undefined, unconfirmed: false },
    });
    expect(config.userMapping.attributes).toEqual([
      {
        name: 'SMS',
        source: { kind: 'column', path: ['phone'] },
        transforms: [],
        type: undefined,
        onNull: 'skip',
        path: 'connectors.supabase.user_mapping.phone',
        line: 18,
        column: 7,
      },
      expect.objectContaining({ name: 'FIRSTNAME', source: { kind: 'column', path: ['user_metadata', 'full_name'] } }),
      expect.objectContaining({ name: 'SIGNUP_DATE', source: { kind: 'column', path: ['created_at'] } }),
    ]);
    expect(config.api).toMatchObject({ projectUrl: 'https://xyzcompany.supabase.co', realtime: true });
    expect(warnings(config)).toEqual([
      '10:11 RC_WARN_TABLE_NOT_MAPPED',
      '11:11 RC_WARN_TABLE_NOT_MAPPED',
      '12:11 RC_WARN_TABLE_NOT_MAPPED',
    ]);
    expect(config.warnings[0]?.message).toBe('table "customers" has no mapping: nothing of it is sent');
    expect(config.systemEvents.map(({ type, name }) => [type, name])).toEqual([
      ['storage.object.created', 'storage.object.created'],
      ['storage.object.updated', 'storage.object.updated'],
      ['storage.object.deleted', 'storage.object.deleted'],
    ]);
  });

  test('Custom Table Mapping', () => {
    const config = parse(TABLES);
    expect(config.warnings).toEqual([]);
    const named = (path: string, name: string): object =>
      expect.objectContaining({ name, source: { kind: 'column', path: [path] } });
    expect(config.tables).toEqual([
      {
        table: { schema: 'public', table: 'customers' },
        link: undefined,
        email: 'email',
        attributes: [
          named('full_name', 'FIRSTNAME'),
          named('company', 'COMPANY'),
          named('plan', 'SUBSCRIPTION_PLAN'),
          named('mrr', 'MONTHLY_REVENUE'),
          named('created_at', 'SIGNUP_DATE'),
        ],
        where: undefined,
        baseTables: [],
        everyMs: undefined,
        path: 'table_mapping.customers',
        line: 2,
        column: 3,
      },
    ]);
    expect(config.eventTables).toEqual([
      {
        table: { schema: 'public', table: 'orders' },
        link: undefined,
        name: 'order_placed',
        operations: ['insert'],
        properties: [named('total', 'amount'), named('status', 'order_status'), named('items', 'line_items')],
        when: undefined,
        path: 'table_mapping.orders',
        line: 10,
        column: 3,
      },
    ]);
  });

  test('Debug Mode', () => {
    const config = parse(DEBUG);
    expect(config.log).toEqual({ level: 'debug', queries: true, realtime: true });
    expect(codes(config)).toEqual([]);
  });

  test('all merged, the table mapping under the connector or at the top level', () => {
    const merged = parse(MERGED, KEY);
    expect(merged.log.level).toBe('debug');
    expect(codes(merged)).toEqual(['RC_WARN_TABLE_NOT_MAPPED']);
    expect(merged.warnings[0]).toMatchObject({ line: 12, message: expect.stringContaining('"products"') });
    expect([...merged.tables, ...merged.eventTables].map(({ table }) => table.table)).toEqual(['customers', 'orders']);
    expect(parse(`${BASIC}${TABLES}`, KEY).hash).toBe(merged.hash);
  });

  test('without user_mapping the page’s eight defaults hold', () => {
    const { userMapping } = parse('connectors:\n  supabase:\n    sync: {users: true}\n');
    expect(userMapping.address).toEqual(['email']);
    expect(userMapping.attributes.map(({ name, source, transforms }) => [name, source, transforms])).toEqual([
      ['SMS', { kind: 'column', path: ['phone'] }, [{ name: 'e164' }]],
      ['FIRSTNAME', { kind: 'column', path: ['user_metadata', 'full_name'] }, []],
      ['AVATAR_URL', { kind: 'column', path: ['user_metadata', 'avatar_url'] }, []],
      ['SIGNUP_DATE', { kind: 'column', path: ['created_at'] }, []],
      ['LAST_SIGN_IN', { kind: 'column', path: ['last_sign_in_at'] }, []],
      ['PROVIDER', { kind: 'column', path: ['app_metadata', 'provider'] }, []],
      ['CONFIRMED_AT', { kind: 'column', path: ['confirmed_at'] }, []],
    ]);
  });
});
