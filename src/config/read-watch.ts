import type { Condition, ViewWatch } from '../core/mapping.ts';
import { readDuration, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { readTableList } from './read-table-list.ts';
import type { Entry, MapNode } from './tree.ts';

/** `base_tables` and `every` of a map: what tells of changes to a view. Mistakes go to `issues`. */
export function readWatch(map: MapNode, issues: Issues): ViewWatch {
  const tables = readTableList(map.entries.get('base_tables'), issues) ?? [];
  return {
    baseTables: tables.map(({ name }) => name),
    everyMs: readDuration(map.entries.get('every'), undefined, issues),
  };
}

/** An SQL condition with its place. Undefined when absent or wrong (which is reported). */
export function readCondition(entry: Entry | undefined, issues: Issues): Condition | undefined {
  const expression = readText(entry, issues, 'an SQL condition');
  return expression === undefined || entry === undefined ? undefined : { expression, ...entry.value.at };
}
