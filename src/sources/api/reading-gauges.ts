import type { ApiSource } from '../../config/types.ts';
import type { ReadingGauges } from '../../core/gauges.ts';
import type { Queryable } from '../../sql/port.ts';

/** Between two whole readings, in s; more where they shall be rarer. */
const LATE_S = 300;
const LATE_POLLS = 10;
/** A large project takes its time: so many rows a second are slow, and not stuck. */
const SLOW_ROWS = 200;

/**
 * How reading a project by its API stands. Nobody is late who gets on: the rows that the reading under way has seen count too.
 * @throws the driver's error, where nothing is installed
 */
export async function readingGauges(sql: Queryable, { pollMs }: Pick<ApiSource, 'pollMs'>): Promise<ReadingGauges> {
  const [row] = await sql.query<Omit<ReadingGauges, 'late'> & { rows: number; [column: string]: unknown }>(`
    select extract(epoch from clock_timestamp() - r.ended_at)::float8 as read_s,
           coalesce(extract(epoch from clock_timestamp() - coalesce(r.ended_at, i.bound_at)), 0)::float8 as waited_s,
           (select coalesce(sum(greatest(s.rows, (s.place ->> 'seen')::bigint)), 0) from rollcall_api.sources s)::float8 as rows
      from rollcall_api.reader r, rollcall.install i`);
  const { read_s = null, waited_s = 0, rows = 0 } = row ?? {};
  return { read_s, waited_s, late: waited_s > lateS(rows, pollMs) };
}

function lateS(rows: number, pollMs: number): number {
  return Math.max(LATE_S, (LATE_POLLS * pollMs) / 1_000) + rows / SLOW_ROWS;
}
