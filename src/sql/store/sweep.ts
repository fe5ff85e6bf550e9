import type { FoldResult, Store, SweepPage } from '../../engine/ports.ts';
import type { SweepFacts } from '../../engine/sweep-report.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

type SweepStore = Pick<
  Store,
  | 'beginSweep'
  | 'sweepPage'
  | 'absentPage'
  | 'foreseeDeletes'
  | 'foldKeys'
  | 'endSweep'
  | 'leaveSweep'
  | 'sweepFacts'
  | 'reportSweep'
>;

/** Refuses to sweep by another config, or in a copy of the database. */
const SAME_INSTALL = '(select rollcall.check_install($1, $2, $3) offset 0) as install';

/** The part of the store that the sweep uses. */
export function sweepStore(sql: Queryable, { configHash, projectRef, environment, erasureKey }: Identity): SweepStore {
  const key = erasureKey ?? null;
  const install = [configHash, projectRef, environment];
  return {
    async beginSweep(everyMs, force) {
      const [row] = await sql.query<{ uncaptured: string | null }>(
        // Text: a count, and what must have ended before it may be believed.
        `select rollcall.begin_sweep($4::bigint * interval '1 millisecond', $5) as uncaptured from ${SAME_INSTALL}`,
        [...install, Math.round(everyMs), force],
      );
      const uncaptured = row?.uncaptured ?? null;
      return uncaptured === null ? undefined : { uncaptured };
    },
    async sweepPage(after, limit) {
      const [row] = await retryConflict(() =>
        sql.query<Omit<SweepPage, 'lastKey'> & { last_key: string | null }>(
          'select * from rollcall.sweep_page(rollcall.with_key($1, $3), $2)',
          [after, limit, key],
        ),
      );
      if (row === undefined) throw new Error('rollcall.sweep_page returned nothing');
      const { last_key: lastKey, ...page } = row;
      return { ...page, lastKey };
    },
    async absentPage(after, limit) {
      const [row] = await sql.query<{ last_key: string | null; scanned: number; keys: string[] | null }>(
        'select * from rollcall.absent_page(rollcall.with_key($1, $3), $2)',
        [after, limit, key],
      );
      return { lastKey: row?.last_key ?? null, scanned: row?.scanned ?? 0, keys: row?.keys ?? [] };
    },
    async foreseeDeletes(count) {
      await sql.query('select rollcall.foresee_deletes($1)', [count]);
    },
    async foldKeys(keys) {
      const [row] = await retryConflict(() =>
        sql.query<{ changed: number; failed: number }>(
          `select f.* from ${SAME_INSTALL}
             cross join lateral rollcall.fold_keys(case when rollcall.with_key('', $5) = '' then $4::text[] end, 1::smallint) f`,
          [...install, keys, key],
        ),
      );
      return {
        busy: false,
        taken: keys.length,
        more: false,
        changed: row?.changed ?? 0,
        failed: row?.failed ?? 0,
      } satisfies FoldResult;
    },
    async leaveSweep() {
      await sql.query('update rollcall.install set sweep_until = null');
    },
    async sweepFacts() {
      const [row] = await sql.query<{ facts: SweepFacts }>('select rollcall.sweep_facts() as facts');
      if (row === undefined) throw new Error('rollcall.install is empty');
      return row.facts;
    },
    async reportSweep(report) {
      await sql.query('select rollcall.report_sweep($1)', [JSON.stringify(report)]);
    },
    async endSweep(ticket) {
      await sql.query('select rollcall.end_sweep($1)', [ticket.uncaptured]);
    },
  };
}
