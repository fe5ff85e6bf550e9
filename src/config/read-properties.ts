import type { AttributeMapping } from '../core/mapping.ts';
import type { ColumnScope } from './column-scope.ts';
import { asMap } from './fields.ts';
import type { Issues } from './issues.ts';
import { type ColumnMapping, readColumn } from './read-columns.ts';
import { COMPUTED_KEYS, readComputed } from './read-computed.ts';
import { TargetNames } from './target-names.ts';
import { type Entry, isNothing } from './tree.ts';

/**
 * Reads `properties:` of an event: column to property, as columns are mapped to attributes, and property to `{const: …}` or
 * `{sql: …}`. Undefined when absent; mistakes go to `issues`.
 */
export function readProperties(
  entry: Entry | undefined,
  columns: ColumnScope,
  issues: Issues,
): readonly AttributeMapping[] | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  const map = asMap(entry.value, issues, 'a map of columns to properties');
  const mapping: ColumnMapping = { columns, names: new TargetNames(issues, false), options: [] };
  return [...(map?.entries.values() ?? [])].flatMap((item) =>
    isComputed(item) ? (readComputed(item, mapping, undefined, issues) ?? []) : readColumn(item, mapping, issues),
  );
}

function isComputed({ value }: Entry): boolean {
  return value.kind === 'map' && COMPUTED_KEYS.some((key) => value.entries.has(key));
}
