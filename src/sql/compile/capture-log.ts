import type { RowOperation } from '../../core/mapping.ts';
import { quoteLiteral } from '../quote.ts';

/** What goes into the log. */
export interface LogRows {
  /** A query of one column, without nulls, or EXECUTE with the text of one. */
  readonly query: string;
  /** The column of the log. */
  readonly into: 'keys' | 'events';
  /** Of the log row. */
  readonly source: string | null;
  /** Variables for one value of the query, and for those of one log row; the latter null. */
  readonly item: string;
  readonly list: string;
  /** A call of the inner capture function with that list. */
  readonly capture: string;
}

/** Most values in one log row. */
const MOST = { keys: 1_000, events: 100 };

/** Where a few rows go straight to: the number of the current log table; 3 when an idle worker has to be told as well. */
export const CURRENT_LOG = `case when to_timestamp(pg_sequence_last_value('rollcall.armed_until')) > clock_timestamp() then 3
      else coalesce(pg_sequence_last_value('rollcall.current_log'), 0) end`;

/**
 * SQL that puts the values of a query into the log, with \`v_log\` as above. Every expression and every query that a
 * statement of the app meets on its way costs it something. So what fits one log row is read and written by one query, but of
 * an update, for which the query is the dearer part; all else goes through the inner capture function, piece by piece, as
 * however many rows there are take no more memory then. As a condition, a call costs half of what it costs as a statement.
 */
export function logRows(operation: RowOperation, rows: LogRows): string {
  const { query, into, item, list, capture } = rows;
  const pieces = `for ${item} in ${query} loop
        ${list} := array_append(${list}, ${item});
        if cardinality(${list}) = ${MOST[into]} then
          if ${capture} is null then end if;
          ${list} := null;
        end if;
      end loop;
      if ${list} is not null then
        if ${capture} is null then end if;
        ${list} := null;
      end if;`;
  if (operation === 'update') return `\n      ${list} := null;\n      ${pieces}`;
  return `
      ${[0, 1, 2].map((n) => `if v_log = ${n} then ${straight(n, rows)}`).join('\n      els')}
      end if;
      if v_log > 2 or not found then
      ${pieces}
      end if;`;
}

/** Writes nothing when there is nothing, or too much for one log row. */
function straight(log: number, { query, into, source }: LogRows): string {
  const [columns, values] = source === null ? [into, 'x.list'] : [`source, ${into}`, `${quoteLiteral(source)}, x.list`];
  return `insert into rollcall.changes_${log} (${columns}) select ${values}
        from (select array(${query} limit ${MOST[into] + 1}) as list offset 0) as x where cardinality(x.list) between 1 and ${MOST[into]};`;
}
