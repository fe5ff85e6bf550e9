import pg from 'pg';
import { type Cluster, startCluster } from '../../../src/demo/cluster.ts';
import { AUTH_SCHEMA } from '../../support/auth-schema.ts';
import { compileWorker } from '../../support/spawn-worker.ts';
import { AUDIT, ORACLE } from '../interleaving/oracle-sql.ts';
import { APP_TABLES } from '../interleaving/tables.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

/** What is used for one run after another: a Postgres of its own, a disk that can be filled, compiled workers. */
export interface Stage {
  readonly cluster: Cluster;
  /** The disk that holds the tables of Rollcall, or why there is none. */
  readonly disk: SmallDisk | string;
  /** Where workers are started from. */
  readonly workers: string;
  /** Makes a database with the app's tables and the oracle. */
  createDatabase(name: string): Promise<{ readonly url: string; readonly hostedUrl: string }>;
  dropDatabase(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Once for all stages of this process. */
let compiled: Promise<string> | undefined;

const TEMPLATE = 'chaos_template';

/** @throws RollcallError when the package of Postgres is not installed */
export async function openStage(): Promise<Stage> {
  const from = process.env['ROLLCALL_TEST_POSTGRES'];
  compiled ??= compileWorker();
  const [workers, cluster] = await Promise.all([
    compiled,
    // What was written is kept by the system when the server is killed: no need to wait for the disk.
    startCluster({
      settings: { max_connections: '100', fsync: 'off', max_wal_size: '256MB' },
      ...(from === undefined ? {} : { from }),
    }),
  ]);
  const disk = await mountSmallDisk(cluster.directory);
  await onDatabase(cluster.url('postgres'), `create database ${TEMPLATE}`);
  await onDatabase(cluster.url(TEMPLATE), AUTH_SCHEMA, APP_TABLES + ORACLE + AUDIT);
  if (typeof disk !== 'string') {
    await onDatabase(
      cluster.url('postgres'),
      `create tablespace small location '${disk.directory}'`,
      'grant create on tablespace small to hosted',
    );
  }
  return {
    cluster,
    disk,
    workers,
    async createDatabase(name) {
      await onDatabase(
        cluster.url('postgres'),
        `create database ${name} template ${TEMPLATE}`,
        `grant create on database ${name} to hosted`,
        ...(typeof disk === 'string' ? [] : [`alter role hosted in database ${name} set default_tablespace = small`]),
      );
      const hosted = new URL(cluster.url(name));
      hosted.username = 'hosted';
      return { url: cluster.url(name), hostedUrl: hosted.toString() };
    },
    async dropDatabase(name) {
      await onDatabase(cluster.url('postgres'), `drop database if exists ${name} with (force)`);
    },
    async close() {
      await cluster.destroy();
      if (typeof disk !== 'string') await disk.unmount();
    },
  };
}

async function onDatabase(url: string, ...commands: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const command of commands) await client.query(command);
  } finally {
    await client.end();
  }
}
