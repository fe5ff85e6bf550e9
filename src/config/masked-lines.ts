import { GENERIC_KEYS } from './destination-keys.ts';
import type { TextRange, Tree, TreeNode, TreePath } from './tree.ts';

const OPEN_AT_TOP = new Set([
  'table_mapping',
  'environment',
  'consent',
  'consent_policy',
  'consent_readers',
  'write_back',
  'delivery',
  'sweep',
  'ssl_root_cert',
]);
const OPEN_IN_CONNECTOR = new Set([
  'enabled',
  'sync',
  'user_mapping',
  'table_mapping',
  'events',
  'debug',
  'log_level',
  'log_queries',
  'log_realtime',
]);

/** Whether a value at this path may be shown. Everything else may be a secret: keys, options of destinations, unknown keys. */
function isOpen(path: TreePath): boolean {
  const [first, second, third] = path.map(String);
  if (first === 'connectors') return second === 'supabase' && OPEN_IN_CONNECTOR.has(third ?? '');
  if (first === 'destinations') return GENERIC_KEYS.includes(third ?? '');
  return OPEN_AT_TOP.has(first ?? '');
}

/**
 * The lines of the file with the given numbers (1-based), fit to be shown: only keys and values known to be harmless stay, all
 * else (comments too) is masked. Columns stay where they are. Without a tree (a syntax error) only a leading key stays.
 */
export function maskedLines(
  text: string,
  tree: Tree | undefined,
  numbers: readonly number[],
): ReadonlyMap<number, string> {
  const lines = text.split('\n');
  const starts = lineStarts(lines);
  const masked = new Map<number, string>();
  const values = tree === undefined ? undefined : valueRanges(tree.root);
  for (const number of new Set(numbers)) {
    const line = lines[number - 1]?.replace(/\r$/, '');
    if (line === undefined) continue;
    const start = starts[number - 1] ?? 0;
    const shown = tree === undefined ? undefined : maskRanges(line, start, tree.keys, values ?? []);
    masked.set(number, shown ?? maskAll(line));
  }
  return masked;
}

function lineStarts(lines: readonly string[]): readonly number[] {
  let offset = 0;
  return lines.map((line) => {
    const start = offset;
    offset += line.length + 1;
    return start;
  });
}

interface ValueRange {
  readonly range: TextRange;
  readonly open: boolean;
}

function valueRanges(node: TreeNode): readonly ValueRange[] {
  if (node.kind === 'list') return node.items.flatMap(valueRanges);
  if (node.kind === 'map') return [...node.entries.values()].flatMap((entry) => valueRanges(entry.value));
  return [{ range: node.range, open: isOpen(node.path) }];
}

function maskRanges(line: string, start: number, keys: readonly TextRange[], values: readonly ValueRange[]): string {
  const units = line.split('');
  const open = new Set<number>();
  const hidden = new Set<number>();
  const mark = ([from, to]: TextRange, set: Set<number>): void => {
    for (let at = Math.max(from, start); at < Math.min(to, start + line.length); at += 1) set.add(at - start);
  };
  // A value that is also used through an alias is hidden if any of its uses is.
  for (const value of values) mark(value.range, value.open ? open : hidden);
  for (const key of keys) mark(key, open);
  const comment = units.findIndex(
    (unit, at) => unit === '#' && !open.has(at) && !hidden.has(at) && (at === 0 || /\s/.test(line[at - 1] ?? '')),
  );
  const visible = comment === -1 ? units : units.slice(0, comment);
  return visible
    .map((unit, at) => {
      if (/\s/.test(unit) || (open.has(at) && !hidden.has(at))) return unit;
      return !hidden.has(at) && /[{}[\],:-]/.test(unit) ? unit : '*';
    })
    .join('')
    .trimEnd();
}

const KEY = /^[\s-]*[\w.-]+\s*:(?=\s|$)/;

function maskAll(line: string): string {
  const key = KEY.exec(line)?.[0] ?? '';
  return key + line.slice(key.length).replaceAll(/[^\s]/gu, (unit) => '*'.repeat(unit.length));
}
