import type { Config } from '../../config/types.ts';
import type { Json } from '../../core/json.ts';
import { readWebhook } from '../../inbound/database-webhook.ts';
import { isUuid } from '../../core/uuid.ts';

/** What a Database Webhook says: keys of users that may have changed, none where its row leads to nobody by itself; or why it is none. */
export type Hint =
  | { readonly ok: true; readonly keys: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** A row has few ids. */
const MOST_KEYS = 100;

/**
 * Reads the body of a Database Webhook (`{"type","table","record","schema","old_record"}`, as `supabase_functions.http_request` makes
 * it): which table, and whose row. Nothing else of it is taken: the rows are read again, so a late, a repeated or a forged one
 * changes nobody.
 *
 * Rows lead to users by the primary key of `auth.users`, or by the column that the config names; where it names none, any id in the row may
 * be a user's, and one that is none is passed over later. A table whose rows lead elsewhere is a wake-up: its triggers have logged
 * what the webhook tells of.
 */
export function readHint(body: string, { tables, eventTables }: Pick<Config, 'tables' | 'eventTables'>): Hint {
  const read = readWebhook(body);
  if (!read.ok) return problem(read.problem);
  const { schema, table, record, old_record: old } = read.webhook;
  const rows = [record, old].filter((row) => row !== null);
  const keysIn = (column?: string): Hint => {
    const values = rows.flatMap((row) => (column === undefined ? Object.values(row) : [row[column]]));
    return { ok: true, keys: [...new Set(values.flatMap(idOf))].slice(0, MOST_KEYS) };
  };
  if (schema === 'auth' && table === 'users') return keysIn('id');
  const named = [...tables, ...eventTables].find((each) => each.table.schema === schema && each.table.table === table);
  if (named === undefined) return problem('the config names no such table');
  if (named.link === undefined) return keysIn();
  return named.link.kind === 'user' ? keysIn(named.link.column) : { ok: true, keys: [] };
}

function idOf(value: Json | undefined): readonly string[] {
  return typeof value === 'string' && isUuid(value) ? [value.toLowerCase()] : [];
}

function problem(text: string): Hint {
  return { ok: false, problem: text };
}
