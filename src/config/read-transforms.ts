import type { Transform } from '../core/mapping.ts';
import { checkKeys, readText, unknownKey, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { suggestion } from './suggest.ts';
import { type Entry, isNothing, type MapNode, type ScalarNode, type TreeNode } from './tree.ts';

/** The transforms that are named alone. */
const BARE = ['lower', 'trim', 'e164', 'date'] as const;
/** The transforms that take a value: `{default: X}`. */
const WITH_VALUE = ['default', 'map', 'template'] as const;
const TRANSFORM_NAMES: readonly string[] = [...BARE, ...WITH_VALUE];

/** Whether a `{path}` in a template may be read; says what is wrong otherwise, or gives the normalised path. */
export type PlaceholderCheck = (
  path: string,
) => { readonly path: string } | { readonly problem: string; readonly hint?: string | undefined };

/** `transform:` as a name, an object, or a list of these. Mistakes go to `issues`. */
export function readTransforms(
  entry: Entry | undefined,
  checkPlaceholder: PlaceholderCheck,
  issues: Issues,
): readonly Transform[] {
  if (entry === undefined || isNothing(entry.value)) return [];
  const nodes = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  return nodes
    .map((node) => readTransform(node, checkPlaceholder, issues))
    .filter((transform) => transform !== undefined);
}

function readTransform(node: TreeNode, check: PlaceholderCheck, issues: Issues): Transform | undefined {
  if (node.kind === 'scalar' && typeof node.value === 'string') return bareTransform(node.value, node, issues);
  if (node.kind !== 'map') {
    wrongType(
      node,
      'the name of a transform, an object or a list',
      issues,
      `Transforms: ${TRANSFORM_NAMES.join(', ')}.`,
    );
    return undefined;
  }
  const named = [...node.entries.values()].filter((entry) => TRANSFORM_NAMES.includes(entry.key));
  const [entry, second] = named;
  if (second !== undefined) {
    const hint = 'Write a list, so that their order is plain: [trim, {default: X}].';
    issues.error('RC_CONFIG_TRANSFORM', 'an object names one transform only', second, hint);
    return undefined;
  }
  if (entry === undefined) {
    const [unknown] = node.entries.values();
    if (unknown !== undefined) unknownKey(unknown, TRANSFORM_NAMES, issues);
    else
      issues.error('RC_CONFIG_TRANSFORM', 'no transform is named', node, `Transforms: ${TRANSFORM_NAMES.join(', ')}.`);
    return undefined;
  }
  checkKeys(node, entry.key === 'map' ? ['map', 'else'] : [entry.key], issues);
  switch (entry.key) {
    case 'default': {
      const value = readConstant(entry, issues);
      return value === undefined ? undefined : { name: 'default', value };
    }
    case 'map':
      return readMapTransform(node, entry, issues);
    case 'template':
      return readTemplate(entry, check, issues);
    case 'e164':
      return readE164(entry, issues);
    default:
      if (!isNothing(entry.value)) {
        issues.error(
          'RC_CONFIG_TRANSFORM',
          `the transform ${quote(entry.key)} takes no value`,
          entry.value,
          `Write ${entry.key}.`,
        );
      }
      return bareTransform(entry.key, entry, issues);
  }
}

function bareTransform(name: string, spot: TreeNode | Entry, issues: Issues): Transform | undefined {
  const bare = BARE.find((known) => known === name);
  if (bare !== undefined) return { name: bare };
  if (WITH_VALUE.some((known) => known === name)) {
    issues.error('RC_CONFIG_TRANSFORM', `the transform ${quote(name)} needs a value`, spot, `Write {${name}: …}.`);
    return undefined;
  }
  const shown = 'kind' in spot && spot.kind === 'scalar' && spot.fromEnv ? '' : ` ${quote(name)}`;
  const hint = shown === '' ? `Known here: ${TRANSFORM_NAMES.join(', ')}.` : suggestion(name, TRANSFORM_NAMES);
  issues.error('RC_CONFIG_TRANSFORM', `there is no transform${shown}`, spot, hint);
  return undefined;
}

/** Text, a number, or true or false. Undefined when it is anything else (which is reported). */
export function readConstant(entry: Entry, issues: Issues): string | number | boolean | undefined {
  const { value } = entry;
  if (value.kind === 'scalar' && value.value !== null) return value.value;
  wrongType(value, 'text, a number, true or false', issues);
  return undefined;
}

function readMapTransform(node: MapNode, entry: Entry, issues: Issues): Transform | undefined {
  if (entry.value.kind !== 'map' || entry.value.entries.size === 0) {
    wrongType(entry.value, 'a map of values, such as {a: b}', issues);
    return undefined;
  }
  const values = [...entry.value.entries.values()].map((pair) => [pair.key, readConstant(pair, issues)] as const);
  const known = values.filter((pair): pair is readonly [string, string | number | boolean] => pair[1] !== undefined);
  const other = node.entries.get('else');
  const otherwise = other === undefined ? undefined : readConstant(other, issues);
  return { name: 'map', values: Object.fromEntries(known), ...(otherwise === undefined ? {} : { otherwise }) };
}

const COUNTRY_CODE = /^\+?([1-9]\d{0,2})$/;

function readE164(entry: Entry, issues: Issues): Transform | undefined {
  if (isNothing(entry.value)) return { name: 'e164' };
  if (entry.value.kind !== 'map') {
    wrongType(entry.value, 'an object such as {country_code: "49"}', issues);
    return undefined;
  }
  checkKeys(entry.value, ['country_code'], issues);
  const code = entry.value.entries.get('country_code');
  if (code === undefined || isNothing(code.value)) return { name: 'e164' };
  const text = code.value.kind === 'scalar' ? String(code.value.value) : '';
  const digits = COUNTRY_CODE.exec(text)?.[1];
  if (digits === undefined) {
    const hint = 'For example "49": ITU E.164, section 6.2.1.';
    issues.error(
      'RC_CONFIG_VALUE',
      'a country code has one to three digits and does not start with 0',
      code.value,
      hint,
    );
    return undefined;
  }
  return { name: 'e164', countryCode: digits };
}

const PLACEHOLDER = /\{([^{}]*)\}/g;

function readTemplate(entry: Entry, check: PlaceholderCheck, issues: Issues): Transform | undefined {
  const text = readText(entry, issues);
  if (text === undefined) return undefined;
  const spot = entry.value as ScalarNode;
  if (/[{}]/.test(text.replaceAll(PLACEHOLDER, ''))) {
    const hint = 'Write {value}, or a column such as {user_metadata.city}.';
    issues.error('RC_CONFIG_TRANSFORM', 'a brace in the template has no partner', spot, hint);
    return undefined;
  }
  const template = text.replaceAll(PLACEHOLDER, (_, inner: string) => {
    const name = inner.trim();
    if (name === 'value') return '{value}';
    const checked = check(name);
    if ('path' in checked) return `{${checked.path}}`;
    issues.error('RC_CONFIG_TRANSFORM', `in the template: ${checked.problem}`, spot, checked.hint);
    return '';
  });
  return { name: 'template', template };
}
