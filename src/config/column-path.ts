import type { AttributeType } from '../core/mapping.ts';
import { refusedUserColumn, USER_COLUMNS, userColumn } from '../core/user-columns.ts';
import { quote } from './quote.ts';
import { closest } from './suggest.ts';

/** A column, then the keys inside it. */
export type ColumnPath = readonly [string, ...string[]];

type ParsedColumn =
  | { readonly ok: true; readonly path: ColumnPath; readonly type: AttributeType }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint?: string | undefined };

/**
 * Reads a column of `auth.users` or a path inside its metadata, such as `user_metadata.address.city`. The database's own names
 * of the metadata columns come out as `user_metadata` and `app_metadata`. `also` are other words that may stand here.
 */
export function parseColumn(text: string, also: readonly string[] = []): ParsedColumn {
  const [first = '', ...keys] = text.split('.');
  if (first === '' || keys.includes('')) {
    const message = `${quote(text)} is no column path: there is nothing between two dots`;
    return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message };
  }
  const column = userColumn(first);
  if (column === undefined) return unknownColumn(text, first, keys, also);
  if (keys.length > 0 && column.type !== 'json') {
    const message = `${quote(first)} is one value (${column.type}): nothing lies inside it`;
    const hint = 'Only user_metadata and app_metadata have paths.';
    return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message, hint };
  }
  return { ok: true, path: [column.name, ...keys], type: column.type };
}

function unknownColumn(text: string, first: string, keys: readonly string[], also: readonly string[]): ParsedColumn {
  const refused = refusedUserColumn(first);
  if (refused !== undefined) {
    return { ok: false, code: 'RC_CONFIG_COLUMN_REFUSED', message: `${quote(first)} can't be mapped: ${refused}` };
  }
  const near = closest(first, [...USER_COLUMNS.map((column) => column.name), ...also]);
  const fixed = near === undefined ? undefined : quote([near, ...keys].join('.'));
  const hint =
    fixed === undefined
      ? `Columns: ${USER_COLUMNS.map((column) => column.name).join(', ')}. For metadata write ${quote(`user_metadata.${text}`)}.`
      : `Did you mean ${fixed}?`;
  return { ok: false, code: 'RC_CONFIG_COLUMN_UNKNOWN', message: `auth.users has no column ${quote(first)}`, hint };
}
