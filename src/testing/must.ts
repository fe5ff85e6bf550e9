import { AssertionError } from 'node:assert/strict';

/**
 * Holds that something is so.
 * @param what the whole sentence of what must be so
 * @throws AssertionError with that sentence, and what there is instead
 */
export function must(condition: boolean, what: string, actual?: unknown): asserts condition {
  if (condition) return;
  const seen = actual === undefined ? '' : `\nThere is: ${shown(actual)}`;
  throw new AssertionError({ message: `This must hold: ${what}.${seen}`, stackStartFn: must });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, undefined, 1) ?? String(value);
  return text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
}
