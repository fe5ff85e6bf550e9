import { quoteIdent, quoteLiteral, quoteTexts } from '../sql/quote.ts';
import type { ColumnScope } from './column-scope.ts';
import { type Filter, type FilterColumn, FilterError, type FilterTest } from './filter.ts';

const SIGNS = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=', like: 'like', ilike: 'ilike' } as const;

/**
 * A filter as an SQL condition over one row. Columns are quoted; values are literals of no type, which take that of what they are
 * compared with, as PostgREST has it: a text that is no number beside a number is an error of Postgres when the condition is checked.
 * @throws FilterError where a column cannot be mapped
 */
export function filterSql(filter: Filter, scope: ColumnScope): string {
  if (filter.kind === 'test') {
    const sql = testSql(columnSql(filter.column, scope), filter.test);
    return filter.negated ? `not (${sql})` : sql;
  }
  const [first = 'true', ...rest] = filter.of.map((each) => filterSql(each, scope));
  const word = filter.kind === 'all' ? ' and ' : ' or ';
  const joined =
    rest.length === 0 && !filter.negated ? first : `(${[first, ...rest].map((each) => `(${each})`).join(word)})`;
  return filter.negated ? `not ${joined}` : joined;
}

function testSql(column: string, test: FilterTest): string {
  switch (test.operator) {
    case 'is':
      return `${column} is ${test.value === 'not_null' ? 'not null' : test.value}`;
    case 'in':
      // Of an empty list nothing is a member, not even a null.
      return test.values.length === 0 ? 'false' : `${column} in (${test.values.map(literal).join(', ')})`;
    case 'like':
    case 'ilike':
      return `${column} ${SIGNS[test.operator]} ${literal(test.value.replaceAll('*', '%'))}`;
    case 'eq':
    case 'neq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return `${column} ${SIGNS[test.operator]} ${literal(test.value)}`;
    default:
      return test satisfies never;
  }
}

/** Of a backslash as of any other character: what comes before it must end the word. */
function literal(value: string): string {
  return quoteLiteral(value).trimStart();
}

/** A column, or what stands in its JSON: by arrows as PostgREST writes it, or by dots as the rest of the config does, which gives text. */
function columnSql({ name, quoted, steps, at }: FilterColumn, scope: ColumnScope): string {
  const column = scope.parse(quoted ? name.replaceAll(/[.\\]/g, String.raw`\$&`) : name);
  if (!column.ok) throw new FilterError(column.message, at, column.hint);
  const [first, ...keys] = column.path;
  const base =
    keys.length === 0
      ? quoteIdent(first)
      : `(${quoteIdent(first)} ${steps.length === 0 ? '#>>' : '#>'} ${quoteTexts(keys)})`;
  return steps.reduce((sql, { text, key }) => {
    const step = typeof key === 'number' ? String(key) : literal(key);
    return `(${sql} ${text ? '->>' : '->'} ${step})`;
  }, base);
}
