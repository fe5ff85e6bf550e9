import type { Config } from '../config/types.ts';
import { payloadNames } from './compile/adjustment.ts';
import { answerTimes } from './functions/answers.ts';
import { foresee as foreseeFunction } from './functions/foresee.ts';
import { mappingScript } from './generated.ts';
import { APPLY_LOCK } from './install-script.ts';
import type { Queryable, Sql } from './port.ts';
import type { Sources } from './source.ts';

/** What applying a config would do to the contacts that are at a destination. */
export interface Foreseen {
  readonly destination: string;
  readonly leaving: number;
  readonly changing: number;
  /** False: the time was over first, and there may be more. */
  readonly complete: boolean;
}

const PAGE = 1_000;

class Done extends Error {
  readonly found: readonly Foreseen[];
  constructor(found: readonly Foreseen[]) {
    super('rolled back on purpose');
    this.found = found;
  }
}

/**
 * Tries a config's mapping on the contacts there are, in one transaction that is rolled back.
 * @param destinations those whose contacts stay what they are: installed, enabled, and of the same account
 * @param budgetMs for how long it goes on
 * @throws the driver's error, also of a mapping that does not run
 */
export async function foresee(
  sql: Sql,
  config: Config,
  sources: Sources,
  destinations: readonly string[],
  budgetMs: number,
): Promise<readonly Foreseen[]> {
  const kept = config.destinations.filter((d) => destinations.includes(d.name));
  if (kept.length === 0) return [];
  const looked = Object.fromEntries(
    kept.map((d) => [d.name, { on_delete: d.onDelete, clock: payloadNames(sources.clockAttributes, d.adjustment) }]),
  );
  try {
    return await sql.transaction(async (tx) => {
      await tx.script(
        [`set local search_path = '';`, APPLY_LOCK, answerTimes, foreseeFunction, mappingScript(config, sources)].join(
          '\n',
        ),
      );
      if (config.erasure.key !== undefined)
        await tx.query(`select set_config('rollcall.erasure_key', $1, true)`, [config.erasure.key]);
      throw new Done(await count(tx, looked, budgetMs));
    });
  } catch (error) {
    if (error instanceof Done) return error.found;
    throw error;
  }
}

interface PageRow {
  readonly [column: string]: unknown;
  readonly last_id: string;
  readonly destination: string;
  readonly leaving: number;
  readonly changing: number;
}

async function count(
  tx: Queryable,
  looked: Readonly<Record<string, object>>,
  budgetMs: number,
): Promise<readonly Foreseen[]> {
  const found = new Map(Object.keys(looked).map((name) => [name, { leaving: 0, changing: 0 }]));
  const until = performance.now() + budgetMs;
  let complete = false;
  for (let after = '0'; ;) {
    const rows = await tx.query<PageRow>('select * from rollcall.foresee_page($1, $2, $3)', [
      after,
      PAGE,
      JSON.stringify(looked),
    ]);
    for (const { destination, leaving, changing } of rows) {
      const sum = found.get(destination) ?? { leaving: 0, changing: 0 };
      found.set(destination, { leaving: sum.leaving + leaving, changing: sum.changing + changing });
    }
    const last = rows.at(-1)?.last_id;
    complete = last === undefined;
    if (last === undefined || performance.now() > until) break;
    after = last;
  }
  return [...found].map(([destination, sum]) => ({ destination, ...sum, complete }));
}
