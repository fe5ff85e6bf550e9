import { chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Cluster, startCluster } from '../../src/demo/cluster.ts';
import { copyCluster } from './copy-cluster.ts';
import { onCleanup } from './database.ts';
import type { OwnDatabase } from './own-cluster.ts';
import { eventually } from './people.ts';

/** A streaming standby of a test's own cluster. */
export interface Standby {
  readonly cluster: Cluster;
  /** A superuser's connection to the test's database there; only reads before `promote`. */
  readonly app: Client;
  /** Waits until it has replayed all that the primary has written. */
  caughtUp(): Promise<void>;
  /** Takes nothing more from the primary from now on. */
  fallBehind(): Promise<void>;
  /** Makes it the primary, on a timeline of its own. */
  promote(): Promise<void>;
}

/**
 * Makes a standby by the low-level backup API (PostgreSQL, "Making a Base Backup Using the Low Level API"), as there is no
 * pg_basebackup here, and starts it as an asynchronous one.
 */
export async function startStandby(primary: OwnDatabase): Promise<Standby> {
  const directory = `${primary.cluster.directory}-standby`;
  onCleanup(() => rm(directory, { recursive: true, force: true }));
  await primary.app.query(`select pg_backup_start('standby', true)`);
  await copyCluster(primary.cluster.directory, directory);
  const { rows } = await primary.app.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  await rm(join(directory, 'postmaster.pid'), { force: true });
  const { uid, gid } = await stat(primary.cluster.directory);
  const conninfo = `host=127.0.0.1 port=${primary.cluster.port} user=postgres password=postgres`;
  const files = {
    backup_label: rows[0]!.labelfile,
    'standby.signal': '',
    'postgresql.auto.conf': `primary_conninfo = '${conninfo}'\nwal_retrieve_retry_interval = '200ms'\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text);
    await chown(join(directory, name), uid, gid);
  }
  const cluster = await startCluster({
    directory,
    standby: true,
    settings: { max_connections: '60' },
    ...(process.env['ROLLCALL_TEST_POSTGRES'] === undefined ? {} : { from: process.env['ROLLCALL_TEST_POSTGRES'] }),
  });
  onCleanup(() => cluster.destroy());
  const app = await connected(cluster.url(primary.name));
  return {
    cluster,
    app,
    async caughtUp() {
      const { rows: found } = await primary.app.query<{ at: string }>('select pg_current_wal_flush_lsn()::text as at');
      await eventually(async () => {
        const { rows: there } = await app.query<{ ok: boolean }>(
          'select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok',
          [found[0]!.at],
        );
        return there[0]?.ok === true;
      });
    },
    async fallBehind() {
      await app.query(`alter system set primary_conninfo = ''`);
      await app.query('select pg_reload_conf()');
      await eventually(async () => (await one<string>(app, 'select count(*)::text from pg_stat_wal_receiver')) === '0');
    },
    async promote() {
      await app.query('select pg_promote(true)');
      await eventually(async () => (await one<boolean>(app, 'select pg_is_in_recovery()')) === false);
    },
  };
}

async function one<T>(client: Client, text: string): Promise<T | undefined> {
  const { rows } = await client.query<Record<string, T>>(text);
  return Object.values(rows[0] ?? {})[0];
}

async function connected(url: string): Promise<Client> {
  let found: Client | undefined;
  await eventually(async () => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      found = client;
      return true;
    } catch {
      await client.end().catch(() => undefined);
      return false;
    }
  });
  onCleanup(() => found!.end().catch(() => undefined));
  return found!;
}
