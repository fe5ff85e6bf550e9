import type { Client } from 'pg';

/** The app's side of a test's database, as a superuser: what a stand-in is put into. */
export interface Host {
  /** As the superuser. */
  readonly url: string;
  /** A getter in databases that can crash, so it is read at each use. */
  readonly app: Pick<Client, 'query'>;
}

/**
 * Lists a stand-in as an installed extension: `create extension if not exists` of a migration then passes over it, and whoever
 * asks `pg_extension` finds the version.
 */
export async function registerExtension(host: Host, name: string, schema: string, version: string): Promise<void> {
  await host.app.query(
    `insert into pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
     select max(oid::int8) + 1, $1, (select oid from pg_roles where rolname = current_user), $2::regnamespace, false, $3 from pg_catalog.pg_extension`,
    [name, schema, version],
  );
}
