import type { Destination } from '../core/destination.ts';
import type { Condition } from '../core/mapping.ts';
import { listKey, type Segment, type SegmentSource } from '../core/segments.ts';
import { type ColumnScope, TABLE_SCOPE, USER_SCOPE } from './column-scope.ts';
import { asMap, checkKeys, readText, showText, wrongType } from './fields.ts';
import { FilterError, parseFilter } from './filter.ts';
import { filterSql } from './filter-sql.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readLink } from './read-link.ts';
import { readCondition } from './read-watch.ts';
import { suggestion } from './suggest.ts';
import type { TableIndex } from './table-index.ts';
import { parseTableName } from './table-name.ts';
import { type Entry, formatPath, isNothing, type MapNode, type ScalarNode } from './tree.ts';
import type { DestinationConfig } from './types.ts';

export const SEGMENT_KEYS: readonly string[] = ['from', 'contact', 'where', 'filter', 'destination', 'list'];

// It becomes part of the names of attributes, and is typed at a prompt.
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const WAYS_HINT = 'Write filter: plan=eq.pro&mrr=gt.100, or where: with an SQL condition.';
const LIST_HINT = 'Write its name, or its id as a number.';

/** What segments may name. */
export interface SegmentScope {
  readonly tables: TableIndex;
  readonly destinations: readonly DestinationConfig[];
  readonly registry: readonly Destination<unknown>[];
}

/** Reads `segments:`, a map of names. Mistakes go to `issues`. */
export function readSegments(entry: Entry | undefined, scope: SegmentScope, issues: Issues): readonly Segment[] {
  const map = asMap(entry?.value, issues, 'a map of segments');
  const taken = new Map<string, Entry>();
  return [...(map?.entries.values() ?? [])].flatMap((item) => {
    const segment = readSegment(item, scope, issues);
    if (segment === undefined) return [];
    const key = JSON.stringify([segment.destination, listKey(segment.list)]);
    const first = taken.get(key);
    if (first === undefined) {
      taken.set(key, item);
      return [segment];
    }
    const message = `the segments ${quote(first.key)} and ${quote(item.key)} have one list`;
    issues.error(
      'RC_CONFIG_SEGMENT',
      message,
      item,
      'Put the two conditions into one segment with `or`, or give each a list of its own.',
    );
    return [];
  });
}

function readSegment(entry: Entry, scope: SegmentScope, issues: Issues): Segment | undefined {
  if (!NAME.test(entry.key)) {
    const hint = 'A letter or a digit, then letters, digits, _, - and dots; at most 63 in all.';
    issues.error('RC_CONFIG_VALUE', `${quote(entry.key)} can't be the name of a segment`, entry, hint);
    return undefined;
  }
  if (isNothing(entry.value)) {
    issues.error('RC_CONFIG_MISSING', `the segment ${quote(entry.key)} is empty`, entry, WAYS_HINT);
    return undefined;
  }
  const map = asMap(entry.value, issues, 'a map with filter or where, and list');
  if (map === undefined) return undefined;
  checkKeys(map, SEGMENT_KEYS, issues);
  const from = readSource(map, scope.tables, issues);
  const where = from && readMembers(entry, map, from.kind === 'users' ? USER_SCOPE : TABLE_SCOPE, issues);
  const destination = readDestination(entry, map, scope, issues);
  const list = readList(entry, map, destination, issues);
  if (from === undefined || where === undefined || destination === undefined || list === undefined) return undefined;
  return {
    name: entry.key,
    destination: destination.name,
    list,
    from,
    ...where,
    path: formatPath(entry.path),
    ...entry.at,
  };
}

/** Users, a mapped table of contacts, or any other table; undefined when wrong (which is reported). */
function readSource(map: MapNode, tables: TableIndex, issues: Issues): SegmentSource | undefined {
  const contact = map.entries.get('contact');
  const link = readLink(contact, { tables, synced: true }, issues);
  const entry = map.entries.get('from');
  const text = readText(entry, issues, 'users or the name of a table');
  if (entry !== undefined && !isNothing(entry.value) && text === undefined) return undefined;
  const isUsers = text === undefined || text === 'users' || text === 'auth.users';
  const table = isUsers || entry === undefined ? undefined : parseTableName(text, entry.value, entry.value, issues);
  if (!isUsers && table === undefined) return undefined;
  const mapped = table && tables.find(table);
  const isContacts = mapped?.syncAs === 'contacts' && mapped.synced;
  if (contact !== undefined && (isUsers || isContacts)) {
    const what = isUsers
      ? 'a user is a contact'
      : `the mapping of ${showText(text, entry?.value)} says how its rows lead to contacts`;
    issues.error('RC_CONFIG_SEGMENT', `${what}, so contact has nothing to say here`, contact, 'Take it out.');
  }
  if (table === undefined) return { kind: 'users' };
  return isContacts ? { kind: 'contacts', table } : { kind: 'related', table, link };
}

/** `where` or `filter`, one of the two. */
function readMembers(
  entry: Entry,
  map: MapNode,
  columns: ColumnScope,
  issues: Issues,
): { readonly where: Condition; readonly filter?: string } | undefined {
  const where = readCondition(map.entries.get('where'), issues);
  const filter = map.entries.get('filter');
  const text = readText(filter, issues, 'a filter');
  if (where !== undefined && filter !== undefined && text !== undefined) {
    issues.error('RC_CONFIG_SEGMENT', `${quote(entry.key)} has both where and filter`, filter, 'Keep one of the two.');
    return undefined;
  }
  if (where !== undefined) return { where };
  if (filter === undefined || text === undefined) {
    const wrong = [map.entries.get('where'), filter].some((each) => each !== undefined && !isNothing(each.value));
    if (!wrong)
      issues.error('RC_CONFIG_MISSING', `the segment ${quote(entry.key)} does not say who is in it`, entry, WAYS_HINT);
    return undefined;
  }
  const expression = readFilter(text, filter.value as ScalarNode, columns, issues);
  return expression === undefined ? undefined : { where: { expression, ...filter.value.at }, filter: text };
}

/** A filter as SQL; a mistake in it is told with its place in the filter. */
function readFilter(text: string, node: ScalarNode, columns: ColumnScope, issues: Issues): string | undefined {
  try {
    return filterSql(parseFilter(text), columns);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    // What the environment holds is never shown.
    const what = node.fromEnv ? 'the value of its environment variable is no filter' : error.message;
    issues.error('RC_CONFIG_FILTER', `${what} (character ${error.at} of the filter)`, node, error.hint);
    return undefined;
  }
}

function readDestination(
  { key, at, path }: Entry,
  map: MapNode,
  { destinations, registry }: SegmentScope,
  issues: Issues,
): DestinationConfig | undefined {
  const entry = map.entries.get('destination');
  const names = destinations.map(({ name }) => name);
  const text = readText(entry, issues, 'the name of a destination');
  let found = text === undefined ? undefined : destinations.find(({ name }) => name === text);
  if (text === undefined) {
    if (entry !== undefined && !isNothing(entry.value)) return undefined;
    if (destinations.length !== 1) {
      const hint =
        names.length === 0 ? 'Add one under destinations.' : `Write destination: and one of ${names.join(', ')}.`;
      issues.error(
        'RC_CONFIG_MISSING',
        `the segment ${quote(key)} does not say which destination has its list`,
        { at, path },
        hint,
      );
      return undefined;
    }
    [found] = destinations;
  } else if (found === undefined && entry !== undefined) {
    const shown = showText(text, entry.value);
    issues.error('RC_CONFIG_SEGMENT', `there is no destination ${shown}`, entry.value, suggestion(text, names));
  }
  if (found === undefined) return undefined;
  const keeps = registry.filter(({ lists }) => lists?.segments === true);
  if (keeps.some(({ id }) => id === found.type)) return found;
  const hint = `Destinations whose lists can be kept: ${keeps.map(({ id }) => id).join(', ')}.`;
  const message = `${quote(found.name)} (${found.type}) has no lists that contacts can be taken out of`;
  issues.error('RC_CONFIG_SEGMENT', message, entry?.value ?? { at, path }, hint);
  return undefined;
}

function readList(
  { key, at, path }: Entry,
  map: MapNode,
  destination: DestinationConfig | undefined,
  issues: Issues,
): number | string | undefined {
  const entry = map.entries.get('list');
  if (entry === undefined || isNothing(entry.value)) {
    issues.error(
      'RC_CONFIG_MISSING',
      `the segment ${quote(key)} does not say which list its members are on`,
      entry ?? { at, path },
      LIST_HINT,
    );
    return undefined;
  }
  const { value: node } = entry;
  const value = node.kind === 'scalar' ? node.value : undefined;
  const isId = (each: unknown): boolean => typeof each === 'number' && Number.isSafeInteger(each) && each > 0;
  const digits = typeof value === 'string' && /^\s*\d+\s*$/.test(value);
  if (digits && node.kind === 'scalar' && node.fromEnv && isId(Number(value)))
    return taken(Number(value), destination, node, issues);
  if (digits) {
    issues.error(
      'RC_CONFIG_VALUE',
      'a list whose name is a number can only be written by its id',
      node,
      `${LIST_HINT} An id stands without quotes.`,
    );
    return undefined;
  }
  if (typeof value === 'number' && isId(value)) return taken(value, destination, node as ScalarNode, issues);
  if (typeof value !== 'string') {
    wrongType(node, 'the name of a list or its id', issues, LIST_HINT);
    return undefined;
  }
  const name = value.trim();
  if (name !== '' && name.length <= 255) return taken(name, destination, node as ScalarNode, issues);
  issues.error('RC_CONFIG_VALUE', 'the name of a list has 1 to 255 characters', node);
  return undefined;
}

/** A list that everybody joins cannot be that of some. */
function taken(
  list: number | string,
  destination: DestinationConfig | undefined,
  node: ScalarNode,
  issues: Issues,
): number | string | undefined {
  const all = (destination?.options as { readonly lists?: unknown } | undefined)?.lists;
  if (destination === undefined || !Array.isArray(all) || !all.includes(list)) return list;
  const message = `everybody joins this list: it is one of the lists of ${quote(destination.name)}`;
  issues.error('RC_CONFIG_SEGMENT', message, node, 'Take it out of `lists` there, or name another one.');
  return undefined;
}
