import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Destination } from '../src/core/destination.ts';
import type { JsonObject } from '../src/core/json.ts';
import { limitsOf, type Traffic } from '../src/core/limits.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { registry } from '../src/destinations/registry.ts';
import { runWorker } from '../src/homes/worker.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { projectRef } from '../src/sql/project-ref.ts';
import { createStore } from '../src/sql/store/store.ts';
import { database } from './database.ts';
import { type StandIns, startStandIns } from './stand-ins.ts';
import { amount, type Measured } from './table.ts';
import { parseBench } from './config.ts';
import { freePort } from '../src/sql/free-port.ts';

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const SCALE = 100;
/** As good as none. */
const NO_LIMITS = 10_000;
const LIST = 'Everybody';

/**
 * So many new contacts into the stand-in of each destination, its real limits scaled 100 times: the calls against the fewest
 * possible, and the time against what the vendor's limits, or else this machine without limits, would take.
 * Targets: calls at most 1.1 times the fewest; at least 0.9 of the ideal time.
 */
export async function destinations({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const rows: Measured[] = [];
  try {
    for (const destination of registry.filter(({ draft }) => draft !== true)) {
      const url = (name: string): string => cluster.url(name);
      const free = await run(url, destination, users, NO_LIMITS);
      const scaled = await run(url, destination, users, SCALE);
      const ideal = Math.max(scaled.vendorSeconds, free.seconds);
      rows.push(
        {
          ...amount(`${destination.id}: calls`, scaled.calls, ''),
          target: scaled.fewest,
          toTarget: ratio(scaled.fewest, scaled.calls),
        },
        amount(`${destination.id}: of these refused for the limit`, scaled.throttled, ''),
        amount(`${destination.id}: least time by the vendor's limits`, scaled.vendorSeconds, 's'),
        amount(`${destination.id}: time without limits`, free.seconds, 's'),
        {
          ...amount(`${destination.id}: time`, scaled.seconds, 's'),
          target: ratio(ideal, 1),
          toTarget: ratio(ideal, scaled.seconds),
        },
      );
    }
    return rows;
  } finally {
    await cluster.destroy();
  }
}

interface Run {
  readonly seconds: number;
  readonly calls: number;
  readonly fewest: number;
  readonly throttled: number;
  readonly vendorSeconds: number;
}

async function run(
  url: (name: string) => string,
  destination: Destination<unknown>,
  users: number,
  scale: number,
): Promise<Run> {
  const { url: databaseUrl, client } = await database(url, `${destination.id}_${scale}`);
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, updated_at)
     select gen_random_uuid(), 'p' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now(), now()
       from generate_series(1, $1::int) n`,
    [users],
  );
  await client.query('analyze auth.users');
  const standIns = await startStandIns(scale);
  const port = await freePort();
  const yaml = benchConfig(databaseUrl, destination, await options(standIns, destination, scale, port));
  const config = parseBench(yaml);
  const sql = openPg({ url: databaseUrl });
  await applyInstall(sql, config, projectRef(databaseUrl, undefined));
  const before = sum(await standIns.calls());
  const store = createStore(sql, { configHash: config.hash, projectRef: '', environment: 'bench' });
  const started = performance.now();
  const opened = await store.beginBackfill({ what: 'full' });
  const worker = fork(fileURLToPath(import.meta.url), ['worker', yaml, String(port)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  for (;;) {
    await once(AbortSignal.timeout(50), 'abort');
    if ((await store.openBackfill())?.walked !== true) continue;
    if ((await store.backfillPending()).every(({ pending }) => pending === 0)) break;
  }
  const seconds = (performance.now() - started) / 1_000;
  await store.endBackfill(opened.id);
  worker.kill();
  await once(worker, 'exit');
  const arrived = await standIns.contacts(destination.id);
  if (arrived !== users) throw new Error(`${destination.id}: ${arrived} of ${users} arrived`);
  const answers = await standIns.calls();
  const own = config.destinations[0]?.options;
  const fewest = fewestCalls(destination, own, users);
  await sql.close();
  await client.end();
  await standIns.close();
  return {
    seconds,
    calls: sum(answers) - before,
    fewest: fewest.calls,
    throttled: answers['429'] ?? 0,
    vendorSeconds: leastSeconds(destination, own, fewest.traffic),
  };
}

/** The fewest calls that so many contacts can take, by what they are for: as many in each as fit by count and by bytes. */
function fewestCalls(
  { bulk }: Destination<unknown>,
  config: unknown,
  users: number,
): { readonly calls: number; readonly traffic: readonly (readonly [Traffic, number])[] } {
  if (bulk === undefined || bulk.least(config) === null) return { calls: users, traffic: [['contact', users]] };
  const attributes = { FIRSTNAME: `Person ${users}` };
  const sample = {
    contactId: '1',
    version: '1',
    action: 'upsert',
    remote: null,
    takeover: false,
    consent: 'basis',
  } as const;
  const row = bulk.row({ ...sample, address: `p${users}@example.com`, attributes }, { FIRSTNAME: 'text' }, config);
  const bytes = users * (JSON.stringify(row).length + 1);
  const starts = Math.max(Math.ceil(users / bulk.most), Math.ceil(bytes / bulk.mostBytes));
  const polls = bulk.watch === undefined ? 0 : starts;
  return {
    calls: starts + polls,
    traffic: [
      ['bulk', starts],
      ['poll', polls],
    ],
  };
}

/** The least time for these calls by the vendor's limits, in seconds. */
function leastSeconds(
  destination: Destination<unknown>,
  config: unknown,
  traffic: readonly (readonly [Traffic, number])[],
): number {
  const limits = destination.limits(config);
  const each = traffic.flatMap(([of, calls]) =>
    limitsOf(limits, of).map(({ requests, perMs }) => (calls * perMs) / requests / 1_000),
  );
  return Math.max(0, ...each);
}

/** What the destination's entry says beside where the stand-in is. */
async function options(
  standIns: StandIns,
  destination: Destination<unknown>,
  scale: number,
  port: number,
): Promise<JsonObject> {
  const { id, fields, lists } = destination;
  const { url, token } = await standIns.of(id);
  if (fields !== undefined) await standIns.addField(id, 'FIRSTNAME', fields.typeFor('text'));
  const list = lists === undefined ? undefined : await standIns.addList(id, LIST);
  return {
    ...destination.standIn(url, token),
    limits_scale: scale,
    concurrency: 50,
    ...OWN[id]?.({ list: list ?? '', notify: `http://127.0.0.1:${port}/jobs/bench-secret` }),
  };
}

/** What some need for their quickest way. */
const OWN: Readonly<Record<string, (made: { readonly list: string; readonly notify: string }) => JsonObject>> = {
  // By its id: a name would be looked up once, when the worker starts.
  brevo: ({ list, notify }) => ({ lists: [Number(list)], notify_url: notify }),
  tajo: ({ list, notify }) => ({ lists: [Number(list)], notify_url: notify }),
  // What its documents do not say is taken as proven, or nobody could be imported.
  sendry: ({ list }) => ({ audience_id: list, upsert_keeps_unsubscribed: true }),
};

function benchConfig(url: string, { id }: Destination<unknown>, own: JsonObject): string {
  return stringify({
    environment: 'bench',
    database_url: url,
    connectors: {
      supabase: {
        sync: { users: true },
        user_mapping: { unconfirmed: true, email: 'email', 'user_metadata.full_name': 'FIRSTNAME' },
      },
    },
    destinations: { [id]: own },
    consent: { everyone: 'bench' },
  });
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}

function ratio(a: number, b: number): number {
  return Math.round((a / b) * 100) / 100;
}

if (process.argv[2] === 'worker') {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const health = { port: Number(process.argv[4]), host: '127.0.0.1' };
  await runWorker({ config: parseBench(process.argv[3] ?? ''), log: SILENT, helper: true, health }, stop.signal);
  process.exit(0);
}
