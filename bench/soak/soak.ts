import pg from 'pg';
import { startCluster } from '../../src/demo/cluster.ts';
import { sweep } from '../../src/engine/sweep.ts';
import { applyInstall } from '../../src/sql/apply.ts';
import { openPg } from '../../src/sql/pg.ts';
import { refOf } from '../../src/sql/open-database.ts';
import { createStore } from '../../src/sql/store/store.ts';
import { database } from '../database.ts';
import { inStep } from '../setup.ts';
import { passed } from '../poll.ts';
import { startStandIns, type StandIns } from '../stand-ins.ts';
import { startWorker, type Worker } from '../worker.ts';
import { populate, startLoad, type Rates } from './load.ts';
import type { Mark } from './plot.ts';
import { look, type Sample } from './sample.ts';
import { makeTrouble, type Trouble } from './trouble.ts';
import { benchYaml, parseBench } from '../config.ts';

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const EVERY_MS = 5_000;
const WRITERS = 4;
/** As much history as is kept at most (`rollcall.history_most`): as of an install that has run for long. */
const HISTORY = 200_000;

export interface Soaked {
  readonly samples: readonly Sample[];
  readonly marks: readonly Mark[];
  readonly signUps: number;
  /** People whose contact is missing or another in the end, and contacts of nobody. */
  readonly wrong: number;
  readonly dead: number;
}

/** Two workers under a steady load with trouble, looked at every 5 s. */
export async function soak(minutes: number, people: number, rates: Rates): Promise<Soaked> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '2GB' } });
  const standIns = await startStandIns(Infinity);
  const workers: Worker[] = [];
  const ending: (() => Promise<void>)[] = [];
  try {
    const { url, client } = await database((name) => cluster.url(name), 'soak');
    ending.push(() => client.end());
    await populate(client, people);
    await standIns.addField('mailtrap', 'FIRSTNAME', 'text');
    const { url: api, token } = await standIns.of('mailtrap');
    const yaml = benchYaml(url, {
      destination: `api_token: ${token}, base_url: "${api}", limits_scale: 10000, concurrency: 20`,
      mapping: [],
      supabase: EVENTS,
      more: ['delivery: { grace: 5s }', 'brakes: off'],
    });
    const config = parseBench(yaml);
    const sql = openPg({ url, applicationName: 'bench' });
    ending.push(() => sql.close());
    await applyInstall(sql, config, refOf(config));
    await pastWork(client);
    for (let n = 0; n < 2; n += 1) workers.push(await startWorker(yaml));
    await arrived(standIns, people);
    await inStep(client);
    await standIns.made();

    const store = createStore(sql, { configHash: config.hash, projectRef: refOf(config), environment: 'bench' });
    const clients = await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const made = new pg.Client({ connectionString: url });
        await made.connect();
        ending.push(() => made.end());
        return made;
      }),
    );
    const stop = new AbortController();
    const load = startLoad(clients, standIns, people, rates);
    const trouble = makeTrouble(
      troubles(standIns, {
        async replaceWorker() {
          await workers[1]?.end('SIGKILL');
          workers[1] = await startWorker(yaml);
        },
        async sweep() {
          const options = { store, log: SILENT, everyMs: 3_600_000, onFolded: () => undefined };
          await sweep(options, true, stop.signal);
        },
        async backfill() {
          await store.beginBackfill({ what: 'full' });
        },
      }),
      stop.signal,
    );
    // Either fails: there is no use in going on.
    for (const part of [load.running, trouble.done]) part.catch(() => stop.abort());
    const started = performance.now();
    const samples: Sample[] = [];
    while (performance.now() - started < minutes * 60_000 && !stop.signal.aborted) {
      await passed(started + (samples.length + 1) * EVERY_MS - performance.now());
      samples.push(await look((performance.now() - started) / 1_000, client, workers, load));
    }
    stop.abort();
    await trouble.done;
    await load.stop();
    await standIns.faults([]);
    await inStep(client);
    const dead = await client.query('select from rollcall.dead_letters');
    return {
      samples,
      marks: trouble.marks,
      signUps: load.signUps,
      wrong: await differences(client, standIns),
      dead: dead.rowCount ?? 0,
    };
  } finally {
    for (const worker of workers) await worker.end('SIGTERM');
    for (const end of ending.toReversed()) await end();
    await standIns.close();
    await cluster.destroy();
  }
}

interface Chores {
  replaceWorker(): Promise<void>;
  sweep(): Promise<void>;
  backfill(): Promise<void>;
}

function troubles(standIns: StandIns, chores: Chores): readonly Trouble[] {
  const forSeconds = async (rule: Parameters<StandIns['faults']>[0][number], seconds: number): Promise<void> => {
    await standIns.faults([rule]);
    await passed(seconds * 1_000);
    await standIns.faults([]);
  };
  return [
    { at: 8, what: '500s', run: () => forSeconds({ status: 500 }, 2) },
    { at: 18, what: 'cuts', run: () => forSeconds({ drop: 'after', rate: 0.2 }, 3) },
    { at: 28, what: 'kill -9', run: () => chores.replaceWorker() },
    { at: 38, what: 'slow answers', run: () => forSeconds({ latencyMs: 300 }, 3) },
    { at: 46, what: 'sweep', run: () => chores.sweep() },
    { at: 52, every: 3, what: 'backfill', run: () => chores.backfill() },
  ];
}

async function arrived(standIns: StandIns, people: number): Promise<void> {
  while ((await standIns.contacts('mailtrap')) < people) await passed(200);
}

/** A history as long as is kept, so that what is written from now on must be pruned at the same rate. */
async function pastWork(client: pg.Client): Promise<void> {
  await client.query(
    `insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, latency_ms)
     select 1, n, 1, 'upsert', 'delivered', 9 from generate_series(1, $1::int) n`,
    [HISTORY],
  );
  await client.query(
    `insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, ended_at)
     select gen_random_uuid(), 1, n, 'public.orders', 'order_placed', jsonb_build_object('amount', n), now(), true, 'delivered', now()
       from generate_series(1, $1::int) n`,
    [HISTORY],
  );
}

async function differences(client: pg.Client, standIns: StandIns): Promise<number> {
  const { rows } = await client.query<{ email: string; name: string }>(
    `select email, raw_user_meta_data ->> 'full_name' as name from auth.users`,
  );
  const there = await standIns.people('mailtrap');
  const right = rows.filter(({ email, name }) => there.get(email) === name).length;
  return rows.length - right + there.size - right;
}

const EVENTS = [
  'table_mapping:',
  '  orders:',
  '    sync_as: events',
  '    event_name: order_placed',
  '    contact: { user_id: user_id }',
  '    properties: { total: amount }',
];
