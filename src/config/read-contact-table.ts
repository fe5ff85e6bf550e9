import type { ContactTable } from '../core/mapping.ts';
import { TABLE_SCOPE } from './column-scope.ts';
import { asMap } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { type ColumnMapping, isPlainAddress, readColumn } from './read-columns.ts';
import { readComputed } from './read-computed.ts';
import { readLink } from './read-link.ts';
import { readCondition, readWatch } from './read-watch.ts';
import type { MappedTable, TableIndex } from './table-index.ts';
import { TargetNames } from './target-names.ts';
import { formatPath } from './tree.ts';

/** The keys of a table of contacts that are no columns; a column of such a name is written `\where`. */
export const CONTACT_TABLE_KEYS: readonly string[] = [
  'sync_as',
  'contact',
  'where',
  'attributes',
  'base_tables',
  'every',
];
const ONLY_EVENTS: readonly string[] = ['event_name', 'operations', 'properties', 'when'];

/** Reads a table whose rows are contacts. Mistakes go to `issues`. */
export function readContactTable(table: MappedTable, tables: TableIndex, issues: Issues): ContactTable {
  const { map, entry, name, synced } = table;
  const links = { tables, synced };
  let email: string | undefined;
  const mapping: ColumnMapping = {
    columns: TABLE_SCOPE,
    names: new TargetNames(issues),
    options: CONTACT_TABLE_KEYS,
    address(target, column) {
      if (!isPlainAddress(target, issues)) return;
      if (column.path.length === 1) [email] = column.path;
      else {
        const hint = 'A dot inside the name of a column is written \\.';
        issues.error('RC_CONFIG_ADDRESS', 'the address must be a column, not a path into one', target.nameSpot, hint);
      }
    },
  };
  const mapped = [...map.entries.values()].flatMap((item) => {
    if (CONTACT_TABLE_KEYS.includes(item.key)) return [];
    if (!ONLY_EVENTS.includes(item.key)) return readColumn(item, mapping, issues);
    const hint = `Add sync_as: events. A column of that name is written \\${item.key}.`;
    issues.error('RC_CONFIG_VALUE', `${quote(item.key)} needs sync_as: events`, item, hint);
    return [];
  });
  const computed = asMap(map.entries.get('attributes')?.value, issues, 'a map of attributes')?.entries.values() ?? [];
  const contact = map.entries.get('contact');
  const link = readLink(contact, links, issues);
  if (contact !== undefined && link?.kind === 'email' && email !== undefined && email !== link.column) {
    const message = `the contact is found by ${quote(link.column)}, so ${quote(email)} can't be its address`;
    issues.error('RC_CONFIG_ADDRESS', message, contact, 'Name the same column in both places.');
  }
  return {
    table: name,
    link,
    email,
    attributes: [...mapped, ...[...computed].flatMap((item) => readComputed(item, mapping, links, issues) ?? [])],
    where: readCondition(map.entries.get('where'), issues),
    ...readWatch(map, issues),
    path: formatPath(entry.path),
    ...entry.at,
  };
}
