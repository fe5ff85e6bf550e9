import type { ContactLink, WriteBack } from '../core/mapping.ts';
import { splitDots } from './dotted.ts';
import { asMap, checkKeys, readChoice, readFlag, readText, showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { type LinkScope, readLink } from './read-link.ts';
import { parseTableName } from './table-name.ts';
import { type Entry, formatPath, isNothing, type MapNode, type TreeNode } from './tree.ts';

const KEYS: readonly string[] = ['column', 'app_metadata', 'says', 'contact', 'insert'];
/** Those that only a column has a use for. */
const OF_COLUMN: readonly string[] = ['contact', 'insert'];
const SAYS: readonly WriteBack['says'][] = ['opted_out', 'opted_in'];

/** What `write_back` can say, for every message about it. */
const CHOICES = 'Say {column: profiles.unsubscribed} or {app_metadata: unsubscribed}, or a list of such.';

/** Reads `write_back:`, one place or a list of them. Mistakes go to `issues`. */
export function readWriteBacks(
  entry: Entry | undefined,
  tables: LinkScope['tables'],
  issues: Issues,
): readonly WriteBack[] {
  if (entry === undefined || isNothing(entry.value)) return [];
  const nodes = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  return nodes.flatMap((node) => readOne(node, tables, issues) ?? []);
}

function readOne(node: TreeNode, tables: LinkScope['tables'], issues: Issues): WriteBack | undefined {
  const map = asMap(node, issues, 'a map with the key column or app_metadata');
  if (map === undefined) {
    if (isNothing(node)) wrongType(node, 'a map with the key column or app_metadata', issues, CHOICES);
    return undefined;
  }
  checkKeys(map, KEYS, issues);
  const target = readTarget(map, tables, issues);
  const says = readChoice(map.entries.get('says'), SAYS, issues) ?? 'opted_out';
  return target && { target, says, path: formatPath(map.path), ...map.at };
}

function readTarget(map: MapNode, tables: LinkScope['tables'], issues: Issues): WriteBack['target'] | undefined {
  const column = map.entries.get('column');
  const metadata = map.entries.get('app_metadata');
  if ((column === undefined) === (metadata === undefined)) {
    const message = column === undefined ? 'write_back names no place' : 'write_back names two places in one';
    issues.error('RC_CONFIG_WRITE_BACK', message, metadata ?? map, CHOICES);
    return undefined;
  }
  if (column !== undefined) return readColumn(column, map, tables, issues);
  for (const key of OF_COLUMN) {
    const misplaced = map.entries.get(key);
    if (misplaced === undefined) continue;
    issues.error('RC_CONFIG_WRITE_BACK', `${key} is for a column of a table`, misplaced, CHOICES);
  }
  const name = readText(metadata, issues, 'a key of app_metadata');
  return name === undefined ? undefined : { kind: 'app_metadata', name };
}

function readColumn(
  entry: Entry,
  map: MapNode,
  tables: LinkScope['tables'],
  issues: Issues,
): WriteBack['target'] | undefined {
  const text = readText(entry, issues, 'a column of a table, as table.column');
  if (text === undefined) return undefined;
  const parts = splitDots(text);
  const name = parts.at(-1);
  if (parts.length < 2 || parts.length > 3 || name === undefined || name === '') {
    const message = `${showText(text, entry.value)} is no column of a table`;
    issues.error('RC_CONFIG_WRITE_BACK', message, entry.value, 'Write table.column or schema.table.column.');
    return undefined;
  }
  const escaped = parts.slice(0, -1).map((part) => part.replaceAll('.', String.raw`\.`));
  const table = parseTableName(escaped.join('.'), entry.value, entry.value, issues);
  const link = readLink(map.entries.get('contact'), { tables, synced: true }, issues);
  if (!isDirect(link)) {
    const hint = 'Write {user_id: <column>} or {email: <column>}.';
    issues.error('RC_CONFIG_WRITE_BACK', 'a row that is written must name its contact itself', map, hint);
    return undefined;
  }
  const insert = readFlag(map.entries.get('insert'), false, issues);
  return table && { kind: 'column', table, name, link, insert };
}

function isDirect(link: ContactLink | undefined): boolean {
  return link?.kind !== 'table';
}
