import { once } from 'node:events';
import { startCluster } from '../src/demo/cluster.ts';
import { openPg } from '../src/sql/pg.ts';
import { startApiProject } from '../test/support/api-project.ts';
import { apiLines, applyApi } from '../test/support/apply-api.ts';
import { benchYaml, parseBench } from './config.ts';
import { database } from './database.ts';
import { startSink, type Sink } from './sink.ts';
import { amount, type Measured, promise, rate } from './table.ts';
import { startWorker } from './worker.ts';

/** Memory that has nothing to do with how many there are: pages in flight, and what the collector leaves until it has to. */
const FLAT_MB = 60;

/**
 * A project read by its API, at a tenth of the users and at all of them: users by the Admin API and a table of as many rows by the Data API, into
 * a state database, and delivered by imports; then a whole reading in which nothing has changed. The APIs are stand-ins over a real
 * Postgres (test/support/api-project.ts), in the process of the bench; the worker is a process of its own. All on one machine.
 */
export async function api({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const sink = await startSink();
  try {
    const few = await run((name) => cluster.url(name), sink, Math.ceil(users / 10));
    const many = await run((name) => cluster.url(name), sink, users);
    return [
      rate(`${users} users and as many rows, read by the API`, (2 * users * 1_000) / many.readMs),
      rate(`  read to delivered (users)`, (users * 1_000) / many.deliveredMs),
      rate(
        `a whole reading of ${users} users and rows in which nothing has changed`,
        (2 * users * 1_000) / many.againMs,
      ),
      promise('  calls to the destination for that', many.callsAgain, '', many.callsAgain === 0, 0),
      promise('  rows written to the mirror for that', many.writtenAgain, '', many.writtenAgain === 0, 0),
      amount(`requests to the APIs for ${users} users and rows, once`, many.requests, ''),
      amount(`peak memory of the worker at ${Math.ceil(users / 10)}`, few.peakMb, 'MB'),
      promise(`peak memory of the worker at ${users}`, many.peakMb, 'MB', many.peakMb < few.peakMb + FLAT_MB),
    ];
  } finally {
    sink.close();
    await cluster.destroy();
  }
}

interface Run {
  readonly readMs: number;
  readonly deliveredMs: number;
  readonly againMs: number;
  readonly callsAgain: number;
  readonly writtenAgain: number;
  readonly requests: number;
  readonly peakMb: number;
}

async function run(url: (name: string) => string, sink: Sink, users: number): Promise<Run> {
  const { url: databaseUrl, client } = await database(url, `project_${users}`);
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, updated_at)
     select gen_random_uuid(), 'p' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now() + n * interval '1 ms', now()
       from generate_series(1, $1::int) n`,
    [users],
  );
  // As Supabase Auth's own index worker makes it (auth:internal/indexworker).
  await client.query(`create index on auth.users (created_at); create table public.profiles (id uuid primary key, city text);
    insert into public.profiles select id, 'City ' || right(id::text, 1) from auth.users; analyze`);
  const project = await startApiProject({ databaseUrl });
  const state = `state_${users}`;
  await client.query(`create database ${state}`);
  const stateUrl = url(state);
  const yaml = benchYaml(stateUrl, {
    mapping: [],
    supabase: [
      ...apiLines(project, stateUrl, '1h').split('\n'),
      'table_mapping: { profiles: { contact: { user_id: id }, city: CITY } }',
    ],
    destination: `api_token: bench, base_url: "${sink.url}", limits_scale: 10000, concurrency: 50, import_from: 1000`,
  }).replace(/^database_url: .*\n/m, '');
  const sql = openPg({ url: stateUrl });
  await applyApi(parseBench(yaml), sql);
  await sink.reset();
  const worker = await startWorker(yaml);
  const started = performance.now();
  let peakMb = 0;
  const until = async (done: () => Promise<boolean>): Promise<number> => {
    while (!(await done())) {
      await once(AbortSignal.timeout(50), 'abort');
      peakMb = Math.max(peakMb, worker.used()?.peakMb ?? 0);
    }
    return performance.now();
  };
  const isRead = (since: string): Promise<boolean> =>
    sql
      .query<{ done: boolean }>(
        'select coalesce(began_at > $1 and ended_at > began_at, false) as done from rollcall_api.reader',
        [since],
      )
      .then(([row]) => row?.done === true);
  try {
    const readAt = await until(() => isRead('2000-01-01'));
    const requests = project.asked.length;
    const deliveredAt = await until(async () => (await sink.count()) >= users && (await quiet(sql)));
    const calls = await sink.calls();
    const before = await written(stateUrl);
    const [asked] = await sql.query<{ at: string }>(
      'update rollcall_api.reader set wanted_at = clock_timestamp() returning wanted_at as at',
    );
    const againFrom = performance.now();
    const againAt = await until(() => isRead(asked?.at ?? ''));
    await until(() => quiet(sql));
    return {
      readMs: readAt - started,
      deliveredMs: deliveredAt - started,
      againMs: againAt - againFrom,
      callsAgain: (await sink.calls()) - calls,
      writtenAgain: (await written(stateUrl)) === before ? 0 : 1,
      requests,
      peakMb,
    };
  } finally {
    await worker.end('SIGTERM');
    await sql.close();
    await project.close();
    await client.end();
  }
}

async function quiet(sql: ReturnType<typeof openPg>): Promise<boolean> {
  const [row] = await sql.query<{ quiet: boolean }>(
    'select rollcall.fold_lag_ms() = 0 and not exists (select from rollcall.due) and not exists (select from rollcall.jobs) as quiet',
  );
  return row?.quiet === true;
}

/** The transactions that wrote what the mirror has, as one text. */
async function written(stateUrl: string): Promise<string> {
  const sql = openPg({ url: stateUrl, max: 1 });
  try {
    const [row] = await sql.query<{ all: string }>(
      `select md5((select string_agg(xmin::text, ' ' order by id) from auth.users) || (select string_agg(xmin::text, ' ' order by id) from public.profiles)) as all`,
    );
    return row?.all ?? '';
  } finally {
    await sql.close();
  }
}
