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
  const client = new pg.Client({ connectionString: url(name) });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(AUTH_SCHEMA);
  return { url: url(name), client };
}
