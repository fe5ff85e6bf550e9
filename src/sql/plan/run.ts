import type { Config } from '../../config/types.ts';
import type { ConsentState } from '../../core/mapping.ts';
import type { Queryable, Script, Sql } from '../port.ts';
import type { Sources } from '../source.ts';
import { mapFunctionName, plannedFunctionName } from '../generated.ts';
import type { ClaimRow } from '../store/claim.ts';
import { compared } from './compare.ts';
import { type Assumed, foldTables, trialScript } from './trial.ts';

/** What becomes of a contact at a destination. */
export type PlannedState =
  | 'create'
  | 'update'
  | 'delete'
  | 'unsubscribe'
  | 'unchanged'
  | 'skipped'
  | 'left_there'
  | 'refused'
  | 'held';

/** A contact for whom something is to be sent, as a claim would have it; or a number of those for whom nothing is. */
export interface PlannedRow extends Pick<
  ClaimRow,
  | 'version'
  | 'action'
  | 'address'
  | 'remote_address'
  | 'remote_id'
  | 'consent'
  | 'carry_from'
  | 'takeover'
  | 'leftovers'
  | 'imported'
  | 'delivered'
  | 'again'
  | 'astray'
> {
  readonly [column: string]: unknown;
  /** Null in a row that is a number. */
  readonly contact_id: string | null;
  readonly key: string;
  readonly state: PlannedState;
  readonly reason: string | null;
  /** How many it stands for, as text. */
  readonly n: string;
  /** JSON of the attributes as they were, of an update. */
  readonly payload_before: string | null;
  readonly address_before: string | null;
  /** Of an update that says something else than was said; null where the same is sent again, as nobody knows what of it arrived. */
  readonly consent_before: ConsentState | null;
  /** Whether the destination knows them as opted out. */
  readonly opted_out: boolean | null;
  /** JSON. */
  readonly payload: string;
}

/** How far it is. */
export interface PlanProgress {
  readonly step: 'reading' | 'comparing' | 'looking';
  readonly done: number;
  /** Of so many, where that is known. */
  readonly of: number | undefined;
}

export interface PlanRun extends Assumed {
  /** Contacts to look at, at most, of each kind; everybody when absent. */
  readonly sample?: number | undefined;
  readonly onProgress: (progress: PlanProgress) => void;
  /** Told of each row, and how many contacts it stands for: 1, or more in a sample. */
  readonly onRow: (row: PlannedRow, destination: string, weight: number) => void;
}

/** What was looked at. */
export interface PlanLook {
  /** Contacts there are, or will be. */
  readonly contacts: number;
  /** Of these, looked at. */
  readonly looked: number;
  /** Erased, and not to be made again. */
  readonly erased: number;
}

class Done extends Error {
  readonly look: PlanLook;
  constructor(look: PlanLook) {
    super('rolled back on purpose');
    this.look = look;
  }
}

const PAGE_COMPARED = compared('rollcall.plan_wanted($1, $3, $4, $5, $6)');
const SOME_COMPARED = compared('rollcall.wanted_rows($1, $3, $4::text[], true)');
const PAGE = 5_000;
const READ_PAGE = 20_000;
/** Folding again ends by itself; this ends it should it not. */
const MOST_FOLDS = 6;

/**
 * Tries a config on everybody there is, in an install of its own and one transaction that is rolled back. Nothing in use is locked for
 * longer than a page takes to be read.
 * @throws the driver's error, also of a mapping that does not run
 */
export async function planPeople(sql: Sql, config: Config, sources: Sources, run: PlanRun): Promise<PlanLook> {
  try {
    return await sql.transaction(async (tx) => {
      await tx.script(trialScript(config, sources, run));
      if (config.erasure.key !== undefined)
        await tx.query(`select set_config('rollcall.erasure_key', $1, true)`, [config.erasure.key]);
      throw new Done(await (run.sample === undefined ? everybody(tx, config, run) : some(tx, config, run, run.sample)));
    });
  } catch (error) {
    if (error instanceof Done) return error.look;
    throw error;
  }
}

interface Target {
  readonly id: number;
  readonly name: string;
  readonly map: string;
  /** The function that says all at once, where there is no need of another. */
  readonly atOnce: string | null;
  readonly policy: string;
}

async function targets(tx: Queryable, config: Config): Promise<readonly Target[]> {
  const rows = await tx.query<{ id: number; name: string }>(
    'select d.id, d.name from rollcall.destinations d where d.enabled order by d.id',
  );
  const [alone] = await tx.query<{ users: boolean }>('select rollcall.plan_users_alone() as users');
  return rows.flatMap(({ id, name }) => {
    const index = config.destinations.findIndex((d) => d.name === name);
    const entry = config.destinations[index];
    if (entry === undefined) return [];
    const atOnce = alone?.users === true ? plannedFunctionName(index) : null;
    return [{ id, name, map: mapFunctionName(name), atOnce, policy: entry.onDelete }];
  });
}

async function everybody(tx: Queryable & Script, config: Config, run: PlanRun): Promise<PlanLook> {
  await readPeople(tx, run);
  run.onProgress({ step: 'comparing', done: 0, of: undefined });
  const [careful] = await tx.query<{ n: string }>('select rollcall.plan_find_careful() as n');
  const all = await targets(tx, config);
  const [pages] = await tx.query<{ ends: readonly string[] | null; contacts: string; erased: string }>(
    'select p.*, (select count(*) from rollcall.plan_erased) as erased from rollcall.plan_pages($1) p',
    [PAGE],
  );
  const contacts = Number(pages?.contacts ?? 0);
  const ends = pages?.ends ?? [];
  const page = (n: number): Promise<readonly (readonly PlannedRow[])[]> | undefined => {
    const last = ends[n];
    if (last === undefined) return undefined;
    const read = Promise.all(all.map((target) => plainPage(tx, target, ends[n - 1] ?? '0', last)));
    // Heard of once it is waited for.
    read.catch(() => undefined);
    return read;
  };
  // The database reads a page while what came of the one before is worked out.
  let next = page(0);
  for (let n = 0; next !== undefined; n += 1) {
    const found = await next;
    next = page(n + 1);
    for (const [which, rows] of found.entries()) for (const row of rows) run.onRow(row, all[which]?.name ?? '', 1);
    run.onProgress({ step: 'looking', done: Math.min((n + 1) * PAGE, contacts), of: contacts });
  }
  if (Number(careful?.n ?? 0) > 0) {
    await tx.script(`${foldTables(run.installed)}\nselect rollcall.plan_begin_careful(${run.installed});`);
    for (const target of all) {
      for (let folds = 0; folds < MOST_FOLDS; folds += 1) {
        const [folded] = await tx.query<{ n: number }>('select rollcall.plan_fold_careful($1, $2) as n', [
          target.id,
          target.map,
        ]);
        if (folded?.n === 0) break;
      }
      const rows = await tx.query<PlannedRow>('select * from rollcall.plan_careful_rows($1)', [target.id]);
      for (const row of rows) run.onRow(row, target.name, 1);
    }
  }
  return { contacts, looked: contacts, erased: Number(pages?.erased ?? 0) };
}

/** Everybody whose rows lead to a contact. */
async function readPeople(tx: Queryable, { installed, onProgress }: PlanRun): Promise<void> {
  let done = 0;
  const all = async (take: (last: string | null) => Promise<readonly Taken[]>): Promise<void> => {
    let last: string | null = null;
    do {
      const [page] = await take(last);
      done += page?.taken ?? 0;
      onProgress({ step: 'reading', done, of: undefined });
      last = page?.last ?? null;
    } while (last !== null);
  };
  await all((last) =>
    tx.query<Taken>('select * from rollcall.plan_take_users($1, $2, $3)', [installed, last, READ_PAGE]),
  );
  const tables = await phases(tx);
  for (let phase = 1; phase <= tables; phase += 1)
    await all((last) => tx.query<Taken>('select * from rollcall.plan_take_rows($1, $2, $3)', [phase, last, READ_PAGE]));
}

interface Taken {
  readonly [column: string]: unknown;
  readonly last: string | null;
  readonly taken: number;
}

/** Tables that have contacts of their own. */
async function phases(tx: Queryable): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    'select count(*)::int as n from rollcall.parts p where p.page_function is not null',
  );
  return row?.n ?? 0;
}

/** Those whom nobody else has to do with, from one number to another. */
function plainPage(
  tx: Queryable,
  { id, map, atOnce, policy }: Target,
  after: string,
  last: string,
): Promise<readonly PlannedRow[]> {
  return tx.query<PlannedRow>(PAGE_COMPARED, [id, policy, map, atOnce, after, last]);
}

interface Sampled {
  readonly [column: string]: unknown;
  readonly people: string;
  readonly keys: readonly string[];
}

/** Some users, some whose rows are gone, and the first of each table: each of them stands for more like it. */
async function some(tx: Queryable, config: Config, run: PlanRun, most: number): Promise<PlanLook> {
  const kinds: Sampled[] = [...(await tx.query<Sampled>('select * from rollcall.plan_sample_users($1)', [most]))];
  if (run.installed) kinds.push(...(await tx.query<Sampled>('select * from rollcall.plan_sample_gone($1)', [most])));
  for (let phase = 1; phase <= (await phases(tx)); phase += 1)
    kinds.push(...(await tx.query<Sampled>('select * from rollcall.plan_sample_rows($1, $2)', [phase, most])));
  const all = await targets(tx, config);
  let [contacts, looked] = [0, 0];
  for (const { people, keys } of kinds) {
    if (keys === null || keys.length === 0) continue;
    await tx.query('select rollcall.plan_sample_contacts($1::text[])', [keys]);
    const weight = Number(people) / keys.length;
    for (const target of all) for (const row of await plain(tx, target, keys)) run.onRow(row, target.name, weight);
    contacts += Number(people);
    looked += keys.length;
    run.onProgress({ step: 'looking', done: looked, of: undefined });
  }
  return { contacts, looked, erased: 0 };
}

/** The same of some of them, in a sample. */
function plain(tx: Queryable, { id, map, policy }: Target, keys: readonly string[]): Promise<readonly PlannedRow[]> {
  return tx.query<PlannedRow>(SOME_COMPARED, [id, policy, map, keys]);
}
