import type { FoldResult, Store } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import { retryConflict } from './retry-conflict.ts';

type SweepStore = Pick<Store, 'beginSweep' | 'sweepPage' | 'absentPage' | 'foldKeys' | 'endSweep' | 'leaveSweep'>;

/** The part of the store that the sweep uses. */
export function sweepStore(sql: Queryable): SweepStore {
  return {
    async beginSweep(everyMs, force) {
      const [row] = await sql.query<{ uncaptured: string | null }>(
        // Text: a count, and what must have ended before it may be believed.
        `select rollcall.begin_sweep($1::bigint * interval '1 millisecond', $2) as uncaptured`,
        [Math.round(everyMs), force],
      );
      const uncaptured = row?.uncaptured ?? null;
      return uncaptured === null ? undefined : { uncaptured };
    },
    async sweepPage(after, limit) {
      const [row] = await retryConflict(() =>
        sql.query<{ last_key: string | null; scanned: number; folded: number }>(
          'select * from rollcall.sweep_page($1, $2)',
          [after, limit],
        ),
      );
      return { lastKey: row?.last_key ?? null, scanned: row?.scanned ?? 0, folded: row?.folded ?? 0 };
    },
    async absentPage(after, limit) {
      const [row] = await sql.query<{ last_key: string | null; scanned: number; keys: string[] | null }>(
        'select * from rollcall.absent_page($1, $2)',
        [after, limit],
      );
      return { lastKey: row?.last_key ?? null, scanned: row?.scanned ?? 0, keys: row?.keys ?? [] };
    },
    async foldKeys(keys) {
      const [row] = await retryConflict(() =>
        sql.query<{ changed: number; failed: number }>('select * from rollcall.fold_keys($1, 1::smallint)', [keys]),
      );
      return {
        busy: false,
        taken: keys.length,
        changed: row?.changed ?? 0,
        failed: row?.failed ?? 0,
      } satisfies FoldResult;
    },
    async leaveSweep() {
      await sql.query('update rollcall.install set sweep_until = null');
    },
    async endSweep(ticket, note) {
      await sql.query('select rollcall.end_sweep($1, $2)', [ticket.uncaptured, note]);
    },
  };
}
