import { asMap, checkKeys, readFlag } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { type ListedTable, readTableList } from './read-table-list.ts';
import type { TreeNode } from './tree.ts';

export const SYNC_KEYS: readonly string[] = ['users', 'tables', 'storage', 'realtime'];

interface Sync {
  readonly users: boolean;
  /** Undefined: all that are mapped. */
  readonly tables: readonly ListedTable[] | undefined;
  /** Where all three events of files are asked for. */
  readonly storage: Spot | undefined;
  /** Where it asks for Realtime. */
  readonly realtime: Spot | undefined;
}

/** Reads `sync:`. Users are synced unless it says otherwise. */
export function readSync(node: TreeNode | undefined, issues: Issues): Sync {
  const map = asMap(node, issues);
  if (map === undefined) return { users: true, tables: undefined, storage: undefined, realtime: undefined };
  checkKeys(map, SYNC_KEYS, issues);
  const realtime = map.entries.get('realtime');
  const storage = map.entries.get('storage');
  return {
    users: readFlag(map.entries.get('users'), true, issues),
    tables: readTableList(map.entries.get('tables'), issues),
    storage: readFlag(storage, false, issues) ? storage : undefined,
    realtime: readFlag(realtime, false, issues) ? realtime : undefined,
  };
}
