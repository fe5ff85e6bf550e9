import { count, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import type { Warning } from './summary.ts';

/** Warnings as lines, with an empty line after them; nothing when there are none. */
export function renderWarnings(file: string, warnings: readonly Warning[], paint: Paint, width: number): string[] {
  if (warnings.length === 0) return [];
  const lines = warnings.map((w) => {
    const text = wrap(`warning ${w.code}: ${file}:${w.line}:${w.column} ${w.message}`, width);
    return text.replace('warning', paint('yellow', 'warning'));
  });
  return [...lines, `${count(warnings.length, 'warning')}.`, ''];
}
