import { createHash } from 'node:crypto';
import type { TableName } from '../../core/mapping.ts';
import { quoteIdent } from '../quote.ts';

/** The name of a table's capture function, unquoted: the table's as far as there is room, and a hash that is its own. */
export function captureFunction({ schema, table }: TableName): string {
  if (schema === 'auth' && table === 'users') return 'capture_users';
  const hash = createHash('sha256').update(relationOf({ schema, table })).digest('hex').slice(0, 8);
  const readable = table
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  return `capture_${readable}_${hash}`;
}

/** The table's name in SQL, and as `regclass` reads it. */
export function relationOf({ schema, table }: TableName): string {
  return `${quoteIdent(schema)}.${quoteIdent(table)}`;
}
