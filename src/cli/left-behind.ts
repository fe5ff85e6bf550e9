import type { Queryable } from '../sql/port.ts';
import { readTakenOver } from '../sql/take-over/take-over.ts';
import { fullName } from './doctor/recipes.ts';

/** What an uninstall takes away, or leaves, outside the schema. */
export interface Outside {
  /** Jobs of pg_cron that are removed. */
  readonly jobs: readonly string[];
  /** Secrets in Vault that stay: names only. */
  readonly secrets: readonly string[];
  /** Triggers of a recipe that stay switched off, and whose earlier definition is forgotten. */
  readonly recipes: readonly string[];
}

/** Reads what there is; what this role may not see counts as not there. */
export async function readOutside(sql: Queryable): Promise<Outside> {
  const [there] = await sql.query<{ cron: boolean; vault: boolean; recipes: boolean }>(
    `select coalesce(has_schema_privilege(to_regnamespace('cron')::oid, 'usage') and has_table_privilege(to_regclass('cron.job'), 'select'), false) as cron,
            coalesce(has_schema_privilege(to_regnamespace('vault')::oid, 'usage') and has_table_privilege(to_regclass('vault.secrets'), 'select'), false) as vault,
            to_regclass('rollcall.taken_over') is not null as recipes`,
  );
  return {
    jobs: await names(
      sql,
      there?.cron,
      `select j.jobname as name from cron.job j where j.jobname like 'rollcall-%' and j.username = current_user order by 1`,
    ),
    secrets: await names(
      sql,
      there?.vault,
      `select s.name from vault.secrets s where starts_with(s.name, 'rollcall_') order by 1`,
    ),
    recipes: there?.recipes === true ? (await readTakenOver(sql)).map(fullName) : [],
  };
}

async function names(sql: Queryable, readable: boolean | undefined, query: string): Promise<readonly string[]> {
  if (readable !== true) return [];
  return (await sql.query<{ name: string }>(query)).map(({ name }) => name);
}
