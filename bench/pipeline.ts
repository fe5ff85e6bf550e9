import { once } from 'node:events';
import pg from 'pg';
import { parseConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/types.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { registry } from '../src/destinations/registry.ts';
import { runWorker } from '../src/homes/worker.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { projectRef } from '../src/sql/project-ref.ts';
import { database } from './database.ts';
import { drainRecipe, installRecipe } from './recipe.ts';
import { startSink, type Sink } from './sink.ts';
import { type Measured, rate, time } from './table.ts';

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const PACE = 500;

/**
 * Sign-ups captured, folded and delivered one call each, against a row trigger with one HTTP call a row in the same run.
 * Targets: two cores, everything on one machine.
 */
export async function pipeline({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '2GB' } });
  const sink = await startSink();
  try {
    const ours = await database((name) => cluster.url(name), 'ours');
    const recipe = await database((name) => cluster.url(name), 'recipe');
    await installRecipe(recipe.client);
    const generous = await recipeRate(recipe.client, sink, users, 0);
    const asPgNet = await recipeRate(recipe.client, sink, Math.min(users, 1_000), 1_000);
    await recipe.client.end();

    const config = benchConfig(ours.url, sink.url);
    const sql = openPg({ url: ours.url });
    await applyInstall(sql, config, projectRef(ours.url, undefined));
    await sql.close();
    const alone = await writersRate(ours.url, Math.ceil(users / 4));
    const stop = new AbortController();
    const worker = runWorker({ config, log: SILENT }, stop.signal);
    await swept(ours.client);
    await inStep(ours.client);
    const bulk = await bulkRate(ours.client, sink, users);
    const single = await singleRate(ours.url, ours.client, sink, Math.ceil(users / 4));
    const paced = await pacedLatency(ours.client, sink, Math.min(5_000, users));
    stop.abort();
    await worker;
    await ours.client.end();
    return [
      rate('row trigger, one fetch a row (baseline)', generous),
      rate('the same in batches of 200 with a pause, as pg_net', asPgNet),
      rate('one statement: captured to delivered, one call each', bulk, { target: 10_000, baseline: generous }),
      rate('the same against the pg_net model', bulk, { baseline: asPgNet }),
      rate('one by one, 4 writers at full speed, no worker: captured only', alone),
      rate('the same with the worker on the same cores: to the last delivered', single, { baseline: generous }),
      time(`commit to accepted at ${PACE}/s, p50`, percentile(paced, 0.5), 10),
      time(`commit to accepted at ${PACE}/s, p99`, percentile(paced, 0.99), 60),
    ];
  } finally {
    sink.close();
    await cluster.destroy();
  }
}

function benchConfig(url: string, sink: string): Config {
  const yaml = `
environment: bench
database_url: ${url}
connectors:
  supabase:
    sync: { users: true }
    user_mapping:
      unconfirmed: true
      email: email
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE
destinations:
  mailtrap: { api_token: bench, base_url: "${sink}", limits_scale: 10000, concurrency: 50 }
consent: { everyone: bench }
`;
  return parseConfig(yaml, { file: 'bench.yaml', env: {}, registry });
}

let batch = 0;

function insertUsers(client: pg.Client, count: number): Promise<unknown> {
  batch += 1;
  return client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'b${batch}-' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now()
       from generate_series(1, $1::int) n`,
    [count],
  );
}

async function recipeRate(client: pg.Client, sink: Sink, count: number, pauseMs: number): Promise<number> {
  await sink.reset();
  await insertUsers(client, count);
  const started = performance.now();
  await drainRecipe(client, sink.url, count, pauseMs);
  return (count * 1000) / (performance.now() - started);
}

async function bulkRate(client: pg.Client, sink: Sink, count: number): Promise<number> {
  await sink.reset();
  await insertUsers(client, count);
  const started = performance.now();
  await arrived(sink, count);
  await inStep(client);
  return (count * 1000) / (performance.now() - started);
}

async function singleRate(url: string, client: pg.Client, sink: Sink, count: number): Promise<number> {
  await sink.reset();
  const started = performance.now();
  await writersRate(url, count);
  await arrived(sink, count);
  await inStep(client);
  return (count * 1000) / (performance.now() - started);
}

/** Four connections that sign people up one by one, as fast as they can. */
async function writersRate(url: string, count: number): Promise<number> {
  const writers = await Promise.all(Array.from({ length: 4 }, () => connected(url)));
  const started = performance.now();
  let next = 0;
  await Promise.all(
    writers.map(async (writer) => {
      while (next < count) {
        next += 1;
        await insertUsers(writer, 1);
      }
    }),
  );
  const perSecond = (count * 1000) / (performance.now() - started);
  await Promise.all(writers.map((writer) => writer.end()));
  return perSecond;
}

/** One sign-up every 2 ms; from the moment the commit is acknowledged to the moment the sink has the request. */
async function pacedLatency(client: pg.Client, sink: Sink, count: number): Promise<number[]> {
  await sink.reset();
  const committed = new Map<string, number>();
  const started = performance.now();
  for (let n = 0; n < count; n += 1) {
    const wait = started + (n * 1000) / PACE - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    await insertUsers(client, 1);
    committed.set(`b${batch}-1@example.com`, Date.now());
  }
  await arrived(sink, count);
  const seen = await sink.seen();
  return [...committed].flatMap(([email, at]) => {
    const reached = seen.get(email);
    return reached === undefined ? [] : [Math.max(0, reached - at)];
  });
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10 * 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the bench did not come to its end in 10 minutes');
    await once(AbortSignal.timeout(5), 'abort');
  }
}

const arrived = (sink: Sink, count: number): Promise<void> => until(async () => (await sink.count()) >= count);

async function inStep(client: pg.Client): Promise<void> {
  await until(
    async () =>
      (await client.query<{ due: boolean }>('select exists (select from rollcall.due) as due')).rows[0]?.due === false,
  );
}

async function swept(client: pg.Client): Promise<void> {
  await until(
    async () =>
      (await client.query<{ done: boolean }>('select swept_at is not null as done from rollcall.install')).rows[0]
        ?.done === true,
  );
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
