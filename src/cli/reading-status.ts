import type { Config } from '../config/types.ts';
import type { Sql } from '../sql/port.ts';
import { count, duration } from './layout.ts';
import type { Problem } from './status-problems.ts';

/** How reading a project by its API stands. */
export interface ReadingStatus {
  /** Since the last whole reading ended, in s; null while there was none. */
  readonly read_s: number | null;
  readonly tables: readonly {
    readonly name: string;
    /** At the last whole reading; null before the first. */
    readonly rows: number | null;
    /** Rows that were left out, as the state database does not take a value of theirs. */
    readonly skipped: number;
  }[];
}

/** A reading may take long; this is one that has stopped. In s. */
const LATE_S = 300;

/** Undefined where the project is read by its database. */
export async function readReading(sql: Sql, config: Config): Promise<ReadingStatus | undefined> {
  if (config.api === undefined) return undefined;
  const [row] = await sql.query<{ reading: ReadingStatus }>(`select jsonb_build_object(
    'read_s', (select extract(epoch from clock_timestamp() - r.ended_at)::float8 from rollcall_api.reader r),
    'tables', (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'rows', case when s.loaded_at is not null then s.rows end,
       'skipped', s.skipped) order by s.id), '[]') from rollcall_api.sources s)) as reading`);
  return row?.reading;
}

/** What of it needs a person. */
export function readingProblems(reading: ReadingStatus | undefined, { api }: Config): readonly Problem[] {
  if (reading === undefined || api === undefined) return [];
  const problems: Problem[] = [];
  const late = Math.max(LATE_S, (10 * api.pollMs) / 1000);
  if (reading.read_s === null || reading.read_s > late) {
    const since =
      reading.read_s === null ? 'never been read whole' : `not been read whole for ${duration(reading.read_s)}`;
    problems.push({
      code: 'RC_API_NOT_READ',
      message: `The project has ${since}.`,
      hint: 'Is a worker running (`rollcall start`), and what does its log say? `rollcall test` asks the API.',
    });
  }
  for (const { name, skipped } of reading.tables) {
    if (skipped === 0) continue;
    problems.push({
      code: 'RC_API_SKIPPED',
      message: `${name}: ${count(skipped, 'time')} a row was left out, as the state database does not take one of its values.`,
      hint: "The worker's log has the SQLSTATE. What was known of the row before stays.",
    });
  }
  return problems;
}

/** One line for people. */
export function readingLine(reading: ReadingStatus): string {
  const rows = reading.tables.map(
    ({ name, rows: n }) => `${name} ${n === null ? 'not yet' : n.toLocaleString('en-US')}`,
  );
  const when = reading.read_s === null ? 'not read whole yet' : `read whole ${duration(reading.read_s)} ago`;
  return `by the API   ${when}: ${rows.join(', ')}`;
}
