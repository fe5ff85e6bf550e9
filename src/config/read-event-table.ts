import type { EventTable, RowOperation } from '../core/mapping.ts';
import { TABLE_SCOPE } from './column-scope.ts';
import { readItem, readText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readLink } from './read-link.ts';
import { readProperties } from './read-properties.ts';
import { checkName } from './read-targets.ts';
import { readCondition } from './read-watch.ts';
import { closest, suggestion } from './suggest.ts';
import type { MappedTable, TableIndex } from './table-index.ts';
import { type Entry, formatPath, isNothing } from './tree.ts';

/** The keys of a table of events; its columns stand under `properties`. */
export const EVENT_TABLE_KEYS: readonly string[] = [
  'sync_as',
  'event_name',
  'operations',
  'contact',
  'when',
  'properties',
];
/** What `operations` can list. */
export const ROW_OPERATIONS: readonly RowOperation[] = ['insert', 'update', 'delete'];

const NO_VIEW = 'Events come from the changes of a table; a view has none.';
const ONLY_CONTACTS: ReadonlyMap<string, string> = new Map([
  ['where', 'Write when.'],
  ['attributes', 'Write properties.'],
  ['base_tables', NO_VIEW],
  ['every', NO_VIEW],
]);

/** Reads a table whose rows are events. Undefined when it has no name for them; mistakes go to `issues`. */
export function readEventTable(table: MappedTable, tables: TableIndex, issues: Issues): EventTable | undefined {
  const { map, entry, name: tableName, synced } = table;
  for (const item of map.entries.values()) {
    if (EVENT_TABLE_KEYS.includes(item.key)) continue;
    const instead = ONLY_CONTACTS.get(item.key);
    if (instead === undefined) unknownColumn(item, issues);
    else issues.error('RC_CONFIG_VALUE', `${quote(item.key)} is for contacts, and these are events`, item, instead);
  }
  const name = readEventName(map.entries.get('event_name'), issues);
  if (isNothing(map.entries.get('event_name')?.value)) {
    const hint = 'For example: event_name: "order_placed"';
    const spot = map.entries.get('event_name') ?? entry;
    issues.error('RC_CONFIG_MISSING', `the events of ${quote(entry.key)} have no event_name`, spot, hint);
  }
  const rest = {
    table: tableName,
    link: readLink(map.entries.get('contact'), { tables, synced }, issues),
    operations: readOperations(map.entries.get('operations'), issues),
    properties: readProperties(map.entries.get('properties'), TABLE_SCOPE, issues) ?? [],
    when: readCondition(map.entries.get('when'), issues),
    path: formatPath(entry.path),
    ...entry.at,
  };
  return name === undefined ? undefined : { name, ...rest };
}

/** `event_name`. Undefined when absent or wrong (which is reported). */
export function readEventName(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, "the event's name");
  return text === undefined || entry === undefined ? undefined : checkName(text, entry.value, issues, 'an event');
}

function unknownColumn(entry: Entry, issues: Issues): void {
  const near = closest(entry.key, EVENT_TABLE_KEYS);
  const guess = near === undefined ? '' : `Did you mean ${quote(near)}? `;
  const hint = `${guess}Columns of an event stand under properties, and what leads to its contact under contact.`;
  issues.error('RC_CONFIG_UNKNOWN_KEY', `unknown key ${quote(entry.key)}`, entry, hint);
}

function readOperations(entry: Entry | undefined, issues: Issues): readonly RowOperation[] {
  if (entry === undefined || isNothing(entry.value)) return ['insert'];
  const wanted = `a list of ${ROW_OPERATIONS.join(', ')}`;
  if (entry.value.kind !== 'list') {
    wrongType(entry.value, wanted, issues, 'For example [insert, update].');
    return [];
  }
  if (entry.value.items.length === 0) issues.error('RC_CONFIG_MISSING', 'the list of operations is empty', entry.value);
  const operations = new Set<RowOperation>();
  for (const item of entry.value.items) {
    const text = readItem(item, `one of ${ROW_OPERATIONS.join(', ')}`, issues);
    const operation = ROW_OPERATIONS.find((known) => known === text);
    if (text === undefined) continue;
    if (operation === undefined) {
      const hidden = item.kind === 'scalar' && item.fromEnv;
      issues.error(
        'RC_CONFIG_VALUE',
        'there is no such operation',
        item,
        suggestion(hidden ? '' : text, ROW_OPERATIONS),
      );
    } else if (operations.has(operation)) {
      issues.error('RC_CONFIG_VALUE', `the operation ${operation} is listed twice`, item);
    } else operations.add(operation);
  }
  return ROW_OPERATIONS.filter((operation) => operations.has(operation));
}
