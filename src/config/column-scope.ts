import { type ParsedColumn, parseColumn, parseFileColumn, parseTableColumn } from './column-path.ts';
import type { PlaceholderCheck } from './read-transforms.ts';

/** The columns that one mapping may name. */
export interface ColumnScope {
  /** Reads a column or a path. `also` are other words that may stand there, for suggestions. */
  parse(text: string, also?: readonly string[]): ParsedColumn;
  /** Of a template. */
  readonly placeholder: PlaceholderCheck;
}

/** Columns of `auth.users`. */
export const USER_SCOPE: ColumnScope = {
  parse: parseColumn,
  placeholder: (text) => placeholder(parseColumn(text, ['value'])),
};

/** Columns of `storage.objects`. */
export const FILE_SCOPE: ColumnScope = {
  parse: parseFileColumn,
  placeholder: (text) => plainPlaceholder(text, parseFileColumn),
};

/** Columns of a table of the app: any name will do until `apply` meets the database. */
export const TABLE_SCOPE: ColumnScope = {
  parse: parseTableColumn,
  placeholder: (text) => plainPlaceholder(text, parseTableColumn),
};

function placeholder(column: ParsedColumn): ReturnType<PlaceholderCheck> {
  return column.ok ? { path: column.path.join('.') } : { problem: column.message, hint: column.hint };
}

/** A path is kept in the template as text, so no name in it may hold a dot. */
function plainPlaceholder(text: string, parse: (text: string) => ParsedColumn): ReturnType<PlaceholderCheck> {
  if (text === '') return { problem: 'a column is missing between braces' };
  if (!text.includes('\\')) return placeholder(parse(text));
  return { problem: 'a name with a backslash does not fit between braces', hint: 'Write an sql expression instead.' };
}
