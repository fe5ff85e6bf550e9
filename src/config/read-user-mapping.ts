import type { UserMapping } from '../core/mapping.ts';
import type { ColumnPath, ParsedColumn } from './column-path.ts';
import { USER_SCOPE } from './column-scope.ts';
import { defaultAttributes } from './default-mapping.ts';
import { asMap, readFlag } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { type ColumnMapping, isPlainAddress, readColumn } from './read-columns.ts';
import { readComputed } from './read-computed.ts';
import type { LinkScope } from './read-link.ts';
import type { Target } from './read-targets.ts';
import { readCondition } from './read-watch.ts';
import { TargetNames } from './target-names.ts';
import type { TreeNode } from './tree.ts';

/** The keys of `user_mapping` that are no columns. */
export const USER_MAPPING_KEYS: readonly string[] = ['attributes', 'where', 'unconfirmed'];

const DEFAULT_ADDRESS: ColumnPath = ['email'];

/** Reads `user_mapping`; without one, the default mapping. `spot` is where it would stand. Mistakes go to `issues`. */
export function readUserMapping(node: TreeNode | undefined, spot: Spot, links: LinkScope, issues: Issues): UserMapping {
  const map = asMap(node, issues, 'a map of columns to targets');
  if (map === undefined) {
    return { address: DEFAULT_ADDRESS, attributes: defaultAttributes(spot), where: undefined, unconfirmed: false };
  }
  const unconfirmed = readFlag(map.entries.get('unconfirmed'), false, issues);
  let address: ColumnPath | undefined;
  const mapping: ColumnMapping = {
    columns: USER_SCOPE,
    names: new TargetNames(issues),
    options: USER_MAPPING_KEYS,
    address(target, column) {
      if (checkAddress(target, column, unconfirmed, issues)) address = column.path;
    },
  };
  const columns = [...map.entries.values()].filter((entry) => !USER_MAPPING_KEYS.includes(entry.key));
  const mapped = columns.flatMap((entry) => readColumn(entry, mapping, issues));
  const computed = asMap(map.entries.get('attributes')?.value, issues, 'a map of attributes');
  return {
    attributes: [
      ...mapped,
      ...[...(computed?.entries.values() ?? [])].flatMap((entry) => readComputed(entry, mapping, links, issues) ?? []),
    ],
    address: address ?? DEFAULT_ADDRESS,
    where: readCondition(map.entries.get('where'), issues),
    unconfirmed,
  };
}

function checkAddress(
  target: Target,
  column: ParsedColumn & { readonly ok: true },
  unconfirmed: boolean,
  issues: Issues,
): boolean {
  if (!isPlainAddress(target, issues)) return false;
  if (column.path.length > 1) {
    // Nobody confirms what stands in the metadata; the users write it themselves.
    if (unconfirmed) return true;
    const hint = 'Write unconfirmed: true if such addresses shall be sent, or map the column email.';
    issues.error(
      'RC_CONFIG_ADDRESS',
      'an address from the metadata is never confirmed, so nobody would be a contact',
      target.nameSpot,
      hint,
    );
    return false;
  }
  if (column.path[0] === 'email') return true;
  if (column.type === 'text') {
    issues.error('RC_CONFIG_ADDRESS', `${column.path[0]} is no email address`, target.nameSpot);
    return false;
  }
  issues.error('RC_CONFIG_ADDRESS', `the address can't come from a column of type ${column.type}`, target.nameSpot);
  return false;
}
