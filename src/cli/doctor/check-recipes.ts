import type { Queryable } from '../../sql/port.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';
import { fullName, type RecipeName, type RecipeTrigger, recipeTriggers } from './recipes.ts';
import { type ForeignTrigger, readForeignTriggers } from './trigger-facts.ts';

interface Facts {
  readonly triggers: readonly ForeignTrigger[];
  /** The Sendry recipe's own table. */
  readonly syncLog: boolean;
  /** Tables in the publication of Realtime, which the Tajo page listens to. */
  readonly realtime: readonly string[];
}

const CODES: Readonly<Record<RecipeName, string>> = {
  sendry: 'RC_RECIPE_SENDRY',
  mailtrap: 'RC_RECIPE_MAILTRAP',
  tajo: 'RC_RECIPE_TAJO',
};

const TITLES: Readonly<Record<RecipeName, string>> = { sendry: 'Sendry', mailtrap: 'Mailtrap', tajo: 'Tajo' };

/** What of the three recipes is at work. */
export const recipes: Check<Facts> = {
  area: 'recipes',
  async read({ sql }) {
    const triggers = await readForeignTriggers(sql);
    const [row] = await sql.query<{ log: boolean }>(`select to_regclass('public.sendry_sync_log') is not null as log`);
    return { triggers, syncLog: row?.log === true, realtime: await realtimeTables(sql) };
  },
  judge({ triggers, syncLog, realtime }, config) {
    const found = recipeTriggers(triggers);
    const atWork = found.filter(({ trigger }) => trigger.enabled && !trigger.silenced);
    const off = found.filter((each) => !atWork.includes(each));
    const findings: Finding[] = atWork.map(described);
    if (off.length > 0) findings.push(ok(`${names(off)} of a recipe: switched off`));
    if (syncLog && found.length === 0) {
      findings.push(
        warn(
          'RC_RECIPE_SENDRY',
          'The Sendry recipe is gone, and its table public.sendry_sync_log is still there.',
          'drop table public.sendry_sync_log;',
        ),
      );
    }
    const mapped = new Set(
      [...config.tables, ...config.eventTables].map(({ table }) => `${table.schema}.${table.table}`),
    );
    const heard = realtime.filter((table) => mapped.has(table));
    if (config.destinations.some(({ type }) => type === 'tajo') && heard.length > 0) {
      findings.push(
        warn(
          'RC_RECIPE_TAJO',
          `Realtime publishes ${heard.join(', ')}. Where Tajo's own connector listens to that, it sends beside Rollcall; Realtime promises no delivery.`,
          'Switch the Supabase connector off at Tajo. Where the app does not use Realtime: ' +
            heard.map((table) => `alter publication supabase_realtime drop table ${table};`).join(' '),
        ),
      );
    }
    return findings.length > 0 ? findings : [ok('none of the recipes is at work')];
  },
};

function described({ recipe, trigger, wrong }: RecipeTrigger): Finding {
  return warn(
    CODES[recipe],
    `The ${TITLES[recipe]} recipe is at work: ${fullName(trigger)} runs ${trigger.function}. It ${wrong.join('; it ')}.`,
    'rollcall adopt --recipe',
  );
}

function names(found: readonly RecipeTrigger[]): string {
  return found.map(({ trigger }) => fullName(trigger)).join(', ');
}

async function realtimeTables(sql: Queryable): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_publication_tables where pubname = 'supabase_realtime' order by 1`,
  );
  return rows.map(({ name }) => name);
}
