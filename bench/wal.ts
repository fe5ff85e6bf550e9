import { startCluster } from '../src/demo/cluster.ts';
import { CONFIG, measure, SCENARIOS, TABLES, type Variant } from './capture.ts';
import { database } from './database.ts';
import { paced, type Paced } from './paced.ts';
import { passed, poll } from './poll.ts';
import { install } from './setup.ts';
import { startSink } from './sink.ts';
import { median, percentile } from './stats.ts';
import { type Measured, progress, time } from './table.ts';
import { startWorker } from './worker.ts';

const ROUNDS = 5;
/** What the writer keeps of its rate. */
const TARGET = 0.95;
const LATENCY_MS = 5;
/** So long the worker has for what the sweep of its start and an earlier round left. */
const CALM_MS = 500;

/**
 * Capture by the write-ahead log: how long a sign-up takes to the destination at 500 a second, and then, with the worker stopped as in the
 * bench of triggers, what the writer keeps of its rate. Both databases are on one server that writes for logical decoding.
 */
export async function wal({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({
    settings: { wal_level: 'logical', shared_buffers: '256MB', max_wal_size: '4GB', max_connections: '80' },
  });
  const sink = await startSink();
  try {
    const variants: Variant[] = [];
    for (const name of ['none', 'ours'] as const) {
      const made = await database((at) => cluster.url(at), name);
      await made.client.query(TABLES);
      variants.push({ name, ...made });
    }
    const ours = variants[1]!;
    const yaml = `${CONFIG.replace('{ api_token: bench }', `{ api_token: bench, base_url: "${sink.url}", import_from: off, limits_scale: 10000 }`)}
database_url: ${ours.url}
delivery: { grace: 5s }
brakes: off
capture: wal
wal: { keep: 100GB }
`;
    await install(ours.url, yaml);
    const worker = await startWorker(yaml);
    await poll(async () => {
      const { rows } = await ours.client.query<{ done: boolean }>(
        `select count(*) = 3 as done from rollcall.sources where wal_from is not null and wal_until is null`,
      );
      return rows[0]?.done === true;
    });
    const rounds: Paced[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      await passed(CALM_MS);
      const found = await paced(ours.client, sink);
      progress(`round ${round}: p50 ${percentile(found.latencies, 0.5)} ms`);
      // The first one warms plans, caches and compiled code.
      if (round > 0) rounds.push(found);
    }
    await worker.end('SIGTERM');
    const of = (share: number): number => median(rounds.map(({ latencies }) => percentile(latencies, share)));
    const measured: Measured[] = [
      time('commit to accepted at 500/s, p50', of(0.5), LATENCY_MS),
      time('commit to accepted at 500/s, p99', of(0.99)),
    ];
    for (const scenario of SCENARIOS) {
      measured.push(...(await measure({ ...scenario, target: TARGET, recipe: false }, variants, users)));
    }
    for (const { client } of variants) await client.end();
    return measured;
  } finally {
    sink.close();
    await cluster.destroy();
  }
}
