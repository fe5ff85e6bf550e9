import type pg from 'pg';
import { startCluster, type Cluster } from '../src/demo/cluster.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { projectRef } from '../src/sql/project-ref.ts';
import { connected, database } from './database.ts';
import { startSink, type Sink } from './sink.ts';
import { poll } from './poll.ts';
import { benchYaml, parseBench } from './config.ts';

/** An installed database, a sink and the config that joins them. */
export interface Setup {
  readonly cluster: Cluster;
  readonly sink: Sink;
  readonly url: string;
  readonly yaml: string;
  /** As the app. */
  readonly client: pg.Client;
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

/**
 * @param more lines of the destination, as `key: value`
 * @param settings of Postgres, beside those of Supabase that matter here: autovacuum has Postgres' own defaults there too
 */
export async function setUp(name: string, more = '', settings: Readonly<Record<string, string>> = {}): Promise<Setup> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '4GB', ...settings } });
  const sink = await startSink();
  const { url, client } = await database((at) => cluster.url(at), name);
  const own = `api_token: bench, base_url: "${sink.url}"${more === '' ? '' : `, ${more}`}`;
  const yaml = benchYaml(url, { destination: own, more: ['delivery: { grace: 5s }', 'brakes: off'] });
  await install(url, yaml);
  return {
    cluster,
    sink,
    url,
    yaml,
    client,
    connect: () => connected(url),
    async close() {
      await client.end();
      sink.close();
      await cluster.destroy();
    },
  };
}

/** Installs a config into its database. */
export async function install(url: string, yaml: string): Promise<void> {
  const sql = openPg({ url });
  await applyInstall(sql, parseBench(yaml), projectRef(url, undefined));
  await sql.close();
}

/** Waits until the log is folded and nothing is due. */
export async function inStep(client: pg.Client, everyMs = 10): Promise<void> {
  await poll(async () => {
    // In this order: what a fold between the two makes due is seen.
    const { rows } = await client.query<{ lag: number; due: boolean }>(
      'select rollcall.fold_lag_ms()::float8 as lag, exists (select from rollcall.due) as due',
    );
    return rows[0]?.lag === 0 && !rows[0].due;
  }, everyMs);
}
