import type { TableName } from '../core/mapping.ts';
import { readItem, showText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { parseTableName, tableKey } from './table-name.ts';
import { type Entry, isNothing } from './tree.ts';

/** A table named in a list. */
export interface ListedTable extends Spot {
  readonly name: TableName;
  /** As it may be shown. */
  readonly shown: string;
}

/** A list of tables, each once. Undefined when absent; mistakes go to `issues`. */
export function readTableList(entry: Entry | undefined, issues: Issues): readonly ListedTable[] | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  if (entry.value.kind !== 'list') {
    wrongType(entry.value, 'a list of tables', issues);
    return [];
  }
  const tables = new Map<string, ListedTable>();
  for (const item of entry.value.items) {
    const text = readItem(item, 'the name of a table', issues);
    const name = text === undefined ? undefined : parseTableName(text, item, item, issues);
    if (text === undefined || name === undefined) continue;
    const shown = showText(text, item);
    const first = tables.get(tableKey(name));
    if (first === undefined) tables.set(tableKey(name), { name, shown, at: item.at, path: item.path });
    else issues.error('RC_CONFIG_VALUE', `the table ${shown} is listed twice: first on line ${first.at.line}`, item);
  }
  return [...tables.values()];
}
