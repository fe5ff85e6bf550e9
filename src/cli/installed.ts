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
  /** Tables whose changes are read from the write-ahead log: `schema.table`. */
  readonly byWal: readonly string[];
  /** Our triggers, those of partitions too. */
  readonly triggers: readonly InstalledTrigger[];
}

export interface InstalledTrigger {
  /** `schema.table`, unquoted. */
  readonly table: string;
  readonly name: string;
  /** Of ours, that it runs: of the table, or of the one that it is a partition of. */
  readonly function: string;
  /** False when somebody has switched it off. */
  readonly enabled: boolean;
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
      'byWal', (select coalesce(jsonb_agg(s.name order by s.name), '[]') from rollcall.sources s
        where to_jsonb(s) ->> 'wal_from' is not null and to_jsonb(s) ->> 'wal_until' is null),
      'triggers', (${TRIGGERS})) as installed
    from rollcall.install i`);
  return row?.installed;
}

/** Our triggers are those that run a function of ours, whatever they are called. */
const TRIGGERS = `select coalesce(jsonb_agg(jsonb_build_object('table', n.nspname || '.' || c.relname, 'name', t.tgname,
      'function', f.proname, 'enabled', t.tgenabled in ('O', 'A')) order by n.nspname, c.relname, t.tgname), '[]')
    from pg_trigger t join pg_proc f on f.oid = t.tgfoid join pg_namespace o on o.oid = f.pronamespace
    join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
   where o.nspname = 'rollcall' and not t.tgisinternal`;
