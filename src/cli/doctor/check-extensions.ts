import { homeStates, type HomeState } from './installed.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

interface Facts {
  /** `server_version_num`. */
  readonly server: number;
  readonly version: string;
  /** Name to version; null where it could be created and is not. */
  readonly extensions: Readonly<Record<string, string | null>>;
  readonly homes: readonly HomeState[];
}

/** What each home cannot do without (reference: the platform's `pg_net`, `pg_cron` and `supabase_vault`). */
const NEEDS: Readonly<Record<HomeState['home'], readonly string[]>> = {
  worker: [],
  edge: ['pg_cron', 'pg_net', 'supabase_vault'],
  sql: ['pg_cron', 'pg_net', 'supabase_vault'],
};

const OLDEST_SERVER = 15;

/** Postgres and the extensions that the homes need. */
export const extensions: Check<Facts> = {
  area: 'extensions',
  async read({ sql }) {
    const [server] = await sql.query<{ number: string; version: string }>(
      `select current_setting('server_version_num') as number, current_setting('server_version') as version`,
    );
    const rows = await sql.query<{ name: string; version: string | null }>(
      `select coalesce(e.extname, a.name)::text as name, e.extversion as version
         from (select x.extname, x.extversion from pg_extension x where x.extname in ('pg_net', 'pg_cron', 'supabase_vault')) e
         full join (select v.name from pg_available_extensions v where v.name in ('pg_net', 'pg_cron', 'supabase_vault')) a on a.name = e.extname`,
    );
    return {
      server: Number(server?.number),
      version: server?.version ?? '',
      extensions: Object.fromEntries(rows.map(({ name, version }) => [name, version])),
      homes: await homeStates(sql),
    };
  },
  judge({ server, version, extensions: there, homes }) {
    const findings: Finding[] = [];
    if (server < OLDEST_SERVER * 10_000) {
      findings.push(
        error(
          'RC_POSTGRES_OLD',
          `This is Postgres ${version}; Rollcall needs ${OLDEST_SERVER} or later.`,
          'Upgrade the project (dashboard, Infrastructure).',
        ),
      );
    }
    const wanted = new Map(
      homes.filter(({ current }) => current).flatMap(({ home }) => NEEDS[home].map((name) => [name, home] as const)),
    );
    for (const [name, home] of wanted) {
      if ((there[name] ?? null) !== null) continue;
      findings.push(
        error(
          'RC_EXTENSION_MISSING',
          `The ${home} home needs the extension ${name}, which is not there.`,
          name in there
            ? `create extension if not exists ${name};`
            : `This server does not have ${name}: enable it in the dashboard (Database, Extensions), or run a worker.`,
        ),
      );
    }
    const cron = there['pg_cron'] ?? null;
    if (wanted.has('pg_cron') && cron !== null && olderThan(cron, [1, 5])) {
      findings.push(
        warn(
          'RC_CRON_SECONDS',
          `pg_cron ${cron} knows minutes only, so deliveries begin up to a minute late.`,
          'alter extension pg_cron update;  -- 1.5 or later knows seconds',
        ),
      );
    }
    const listed = ['pg_net', 'pg_cron', 'supabase_vault'].map((name) => `${name} ${there[name] ?? 'not installed'}`);
    return [...findings, ok(`Postgres ${version}; ${listed.join(', ')}`)];
  },
};

/** @param version as `1.4-1` or `1.6` */
function olderThan(version: string, [major, minor]: readonly [number, number]): boolean {
  const [one = 0, two = 0] = (version.match(/\d+/g) ?? []).map(Number);
  return one < major || (one === major && two < minor);
}
