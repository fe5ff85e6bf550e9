import { asMap, readChoice, readText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readTargets } from './read-targets.ts';
import type { PlaceholderCheck } from './read-transforms.ts';
import { checkTableName, type SyncedTable } from './read-sync.ts';
import { TargetNames } from './target-names.ts';
import { type Entry, isNothing, type MapNode } from './tree.ts';

/** The keys of a table's mapping that are no columns. */
const TABLE_KEYS: readonly string[] = ['sync_as', 'event_name', 'properties'];
const SYNC_AS: readonly ('contacts' | 'events')[] = ['contacts', 'events'];

// The columns of the app's own tables are not known here: any path will do until `apply` meets the database.
const anyColumn: PlaceholderCheck = (path) =>
  path === '' ? { problem: 'a column is missing between braces' } : { path };

/**
 * Checks the shape of `table_mapping` (which stands at the top level, under the connector, or both) and warns of each table that
 * nothing of it is sent in this version.
 */
export function checkTables(
  sections: readonly (Entry | undefined)[],
  synced: readonly SyncedTable[],
  issues: Issues,
): void {
  const mapped = new Map<string, Entry>();
  for (const section of sections) {
    for (const entry of asMap(section?.value, issues, 'a map of tables')?.entries.values() ?? []) {
      const first = mapped.get(entry.key);
      if (first !== undefined) {
        const message = `the table ${quote(entry.key)} is mapped twice: first at ${first.at.line}:${first.at.column}`;
        issues.error('RC_CONFIG_DUPLICATE_KEY', message, entry, 'Keep one of the two.');
        continue;
      }
      mapped.set(entry.key, entry);
      if (checkTableName(entry.key, entry, issues)) checkTable(entry, issues);
    }
  }
  for (const entry of mapped.values()) {
    const message = `table ${quote(entry.key)}: nothing of it is sent yet, this version sends users only`;
    issues.warn('RC_WARN_TABLE_NOT_SENT', message, entry);
  }
  for (const table of synced) {
    if (mapped.has(table.name)) continue;
    issues.warn('RC_WARN_TABLE_NOT_MAPPED', `table ${quote(table.name)} has no mapping: nothing of it is sent`, table);
  }
}

function checkTable(table: Entry, issues: Issues): void {
  const map = asMap(table.value, issues, 'a map of columns to targets');
  if (map === undefined) {
    if (isNothing(table.value)) issues.error('RC_CONFIG_MISSING', `the mapping of ${quote(table.key)} is empty`, table);
    return;
  }
  const events = readChoice(map.entries.get('sync_as'), SYNC_AS, issues) === 'events';
  checkEvents(map, table, events, issues);
  const names = new TargetNames(issues);
  for (const entry of map.entries.values()) {
    if (TABLE_KEYS.includes(entry.key)) continue;
    for (const target of readTargets(entry, anyColumn, issues)) names.take(target.name, target.nameSpot);
  }
}

function checkEvents(map: MapNode, table: Entry, events: boolean, issues: Issues): void {
  const name = map.entries.get('event_name');
  const properties = map.entries.get('properties');
  if (!events) {
    for (const entry of [name, properties]) {
      if (entry === undefined) continue;
      issues.error('RC_CONFIG_VALUE', `${quote(entry.key)} needs sync_as: events`, entry, 'Add sync_as: events.');
    }
    return;
  }
  if (readText(name, issues, "the event's name") === undefined && isNothing(name?.value)) {
    const hint = 'For example: event_name: "order_placed"';
    issues.error('RC_CONFIG_MISSING', `the events of ${quote(table.key)} have no event_name`, name ?? table, hint);
  }
  const taken = new TargetNames(issues);
  for (const entry of asMap(properties?.value, issues, 'a map of columns to properties')?.entries.values() ?? []) {
    if (isNothing(entry.value)) wrongType(entry.value, "the property's name", issues);
    const property = readText(entry, issues, "the property's name");
    if (property !== undefined) taken.take(property, entry.value);
  }
}
