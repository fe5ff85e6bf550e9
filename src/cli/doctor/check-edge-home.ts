import { TICK_JOB } from '../../sql/edge-script.ts';
import { EDGE_KEY_SECRET, EDGE_URL_SECRET } from '../../sql/functions/edge.ts';
import { type Check, error, ok } from './finding.ts';

interface Facts {
  /** pg_cron wakes it. */
  readonly deployed: boolean;
  /** Names that Vault lacks; all of them without Vault. */
  readonly missing: readonly string[];
}

/** How each is made: the address is known outside the database alone. */
const MADE: Readonly<Record<string, string>> = {
  [EDGE_URL_SECRET]: `select vault.create_secret('https://<ref>.supabase.co/functions/v1/rollcall', '${EDGE_URL_SECRET}');`,
  [EDGE_KEY_SECRET]: `select vault.create_secret(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), '${EDGE_KEY_SECRET}');`,
};

/** The edge home: whether who wakes it knows where it is. */
export const edgeHome: Check<Facts> = {
  area: 'edge home',
  async read({ sql }) {
    const [there] = await sql.query<{ cron: boolean; vault: boolean }>(
      `select to_regclass('cron.job') is not null as cron, to_regclass('vault.secrets') is not null as vault`,
    );
    if (there?.cron !== true) return { deployed: false, missing: [] };
    const [job] = await sql.query<{ there: boolean }>(
      'select exists (select from cron.job j where j.jobname = $1 and j.active) as there',
      [TICK_JOB],
    );
    if (job?.there !== true) return { deployed: false, missing: [] };
    const names = Object.keys(MADE);
    if (!there.vault) return { deployed: true, missing: names };
    const kept = await sql.query<{ name: string }>('select s.name from vault.secrets s where s.name = any ($1)', [
      names,
    ]);
    return { deployed: true, missing: names.filter((name) => kept.every((row) => row.name !== name)) };
  },
  judge({ deployed, missing }) {
    if (!deployed) return [ok('not deployed')];
    if (missing.length === 0) return [ok('Vault knows where it is, and its key')];
    return missing.map((name) =>
      error('RC_EDGE_SECRET', `The Edge Function is not woken: Vault has no ${name}.`, MADE[name] ?? ''),
    );
  },
};
