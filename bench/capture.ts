import pg from 'pg';
import { startCluster } from '../src/demo/cluster.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { database } from './database.ts';
import { installRecipe } from './recipe.ts';
import { median } from './stats.ts';
import { type Measured, rate } from './table.ts';
import { parseBench } from './config.ts';

const SINGLE_ROUNDS = 11;
const BULK_ROUNDS = 5;
/** What the writer keeps of its rate, on two cores with everything on them. */
const SINGLE_TARGET = 0.85;
const BULK_TARGET = 0.7;

/** Users with a row of contacts and a row of events each. */
export const TABLES = `
create table public.profiles (id uuid primary key, full_name text, plan text, updated_at timestamptz default now());
create table public.orders (id bigint generated always as identity primary key, user_id uuid not null, total numeric(12,2), currency text,
  status text, line_items jsonb, created_at timestamptz default now());
create index on public.orders (user_id)`;

export const CONFIG = `
environment: bench
connectors:
  supabase:
    user_mapping:
      unconfirmed: true
      email: email
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE
    table_mapping:
      profiles: { contact: { user_id: id }, full_name: FIRSTNAME, plan: PLAN }
      orders:
        sync_as: events
        event_name: order_placed
        contact: { user_id: user_id }
        properties: { total: amount, currency: currency, status: order_status, line_items: items }
destinations: { mailtrap: { api_token: bench } }
consent: { everyone: bench }
`;

/** One of the databases that are compared. */
export interface Variant {
  readonly name: 'none' | 'ours' | 'recipe';
  readonly url: string;
  readonly client: pg.Client;
}

/** One kind of write: a statement of one row for many clients, or of many rows for one. */
export interface Scenario {
  readonly name: string;
  /** 0: one statement of many rows. */
  readonly clients: number;
  readonly sql: string;
  readonly target?: number;
  /** Whether the row trigger of the recipe is on this table. */
  readonly recipe?: boolean;
  /** Runs before each measurement. */
  readonly before?: string;
}

const USER = `insert into auth.users (id, email, raw_user_meta_data, created_at)
  select gen_random_uuid(), gen_random_uuid() || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now() from generate_series(1, $1::int) n`;
const PROFILE = `insert into public.profiles (id, full_name, plan) select gen_random_uuid(), 'Person ' || n, 'free' from generate_series(1, $1::int) n`;
const ORDER = `insert into public.orders (user_id, total, currency, status, line_items)
  select gen_random_uuid(), n + 0.99, 'EUR', 'pending', '[{"sku":"abc","n":2},{"sku":"def","n":1}]' from generate_series(1, $1::int) n`;
const SIGN_IN = `update auth.users set last_sign_in_at = now(), updated_at = now() where id = (select id from auth.users offset $1::int limit 1)`;

export const SCENARIOS: readonly Scenario[] = [
  ...[1, 4, 16].map((clients) => ({
    name: 'users, a row a transaction',
    clients,
    sql: USER,
    target: SINGLE_TARGET,
    recipe: true,
  })),
  { name: 'sign-ins, of which nothing is mapped', clients: 4, sql: SIGN_IN, before: USER.replace('$1', '100') },
  { name: 'contacts by user id, a row a transaction', clients: 4, sql: PROFILE, target: SINGLE_TARGET },
  { name: 'events, a row a transaction', clients: 4, sql: ORDER, target: SINGLE_TARGET },
  { name: 'users, one statement', clients: 0, sql: USER, target: BULK_TARGET, recipe: true },
  { name: 'contacts by user id, one statement', clients: 0, sql: PROFILE, target: BULK_TARGET },
  { name: 'events, one statement', clients: 0, sql: ORDER },
];

/**
 * What capture costs the writer, with no worker running: rows a second without capture, with ours, and with the pg_net recipe's
 * row trigger. Each round measures all three one after another, so that they meet the same machine; ratios within a round,
 * medians of them.
 * @param users a statement has five times as many rows, and clients write for a fortieth of as many milliseconds in each round
 */
export async function capture({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({
    settings: { shared_buffers: '256MB', max_wal_size: '2GB', max_connections: '80' },
  });
  try {
    const variants: Variant[] = [];
    for (const name of ['none', 'ours', 'recipe'] as const) {
      const made = await database((at) => cluster.url(at), name);
      await made.client.query(TABLES);
      variants.push({ name, ...made });
    }
    for (const { name, url, client } of variants) {
      if (name === 'ours') await installOurs(url);
      if (name === 'recipe') await installRecipe(client);
    }
    const measured: Measured[] = [];
    for (const scenario of SCENARIOS) measured.push(...(await measure(scenario, variants, users)));
    for (const { client } of variants) await client.end();
    return measured;
  } finally {
    await cluster.destroy();
  }
}

async function installOurs(url: string): Promise<void> {
  const sql = openPg({ url });
  await applyInstall(sql, parseBench(`${CONFIG}database_url: ${url}`), 'bench');
  await sql.close();
}

/** Measures one kind of write on all of them, in rounds. */
export async function measure(
  scenario: Scenario,
  all: readonly Variant[],
  users: number,
): Promise<readonly Measured[]> {
  const variants = all.filter(({ name }) => name !== 'recipe' || scenario.recipe === true);
  const rates = new Map(variants.map((variant) => [variant.name, [] as number[]]));
  const writers = new Map<string, readonly pg.Client[]>();
  for (const variant of variants) {
    await empty(variant, scenario);
    writers.set(variant.name, await sessions(variant, scenario));
  }
  for (let round = 0; round < (scenario.clients === 0 ? BULK_ROUNDS : SINGLE_ROUNDS); round += 1) {
    // Whoever goes first meets a colder machine.
    for (const [n] of variants.entries()) {
      const variant = variants[(n + round) % variants.length]!;
      if (scenario.clients === 0) await empty(variant, scenario);
      const measured =
        scenario.clients === 0
          ? await bulk(variant, scenario, users * 5)
          : await single(writers.get(variant.name) ?? [], scenario, users / 40);
      rates.get(variant.name)?.push(measured);
    }
  }
  await Promise.all([...writers.values()].flat().map((writer) => writer.end()));
  return ratios(scenario, rates);
}

/** Against the same round without capture: other work on the machine comes and goes. */
function ratios(
  { name: what, clients, target }: Scenario,
  rates: ReadonlyMap<Variant['name'], readonly number[]>,
): readonly Measured[] {
  const name = `${what}${clients === 0 ? '' : clients === 1 ? ', 1 client' : `, ${clients} clients`}`;
  const none = rates.get('none') ?? [];
  return [...rates].map(([variant, values]) => {
    const value = median(values);
    if (variant === 'none') return rate(`${name}: no capture (baseline)`, value);
    const kept = median(values.map((one, n) => one / (none[n] ?? Number.NaN)));
    return rate(`${name}: ${variant === 'ours' ? 'ours' : 'the recipe'}`, value, {
      baseline: value / kept,
      ...(variant === 'ours' && target !== undefined ? { target: Math.round((target * value) / kept) } : {}),
    });
  });
}

/** Takes away what earlier measurements wrote, and has it on disk, so that none pays for another. */
async function empty({ name, client }: Variant, { before }: Scenario): Promise<void> {
  await client.query('truncate auth.users, public.profiles, public.orders');
  if (name === 'ours') await client.query('truncate rollcall.changes_0, rollcall.changes_1, rollcall.changes_2');
  if (name === 'recipe') await client.query('truncate public.http_queue');
  if (before !== undefined) await client.query(before);
  await client.query('checkpoint');
}

/** Writers whose caches and plans are those of sessions that have been at work. */
async function sessions({ url }: Variant, scenario: Scenario): Promise<readonly pg.Client[]> {
  const writers = await Promise.all(Array.from({ length: scenario.clients }, () => connected(url)));
  for (let n = 0; n < 10; n += 1) await Promise.all(writers.map((writer) => write(writer, scenario)));
  return writers;
}

/** Not prepared, as through a pooler. */
function write(writer: pg.Client, { sql }: Scenario): Promise<unknown> {
  return writer.query(sql, [1]);
}

async function bulk({ client }: Variant, { sql }: Scenario, rows: number): Promise<number> {
  const started = performance.now();
  await client.query(sql, [rows]);
  return (rows * 1000) / (performance.now() - started);
}

/** Transactions a second of clients that write as fast as they can. */
async function single(writers: readonly pg.Client[], scenario: Scenario, forMs: number): Promise<number> {
  const started = performance.now();
  let done = 0;
  await Promise.all(
    writers.map(async (writer) => {
      while (performance.now() - started < forMs) {
        await write(writer, scenario);
        done += 1;
      }
    }),
  );
  return (done * 1000) / (performance.now() - started);
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
