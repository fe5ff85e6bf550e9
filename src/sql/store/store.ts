import type { Bucket, DestinationState, FoldResult, Store } from '../../engine/ports.ts';
import type { Sql } from '../port.ts';
import { backfillStore } from './backfill.ts';
import { stoppedBrakes } from './brakes.ts';
import { claim, release } from './claim.ts';
import type { Identity } from './identity.ts';
import { jobStore } from './jobs.ts';
import { createPosition, noteSetBack, type Position, POSITION_COLUMNS } from './position.ts';
import { settle } from './settle.ts';
import { retryConflict } from './retry-conflict.ts';
import { sweepStore } from './sweep.ts';

/** Its name in `rollcall.sources`. Other sources are paused by the fold itself. */
const USERS = 'auth.users';

/** The engine's store over Postgres: each method is one call of a function in the `rollcall` schema. */
export function createStore(sql: Sql, identity: Identity): Store {
  const position = createPosition();
  return {
    destinations: () => destinations(sql, position),
    async fold(limit) {
      const { lsn, boundAt } = position;
      const [row] = await noteSetBack(sql, () =>
        retryConflict(() =>
          sql.query<FoldRow>(
            `select f.*, ${POSITION_COLUMNS} from rollcall.fold(rollcall.with_key($1, $5), $2, $3, $4) f`,
            [identity.configHash, limit, lsn, boundAt, identity.erasureKey ?? null],
          ),
        ),
      );
      if (row === undefined) return { busy: false, taken: 0, changed: 0, failed: 0, more: false };
      position.saw(row.lsn, row.bound_at);
      const { busy, taken, changed, failed, more } = row;
      return { busy, taken, changed, failed, more };
    },
    claim: (destination, lease, scope) => claim(sql, identity, destination, lease, scope, position),
    release: (destination, token, contactIds) => release(sql, destination, token, contactIds),
    settle: (destination, lease, settlements) => retryConflict(() => settle(sql, destination, lease, settlements)),
    async takeSends(destination, buckets, want) {
      const [row] = await sql.query<{ granted: number; wait_ms: number }>(
        'select * from rollcall.take_sends($1, $2, $3)',
        [destination, bucketsJson(buckets), want],
      );
      return { granted: row?.granted ?? 0, waitMs: row?.wait_ms ?? 1000 };
    },
    async holdSends(destination, buckets, waitMs) {
      await sql.query('select rollcall.hold_sends($1, $2, $3)', [
        destination,
        bucketsJson(buckets),
        Math.round(waitMs),
      ]);
    },
    async pause(destination, code, message, pauseMs) {
      await sql.query('select rollcall.pause_destination($1, $2, $3, $4)', [
        destination,
        code,
        message,
        Number.isFinite(pauseMs) ? Math.round(pauseMs) : null,
      ]);
    },
    async resume(destination) {
      await sql.query('select rollcall.resume_destination($1)', [destination]);
    },
    async takeProbe(destination, holdMs) {
      const [row] = await sql.query<{ taken: boolean | null }>('select rollcall.take_probe($1, $2) as taken', [
        destination,
        holdMs,
      ]);
      return row?.taken === true;
    },
    async endProbe(destination, waitMs) {
      await sql.query('select rollcall.end_probe($1, $2)', [destination, waitMs]);
    },
    async endPauses() {
      await sql.query('select rollcall.note_work(), rollcall.end_pauses(false)');
    },
    async pauseSource(code, message) {
      await sql.query('select rollcall.pause_source($1, $2, $3)', [USERS, code, message]);
    },
    async resumeSource() {
      await sql.query('select rollcall.resume_source($1)', [USERS]);
    },
    async ensureTriggers() {
      const [row] = await sql.query<{ made: number }>('select rollcall.ensure_triggers() as made');
      return row?.made ?? 0;
    },
    async recheckSources() {
      await sql.query('select rollcall.recheck_sources()');
      return await sql.query<{ name: string; code: string }>(
        `select name, pause_code as code from rollcall.sources
          where enabled and pause_code is not null and name <> $1 order by name`,
        [USERS],
      );
    },
    stoppedBrakes: () => stoppedBrakes(sql),
    async arm(forMs) {
      await sql.query(
        `select setval('rollcall.armed_until', case when $1::int = 0 then 0 else ceil(extract(epoch from clock_timestamp()) + $1::int / 1000.0)::bigint end)`,
        [Math.round(forMs)],
      );
    },
    async tidy(attemptsOlderThanMs) {
      const [row] = await sql.query<{ more: boolean }>(
        `select rollcall.tidy($1::bigint * interval '1 millisecond') as more`,
        [Math.round(attemptsOlderThanMs)],
      );
      return row?.more === true;
    },
    ...sweepStore(sql, identity),
    ...jobStore(sql, identity, position),
    ...backfillStore(sql, identity),
  };
}

function bucketsJson(buckets: readonly Bucket[]): string {
  return JSON.stringify(buckets.map(({ name, intervalUs, burst }) => ({ name, interval_us: intervalUs, burst })));
}

interface FoldRow extends FoldResult {
  readonly [column: string]: unknown;
  readonly lsn: string;
  readonly bound_at: string | null;
}

async function destinations(sql: Sql, position: Position): Promise<readonly DestinationState[]> {
  const rows = await sql.query<{
    id: number;
    name: string;
    plan: DestinationState['plan'];
    paused_ms: number;
    pauses: number;
    lsn: string;
    bound_at: string | null;
  }>(
    `select id, name, plan, pauses, ${POSITION_COLUMNS},
            case when paused_until = 'infinity' then 2147483647
                 else greatest(0, coalesce(extract(epoch from paused_until - clock_timestamp()) * 1000, 0))::int end as paused_ms
       from rollcall.destinations where enabled order by id`,
  );
  for (const { lsn, bound_at: boundAt } of rows) position.saw(lsn, boundAt);
  return rows.map((r) => ({ id: r.id, name: r.name, plan: r.plan, pausedMs: r.paused_ms, pauses: r.pauses }));
}
