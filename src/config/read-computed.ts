import type { AttributeMapping, RelatedRows, ValueSource } from '../core/mapping.ts';
import { checkKeys, readDuration, readText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import type { ColumnMapping } from './read-columns.ts';
import { type LinkScope, readLink } from './read-link.ts';
import { checkName, OPTION_KEYS, readOptions } from './read-targets.ts';
import { readConstant } from './read-transforms.ts';
import { readCondition, readWatch } from './read-watch.ts';
import { parseTableName } from './table-name.ts';
import { isAddress } from './target-names.ts';
import { type Entry, formatPath, isNothing, type MapNode } from './tree.ts';

/** What makes a value computed: a map with one of these is no target. */
export const COMPUTED_KEYS: readonly string[] = ['const', 'sql'];
const WITH_FROM: readonly string[] = ['where', 'contact', 'base_tables'];
/** The keys of an expression over the rows of another table. */
export const RELATED_KEYS: readonly string[] = ['from', ...WITH_FROM, 'every'];

const SOURCE_HINT = 'Write {const: …} or {sql: "…"}.';
const RELATED_HINT = 'For example {sql: "count(*)", from: orders}.';

/**
 * Reads a value made of a constant or an SQL expression, with options; the key is the name of its target. With `links` the
 * expression may be one over the rows of another table. Mistakes go to `issues`.
 */
export function readComputed(
  entry: Entry,
  mapping: ColumnMapping,
  links: LinkScope | undefined,
  issues: Issues,
): AttributeMapping | undefined {
  const { at, path, value } = entry;
  if (value.kind !== 'map') {
    wrongType(value, 'an object', issues, SOURCE_HINT);
    return undefined;
  }
  checkKeys(value, [...COMPUTED_KEYS, ...(links === undefined ? [] : RELATED_KEYS), ...OPTION_KEYS], issues);
  const options = readOptions(value, mapping.columns.placeholder, issues);
  const source = readSource(value, entry, links, issues);
  if (mapping.address !== undefined && isAddress(entry.key)) {
    issues.error('RC_CONFIG_ADDRESS', 'the address must come from a column', entry, 'For example: email: email');
    return undefined;
  }
  const name = checkName(entry.key, entry, issues);
  if (name === undefined || !mapping.names.take(name, entry) || source === undefined) return undefined;
  return { ...options, name, source, path: formatPath(path), ...at };
}

function readSource(map: MapNode, spot: Entry, links: LinkScope | undefined, issues: Issues): ValueSource | undefined {
  const constant = map.entries.get('const');
  const sql = map.entries.get('sql');
  if (constant !== undefined && sql !== undefined) {
    issues.error('RC_CONFIG_VALUE', `${quote(spot.key)} has both const and sql`, sql, 'Keep one of the two.');
    return undefined;
  }
  if (constant !== undefined) {
    for (const key of RELATED_KEYS) needs('sql', links === undefined ? undefined : map.entries.get(key), issues);
    const value = readConstant(constant, issues);
    return value === undefined ? undefined : { kind: 'const', value };
  }
  const expression = readText(sql, issues, 'an SQL expression');
  if (expression === undefined && isNothing(sql?.value)) {
    const message = `${quote(spot.key)} does not say where its value comes from`;
    issues.error('RC_CONFIG_MISSING', message, sql ?? spot, SOURCE_HINT);
  }
  if (links === undefined) return expression === undefined ? undefined : { kind: 'sql', expression };
  const related = map.entries.get('from');
  if (related === undefined) {
    for (const key of WITH_FROM) needs('from', map.entries.get(key), issues);
    const everyMs = readDuration(map.entries.get('every'), undefined, issues);
    return expression === undefined ? undefined : { kind: 'sql', expression, everyMs };
  }
  const from = readRelated(map, related, links, issues);
  if (expression === undefined || from === undefined) return undefined;
  return { kind: 'aggregate', expression, from, everyMs: from.everyMs };
}

function needs(other: string, entry: Entry | undefined, issues: Issues): void {
  if (entry === undefined) return;
  issues.error('RC_CONFIG_VALUE', `${quote(entry.key)} needs ${other}`, entry, RELATED_HINT);
}

function readRelated(map: MapNode, entry: Entry, links: LinkScope, issues: Issues): RelatedRows | undefined {
  const watch = readWatch(map, issues);
  const link = readLink(map.entries.get('contact'), links, issues);
  const where = readCondition(map.entries.get('where'), issues);
  if (isNothing(entry.value)) issues.error('RC_CONFIG_MISSING', 'the table is missing', entry, RELATED_HINT);
  const text = readText(entry, issues, 'the name of a table');
  const table = text === undefined ? undefined : parseTableName(text, entry.value, entry.value, issues);
  return table === undefined
    ? undefined
    : { table, link, where, ...watch, path: formatPath(entry.path), ...entry.value.at };
}
