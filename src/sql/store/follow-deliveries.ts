import { follow, type Followed, followTimes, type FollowedTimes } from '../../core/follow.ts';
import type { Queryable } from '../port.ts';
import { ATTEMPT_LINES, attemptAt, type DeliveryLine, endedEvents, isoTime } from './deliveries.ts';

/** As many attempts are read in one look; where there are more, the next look follows at once. */
const MOST = 5_000;
/** What was written a moment before the beginning may be committed after it: so many ids are watched from the start. */
const BACK = 1_000;

/** What came in since the last look, the oldest first. */
export interface Look {
  readonly lines: readonly DeliveryLine[];
  /** There is more to be read at once. */
  readonly more: boolean;
}

interface Row {
  readonly [column: string]: unknown;
  readonly xmin: string;
  readonly xmax: string;
  readonly at: string;
  readonly attempts: readonly DeliveryLine[];
  readonly events: readonly DeliveryLine[];
}

const LOOK = `
  with page as materialized (
    (select a.*, a.xmin::text as tx from rollcall.attempts a where a.id > $1 order by a.id limit ${MOST})
    union all (select a.*, a.xmin::text as tx from rollcall.attempts a where a.id = any($2::bigint[]))
  ), ${ATTEMPT_LINES}
  select pg_snapshot_xmin(x.s)::text as xmin, pg_snapshot_xmax(x.s)::text as xmax, ${isoTime('statement_timestamp()')} as at,
         (select coalesce(jsonb_agg(to_jsonb(l) order by l.id), '[]') from attempt_lines l) as attempts,
         (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from (${endedEvents('e.ended_at > $3')}) l) as events
    from (select pg_current_snapshot() as s) x`;

/**
 * Follows what is tried and what becomes of events. A look reads by index what is new and what was not committed at the last one, in
 * one statement with its own snapshot, so nothing is missed and nothing read twice: see `core/follow.ts`.
 * @param since ISO 8601: also what is that old; from now on when absent
 * @returns a look, to be called again and again
 */
export async function followDeliveries(sql: Queryable, since: string | undefined): Promise<() => Promise<Look>> {
  const [clock] = await sql.query<{ now: string }>(`select ${isoTime('clock_timestamp()')} as now`);
  const from = since ?? clock?.now ?? '';
  let followed: Followed = { last: Math.max(0, (await attemptAt(sql, from)) - 1 - BACK), gaps: [] };
  let times: FollowedTimes = { from, marks: [] };
  let seen = new Map<string, string>();
  let caughtUp = false;
  return async () => {
    const gaps = followed.gaps.map(({ id }) => id);
    const [row] = await sql.query<Row>(LOOK, [followed.last, gaps, times.from]);
    if (row === undefined) return { lines: [], more: false };
    const { at, attempts } = row;
    const look = { xmin: BigInt(row.xmin), xmax: BigInt(row.xmax) };
    followed = follow(
      followed,
      attempts.map(({ id }) => id ?? 0),
      look,
    );
    times = followTimes(times, { ...look, at });
    const events = row.events.filter(({ ended }) => !seen.has(ended ?? ''));
    seen = new Map(
      [...seen, ...events.map((line) => [line.ended ?? '', line.at] as const)].filter(([, t]) => t > times.from),
    );
    const more = attempts.length >= MOST;
    // What is older than the beginning was read only to know what was missing in between.
    const wanted = caughtUp ? attempts : attempts.filter((line) => line.at >= from);
    if (!more) caughtUp = true;
    const lines = [...wanted, ...events].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    return { lines, more };
  };
}
