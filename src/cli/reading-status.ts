import type { Config } from '../config/types.ts';
import type { ReadingGauges } from '../core/gauges.ts';
import { readingGauges } from '../sources/api/reading-gauges.ts';
import type { Sql } from '../sql/port.ts';
import { count, duration } from './layout.ts';
import type { Problem } from './status-problems.ts';

/** How reading a project by its API stands. */
export interface ReadingStatus extends ReadingGauges {
  readonly tables: readonly {
    readonly name: string;
    /** At the last whole reading; null before the first. */
    readonly rows: number | null;
    /** Rows that were left out, as the state database does not take a value of theirs. */
    readonly skipped: number;
  }[];
}

/** Undefined where the project is read by its database. @throws the driver's error, where nothing is installed */
export async function readReading(sql: Sql, { api }: Config): Promise<ReadingStatus | undefined> {
  if (api === undefined) return undefined;
  const [row] = await sql.query<Pick<ReadingStatus, 'tables'> & { [column: string]: unknown }>(`
    select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'rows', case when s.loaded_at is not null then s.rows end,
             'skipped', s.skipped) order by s.id), '[]') as tables from rollcall_api.sources s`);
  return { ...(await readingGauges(sql, api)), tables: row?.tables ?? [] };
}

/** What of it needs a person. */
export function readingProblems(reading: ReadingStatus | undefined): readonly Problem[] {
  if (reading === undefined) return [];
  const problems: Problem[] = [];
  if (reading.late) {
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
export function readingLine({ read_s: ago, tables }: ReadingStatus): string {
  const rows = tables.map(({ name, rows: n }) => `${name} ${n === null ? 'not yet' : n.toLocaleString('en-US')}`);
  return `Read by the API: ${ago === null ? 'not whole yet' : `whole ${duration(ago)} ago`} (${rows.join(', ')}).`;
}
