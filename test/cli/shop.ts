import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

/** For tests: tables of every kind that a config may read. */
const TABLES = `
  create table profiles (id uuid primary key references auth.users, full_name text);
  create table customers (id bigint generated always as identity primary key, user_id uuid references auth.users, email text,
    full_name text, plan text, address jsonb, archived boolean, marketing_opt_in boolean);
  create table orders (id bigint generated always as identity primary key, customer_id bigint references customers,
    total numeric, status text, line_items jsonb, created_at timestamptz default now());
  create table refunds (id bigint generated always as identity primary key, what text);
  create view order_totals as
    select c.email, sum(o.total) as total from orders o join customers c on c.id = o.customer_id group by 1;
`;

/** For tests: the connector's part of a config over those tables. */
export const CONNECTOR = `
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      attributes:
        ORDERS: {sql: "count(*)", from: orders}
        LAST_ORDER: {sql: "max(created_at)", from: orders, where: "status = 'paid'"}
      unconfirmed: true
    table_mapping:
      profiles:
        contact: {user_id: id}
        full_name: FIRSTNAME
      customers:
        email: email
        full_name: FIRSTNAME
        address.city: CITY
        where: archived is not true
        attributes:
          SOURCE: {const: shop}
          TIER: {sql: "upper(plan)"}
      order_totals:
        email: email
        total: LTV
        base_tables: [orders]
        every: 2h
      orders:
        sync_as: events
        event_name: order_placed
        when: total > 0
        properties: {total: amount, status: {to: order_status, transform: lower}, line_items: line_items}
      refunds:
        sync_as: events
        event_name: refunded
    events:
      user.signed_up: true
      user.signed_in: {event_name: logged_in, properties: {app_metadata.provider: provider}}`;

export interface Shop {
  readonly db: TestDatabase;
  readonly sandbox: Sandbox;
  /** `host:port/database`, as the commands show it. */
  readonly where: string;
  /** Writes a config over the connector's part and returns its path. */
  write(connector?: string, databaseUrl?: string): Promise<string>;
  /** Runs as the role that owns nothing. */
  run(file: string, ...argv: string[]): Promise<Ran>;
}

/** For tests: a database with the tables, which the hosted role may read and put triggers on, and a sandbox. */
export async function openShop(): Promise<Shop> {
  const db = await createDatabase();
  await db.app.query(`${TABLES} grant select, trigger on all tables in schema public to hosted;`);
  const sandbox = await startSandbox({ limitsScale: 100 });
  onCleanup(() => sandbox.close());
  return {
    db,
    sandbox,
    where: `${new URL(db.hostedUrl).host}/${db.name}`,
    write: (connector = CONNECTOR, databaseUrl = '"${DATABASE_URL}"') =>
      tempFile(
        'rollcall.yaml',
        `database_url: ${databaseUrl}
environment: test
connectors:
  supabase:
${connector.replace(/^\n/, '')}
destinations:
  mailtrap: {api_token: "\${MAILTRAP_TOKEN}", base_url: "${sandbox.apiUrl}", limits_scale: 100, on_delete: unsubscribe}
consent: ${connector === CONNECTOR ? '{column: customers.marketing_opt_in}' : 'nobody'}
`,
      ),
    run: (file, ...argv) =>
      rollcall([...argv, '--config', file], { env: { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token } }),
  };
}
