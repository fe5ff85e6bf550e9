import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Sql } from '../../src/sql/port.ts';
import { openPg } from '../../src/sql/pg.ts';
import { withClient } from './client.ts';

/** A fresh database with an empty `auth.users`, gone when the test ends. */
export interface TestDatabase {
  readonly name: string;
  /** As the superuser. */
  readonly url: string;
  /** As the role that owns neither `auth` nor its tables. */
  readonly hostedUrl: string;
  /** As the superuser, for the app's side of a test. */
  readonly app: pg.Client;
  /** As the hosted role. */
  readonly sql: Sql;
  /** The part of the install that is the same whatever the config is in it: `install` puts in the rest. */
  readonly begun: boolean;
  connect(url?: string): Promise<pg.Client>;
}

/** Runs after the test, in reverse order of registration. */
export function onCleanup(cleanup: () => Promise<void>): void {
  onTestFinished(cleanup);
}

/** @param begun with the part of the install in it that is the same whatever the config, which costs much less than to run it */
export async function createDatabase(begun = false): Promise<TestDatabase> {
  const [db, end] = await createLastingDatabase(begun);
  onCleanup(end);
  return db;
}

/** One that is shared by the tests of a file: it is gone when what comes with it is called. */
export async function createLastingDatabase(begun = false): Promise<readonly [TestDatabase, () => Promise<void>]> {
  const ends: (() => Promise<void>)[] = [];
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const maintenance = inject('postgres');
  await withClient(maintenance, async (client) => {
    await client.query(
      `create database ${name} template ${inject(begun ? 'begunTemplate' : 'template')} strategy file_copy`,
    );
    await client.query(`grant create on database ${name} to hosted`);
  });
  ends.push(async () => {
    await withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`));
  });
  const url = withPath(maintenance, name);
  const hosted = new URL(url);
  hosted.username = 'hosted';
  const connect = async (to: string = url): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: to });
    client.on('error', () => undefined);
    await client.connect();
    ends.push(() => client.end().catch(() => undefined));
    return client;
  };
  const sql = openPg({ url: hosted.toString() });
  ends.push(() => sql.close());
  const db = { name, url, hostedUrl: hosted.toString(), app: await connect(), sql, begun, connect };
  return [
    db,
    async () => {
      for (const end of ends.toReversed()) await end();
    },
  ];
}

function withPath(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.toString();
}
