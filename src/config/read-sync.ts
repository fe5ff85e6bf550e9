import { asMap, checkKeys, readFlag, readText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import { isNothing, type TreeNode } from './tree.ts';

export const SYNC_KEYS: readonly string[] = ['users', 'tables', 'storage', 'realtime'];

/** A table named in `sync.tables`. */
export interface SyncedTable extends Spot {
  readonly name: string;
}

interface Sync {
  readonly users: boolean;
  readonly tables: readonly SyncedTable[];
}

const TABLE = /^[^.\s]+(?:\.[^.\s]+)?$/;

/** Reads `sync:`. Users are synced unless it says otherwise. What has no effect in this version is warned of. */
export function readSync(node: TreeNode | undefined, issues: Issues): Sync {
  const map = asMap(node, issues);
  if (map === undefined) return { users: true, tables: [] };
  checkKeys(map, SYNC_KEYS, issues);
  const storage = map.entries.get('storage');
  if (storage !== undefined && readFlag(storage, false, issues)) {
    issues.warn(
      'RC_WARN_STORAGE_NOT_SENT',
      'storage: nothing of it is sent yet, this version sends users only',
      storage,
    );
  }
  const realtime = map.entries.get('realtime');
  if (realtime !== undefined && readFlag(realtime, false, issues)) {
    issues.warn(
      'RC_WARN_REALTIME_NOT_USED',
      'realtime: nothing of it is sent yet, and users need none: triggers see every change',
      realtime,
    );
  }
  return {
    users: readFlag(map.entries.get('users'), true, issues),
    tables: readTables(map.entries.get('tables')?.value, issues),
  };
}

function readTables(node: TreeNode | undefined, issues: Issues): readonly SyncedTable[] {
  if (node === undefined || isNothing(node)) return [];
  if (node.kind !== 'list') {
    wrongType(node, 'a list of tables', issues);
    return [];
  }
  const tables = new Map<string, SyncedTable>();
  for (const item of node.items) {
    if (isNothing(item)) wrongType(item, 'the name of a table', issues);
    const name = readText({ key: '', at: item.at, path: item.path, value: item }, issues, 'the name of a table');
    if (name === undefined || !checkTableName(name, item, issues)) continue;
    const first = tables.get(name);
    if (first === undefined) tables.set(name, { name, at: item.at, path: item.path });
    else
      issues.error('RC_CONFIG_VALUE', `the table ${quote(name)} is listed twice: first on line ${first.at.line}`, item);
  }
  return [...tables.values()];
}

/** Whether a name is a table's, with or without its schema; reported when it is not. */
export function checkTableName(name: string, spot: Spot, issues: Issues): boolean {
  if (TABLE.test(name)) return true;
  issues.error('RC_CONFIG_VALUE', 'this is no name of a table', spot, 'Write the table, or schema.table.');
  return false;
}
