import { createHash } from 'node:crypto';
import type { TableName } from '../../core/mapping.ts';
import { quoteTable } from '../quote.ts';
import { isUsers } from './event-columns.ts';

/** The name of a table's capture function, unquoted: the table's as far as there is room, and a hash that is its own. */
export function captureFunction(name: TableName): string {
  if (isUsers(name)) return 'capture_users';
  const hash = createHash('sha256').update(quoteTable(name)).digest('hex').slice(0, 8);
  const readable = name.table
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  return `capture_${readable}_${hash}`;
}
