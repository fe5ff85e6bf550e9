import { showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath, isNothing } from './tree.ts';

const MOST = 1_000_000_000;

/** A whole number of contacts, at least 1. `fallback` when absent or wrong (which is reported). */
export function readCount(entry: Entry | undefined, fallback: number, issues: Issues): number {
  if (entry === undefined || isNothing(entry.value)) return fallback;
  const node = entry.value;
  const value =
    node.kind === 'scalar' && node.fromEnv && /^\d{1,10}$/.test(String(node.value)) ? Number(node.value) : undefined;
  const least = value ?? (node.kind === 'scalar' ? node.value : undefined);
  if (typeof least !== 'number') {
    wrongType(node, 'a whole number', issues);
    return fallback;
  }
  if (Number.isInteger(least) && least >= 1 && least <= MOST) return least;
  const message = `${quote(formatPath(entry.path))} can't be ${showText(String(least), node)}`;
  issues.error('RC_CONFIG_VALUE', message, node, 'A whole number of contacts, at least 1.');
  return fallback;
}
