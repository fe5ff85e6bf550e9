import pg from 'pg';
import { AUTH_SCHEMA } from '../test/support/auth-schema.ts';

/** A fresh database with an empty `auth.users`, and a connection as the app. */
export async function database(
  url: (name: string) => string,
  name: string,
): Promise<{ url: string; client: pg.Client }> {
  const admin = new pg.Client({ connectionString: url('postgres') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const client = await connected(url(name));
  await client.query(AUTH_SCHEMA);
  return { url: url(name), client };
}

/** A connection as the app; one that is lost is told by its next query. */
export async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
