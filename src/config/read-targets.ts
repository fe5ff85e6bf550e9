import type { AttributeType, NullPolicy, Transform } from '../core/mapping.ts';
import { checkKeys, readChoice, readText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { type PlaceholderCheck, readTransforms } from './read-transforms.ts';
import { type Entry, isNothing, type MapNode, type TreeNode } from './tree.ts';

export const ATTRIBUTE_TYPES: readonly AttributeType[] = [
  'text',
  'integer',
  'float',
  'boolean',
  'date',
  'timestamp',
  'json',
];
export const NULL_POLICIES: readonly NullPolicy[] = ['skip', 'clear'];
/** The options every attribute takes. */
export const OPTION_KEYS: readonly string[] = ['transform', 'type', 'when_null'];
const LONGEST_NAME = 255;

/** What the options of an attribute say. */
interface AttributeOptions {
  readonly transforms: readonly Transform[];
  readonly type: AttributeType | undefined;
  readonly onNull: NullPolicy;
}

/** One target of a column. */
export interface Target extends AttributeOptions, Spot {
  readonly name: string;
  /** Where the name stands. */
  readonly nameSpot: Spot;
  /** The first option given, if any. */
  readonly firstOption: Spot | undefined;
}

const NO_OPTIONS: AttributeOptions = { transforms: [], type: undefined, onNull: 'skip' };

/** The options in a map, defaults where they are absent. Mistakes go to `issues`. */
export function readOptions(map: MapNode, check: PlaceholderCheck, issues: Issues): AttributeOptions {
  return {
    transforms: readTransforms(map.entries.get('transform'), check, issues),
    type: readChoice(map.entries.get('type'), ATTRIBUTE_TYPES, issues),
    onNull: readChoice(map.entries.get('when_null'), NULL_POLICIES, issues) ?? 'skip',
  };
}

/** A column's value in the config: a target name, `{to: NAME, …}`, or a list of these. Mistakes go to `issues`. */
export function readTargets(entry: Entry, check: PlaceholderCheck, issues: Issues): readonly Target[] {
  const { value } = entry;
  if (value.kind !== 'list') {
    const target = readTarget(value, entry, check, issues);
    return target === undefined ? [] : [target];
  }
  if (value.items.length === 0) issues.error('RC_CONFIG_MISSING', 'the list of targets is empty', value);
  return value.items.map((item) => readTarget(item, item, check, issues)).filter((target) => target !== undefined);
}

function readTarget(node: TreeNode, spot: Spot, check: PlaceholderCheck, issues: Issues): Target | undefined {
  const { at, path } = spot;
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    const name = checkName(node.value, node, issues);
    return name === undefined ? undefined : { ...NO_OPTIONS, name, nameSpot: node, firstOption: undefined, at, path };
  }
  if (isNothing(node)) {
    issues.error('RC_CONFIG_MISSING', 'the name of the target is missing', spot, 'For example: phone: SMS');
    return undefined;
  }
  if (node.kind !== 'map') {
    wrongType(node, 'the name of a target, {to: NAME} or a list of these', issues);
    return undefined;
  }
  checkKeys(node, ['to', ...OPTION_KEYS], issues);
  const options = readOptions(node, check, issues);
  const to = node.entries.get('to');
  if (to === undefined || isNothing(to.value)) {
    issues.error('RC_CONFIG_MISSING', 'the name of the target is missing', to ?? node, 'Write {to: NAME, …}.');
    return undefined;
  }
  const text = readText(to, issues);
  const name = text === undefined ? undefined : checkName(text, to.value, issues);
  const firstOption = [...node.entries.values()].find((entry) => OPTION_KEYS.includes(entry.key));
  return name === undefined ? undefined : { ...options, name, nameSpot: to.value, firstOption, at, path };
}

/** A name that a field or an event can have at a destination; undefined (and reported) otherwise. */
export function checkName(name: string, spot: Spot, issues: Issues, what = 'a target'): string | undefined {
  if (name.trim() !== '' && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name)) return name;
  const message = `${what}'s name has 1 to ${LONGEST_NAME} characters, none of them a control character`;
  issues.error('RC_CONFIG_VALUE', message, spot);
  return undefined;
}
