import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openPg } from '../../../src/sql/pg.ts';
import type { TestDatabase } from '../../support/database.ts';
import { AUDIT, ORACLE } from './oracle-sql.ts';
import { APP_TABLES } from './tables.ts';

/** A database with the app's tables and the oracle, gone when it is closed: hundreds of them are made in one test. */
export interface Arena extends TestDatabase {
  close(): Promise<void>;
}

/** @param server its maintenance database, and the one to copy; the server of all tests when absent */
export async function openArena(
  server: { readonly url: string; readonly begunTemplate: string } = {
    url: inject('postgres'),
    begunTemplate: inject('begunTemplate'),
  },
): Promise<Arena> {
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const { url: maintenance, begunTemplate } = server;
  await onMaintenance(
    maintenance,
    `create database ${name} template ${begunTemplate}`,
    `grant create on database ${name} to hosted`,
  );
  const url = at(maintenance, name);
  const hosted = new URL(url);
  hosted.username = 'hosted';
  const clients: pg.Client[] = [];
  const connect = async (to: string = url): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: to });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  const app = await connect();
  await app.query(APP_TABLES + ORACLE + AUDIT);
  const sql = openPg({ url: hosted.toString() });
  return {
    name,
    url,
    hostedUrl: hosted.toString(),
    app,
    sql,
    begun: true,
    connect,
    async close() {
      await sql.close();
      for (const client of clients) await client.end().catch(() => undefined);
      await onMaintenance(maintenance, `drop database if exists ${name} with (force)`);
    },
  };
}

async function onMaintenance(connectionString: string, ...commands: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const command of commands) await client.query(command);
  } finally {
    await client.end();
  }
}

function at(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.toString();
}
