import type { Queryable } from '../../sql/port.ts';

/** A home that has delivered here. */
export interface HomeState {
  readonly home: 'worker' | 'edge' | 'sql';
  readonly seen_s: number;
  readonly at_work: boolean;
  /** It delivered within the last day: who it was before does not count. */
  readonly current: boolean;
}

const DAY_S = 86_400;

/** Whether there is an install to ask, of this version or an earlier one. */
export async function isInstalled(sql: Queryable): Promise<boolean> {
  const [row] = await sql.query<{ there: boolean }>(`select to_regclass('rollcall.install') is not null as there`);
  return row?.there === true;
}

/** Which homes deliver, or did; none without an install that knows of homes. */
export async function homeStates(sql: Queryable): Promise<readonly HomeState[]> {
  const [there] = await sql.query<{ there: boolean }>(
    `select to_regprocedure('rollcall.home_states()') is not null as there`,
  );
  if (there?.there !== true) return [];
  const [row] = await sql.query<{ homes: Omit<HomeState, 'current'>[] }>('select rollcall.home_states() as homes');
  return (row?.homes ?? []).map((each) => ({ ...each, current: each.seen_s < DAY_S }));
}
