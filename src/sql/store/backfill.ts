import type { Backfill, BackfillStore } from '../../engine/backfill-ports.ts';
import type { Queryable } from '../port.ts';
import { countsOf } from './backfill-counts.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

const COLUMNS = `id, what, resource, since::text, most::text, expected::text, scanned::text, pages, counts, walked_at is not null as walked,
  extract(epoch from clock_timestamp() - began_at)::float8 as seconds`;

/** The part of the store that backfills use. */
export function backfillStore(sql: Queryable, { configHash, erasureKey }: Identity): BackfillStore {
  const read = async (where: string, values: readonly unknown[]): Promise<Backfill | undefined> => {
    const [row] = await sql.query<BackfillRow>(`select ${COLUMNS} from rollcall.backfills where ${where}`, values);
    return row === undefined ? undefined : toBackfill(row);
  };
  const existing = async (id: number): Promise<Backfill> => {
    const found = await read('id = $1', [id]);
    if (found === undefined) throw new Error('the backfill is gone');
    return found;
  };
  return {
    openBackfill: () => read('ended_at is null', []),
    async beginBackfill({ what, resource, since, most }) {
      const [row] = await sql.query<{ id: number }>('select rollcall.begin_backfill($1, $2, $3, $4, $5) as id', [
        what,
        resource,
        since,
        most,
        configHash,
      ]);
      return await existing(row?.id ?? 0);
    },
    async holdBackfill(holder, holdMs) {
      const [row] = await sql.query<{ id: number | null }>(
        `select rollcall.hold_backfill($1, $2::int * interval '1 millisecond') as id`,
        [holder, holdMs],
      );
      const id = row?.id ?? null;
      return id === null ? undefined : await existing(id);
    },
    async backfillPage(id, holder, holdMs, limit) {
      const [row] = await retryConflict(() =>
        sql.query<{ scanned: number; changed: number; walked: boolean }>(
          `select * from rollcall.backfill_page($1, $2, $3::int * interval '1 millisecond', $4, rollcall.with_key($5, $6))`,
          [id, holder, holdMs, limit, configHash, erasureKey ?? null],
        ),
      );
      return row;
    },
    async foldLagMs() {
      const [row] = await sql.query<{ ms: string }>('select rollcall.fold_lag_ms()::text as ms');
      return Number(row?.ms ?? 0);
    },
    async backfillPending() {
      const rows = await sql.query<{ destination: string; pending: number; held: number; pause_code: string | null }>(
        `select d.name as destination, d.pause_code,
                (select count(*) from rollcall.due q where q.queue = d.id * 4 + 1)::int as pending,
                (select count(*) from rollcall.due q where q.queue in (d.id * 4 + 2, d.id * 4 + 3))::int as held
           from rollcall.destinations d where d.enabled order by d.id`,
      );
      return rows.map(({ destination, pending, held, pause_code: pauseCode }) => ({
        destination,
        pending,
        held,
        pauseCode,
      }));
    },
    async endBackfill(id) {
      await sql.query('update rollcall.backfills set ended_at = clock_timestamp() where id = $1 and ended_at is null', [
        id,
      ]);
      const rows = await sql.query<{ destination: string; code: string; n: number }>(
        `select d.name as destination, l.code, count(*)::int as n
           from rollcall.dead_letters l join rollcall.destinations d on d.id = l.destination_id
          where d.enabled and l.stage = 'deliver' and l.at >= (select b.began_at from rollcall.backfills b where b.id = $1)
          group by 1, 2 order by 1, 2`,
        [id],
      );
      return rows.map(({ destination, code, n }) => ({ destination, code, count: n }));
    },
  };
}

interface BackfillRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly what: Backfill['what'];
  readonly resource: string | null;
  readonly since: string | null;
  readonly most: string | null;
  readonly expected: string | null;
  readonly scanned: string;
  readonly pages: number;
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly walked: boolean;
  readonly seconds: number;
}

function toBackfill(row: BackfillRow): Backfill {
  const { id, what, resource, since, pages, walked, seconds } = row;
  const number = (text: string | null): number | null => (text === null ? null : Number(text));
  return {
    id,
    what,
    resource,
    since,
    pages,
    walked,
    seconds,
    most: number(row.most),
    expected: number(row.expected),
    scanned: Number(row.scanned),
    counts: Object.fromEntries(Object.entries(row.counts).map(([name, states]) => [name, countsOf(states)])),
  };
}
