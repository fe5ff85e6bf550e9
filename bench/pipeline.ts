import type pg from 'pg';
import { startCluster } from '../src/demo/cluster.ts';
import { connected, database } from './database.ts';
import { installGraphile, startGraphile } from './graphile.ts';
import { drainLimit, installLimit } from './limit.ts';
import { paced, type Paced } from './paced.ts';
import { passed, poll } from './poll.ts';
import { drainRecipe, installRecipe } from './recipe.ts';
import { inStep, install } from './setup.ts';
import { type Sink, startSink } from './sink.ts';
import { median, percentile } from './stats.ts';
import { type Measured, progress, rate, time } from './table.ts';
import { startWorker } from './worker.ts';
import { benchYaml } from './config.ts';

const ROUNDS = 5;
/** As pg_net does it (200 a second), it would take as long as all else together. */
const PG_NET_USERS = 600;
const WARM = 5_000;

/** What one round measures, per second. */
interface Rates {
  limitSingle: number[];
  single: number[];
  limitMany: number[];
  many: number[];
  unchanged: number[];
  graphile: number[];
  generous: number[];
  pgNet: number[];
  loop: number[];
}

/**
 * The whole way from a sign-up to the destination, with identity, mapping, hash, consent and state in it, and beside it in the same
 * rounds: what the machine can do without all of these, a queue with a job a row, and the recipe's row trigger with one call a row, at
 * its best and at pg_net's pace. Medians. Targets: two cores, everything on one machine.
 */
export async function pipeline({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const sink = await startSink();
  const at = (name: string): string => cluster.url(name);
  try {
    const single = await installed(at, 'single', sink, 'import_from: off');
    const many = await installed(at, 'many', sink, 'import_from: 1000');
    const limit = await database(at, 'lim');
    await installLimit(limit.client);
    const recipe = await database(at, 'recipe');
    await installRecipe(recipe.client);
    const plain = await database(at, 'plain');
    const graphile = await database(at, 'graphile');
    await installGraphile(graphile.url, graphile.client);
    const rates: Rates = {
      limitSingle: [],
      single: [],
      limitMany: [],
      many: [],
      unchanged: [],
      graphile: [],
      generous: [],
      pgNet: [],
      loop: [],
    };
    const ours: Paced[] = [];
    const without: Paced[] = [];
    // They live through all rounds, as a worker does.
    const workers = [await startWorker(single.yaml), await startWorker(many.yaml)];
    for (let round = 0; round <= ROUNDS; round += 1) {
      // The first one warms plans, caches and compiled code, and does not count.
      const count = round === 0 ? Math.min(WARM, users) : users;
      progress(`round ${round}`);
      const of = async (name: keyof Rates, perSecond: Promise<number>): Promise<void> => {
        const found = await perSecond;
        if (round > 0) rates[name].push(found);
        progress(`  ${name} ${Math.round(found)}/s`);
      };
      await of(
        'limitSingle',
        drained(limit.client, sink, count, () => drainLimit(limit.client, sink, count, false)),
      );
      await of(
        'limitMany',
        drained(limit.client, sink, count, () => drainLimit(limit.client, sink, count, true)),
      );
      await of('single', arrived(single.client, sink, count));
      await of('unchanged', folded(single.client));
      await of('loop', loop(single.client, sink, Math.ceil(count / 4), single.url));
      const measured = await paced(single.client, sink);
      if (round > 0) ours.push(measured);
      await of('many', arrived(many.client, sink, count * 5));
      const bare = await paced(plain.client, undefined);
      if (round > 0) without.push(bare);
      const tenth = Math.ceil(count / 10);
      const queue = await startGraphile(graphile.url, sink);
      await of(
        'graphile',
        drained(graphile.client, sink, tenth, () => reached(sink, tenth)),
      );
      await queue.stop();
      await of(
        'generous',
        drained(recipe.client, sink, count / 4, () => drainRecipe(recipe.client, sink.url, count / 4, 0)),
      );
      await of(
        'pgNet',
        drained(recipe.client, sink, PG_NET_USERS, () => drainRecipe(recipe.client, sink.url, PG_NET_USERS, 1_000)),
      );
    }
    for (const worker of workers) await worker.end('SIGTERM');
    for (const { client } of [single, many, limit, recipe, plain, graphile]) await client.end();
    return table(rates, ours, without);
  } finally {
    sink.close();
    await cluster.destroy();
  }
}

function table(rates: Rates, ours: readonly Paced[], without: readonly Paced[]): readonly Measured[] {
  const of = (name: keyof Rates): number => median(rates[name]);
  const p = (share: number, from: readonly Paced[], what: keyof Paced): number =>
    median(from.map((each) => percentile(each[what], share)));
  const [single, many, generous, pgNet, graphile] = [
    of('single'),
    of('many'),
    of('generous'),
    of('pgNet'),
    of('graphile'),
  ];
  return [
    rate('the limit: capture and calls alone, one call each', of('limitSingle')),
    rate('the limit: the same, 1,000 together', of('limitMany')),
    rate('graphile-worker, a job a row', graphile),
    rate('row trigger, one fetch a row, at its best', generous),
    rate('the same as pg_net does it, 200 and a pause', pgNet),
    rate('one call each: captured to delivered (baseline: the limit)', single, {
      target: 10_000,
      baseline: of('limitSingle'),
    }),
    rate('  the same against graphile-worker (first target 10x)', single, {
      target: Math.round(10 * graphile),
      baseline: graphile,
    }),
    rate('  the same against the pg_net model (first target 50x)', single, {
      target: Math.round(50 * pgNet),
      baseline: pgNet,
    }),
    rate('  the same against the row trigger at its best', single, { baseline: generous }),
    rate('together: captured to delivered (baseline: the limit)', many, { target: 25_000, baseline: of('limitMany') }),
    rate('  the same against graphile-worker (first target 10x)', many, {
      target: Math.round(10 * graphile),
      baseline: graphile,
    }),
    rate('  the same against the pg_net model (first target 50x)', many, {
      target: Math.round(50 * pgNet),
      baseline: pgNet,
    }),
    rate('a wave of edits that change nothing mapped, folded', of('unchanged'), { target: 50_000 }),
    rate('one by one by 4 writers at full speed, worker on the same cores', of('loop')),
    time('commit to accepted at 500/s, p50', p(0.5, ours, 'latencies'), 10),
    time('commit to accepted at 500/s, p99', p(0.99, ours, 'latencies'), 60),
    time('the sign-up statement without Rollcall at 500/s, p99', p(0.99, without, 'statements')),
    time(
      'the same with Rollcall and its worker',
      p(0.99, ours, 'statements'),
      Math.round(p(0.99, without, 'statements') * 105) / 100,
    ),
  ];
}

async function installed(
  url: (name: string) => string,
  name: string,
  sink: Sink,
  importFrom: string,
): Promise<{ client: pg.Client; url: string; yaml: string }> {
  const made = await database(url, name);
  const own = `api_token: bench, base_url: "${sink.url}", limits_scale: 10000, concurrency: 50, ${importFrom}`;
  const yaml = benchYaml(made.url, { destination: own });
  await install(made.url, yaml);
  return { ...made, yaml };
}

let batch = 0;

/** People sign up, all in one statement. */
async function signUp(client: pg.Client, count: number): Promise<void> {
  batch += 1;
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'b${batch}-' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now()
       from generate_series(1, $1::int) n`,
    [Math.ceil(count)],
  );
}

/** From the end of one statement that signs them up until they are drained by hand. */
async function drained(client: pg.Client, sink: Sink, count: number, drain: () => Promise<void>): Promise<number> {
  await sink.reset();
  await signUp(client, count);
  const started = performance.now();
  await drain();
  return (count * 1_000) / (performance.now() - started);
}

/** The same until all have arrived and a worker of ours knows it. */
async function arrived(client: pg.Client, sink: Sink, count: number): Promise<number> {
  await inStep(client);
  return await drained(client, sink, count, async () => {
    await reached(sink, count);
    await inStep(client);
  });
}

function reached(sink: Sink, count: number): Promise<void> {
  return poll(async () => (await sink.count()) >= count, 10);
}

/** Everybody is edited, in a key that is not mapped: until the log is folded. */
async function folded(client: pg.Client): Promise<number> {
  const { rowCount } = await client.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('seen', ${batch})`,
  );
  const started = performance.now();
  await inStep(client);
  return ((rowCount ?? 0) * 1_000) / (performance.now() - started);
}

/** Four connections that sign people up one by one, as fast as they can; until the last one is delivered. */
async function loop(client: pg.Client, sink: Sink, count: number, url: string): Promise<number> {
  await sink.reset();
  const writers = await Promise.all(Array.from({ length: 4 }, () => connected(url)));
  const started = performance.now();
  let next = 0;
  await Promise.all(
    writers.map(async (writer) => {
      while (next < count) {
        next += 1;
        await signUp(writer, 1);
      }
    }),
  );
  await reached(sink, count);
  await inStep(client);
  const perSecond = (count * 1_000) / (performance.now() - started);
  await Promise.all(writers.map((writer) => writer.end()));
  await passed(100);
  return perSecond;
}
