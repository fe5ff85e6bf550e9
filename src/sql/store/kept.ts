import { parseJson, renderJson } from '../../core/json.ts';
import type { KeptLine } from '../../core/kept.ts';
import type { KeptStore } from '../../engine/kept-ports.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

const PAGE = 1_000;
/** The writer has died when it has not ended by then. */
const HOLD = '5 minutes';

/** What outlives a restore, over Postgres. */
export function keptStore(sql: Queryable, { erasureKey }: Identity): KeptStore {
  const key = erasureKey ?? null;
  return {
    async begin(everyMs, force) {
      const [row] = await sql.query<{ mine: boolean }>(
        `select rollcall.begin_kept($1::bigint * interval '1 millisecond', rollcall.with_key($2, $4)::interval, $3) as mine`,
        [Math.round(everyMs), HOLD, force, key],
      );
      return row?.mine === true;
    },
    async all() {
      const [row] = await sql.query<{ value: string }>(
        `select rollcall.kept_check() as value from (select rollcall.with_key('', $1) as k offset 0) x where x.k = ''`,
        [key],
      );
      const lines: KeptLine[] = [];
      for (let after: string | null = null; ;) {
        const [page]: readonly { readonly lines: string; readonly next: string | null }[] = await sql.query<{
          lines: string;
          next: string | null;
        }>('select p.lines::text, p.next from rollcall.kept_page(rollcall.with_key($1, $3), $2) p', [after, PAGE, key]);
        lines.push(...((parseJson(page?.lines ?? '[]') as unknown as KeptLine[] | undefined) ?? []));
        if (page?.next == null) return { check: row?.value ?? '', lines };
        after = page.next;
      }
    },
    async end() {
      await sql.query('select rollcall.end_kept()');
    },
    async leave() {
      await sql.query('select rollcall.leave_kept()');
    },
    async obey({ check, lines }) {
      for (let n = 0; n < Math.max(1, lines.length); n += PAGE) {
        const page = renderJson(lines.slice(n, n + PAGE) as never);
        await sql.query('select rollcall.read_kept(rollcall.with_key($1, $3), $2)', [check, page, key]);
      }
      await sql.query(
        `select rollcall.end_reading_kept() from (select rollcall.with_key('', $1) as k offset 0) x where x.k = ''`,
        [key],
      );
      for (let after: string | null = '0'; after !== null;) {
        const from: string = after;
        const [row] = await retryConflict(() =>
          sql.query<{ last: string | null }>(
            'select rollcall.obey_kept(rollcall.with_key($1, $3)::bigint, $2)::text as last',
            [from, PAGE, key],
          ),
        );
        after = row?.last ?? null;
      }
    },
  };
}
