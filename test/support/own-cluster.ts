import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import { type Cluster, startCluster } from '../../src/demo/cluster.ts';
import { openPg } from '../../src/sql/pg.ts';
import { AUTH_SCHEMA } from './auth-schema.ts';
import { copyCluster } from './copy-cluster.ts';
import { onCleanup, type TestDatabase } from './database.ts';

/** A database on a Postgres server that belongs to this test alone, so that it can be crashed. */
export interface OwnDatabase extends TestDatabase {
  readonly cluster: Cluster;
  /** Connects the app's side anew, after a crash. */
  reconnect(): Promise<void>;
}

/** A server with nothing in it, which whoever starts it ends. */
export async function startOwnCluster(settings: Readonly<Record<string, string>>): Promise<Cluster> {
  const from = process.env['ROLLCALL_TEST_POSTGRES'];
  const directory = join(tmpdir(), `rollcall-pg-${randomUUID()}`);
  await copyCluster(inject('emptyCluster'), directory);
  return await startCluster({ settings, directory, ...(from === undefined ? {} : { from }) });
}

export async function createOwnDatabase(settings: Readonly<Record<string, string>> = {}): Promise<OwnDatabase> {
  const cluster = await startOwnCluster({ max_connections: '60', ...settings });
  onCleanup(() => cluster.destroy());
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const first = new Client({ connectionString: cluster.url('postgres') });
  await first.connect();
  await first.query(`create database ${name}`);
  await first.end();
  const url = cluster.url(name);
  const connect = async (to: string = url): Promise<Client> => {
    const client = new Client({ connectionString: to });
    client.on('error', () => undefined);
    await client.connect();
    onCleanup(() => client.end().catch(() => undefined));
    return client;
  };
  let app = await connect();
  await app.query(AUTH_SCHEMA);
  await app.query(`grant create on database ${name} to hosted`);
  const hosted = new URL(url);
  hosted.username = 'hosted';
  const sql = openPg({ url: hosted.toString() });
  onCleanup(() => sql.close());
  return {
    cluster,
    name,
    url,
    hostedUrl: hosted.toString(),
    get app() {
      return app;
    },
    sql,
    begun: false,
    connect,
    async reconnect() {
      app = await connect();
    },
  };
}
