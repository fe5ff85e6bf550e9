import { openPg } from '../../src/sql/pg.ts';
import { onCleanup, type TestDatabase } from './database.ts';

/**
 * The same database, which workers and commands reach through something in between; the app does not.
 * @param url of what is in between, as the hosted role
 */
export function behind<D extends TestDatabase>(direct: D, url: string): D {
  const sql = openPg({ url });
  onCleanup(() => sql.close());
  return Object.create(direct, { hostedUrl: { value: url }, sql: { value: sql } }) as D;
}

/** A URL of the same database on another port of this machine. */
export function onPort(url: string, port: number): string {
  const moved = new URL(url);
  moved.port = String(port);
  return moved.toString();
}
