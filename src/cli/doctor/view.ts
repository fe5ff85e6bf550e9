import { count, hanging, wrap } from '../layout.ts';
import type { Paint } from '../paint.ts';
import type { Placed } from './examine.ts';

const MARKS = { ok: ['ok   ', 'green'], warn: ['warn ', 'yellow'], error: ['error', 'red'] } as const;

const INDENT = ' '.repeat(9);
/** All else is not broken into lines: a statement is copied from here, and a comment would end with its line. */
const SENTENCES = /^[`A-Z][^;]*\.$/;

/** The text of `rollcall doctor`: what is well in a line, what is not with its code and its fix. */
export function renderFindings(found: readonly Placed[], paint: Paint, width: number): string {
  const lines = found.flatMap(({ severity, area, code, what, fix }) => {
    const [mark, colour] = MARKS[severity];
    const text = hanging(`  ${mark}  `, `${area}: ${code === null ? '' : `${code}: `}${what}`, width);
    const line = text.replace(mark, paint(colour, mark));
    return fix === null ? [line] : [line, SENTENCES.test(fix) ? wrap(fix, width, INDENT) : `${INDENT}${fix}`];
  });
  const errors = found.filter(({ severity }) => severity === 'error').length;
  const warnings = found.filter(({ severity }) => severity === 'warn').length;
  const sum = `${count(errors, 'error')}, ${count(warnings, 'warning')}.`;
  const colour = errors > 0 ? 'red' : warnings > 0 ? 'yellow' : 'green';
  return [...lines, '', paint(colour, errors + warnings === 0 ? 'All is well.' : sum)].join('\n');
}
