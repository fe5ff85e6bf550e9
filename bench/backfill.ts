import { once } from 'node:events';
import type pg from 'pg';
import { Agent, request } from 'undici';
import { startCluster } from '../src/demo/cluster.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { projectRef } from '../src/sql/project-ref.ts';
import { createStore } from '../src/sql/store/store.ts';
import { database } from './database.ts';
import { startSink, type Sink } from './sink.ts';
import { amount, type Measured, rate } from './table.ts';
import { startWorker } from './worker.ts';
import { benchYaml, parseBench } from './config.ts';

const PAGE = 1_000;
const IN_FLIGHT = 50;
/** More would only take longer: its rate does not depend on it. */
const BASELINE_USERS = 20_000;

/**
 * Everybody who is there already, read, mapped and sent by imports, at a tenth of the users and at all of them; against a loop that
 * reads by keyset and sends one call a row, with as many calls in flight. The worker is a process of its own, whose memory is
 * measured. Target: two cores, everything on one machine.
 */
export async function backfill({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const sink = await startSink();
  try {
    const few = await run((name) => cluster.url(name), sink, Math.ceil(users / 10));
    const many = await run((name) => cluster.url(name), sink, users);
    const plain = many.baseline;
    return [
      rate('keyset pages, one call a row (baseline)', plain),
      rate(`backfill of ${Math.ceil(users / 10)}, read to delivered`, few.perSecond, {
        target: 25_000,
        baseline: plain,
      }),
      rate(`backfill of ${users}, read to delivered`, many.perSecond, { target: 25_000, baseline: plain }),
      rate('  of that, until every row was read', many.walkedPerSecond),
      amount(`calls for ${users}`, many.calls, ''),
      amount(`peak memory of the worker at ${Math.ceil(users / 10)}`, few.peakMb, 'MB'),
      amount(`peak memory of the worker at ${users}`, many.peakMb, 'MB'),
    ];
  } finally {
    sink.close();
    await cluster.destroy();
  }
}

interface Run {
  readonly perSecond: number;
  readonly walkedPerSecond: number;
  readonly baseline: number;
  readonly calls: number;
  readonly peakMb: number;
}

async function run(url: (name: string) => string, sink: Sink, users: number): Promise<Run> {
  const { url: databaseUrl, client } = await database(url, `backfill_${users}`);
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, updated_at)
     select gen_random_uuid(), 'p' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now(), now()
       from generate_series(1, $1::int) n`,
    [users],
  );
  await client.query('analyze auth.users');
  const baseline = await keysetLoop(client, sink, Math.min(users, BASELINE_USERS));
  const yaml = benchYaml(databaseUrl, {
    destination: `api_token: bench, base_url: "${sink.url}", limits_scale: 10000, concurrency: 50, import_from: 1000`,
  });
  const config = parseBench(yaml);
  const sql = openPg({ url: databaseUrl });
  await applyInstall(sql, config, projectRef(databaseUrl, undefined));
  await sink.reset();
  const store = createStore(sql, { configHash: config.hash, projectRef: '', environment: 'bench' });
  const started = performance.now();
  const run = await store.beginBackfill({ what: 'full' });
  const worker = await startWorker(yaml, true);
  let walkedAt = 0;
  let peakMb = 0;
  for (;;) {
    await once(AbortSignal.timeout(50), 'abort');
    peakMb = Math.max(peakMb, worker.used()?.peakMb ?? 0);
    const open = await store.openBackfill();
    if (open?.walked !== true) continue;
    walkedAt ||= performance.now();
    if ((await store.backfillPending()).every(({ pending }) => pending === 0)) break;
  }
  const ended = performance.now();
  await store.endBackfill(run.id);
  await worker.end('SIGTERM');
  if ((await sink.count()) !== users) throw new Error(`${await sink.count()} of ${users} arrived`);
  const calls = await sink.calls();
  await sql.close();
  await client.end();
  return {
    perSecond: (users * 1_000) / (ended - started),
    walkedPerSecond: (users * 1_000) / (walkedAt - started),
    baseline,
    calls,
    peakMb,
  };
}

async function keysetLoop(client: pg.Client, sink: Sink, users: number): Promise<number> {
  await sink.reset();
  const agent = new Agent({ connections: IN_FLIGHT, pipelining: 1 });
  const started = performance.now();
  let after = '00000000-0000-0000-0000-000000000000';
  for (let sent = 0; sent < users;) {
    const { rows } = await client.query<{ id: string; email: string; name: string }>(
      `select id, email, raw_user_meta_data ->> 'full_name' as name from auth.users where id > $1 order by id limit $2`,
      [after, PAGE],
    );
    let next = 0;
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        for (let row = rows[next++]; row !== undefined; row = rows[next++]) {
          const body = JSON.stringify({ contact: { email: row.email, fields: { FIRSTNAME: row.name } } });
          const answer = await request(`${sink.url}/api/contacts/${encodeURIComponent(row.email)}`, {
            dispatcher: agent,
            method: 'PATCH',
            headers: { 'content-type': 'application/json' },
            body,
          });
          await answer.body.dump();
        }
      }),
    );
    sent += rows.length;
    after = rows.at(-1)?.id ?? after;
    if (rows.length === 0) break;
  }
  const perSecond = (users * 1_000) / (performance.now() - started);
  await agent.close();
  return perSecond;
}
