import type { Queryable } from '../sql/port.ts';

/** What is installed in a database already. */
export interface Installed {
  /** Versions of the migrations that ran. */
  readonly migrations: readonly number[];
  readonly configHash: string | null;
  /** What the install was bound to; null while it is unbound. */
  readonly identity: Identity | null;
  readonly projectRef: string | null;
  readonly environment: string | null;
  /** Names of the destinations that are sent to. */
  readonly destinations: readonly string[];
  /** Which account each destination was applied for, by name. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Names of the triggers on auth.users. */
  readonly triggers: readonly string[];
}

/** See `rollcall.identity()`. */
export interface Identity {
  readonly system_identifier: string;
  readonly timeline: string;
  readonly database: string;
  readonly oids: readonly number[];
}

/** @returns undefined when nothing, or only a part, is installed */
export async function readInstalled(sql: Queryable): Promise<Installed | undefined> {
  const [found] = await sql.query<{ there: boolean }>(
    `select count(*) = 3 as there from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'rollcall' and c.relname in ('install', 'migrations', 'destinations')`,
  );
  if (found?.there !== true) return undefined;
  const [row] = await sql.query<{ installed: Installed }>(`select jsonb_build_object(
      'migrations', (select coalesce(jsonb_agg(m.version order by m.version), '[]') from rollcall.migrations m),
      'configHash', i.config_hash, 'identity', i.identity, 'projectRef', i.project_ref, 'environment', i.environment,
      'destinations', (select coalesce(jsonb_agg(d.name order by d.id), '[]') from rollcall.destinations d where d.enabled),
      'accounts', (select coalesce(jsonb_object_agg(d.name, d.account), '{}') from rollcall.destinations d),
      'triggers', (select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]') from pg_trigger t
                    where t.tgrelid = to_regclass('auth.users') and t.tgname like 'rollcall\\_%')) as installed
    from rollcall.install i`);
  return row?.installed;
}
