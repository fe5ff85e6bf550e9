import type { AttributeType } from '../core/mapping.ts';
import { refusedUserColumn, USER_COLUMNS, userColumn } from '../core/user-columns.ts';
import { splitDots } from './dotted.ts';
import { quote } from './quote.ts';
import { closest } from './suggest.ts';

/** A column, then the keys inside it. */
export type ColumnPath = readonly [string, ...string[]];

interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A column that may be mapped, or why the text is none. The type is undefined while only the database knows it. */
export type ParsedColumn<Type = AttributeType | undefined> =
  | { readonly ok: true; readonly path: ColumnPath; readonly type: Type }
  | Refusal;

const HOLE = 'there is nothing between two dots';

/**
 * Reads a column of `auth.users` or a path inside its metadata, such as `user_metadata.address.city`. The database's own names
 * of the metadata columns come out as `user_metadata` and `app_metadata`. `also` are other words that may stand here.
 */
export function parseColumn(text: string, also: readonly string[] = []): ParsedColumn<AttributeType> {
  const [first = '', ...keys] = text.split('.');
  if (first === '' || keys.includes('')) {
    return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message: `${quote(text)} is no column path: ${HOLE}` };
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

function unknownColumn(text: string, first: string, keys: readonly string[], also: readonly string[]): Refusal {
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

/**
 * Reads a column of a table of the app, or a path inside a json column of it: `address.city`. Names are as they are in the
 * database, which alone knows whether they exist; `\` before a dot keeps it in the name (see `splitDots`).
 */
export function parseTableColumn(text: string): ParsedColumn {
  const path = splitDots(text);
  if (!path.includes('')) return { ok: true, path, type: undefined };
  return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message: `${quote(text)} is no column path: ${HOLE}` };
}

/** The columns of `storage.objects` that an event may tell; those that hold many values have paths. */
const FILE_COLUMNS: ReadonlyMap<string, AttributeType> = new Map([
  ['id', 'text'],
  ['bucket_id', 'text'],
  ['name', 'text'],
  ['owner', 'text'],
  ['owner_id', 'text'],
  ['created_at', 'timestamp'],
  ['updated_at', 'timestamp'],
  ['metadata', 'json'],
  ['version', 'text'],
  ['user_metadata', 'json'],
]);

/** Reads a column of `storage.objects`, or a path inside its metadata, such as `metadata.mimetype`. */
export function parseFileColumn(text: string): ParsedColumn<AttributeType> {
  const [first, ...keys] = splitDots(text);
  const type = FILE_COLUMNS.get(first);
  if (first === '' || keys.includes('')) {
    return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message: `${quote(text)} is no column path: ${HOLE}` };
  }
  if (type === undefined) {
    const known = [...FILE_COLUMNS.keys()];
    const near = closest(first, known);
    const hint = near === undefined ? `Columns: ${known.join(', ')}.` : `Did you mean ${quote(near)}?`;
    const message = `storage.objects has no column ${quote(first)} that an event may tell`;
    return { ok: false, code: 'RC_CONFIG_COLUMN_UNKNOWN', message, hint };
  }
  if (keys.length === 0 || type === 'json') return { ok: true, path: [first, ...keys], type };
  const message = `${quote(first)} is one value (${type}): nothing lies inside it`;
  return { ok: false, code: 'RC_CONFIG_COLUMN_PATH', message, hint: 'Only metadata and user_metadata have paths.' };
}
