import type { Config } from '../../src/config/types.ts';
import { DEFAULT_RETRY } from '../../src/core/retry.ts';
import type { AttributeMapping, ValueSource } from '../../src/core/mapping.ts';

/** An attribute with the defaults of the config. */
export function attribute(
  name: string,
  source: string | ValueSource,
  more: Partial<AttributeMapping> = {},
): AttributeMapping {
  const from: ValueSource =
    typeof source === 'string' ? { kind: 'column', path: source.split('.') as [string, ...string[]] } : source;
  return {
    name,
    source: from,
    transforms: [],
    type: undefined,
    onNull: 'skip',
    path: name,
    line: 1,
    column: 1,
    ...more,
  };
}

/** A config as the loader would make it, for tests that are not about the loader. */
export function testConfig(more: Partial<Config> = {}): Config {
  return {
    file: 'rollcall.yaml',
    hash: 'a'.repeat(64),
    destinationHashes: {},
    environment: 'test',
    databaseUrl: undefined,
    sslRootCert: undefined,
    projectUrl: undefined,
    apiKey: undefined,
    enabled: true,
    users: true,
    userMapping: {
      address: ['email'],
      attributes: [attribute('FIRSTNAME', 'user_metadata.full_name')],
      where: undefined,
      unconfirmed: true,
    },
    tables: [],
    segments: [],
    eventTables: [],
    systemEvents: [],
    consent: { kind: 'everyone', basis: 'test' },
    consentPolicy: 'global',
    consentReaders: [],
    writeBacks: [],
    destinations: [
      {
        name: 'mailtrap',
        type: 'mailtrap',
        options: {},
        account: 'sandbox',
        events: 'unkeyed',
        onDelete: 'delete',
        createMissing: { fields: true, lists: false },
        line: 1,
        column: 1,
      },
    ],
    delivery: { graceMs: 120_000, events: 'at_least_once', retry: DEFAULT_RETRY },
    sweep: { everyMs: 3_600_000 },
    brakes: { deletes: { share: 0.02, least: 10 }, changes: { share: 0.2, least: 100 } },
    log: { level: 'info', queries: false, realtime: false },
    server: { metricsToken: undefined },
    alerts: undefined,
    erasure: { key: undefined, onUserDeleted: false, export: undefined, exportToken: undefined },
    wake: 'notify',
    capture: 'triggers',
    wal: { warnBytes: 536_870_912, keepBytes: 1_073_741_824 },
    allowFunctions: [],
    warnings: [],
    ...more,
  };
}
