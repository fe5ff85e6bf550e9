import { RollcallError } from '../../core/errors.ts';
import { type Queryable, type Sql, sqlState } from '../port.ts';
import { restored, silenced } from './silence.ts';

/** A trigger to be switched off. */
export interface Taken {
  readonly recipe: string;
  /** `schema.table`, quoted where it has to be. */
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  /** Beginnings of the URLs it posts to; none where its text does not tell. */
  readonly urls: readonly string[];
}

/** A trigger that was switched off before. */
export interface TakenOver {
  readonly recipe: string;
  readonly table: string;
  readonly name: string;
  readonly urls: readonly string[];
  readonly at: string;
}

/** Who must hold the database for that, as the worker would have it. */
export interface Guard {
  readonly projectRef: string;
  readonly environment: string;
  readonly configHash: string;
}

/** Whoever signs up meanwhile waits as long. */
const LOCK_TIMEOUT = `set local lock_timeout = '1s'`;
const TRIES = 8;
const BETWEEN_MS = 400;

/**
 * Switches triggers of a recipe off, in one transaction that holds all writers of their tables for a moment: whatever was committed
 * before was the recipe's to tell, and all that comes after is captured by our own triggers, which are looked at under the same locks.
 * @throws RollcallError `RC_TRIGGERS_MISSING` where ours are not all there, `RC_RECIPE_TRIGGER` for one that can't be switched off;
 * the driver's error: 55P03 where a writer holds a table for too long, RC001 and RC002 for another config or database
 */
export async function takeOver(
  sql: Sql,
  triggers: readonly Taken[],
  guard: Guard,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const made = triggers.map((each) => ({ ...each, silent: silenced(each.definition) }));
  const stubborn = made.find(({ silent }) => silent === undefined);
  if (stubborn !== undefined) {
    throw new RollcallError(
      'RC_RECIPE_TRIGGER',
      `The trigger ${stubborn.table}.${stubborn.name} can't be switched off.`,
      {
        hint: `It is a constraint trigger, or one of a view. As the owner of the table: drop trigger "${stubborn.name}" on ${stubborn.table};`,
      },
    );
  }
  await patiently(pause, () =>
    sql.transaction(async (tx) => {
      await tx.script(LOCK_TIMEOUT);
      await tx.query('select rollcall.check_config($1), rollcall.check_identity($2, $3)', [
        guard.configHash,
        guard.projectRef,
        guard.environment,
      ]);
      for (const { silent = '' } of made.toSorted((a, b) => (a.table < b.table ? -1 : 1))) await tx.script(silent);
      await checkOurs(tx);
      for (const { recipe, table, name, definition, urls } of made) {
        await tx.query(
          `insert into rollcall.taken_over (recipe, relation, trigger_name, definition, urls) values ($1, $2, $3, $4, $5)`,
          [recipe, table, name, definition, urls],
        );
      }
    }),
  );
}

/**
 * Makes the triggers that were switched off what they were.
 * @throws the driver's error, where a table or function of one is gone
 */
export async function giveBack(sql: Sql, pause: (ms: number) => Promise<void>): Promise<readonly TakenOver[]> {
  return patiently(pause, () =>
    sql.transaction(async (tx) => {
      await tx.script(LOCK_TIMEOUT);
      const rows = await tx.query<TakenOver & { definition: string; [column: string]: unknown }>(
        `update rollcall.taken_over t set undone_at = now() where t.undone_at is null
         returning t.recipe, t.relation as "table", t.trigger_name::text as name, t.urls, t.taken_at as at, t.definition`,
      );
      for (const { definition } of rows) await tx.script(restored(definition));
      return rows.map(({ recipe, table, name, urls, at }) => ({ recipe, table, name, urls, at }));
    }),
  );
}

/** Triggers that are switched off, the latest first. */
export function readTakenOver(sql: Queryable): Promise<readonly TakenOver[]> {
  return sql.query<TakenOver & { [column: string]: unknown }>(
    `select t.recipe, t.relation as "table", t.trigger_name::text as name, t.urls, t.taken_at as at from rollcall.taken_over t
      where t.undone_at is null order by t.id desc`,
  );
}

async function checkOurs(tx: Queryable): Promise<void> {
  const missing = await tx.query<{ name: string }>(
    `select m.table_name || ': ' || m.trigger_name as name from rollcall.missing_triggers() m`,
  );
  const [ours] = await tx.query<{ n: number }>(
    `select count(*)::int as n from rollcall.sources s where s.enabled and s.triggers <> '[]'`,
  );
  if (missing.length === 0 && (ours?.n ?? 0) > 0) return;
  const which = missing.length === 0 ? 'none is installed' : missing.map(({ name }) => name).join(', ');
  throw new RollcallError('RC_TRIGGERS_MISSING', `Triggers of ours are missing, or switched off: ${which}.`, {
    hint: 'Run `rollcall apply` first: the recipe stays on until ours see every sign-up.',
  });
}

/** A writer that does not end stands in the way of a lock; others queue behind us, so it is asked for shortly and again. */
async function patiently<T>(pause: (ms: number) => Promise<void>, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (sqlState(error) !== '55P03' && sqlState(error) !== '40P01') throw error;
      if (tries === TRIES) throw error;
      await pause(BETWEEN_MS);
    }
  }
}
