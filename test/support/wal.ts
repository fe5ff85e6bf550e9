import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Cluster } from '../../src/demo/cluster.ts';
import { openPg } from '../../src/sql/pg.ts';
import { projectRef } from '../../src/sql/project-ref.ts';
import { commonScript } from '../../src/sql/install-script.ts';
import { AUTH_SCHEMA } from './auth-schema.ts';
import { withClient } from './client.ts';
import type { TestDatabase } from './database.ts';
import { install } from './install.ts';
import { startOwnCluster } from './own-cluster.ts';
import { eventually } from './people.ts';
import { parseWorld, type World } from './world.ts';

/** A server whose WAL can be read, where the hosted role may publish every table, as Supabase lets its role. */
export interface WalServer {
  readonly cluster: Cluster;
  /** Of the maintenance database. */
  readonly url: string;
  /** A database to be copied: see `begunTemplate`. */
  readonly begunTemplate: string;
  /** A database with the common part of the install. */
  database(): Promise<TestDatabase & { reconnect(): Promise<void> }>;
  close(): Promise<void>;
}

/** @param settings more of Postgres */
export async function startWalServer(settings: Readonly<Record<string, string>> = {}): Promise<WalServer> {
  const cluster = await startOwnCluster({ wal_level: 'logical', fsync: 'off', max_connections: '100', ...settings });
  const begunTemplate = 'template_begun';
  const ends: (() => Promise<unknown>)[] = [];
  const url = cluster.url('postgres');
  await withClient(url, (client) => client.query(`create database ${begunTemplate}`));
  await withClient(cluster.url(begunTemplate), (client) =>
    client.query(
      `set password_encryption = 'md5'; alter role postgres password 'postgres'; ${AUTH_SCHEMA}; alter role hosted superuser`,
    ),
  );
  await withClient(as('hosted', cluster.url(begunTemplate)), (client) =>
    client.query(`begin;${commonScript()};commit`),
  );
  return {
    cluster,
    url,
    begunTemplate,
    async database() {
      const name = `t_${randomUUID().replaceAll('-', '')}`;
      await withClient(url, (client) =>
        client.query(`create database ${name} template ${begunTemplate} strategy file_copy`),
      );
      const connect = async (to = cluster.url(name)): Promise<pg.Client> => {
        const client = new pg.Client({ connectionString: to });
        client.on('error', () => undefined);
        ends.push(() => client.end().catch(() => undefined));
        await client.connect();
        return client;
      };
      const hostedUrl = as('hosted', cluster.url(name));
      const sql = openPg({ url: hostedUrl });
      ends.push(() => sql.close());
      let app = await connect();
      return {
        name,
        url: cluster.url(name),
        hostedUrl,
        get app() {
          return app;
        },
        sql,
        begun: true,
        connect,
        async reconnect() {
          app = await connect();
        },
      };
    },
    async close() {
      for (const end of ends) await end();
      await cluster.destroy();
    },
  };
}

function as(role: string, url: string): string {
  const found = new URL(url);
  found.username = role;
  return found.toString();
}

/** Applies the world's config with `capture: wal`, or with other words. */
export async function applyWal(world: World, more = 'capture: wal'): Promise<World['config']> {
  const config = parseWorld(`${world.yaml}\n${more}\n`);
  await install(world.db, config, projectRef(world.db.hostedUrl, undefined));
  return config;
}

/** Waits until a query gives a row with true. */
export async function until({ db }: Pick<World, 'db'>, query: string): Promise<void> {
  await eventually(
    async () => Object.values((await db.app.query<Record<string, unknown>>(query)).rows[0] ?? {})[0] === true,
  );
}

/** Waits until every table is read from the WAL. */
export async function captured(world: Pick<World, 'db'>): Promise<void> {
  await until(
    world,
    `select exists (select from rollcall.sources where enabled and wal is not null)
       and not exists (select from rollcall.sources where enabled and wal is not null and (wal_from is null or wal_until is not null))`,
  );
}

/** Waits until no table is, and the slot is gone. */
export async function handedBack(world: Pick<World, 'db'>): Promise<void> {
  await until(world, 'select slot is null from rollcall.wal');
}

/** A database cannot be dropped while it has one; once nobody reads it. */
export async function dropSlot({ app }: Pick<TestDatabase, 'app'>): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await app.query(
      `select from pg_replication_slots where database = current_database() and active`,
    );
    return rowCount === 0;
  });
  await app.query(
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`,
  );
}
