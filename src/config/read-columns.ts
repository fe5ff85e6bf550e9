import type { AttributeMapping } from '../core/mapping.ts';
import type { ParsedColumn } from './column-path.ts';
import type { ColumnScope } from './column-scope.ts';
import type { Issues } from './issues.ts';
import { readTargets, type Target } from './read-targets.ts';
import { isAddress, type TargetNames } from './target-names.ts';
import { type Entry, formatPath } from './tree.ts';

/** What the columns of one mapping have in common. */
export interface ColumnMapping {
  readonly columns: ColumnScope;
  readonly names: TargetNames;
  /** The keys beside the columns, for suggestions. */
  readonly options: readonly string[];
  /** Takes a target named `email`; without it that is a name like any other. */
  readonly address?: ((target: Target, column: ParsedColumn & { readonly ok: true }) => void) | undefined;
}

/** Reads a column with its targets. Mistakes go to `issues`. */
export function readColumn(entry: Entry, mapping: ColumnMapping, issues: Issues): readonly AttributeMapping[] {
  const column = mapping.columns.parse(entry.key, mapping.options);
  if (!column.ok) {
    issues.error(column.code, column.message, entry, column.hint);
    return [];
  }
  return readTargets(entry, mapping.columns.placeholder, issues).flatMap((target) => {
    if (!mapping.names.take(target.name, target.nameSpot)) return [];
    if (mapping.address !== undefined && isAddress(target.name)) {
      mapping.address(target, column);
      return [];
    }
    const { name, transforms, type, onNull, at, path } = target;
    const source = { kind: 'column', path: column.path } as const;
    return [{ name, source, transforms, type, onNull, path: formatPath(path), ...at }];
  });
}

/** Whether an address has no options; reported otherwise. */
export function isPlainAddress({ firstOption }: Target, issues: Issues): boolean {
  if (firstOption === undefined) return true;
  const hint = 'To send a changed copy too, map the column to a second target.';
  issues.error('RC_CONFIG_ADDRESS', 'the address is sent as it is: options have no effect', firstOption, hint);
  return false;
}
