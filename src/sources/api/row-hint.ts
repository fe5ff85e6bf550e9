import type { JsonObject } from '../../core/json.ts';
import { textOf } from './text-of.ts';
import type { Reader, RowHint } from './reader.ts';

/**
 * The rows that a message is about: of each version of a row the key alone, as its values are read again.
 * @returns none where the table is not read, or where a version has no key
 */
export function hintOf(table: string, rows: readonly JsonObject[], reader: Pick<Reader, 'keyOf'>): readonly RowHint[] {
  const columns = reader.keyOf(table);
  if (columns === undefined) return [];
  return rows
    .filter((row) => columns.every((column) => row[column] !== undefined && row[column] !== null))
    .map((row) => ({ table, key: columns.map((column) => textOf(row[column])) }));
}
