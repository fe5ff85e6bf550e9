import type { TableName } from '../core/mapping.ts';
import { asMap, readChoice } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { parseTableName, tableKey } from './table-name.ts';
import { type Entry, isNothing, type MapNode } from './tree.ts';

/** The keys of `contact` that are no tables. */
export const LINK_WORDS: readonly string[] = ['user_id', 'email'];
const SYNC_AS: readonly ('contacts' | 'events')[] = ['contacts', 'events'];

/** An entry of `table_mapping`, so far as others have to know of it. */
export interface MappedTable {
  readonly name: TableName;
  readonly entry: Entry;
  readonly map: MapNode;
  readonly syncAs: 'contacts' | 'events';
  /** Its rows lead to those of another table, and only these to a contact. */
  readonly indirect: boolean;
  /** False when `sync.tables` leaves it out. */
  readonly synced: boolean;
}

/** All mapped tables, in the order of precedence. */
export class TableIndex {
  readonly #tables = new Map<string, MappedTable>();

  add(table: MappedTable): void {
    this.#tables.set(tableKey(table.name), table);
  }

  find(name: TableName): MappedTable | undefined {
    return this.#tables.get(tableKey(name));
  }

  all(): readonly MappedTable[] {
    return [...this.#tables.values()];
  }

  /** The keys of the tables that are contacts, as written. */
  contacts(): readonly string[] {
    return this.all()
      .filter((table) => table.syncAs === 'contacts')
      .map((table) => table.entry.key);
  }
}

/**
 * Looks through `table_mapping`, which stands under the connector, at the top level, or both; what stands under the connector
 * comes first. `synced` are the tables of `sync.tables`, if it says any. Mistakes go to `issues`.
 */
export function indexTables(
  sections: readonly (Entry | undefined)[],
  synced: readonly TableName[] | undefined,
  issues: Issues,
): TableIndex {
  const index = new TableIndex();
  const listed = synced === undefined ? undefined : new Set(synced.map(tableKey));
  for (const section of sections) {
    for (const entry of asMap(section?.value, issues, 'a map of tables')?.entries.values() ?? []) {
      const name = parseTableName(entry.key, entry, undefined, issues);
      const map = asMap(entry.value, issues, 'a map of columns to targets');
      const first = name === undefined ? undefined : index.find(name)?.entry;
      if (first !== undefined) {
        const message = `the table ${quote(entry.key)} is mapped twice: first at ${first.at.line}:${first.at.column}`;
        issues.error('RC_CONFIG_DUPLICATE_KEY', message, entry, 'Keep one of the two.');
      } else if (isNothing(entry.value)) {
        issues.error('RC_CONFIG_MISSING', `the mapping of ${quote(entry.key)} is empty`, entry);
      } else if (name !== undefined && map !== undefined) {
        const syncAs = readChoice(map.entries.get('sync_as'), SYNC_AS, issues) ?? 'contacts';
        const isSynced = listed === undefined || listed.has(tableKey(name));
        index.add({ name, entry, map, syncAs, indirect: isIndirect(map), synced: isSynced });
      }
    }
  }
  return index;
}

function isIndirect(map: MapNode): boolean {
  const link = map.entries.get('contact')?.value;
  return link?.kind === 'map' && [...link.entries.keys()].some((key) => !LINK_WORDS.includes(key));
}
