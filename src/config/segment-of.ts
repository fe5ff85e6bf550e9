import { RollcallError } from '../core/errors.ts';
import type { Segment, SegmentSource } from '../core/segments.ts';
import { TABLE_SCOPE, USER_SCOPE } from './column-scope.ts';
import { FilterError, parseFilter } from './filter.ts';
import { filterSql } from './filter-sql.ts';
import { Issues } from './issues.ts';
import { parseTableName, tableKey } from './table-name.ts';
import type { Config } from './types.ts';

/** A segment as it is asked for at a prompt. */
export interface AskedSegment {
  readonly from: string;
  /** One of the two. */
  readonly filter: string | undefined;
  readonly where: string | undefined;
}

/** The path of such a segment, which is nowhere in the file. */
export const ASKED = 'segments.?';

const NO_PLACE = { path: ASKED, line: 1, column: 1 };

/**
 * A segment that is not in the config, over the config's own tables.
 * @throws RollcallError `RC_CONFIG_FILTER`; what is wrong with the name of the table
 */
export function segmentOf({ from, filter, where }: AskedSegment, config: Config): Segment {
  const source = sourceOf(from, config);
  const expression = where ?? compiled(filter ?? '', source);
  return {
    ...NO_PLACE,
    name: 'preview',
    destination: '',
    list: '',
    from: source,
    where: { expression, line: 1, column: 1 },
    filter,
  };
}

function sourceOf(from: string, config: Config): SegmentSource {
  if (from === 'users' || from === 'auth.users') return { kind: 'users' };
  const issues = new Issues('--from');
  const table = parseTableName(from, { at: { line: 1, column: 1 }, path: ['from'] }, undefined, issues);
  if (table === undefined) throw issues.errors()[0] ?? new TypeError('a name of a table is wrong for no reason');
  const mapped = config.tables.some((each) => tableKey(each.table) === tableKey(table));
  return mapped ? { kind: 'contacts', table } : { kind: 'related', table, link: undefined };
}

function compiled(text: string, { kind }: SegmentSource): string {
  try {
    return filterSql(parseFilter(text), kind === 'users' ? USER_SCOPE : TABLE_SCOPE);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new RollcallError('RC_CONFIG_FILTER', `${error.message} (character ${error.at} of the filter).`, {
      hint: error.hint,
    });
  }
}
