import type { AttributeMapping, ContactTable, EventTable, TableName, UserMapping } from '../core/mapping.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readContactTable } from './read-contact-table.ts';
import { readEventTable } from './read-event-table.ts';
import type { ListedTable } from './read-table-list.ts';
import type { TableIndex } from './table-index.ts';
import { tableKey } from './table-name.ts';

interface Tables {
  readonly contacts: readonly ContactTable[];
  readonly events: readonly EventTable[];
}

/** Reads every mapped table, and keeps those that are synced. Mistakes go to `issues`, and a warning for each that is left out. */
export function readTables(index: TableIndex, issues: Issues): Tables {
  const contacts: ContactTable[] = [];
  const events: EventTable[] = [];
  for (const table of index.all()) {
    const contact = table.syncAs === 'contacts' ? readContactTable(table, index, issues) : undefined;
    const event = table.syncAs === 'events' ? readEventTable(table, index, issues) : undefined;
    if (!table.synced) {
      const message = `table ${quote(table.entry.key)} is not listed under sync.tables: its mapping has no effect`;
      issues.warn('RC_WARN_TABLE_NOT_SYNCED', message, table.entry);
      continue;
    }
    if (contact !== undefined) contacts.push(contact);
    if (event !== undefined) events.push(event);
  }
  return { contacts, events };
}

/** Warns of every table in `sync.tables` that nothing else in the config reads. */
export function warnOfUnmapped(
  listed: readonly ListedTable[],
  index: TableIndex,
  users: UserMapping,
  { contacts }: Tables,
  issues: Issues,
): void {
  const attributes = [users, ...contacts].flatMap((mapping) => mapping.attributes);
  const read = new Set([...attributes.flatMap(relatedTables), ...contacts.flatMap((t) => t.baseTables)].map(tableKey));
  for (const table of listed) {
    if (index.find(table.name) !== undefined || read.has(tableKey(table.name))) continue;
    issues.warn('RC_WARN_TABLE_NOT_MAPPED', `table ${table.shown} has no mapping: nothing of it is sent`, table);
  }
}

function relatedTables({ source }: AttributeMapping): readonly TableName[] {
  return source.kind === 'aggregate' ? [source.from.table, ...source.from.baseTables] : [];
}
