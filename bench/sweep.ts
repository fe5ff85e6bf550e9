import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Config } from '../src/config/types.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { sweep as runSweep } from '../src/engine/sweep.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import type { Sql } from '../src/sql/port.ts';
import { createStore } from '../src/sql/store/store.ts';
import { insertUsers, makeInStep } from './crowd.ts';
import { database } from './database.ts';
import { percentile } from './stats.ts';
import { type Measured, rate, time } from './table.ts';
import { parseBench } from './config.ts';

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const SIGN_UPS_PER_S = 200;
/** Sign-ups with the sweep and without take turns, so that both meet the same machine. */
const LEAST_MS = 10_000;
const LEAST_ROUNDS = 2;
const ALL_ROUNDS_MS = 30_000;

const USERS_ONLY = '';
const WITH_TABLE = `
    table_mapping:
      profiles: { contact: { user_id: id }, plan: PLAN }`;

/**
 * A sweep that finds everything in step: users a second with the walk for absent ones, the longest statement, memory, and what
 * it does to sign-ups that go on meanwhile. Targets: 1,000,000 in 60 s, no statement above 1 s, under 10% on the p99.
 */
export async function sweep({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  try {
    const { url, client } = await database((name) => cluster.url(name), 'sweep');
    await client.query('create table public.profiles (id uuid primary key, plan text)');
    const results: Measured[] = [];
    for (const [what, tables] of [
      ['users', USERS_ONLY],
      ['users and a table of contacts', WITH_TABLE],
    ] as const) {
      const config = benchConfig(url, tables);
      const setup = openPg({ url });
      await applyInstall(setup, config, 'bench');
      await setup.close();
      if (tables === USERS_ONLY) await insertUsers(client, users);
      await makeInStep(client);
      const sql = openPg({ url });
      const swept = await measure(sql, config);
      results.push(
        rate(`${what}: a sweep of ${users} that finds nothing`, (swept.scanned * 1000) / swept.ms, {
          target: 16_667,
        }),
        time(`${what}: longest statement`, swept.longestMs, 1_000),
        { name: `${what}: peak memory of the process`, value: swept.peakMb, unit: 'MB' },
      );
      if (tables === USERS_ONLY) results.push(...(await beside(sql, url, config)));
      await sql.close();
    }
    await client.end();
    return results;
  } finally {
    await cluster.destroy();
  }
}

function benchConfig(url: string, tables: string): Config {
  const yaml = `
environment: bench
database_url: ${url}
connectors:
  supabase:
    user_mapping:
      unconfirmed: true
      email: email
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE${tables}
destinations: { mailtrap: { api_token: bench } }
consent: { everyone: bench }
`;
  return parseBench(yaml);
}

interface Swept {
  readonly scanned: number;
  readonly ms: number;
  readonly longestMs: number;
  readonly peakMb: number;
}

async function measure(sql: Sql, config: Config): Promise<Swept> {
  let longestMs = 0;
  let peak = 0;
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work;
    longestMs = Math.max(longestMs, performance.now() - started);
    peak = Math.max(peak, process.memoryUsage.rss());
    return result;
  };
  const watched: Sql = { ...sql, query: (text, values) => timed(sql.query(text, values)) };
  const store = createStore(watched, { configHash: config.hash, projectRef: 'bench', environment: config.environment });
  const started = performance.now();
  const done = await runSweep(
    { store, log: SILENT, everyMs: 3_600_000, onFolded: () => undefined },
    true,
    new AbortController().signal,
  );
  if (done === undefined) throw new Error('no sweep was made');
  if (process.env['BENCH_DEBUG']) process.stderr.write(`${JSON.stringify(done)} ${performance.now() - started}\n`);
  return { scanned: done.scanned, ms: performance.now() - started, longestMs, peakMb: Math.round(peak / 2 ** 20) };
}

/** Sign-ups at a steady rate in a process of their own, with a worker that folds; then the same beside sweeps. */
async function beside(sql: Sql, url: string, config: Config): Promise<readonly Measured[]> {
  const child = fork(fileURLToPath(import.meta.url), ['sign-ups', url], { stdio: 'inherit' });
  const stop = new AbortController();
  const folding = foldLoop(sql, config, stop.signal);
  try {
    const alone: number[] = [];
    const swept: number[] = [];
    let slowest: Swept | undefined;
    let spentMs = 0;
    for (let round = 0; round < LEAST_ROUNDS || spentMs < ALL_ROUNDS_MS; round += 1) {
      const sweeping = await during(child, async () => {
        const until = performance.now() + LEAST_MS;
        let ms = 0;
        do {
          const one = await measure(sql, config);
          ms = one.ms;
          if (slowest === undefined || one.ms > slowest.ms) slowest = one;
        } while (performance.now() + ms / 2 < until);
      });
      spentMs += sweeping.ms;
      swept.push(...sweeping.latencies);
      alone.push(...(await during(child, () => once(AbortSignal.timeout(Math.ceil(sweeping.ms)), 'abort'))).latencies);
    }
    const [p99, base] = [percentile(swept, 0.99), percentile(alone, 0.99)];
    return [
      rate('the same beside sign-ups, the slowest', ((slowest?.scanned ?? 0) * 1000) / (slowest?.ms ?? 1), {
        target: 16_667,
      }),
      time('the same beside sign-ups: longest statement', slowest?.longestMs ?? 0, 1_000),
      time(`sign-ups at ${SIGN_UPS_PER_S}/s, p50 without a sweep`, percentile(alone, 0.5)),
      time(`sign-ups at ${SIGN_UPS_PER_S}/s, p50 beside sweeps`, percentile(swept, 0.5)),
      time(`sign-ups at ${SIGN_UPS_PER_S}/s, p99 without a sweep (baseline)`, base),
      {
        ...time(`sign-ups at ${SIGN_UPS_PER_S}/s, p99 beside sweeps`, p99, base * 1.1),
        toBaseline: Math.round((p99 / base) * 100) / 100,
      },
    ];
  } finally {
    stop.abort();
    child.kill();
    await folding;
  }
}

async function foldLoop(sql: Sql, config: Config, signal: AbortSignal): Promise<void> {
  const store = createStore(sql, { configHash: config.hash, projectRef: 'bench', environment: config.environment });
  while (!signal.aborted) {
    if ((await store.fold(1_000)).taken === 0) await once(AbortSignal.timeout(20), 'abort');
  }
}

/** Runs some work while the child signs people up. */
async function during(
  child: ChildProcess,
  work: () => Promise<unknown>,
): Promise<{ readonly ms: number; readonly latencies: readonly number[] }> {
  child.send('go');
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  const answer = once(child, 'message') as Promise<[number[]]>;
  child.send('stop');
  const [latencies] = await answer;
  return { ms, latencies };
}

/** The child: one sign-up every few ms while it is told to; each latency is from when it was to begin. */
async function signUps(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const state = { running: false };
  const run = async (): Promise<void> => {
    const latencies: number[] = [];
    const started = performance.now();
    for (let n = 0; state.running; n += 1) {
      const at = started + (n * 1000) / SIGN_UPS_PER_S;
      const wait = at - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const begun = performance.now();
      await client.query(
        `insert into auth.users (id, email, raw_user_meta_data, created_at)
         select x.id, x.id || '@example.com', '{"full_name":"Somebody New"}', now() from gen_random_uuid() as x(id)`,
      );
      latencies.push(performance.now() - begun);
    }
    process.send?.(latencies);
  };
  process.on('message', (word: string) => {
    state.running = word === 'go';
    if (state.running) void run();
  });
}

if (process.argv[2] === 'sign-ups') await signUps(process.argv[3] ?? '');
