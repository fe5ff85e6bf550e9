import type { AttributeMapping, UserMapping, ValueSource } from '../core/mapping.ts';
import { type ColumnPath, parseColumn } from './column-path.ts';
import { defaultAttributes } from './default-mapping.ts';
import { asMap, checkKeys, readFlag, readText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import { checkName, OPTION_KEYS, readOptions, readTargets, type Target } from './read-targets.ts';
import { readConstant, userPlaceholder } from './read-transforms.ts';
import { TargetNames } from './target-names.ts';
import { type Entry, formatPath, type MapNode, type TreeNode } from './tree.ts';

/** The keys of `user_mapping` that are no columns. */
export const USER_MAPPING_KEYS: readonly string[] = ['attributes', 'where', 'unconfirmed'];

const DEFAULT_ADDRESS: ColumnPath = ['email'];

/** Reads `user_mapping`; without one, the default mapping. `spot` is where it would stand. Mistakes go to `issues`. */
export function readUserMapping(node: TreeNode | undefined, spot: Spot, issues: Issues): UserMapping {
  const map = asMap(node, issues, 'a map of columns to targets');
  if (map === undefined) {
    return { address: DEFAULT_ADDRESS, attributes: defaultAttributes(spot), where: undefined, unconfirmed: false };
  }
  const names = new TargetNames(issues);
  const unconfirmed = readFlag(map.entries.get('unconfirmed'), false, issues);
  const columns = [...map.entries.values()].filter((entry) => !USER_MAPPING_KEYS.includes(entry.key));
  let address: ColumnPath | undefined;
  const mapped = columns.flatMap((entry) => {
    const column = parseColumn(entry.key, USER_MAPPING_KEYS);
    if (!column.ok) {
      issues.error(column.code, column.message, entry, column.hint);
      return [];
    }
    const attributes: AttributeMapping[] = [];
    for (const target of readTargets(entry, userPlaceholder, issues)) {
      if (!names.take(target.name, target.nameSpot)) continue;
      if (!isAddress(target.name)) attributes.push(attribute(target, { kind: 'column', path: column.path }));
      else if (checkAddress(target, column, unconfirmed, issues)) address = column.path;
    }
    return attributes;
  });
  return {
    address: address ?? DEFAULT_ADDRESS,
    attributes: [...mapped, ...computedAttributes(map.entries.get('attributes'), names, issues)],
    where: readWhere(map, issues),
    unconfirmed,
  };
}

/** Whether a target's name means the contact's address. */
function isAddress(name: string): boolean {
  return name.toLowerCase() === 'email';
}

function checkAddress(
  target: Target,
  column: { readonly path: ColumnPath; readonly type: string },
  unconfirmed: boolean,
  issues: Issues,
): boolean {
  if (target.firstOption !== undefined) {
    const hint = 'To send a changed copy too, map the column to a second target.';
    issues.error('RC_CONFIG_ADDRESS', 'the address is sent as it is: options have no effect', target.firstOption, hint);
    return false;
  }
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

function attribute(target: Target, source: ValueSource): AttributeMapping {
  const { name, transforms, type, onNull, at, path } = target;
  return { name, source, transforms, type, onNull, path: formatPath(path), ...at };
}

function readWhere(map: MapNode, issues: Issues): UserMapping['where'] {
  const entry = map.entries.get('where');
  const expression = readText(entry, issues, 'an SQL condition');
  return expression === undefined || entry === undefined ? undefined : { expression, ...entry.value.at };
}

/** `attributes:`, whose values come from a constant or an SQL expression. */
function computedAttributes(entry: Entry | undefined, names: TargetNames, issues: Issues): readonly AttributeMapping[] {
  const map = asMap(entry?.value, issues, 'a map of attributes');
  return [...(map?.entries.values() ?? [])]
    .map((item) => computedAttribute(item, names, issues))
    .filter((mapping) => mapping !== undefined);
}

const SOURCE_HINT = 'Write {const: …} or {sql: "…"}.';

function computedAttribute(entry: Entry, names: TargetNames, issues: Issues): AttributeMapping | undefined {
  const { at, path, value } = entry;
  if (value.kind !== 'map') {
    wrongType(value, 'an object', issues, SOURCE_HINT);
    return undefined;
  }
  checkKeys(value, ['const', 'sql', ...OPTION_KEYS], issues);
  const options = readOptions(value, userPlaceholder, issues);
  const source = readSource(value, entry, issues);
  if (isAddress(entry.key)) {
    issues.error('RC_CONFIG_ADDRESS', 'the address must come from a column', entry, 'For example: email: email');
    return undefined;
  }
  const name = checkName(entry.key, entry, issues);
  if (name === undefined || !names.take(name, entry) || source === undefined) return undefined;
  return { ...options, name, source, path: formatPath(path), ...at };
}

function readSource(map: MapNode, spot: Entry, issues: Issues): ValueSource | undefined {
  const constant = map.entries.get('const');
  const sql = map.entries.get('sql');
  if (constant !== undefined && sql !== undefined) {
    issues.error('RC_CONFIG_VALUE', `${quote(spot.key)} has both const and sql`, sql, 'Keep one of the two.');
    return undefined;
  }
  if (constant !== undefined) {
    const value = readConstant(constant, issues);
    return value === undefined ? undefined : { kind: 'const', value };
  }
  const expression = readText(sql, issues, 'an SQL expression');
  if (expression !== undefined) return { kind: 'sql', expression };
  if (sql === undefined || (sql.value.kind === 'scalar' && sql.value.value === null)) {
    issues.error(
      'RC_CONFIG_MISSING',
      `${quote(spot.key)} does not say where its value comes from`,
      sql ?? spot,
      SOURCE_HINT,
    );
  }
  return undefined;
}
