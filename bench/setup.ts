import pg from 'pg';
import { parseConfig } from '../src/config/load.ts';
import { startCluster, type Cluster } from '../src/demo/cluster.ts';
import { registry } from '../src/destinations/registry.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { projectRef } from '../src/sql/project-ref.ts';
import { database } from './database.ts';
import { startSink, type Sink } from './sink.ts';
import { poll } from './poll.ts';

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
  mailtrap: { api_token: bench, base_url: "${sink.url}"${more === '' ? '' : `, ${more}`} }
consent: { everyone: bench }
delivery: { grace: 5s }
brakes: off
`;
  const sql = openPg({ url });
  await applyInstall(sql, parseConfig(yaml, { file: 'bench.yaml', env: {}, registry }), projectRef(url, undefined));
  await sql.close();
  return {
    cluster,
    sink,
    url,
    yaml,
    client,
    async connect() {
      const made = new pg.Client({ connectionString: url });
      made.on('error', () => undefined);
      await made.connect();
      return made;
    },
    async close() {
      await client.end();
      sink.close();
      await cluster.destroy();
    },
  };
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
