import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Destination } from '../../src/core/destination.ts';
import { ConfigErrors } from '../../src/config/config-errors.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';

/** For tests: a destination with every kind of option a config can hold. Its calls are never made. */
const postbox: Destination<unknown> = {
  id: 'postbox',
  name: 'Postbox',
  docsUrl: 'https://example.com',
  config: z.object({
    token: z.string().min(8).meta({ secret: true, description: 'API token of the account.' }),
    base_url: z.url().default('https://postbox.example'),
    region: z.enum(['eu', 'us']).default('eu'),
    lists: z.array(z.union([z.int(), z.string()])).default([]),
    limit: z.number().positive().optional(),
    quiet: z.boolean().optional(),
    clear_as: z.union([z.null(), z.literal('empty')]).default('empty'),
    webhook: z.strictObject({ path: z.string(), secret: z.string().meta({ secret: true }).optional() }).optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  capabilities: {
    contact: 'upsert',
    remove: 'hard',
    address: 'email',
    fields: false,
    lists: false,
    events: 'none',
    consent: { tell: false, read: [], webhook: 'none' },
    bulk: 'none',
    idempotency: 'upsert',
    rateHeaders: [],
    homes: ['worker'],
    unverified: [],
  },
  account: (config) => (config as { base_url: string }).base_url,
  standIn: (url, secret) => ({ token: secret, base_url: url }),
  limits: () => ({ buckets: [], concurrency: 1 }),
  auth: () => ({ header: 'x', value: 'x' }),
  encode: () => [],
  request: () => ({ method: 'GET', url: 'https://example.com', headers: {}, body: null }),
  interpret: () => [],
  probe: () => ({ method: 'GET', url: 'https://example.com', headers: {}, body: null }),
};

const neverAsked = (): never => {
  throw new Error('no list is read here');
};

export const registry: readonly Destination<unknown>[] = [
  {
    ...postbox,
    lists: { all: neverAsked, create: neverAsked, names: () => [], resolve: (config) => config, segments: true },
  },
];

/** For tests: parses as `rollcall.yaml` with the test destination. */
export function parse(text: string, env: Readonly<Record<string, string | undefined>> = {}): Config {
  return parseConfig(text, { file: 'rollcall.yaml', env, registry });
}

/** For tests: `line:column CODE` of every warning. */
export function warnings(config: Config): readonly string[] {
  return config.warnings.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

/** For tests: the failure of a text that must not parse. */
export function failure(text: string, env: Readonly<Record<string, string | undefined>> = {}): ConfigErrors {
  try {
    parse(text, env);
  } catch (error) {
    if (error instanceof ConfigErrors) return error;
    throw error;
  }
  throw new Error('the text parsed');
}

/** For tests: `line:column CODE` of every mistake, in the order of the file. */
export function mistakes(text: string, env: Readonly<Record<string, string | undefined>> = {}): readonly string[] {
  return failure(text, env).errors.map(({ place, code }) => `${place?.line}:${place?.column} ${code}`);
}

/** The text under `connectors.supabase`, four columns in, from line 3 on. */
export function connector(...lines: readonly string[]): string {
  return `connectors:\n  supabase:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** The text under `user_mapping`, six columns in, from line 4 on. */
export function mapping(...lines: readonly string[]): string {
  return connector('user_mapping:', ...lines.map((line) => `  ${line}`));
}

/** The text of one entry of `table_mapping`, four columns in, from line 3 on. */
export function table(name: string, ...lines: readonly string[]): string {
  return `table_mapping:\n  ${name}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** The text of the test destination's options, four columns in, from line 4 on. */
export function destination(...lines: readonly string[]): string {
  return `consent: nobody\ndestinations:\n  postbox:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** A text with its mistakes. */
export interface MistakeCase {
  readonly name: string;
  readonly text: string;
  /** `line:column CODE` of every mistake. */
  readonly are: readonly string[];
  /** What the first message says. */
  readonly says?: string;
  readonly hint?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes one test of each case. */
export function checkMistakes(cases: readonly MistakeCase[]): void {
  test.each(cases)('$name', ({ text, are, says, hint, env }) => {
    expect(mistakes(text, env)).toEqual(are);
    const [first] = failure(text, env).errors;
    if (says !== undefined) expect(first?.message).toContain(says);
    if (hint !== undefined) expect(first?.hint).toContain(hint);
  });
}

/** The three blocks of the Tajo Supabase connector's page, with the indentation the page lost. */
export const BASIC = `connectors:
  supabase:
    enabled: true
    project_url: "https://xyzcompany.supabase.co"
    api_key: "\${SUPABASE_SERVICE_ROLE_KEY}"
    # Data sync options
    sync:
      users: true
      tables:
        - customers
        - orders
        - products
      storage: true
      realtime: true
    # Map Supabase Auth users to contacts
    user_mapping:
      email: email
      phone: SMS
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE
`;

export const TABLES = `table_mapping:
  customers:
    # Column → Attribute mapping
    email: email
    full_name: FIRSTNAME
    company: COMPANY
    plan: SUBSCRIPTION_PLAN
    mrr: MONTHLY_REVENUE
    created_at: SIGNUP_DATE
  orders:
    # Track as events
    sync_as: events
    event_name: "order_placed"
    properties:
      total: amount
      status: order_status
      items: line_items
`;

export const DEBUG = `connectors:
  supabase:
    debug: true
    log_level: verbose
    log_queries: true
    log_realtime: true
`;

const indented = (text: string, by: string): string => text.replaceAll(/^(?=.)/gm, by);

/** All three blocks in one file, the table mapping under the connector. */
export const MERGED = `${BASIC}${indented(TABLES, '    ')}${DEBUG.split('\n').slice(2).join('\n')}`;

/** Segments over `FULL`. */
export const SEGMENTS = `segments:
  pro: {filter: "user_metadata->>plan=eq.pro&created_at=gte.2024-01-01", destination: postbox, list: Pro users}
  big: {from: customers, where: "plan = 'team'", destination: second, list: 12}
  buyers: {from: app.orders, contact: {email: buyer}, filter: "total=gt.10", destination: second, list: Buyers}
`;

/** Every part of the grammar at once. */
export const FULL = `connectors:
  supabase:
    enabled: true
    project_url: https://xyzcompany.supabase.co
    api_key: \${SERVICE_KEY:-none}
    sync: {users: true, tables: [customers, app.orders, totals], storage: true, realtime: false}
    user_mapping:
      email: [email, EMAIL_COPY]
      phone: {to: SMS, transform: {e164: {country_code: "49"}}}
      created_at: [SIGNUP_DATE, {to: COHORT, transform: date, type: date}]
      user_metadata.full_name:
        to: FIRSTNAME
        transform: [trim, {default: friend}, {template: "Hi {value} of {raw_user_meta_data.city}"}]
        when_null: clear
      user_metadata.address.city: CITY
      raw_app_meta_data.provider:
        to: PROVIDER
        transform: {map: {google: Google, 1: one, true: yes}, else: other}
      attributes:
        SOURCE: {const: supabase}
        SCORE: {const: 1.5, type: float}
        TENURE: {sql: "extract(day from now() - created_at)::int", type: integer, when_null: clear, every: 6h}
        PAID: {sql: "count(*)", from: app.orders, where: "paid", contact: {customers: customer_id}}
        SPENT: {sql: "sum(sum)", from: totals, base_tables: [app.orders, refunds], every: 30m}
      where: "coalesce(app_metadata->>'provider', '') <> 'test'"
      unconfirmed: true
    events:
      auth.user.created: true
      user.signed_in:
        event_name: logged_in
        properties: {app_metadata.provider: {to: by, transform: lower}, home: {const: web}}
        when: not is_anonymous
      user.updated: false
      storage.object.created: file_uploaded
    debug: false
    log_level: warn
    log_queries: false
    log_realtime: false
table_mapping:
  app.orders:
    sync_as: events
    event_name: order_placed
    operations: [update, insert]
    contact: {customers: customer_id}
    when: "total > coalesce(old.total, 0)"
    properties:
      total: amount
      status: {to: order_status, transform: lower, when_null: clear}
      items: [line_items, {to: items_text, type: text}]
      cents: {sql: "(total * 100)::int", type: integer}
  customers:
    sync_as: contacts
    contact: {user_id: user_id}
    email: email
    plan: [PLAN, {to: TIER, transform: lower}]
    address.city: CITY
    na\\.me: NAME
    \\where: PLACE
    where: archived is not true
    attributes: {SOURCE: {const: shop}, ORDERS: {sql: count(*), from: app.orders}}
  totals:
    contact: {email: buyer}
    sum: SPENT
    base_tables: [app.orders]
    every: 1h
database_url: \${DB}
ssl_root_cert: ./prod-ca.crt
environment: staging
destinations:
  postbox:
    token: \${TOKEN}
    lists: [7, news]
  second:
    type: postbox
    token: \${TOKEN}
    on_delete: unsubscribe
    region: us
    limit: \${LIMIT}
    quiet: \${QUIET:-true}
    webhook: {path: /hook, secret: inline-secret}
    headers: {x-team: growth}
consent: {column: user_metadata.marketing_opt_in}
delivery: {grace: 90s, events: at_most_once, retry: {first: 2s, factor: 1.5, longest: 10m, window: 7d, retry_after_most: 2h}}
sweep: {every: 30m}
brakes: {deletes: {share: 2.3%, least: 50}, changes: off}
`;
export const FULL_ENV = { DB: 'postgres://u:p@db.example/postgres', TOKEN: 'token-0123456789', LIMIT: '12' } as const;
