import type { TableName } from '../core/mapping.ts';
import { splitDots } from './dotted.ts';
import { showText } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import type { TreeNode } from './tree.ts';

const DEFAULT_SCHEMA = 'public';
const NAME_HINT = 'Write the table, or schema.table; a dot inside a name is written \\.';

const PLATFORM = 'that schema belongs to Postgres or to Supabase';
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['auth', 'users are mapped under user_mapping, and what they do under events'],
  ['storage', 'what becomes of files is named under events, such as storage.object.created'],
  ['rollcall', 'that schema is our own'],
  ...['vault', 'pgsodium', 'net', 'cron', 'information_schema', 'extensions', 'realtime'].map(
    (schema) => [schema, PLATFORM] as const,
  ),
]);

/** Why tables of a schema are never read, as the end of a sentence; undefined for the schemas of an app. */
export function refusedSchema(schema: string): string | undefined {
  return REFUSED.get(schema) ?? (/^(?:pg_|supabase_)/.test(schema) ? PLATFORM : undefined);
}

/** The same text for the same table, however it was written. */
export function tableKey({ schema, table }: TableName): string {
  return JSON.stringify([schema, table]);
}

/**
 * Reads the name of a table, as it is in the database, with or without its schema (`public` without). `node` is the value it is
 * written as, or undefined for a key. Undefined when it is none or may not be read (which is reported).
 */
export function parseTableName(
  text: string,
  spot: Spot,
  node: TreeNode | undefined,
  issues: Issues,
): TableName | undefined {
  const parts = splitDots(text);
  const [first, second] = parts;
  if (parts.length > 2 || !parts.every(isName)) {
    issues.error('RC_CONFIG_VALUE', 'this is no name of a table', spot, NAME_HINT);
    return undefined;
  }
  const name = second === undefined ? { schema: DEFAULT_SCHEMA, table: first } : { schema: first, table: second };
  const reason = refusedSchema(name.schema);
  if (reason === undefined) return name;
  issues.error('RC_CONFIG_TABLE_REFUSED', `${showText(text, node)} can't be read as a table: ${reason}`, spot);
  return undefined;
}

function isName(text: string): boolean {
  return text !== '' && text.trim() === text && !/\p{Cc}/u.test(text);
}
