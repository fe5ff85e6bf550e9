import type pg from 'pg';
import { planDatabase } from '../src/cli/apply-plan.ts';
import { createTally } from '../src/cli/plan-tally.ts';
import type { Config } from '../src/config/types.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { registry } from '../src/destinations/registry.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { planPeople } from '../src/sql/plan/run.ts';
import type { Sql } from '../src/sql/port.ts';
import { benchYaml, parseBench } from './config.ts';
import { database } from './database.ts';
import { amount, type Measured, progress, time } from './table.ts';

const EXACT_MS = 60_000;
const SAMPLE_MS = 2_000;
const SAMPLE = 2_500;
/** Contacts a call while they are made. */
const STEP = 5_000;

/**
 * `rollcall plan`, from the reading of the tables to the last call counted: before the first install, with everybody in step, and with a
 * mapping that changes everybody; each exact and by a sample. `--users 1000000` is what the targets are for.
 */
export async function plan({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  try {
    const { url, client } = await database((name) => cluster.url(name), 'plan');
    await client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 's' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now()
         from generate_series(1, $1::int) n`,
      [users],
    );
    await client.query('vacuum analyze auth.users');
    progress('users are there');
    const config = parseBench(benchYaml(url));
    const other = parseBench(
      benchYaml(url, { mapping: ['created_at: SIGNUP_DATE', 'attributes: { PLAN: { const: pro } }'] }),
    );
    const sql = openPg({ url });
    const results = [...(await both(sql, config, 'first install, all created', { create: users }))];
    await applyInstall(sql, config, 'bench');
    await makeInStep(client);
    progress('they are in step');
    results.push(...(await both(sql, config, 'all in step', { unchanged: users })));
    results.push(...(await both(sql, other, 'another mapping, all updated', { update: users })));
    await sql.close();
    await client.end();
    return results;
  } finally {
    await cluster.destroy();
  }
}

async function both(
  sql: Sql,
  config: Config,
  what: string,
  expected: Readonly<Record<string, number>>,
): Promise<readonly Measured[]> {
  const exact = await measure(sql, config, undefined);
  progress(`${what}: ${JSON.stringify(exact)}`);
  for (const [state, n] of Object.entries(expected))
    if (exact.people[state] !== n) throw new Error(`${what}: ${exact.people[state]} ${state}, and not ${n}`);
  const sample = await measure(sql, config, SAMPLE);
  return [
    time(`${what}: exact`, exact.ms, EXACT_MS),
    time(`${what}: longest statement`, exact.longestMs),
    time(`${what}: sample`, sample.ms, SAMPLE_MS),
    amount(`${what}: peak memory of the process`, exact.peakMb, 'MB'),
  ];
}

interface Run {
  readonly ms: number;
  readonly longestMs: number;
  readonly peakMb: number;
  readonly people: Readonly<Record<string, number>>;
}

async function measure(sql: Sql, config: Config, sample: number | undefined): Promise<Run> {
  let [longestMs, peak] = [0, 0];
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work;
    longestMs = Math.max(longestMs, performance.now() - begun);
    peak = Math.max(peak, process.memoryUsage.rss());
    return result;
  };
  const watched: Sql = {
    ...sql,
    transaction: (work) =>
      sql.transaction((tx) =>
        work({ query: (text, values) => timed(tx.query(text, values)), script: (text) => timed(tx.script(text)) }),
      ),
  };
  const begun = performance.now();
  const { installed, sources, attributes } = await planDatabase(watched, config);
  const [entry] = config.destinations;
  const destination = registry.find(({ id }) => id === entry?.type);
  if (entry === undefined || destination === undefined) throw new Error('no destination');
  const tally = createTally({ destination, config: entry.options, plan: attributes });
  await planPeople(watched, config, sources, {
    installed: installed !== undefined,
    forgotten: [],
    mended: [],
    sample,
    onProgress: () => undefined,
    onRow: (row, _, weight) => void tally.add(row, weight),
  });
  const { people } = tally.result();
  return { ms: performance.now() - begun, longestMs, peakMb: Math.round(peak / 2 ** 20), people };
}

/** As after a fold of everybody and a delivery of each; those have benches of their own. */
async function makeInStep(client: pg.Client): Promise<void> {
  await client.query('insert into rollcall.contacts (key) select id::text from auth.users');
  for (let after = '0'; ;) {
    const { rows } = await client.query<{ last: string | null }>(
      `with page as materialized (select id, key from rollcall.contacts where id > $1 order by id limit ${STEP}),
         written as (insert into rollcall.desired
           (destination_id, contact_id, action, address, payload, consent, hash, version, delivered_version, remote_address, remote_id)
         select d.id, w.contact_id, 'upsert', w.address, w.payload, w.consent, w.hash, 1, 1, w.address, w.key
           from rollcall.destinations d
           cross join lateral unnest(rollcall.wanted_rows(d.id, d.map_function, (select array_agg(key) from page))) w)
       select max(id)::text as last from page`,
      [after],
    );
    if (rows[0]?.last == null) break;
    after = rows[0].last;
  }
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}
