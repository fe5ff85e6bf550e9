import { parseDuration } from './duration.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import { suggestion } from './suggest.ts';
import { describeNode, type Entry, formatPath, isNothing, type MapNode, type TreeNode } from './tree.ts';

/** Keys with where they belong, for those written in the wrong place. */
export type Misplaced = Readonly<Record<string, string>>;

/** A node as a map; a mistake when it is anything else. Nothing (an empty value) counts as absent. */
export function asMap(node: TreeNode | undefined, issues: Issues, wanted = 'a map'): MapNode | undefined {
  if (node === undefined || isNothing(node)) return undefined;
  if (node.kind === 'map') return node;
  wrongType(node, wanted, issues);
  return undefined;
}

/** Reports every key that is not in `known`. */
export function checkKeys(map: MapNode, known: readonly string[], issues: Issues, misplaced: Misplaced = {}): void {
  for (const entry of map.entries.values()) {
    if (!known.includes(entry.key)) unknownKey(entry, known, issues, misplaced);
  }
}

/** Reports one unknown key with the nearest known one. */
export function unknownKey(
  entry: Pick<Entry, 'key'> & Spot,
  known: readonly string[],
  issues: Issues,
  misplaced: Misplaced = {},
): void {
  const home = Object.hasOwn(misplaced, entry.key) ? misplaced[entry.key] : undefined;
  const hint = home === undefined ? suggestion(entry.key, known) : `It belongs ${home}.`;
  issues.error('RC_CONFIG_UNKNOWN_KEY', `unknown key ${quote(entry.key)}`, entry, hint);
}

/** Reports a value of the wrong type, by type only. */
export function wrongType(node: TreeNode, wanted: string, issues: Issues, hint?: string): void {
  const name = node.path.length === 0 ? 'the file' : quote(formatPath(node.path));
  issues.error('RC_CONFIG_TYPE', `${name} must be ${wanted}, not ${describeNode(node)}`, node, hint);
}

/** Text that is not empty. Undefined when absent or wrong (which is reported). */
export function readText(entry: Entry | undefined, issues: Issues, wanted = 'text'): string | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  const node = entry.value;
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    wrongType(node, wanted, issues, node.kind === 'scalar' ? 'Put it in quotes.' : undefined);
    return undefined;
  }
  if (node.value.trim() === '') {
    const cause = node.fromEnv ? ' (its environment variable is)' : '';
    issues.error('RC_CONFIG_VALUE', `${quote(formatPath(node.path))} is empty${cause}`, node);
    return undefined;
  }
  return node.value;
}

/** True or false; the words may come from the environment. `fallback` when absent or wrong (which is reported). */
export function readFlag(entry: Entry | undefined, fallback: boolean, issues: Issues): boolean {
  if (entry === undefined || isNothing(entry.value)) return fallback;
  const node = entry.value;
  if (node.kind === 'scalar') {
    if (typeof node.value === 'boolean') return node.value;
    if (node.fromEnv && (node.value === 'true' || node.value === 'false')) return node.value === 'true';
  }
  wrongType(node, 'true or false', issues, isYesNo(node) ? 'YAML 1.2 knows true and false only.' : undefined);
  return fallback;
}

/** Whether a text is a word that another version of YAML takes for true or false. */
export function isYesNo(node: TreeNode): boolean {
  return node.kind === 'scalar' && typeof node.value === 'string' && /^(?:yes|no|on|off|true|false)$/i.test(node.value);
}

/** One of the given words. Undefined when absent or wrong (which is reported). */
export function readChoice<Word extends string>(
  entry: Entry | undefined,
  words: readonly Word[],
  issues: Issues,
): Word | undefined {
  const text = readText(entry, issues, `one of ${words.join(', ')}`);
  if (text === undefined || entry === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found === undefined) {
    const hidden = entry.value.kind === 'scalar' && entry.value.fromEnv;
    const hint = hidden ? `Known here: ${words.join(', ')}.` : suggestion(text, words);
    const message = `${quote(formatPath(entry.path))} can't be ${showText(text, entry.value)}`;
    issues.error('RC_CONFIG_VALUE', message, entry.value, hint);
  }
  return found;
}

/** Text as a message may show it. `node` is the value it comes from, if any: what the environment holds is never shown. */
export function showText(text: string, node: TreeNode | undefined): string {
  return node?.kind === 'scalar' && node.fromEnv ? 'the value of its environment variable' : quote(text);
}

/** An item of a list as if it had a key, for the readers of values; nothing is a mistake here. */
export function readItem(item: TreeNode, wanted: string, issues: Issues): string | undefined {
  if (isNothing(item)) wrongType(item, wanted, issues);
  return readText({ key: '', at: item.at, path: item.path, value: item }, issues, wanted);
}

// Timers hold at most 2^31-1 ms, a little under 25 days.
const LONGEST_MS = 24 * 86_400_000;

/** A duration above zero, in ms. `fallback` when absent or wrong (which is reported). */
export function readDuration<Fallback extends number | undefined>(
  entry: Entry | undefined,
  fallback: Fallback,
  issues: Issues,
): number | Fallback {
  const wanted = 'a duration such as 30s, 2m or 1h';
  const text = readText(entry, issues, wanted);
  if (text === undefined || entry === undefined) return fallback;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= LONGEST_MS) return ms;
  const message = `${quote(formatPath(entry.path))} must be ${wanted}, more than nothing and at most 24d`;
  issues.error('RC_CONFIG_DURATION', message, entry.value, 'Units: ms, s, m, h, d; one number with one unit.');
  return fallback;
}
