import { formatPlace, type RollcallError } from '../core/errors.ts';
import { type ConfigErrors, MOST_EXPLAINED } from './config-errors.ts';

const WIDEST = 120;

/**
 * A configuration's mistakes as text for a terminal: place, code and message, the line with a caret, and what to do. Values that
 * may be secret are masked already in `ConfigErrors`.
 */
export function explainConfigErrors(failure: ConfigErrors): string {
  const shown = failure.errors.slice(0, MOST_EXPLAINED).map((error) => explainOne(error, failure.lines));
  const left = failure.errors.length - shown.length;
  if (left > 0) shown.push(`and ${left} more`);
  return `${shown.join('\n\n')}\n`;
}

function explainOne(error: RollcallError, lines: ReadonlyMap<number, string>): string {
  const head = `${formatPlace(error.place)}  ${error.code}  ${error.message}`;
  const { line: number, column } = error.place ?? {};
  const line = number === undefined ? undefined : lines.get(number);
  const out = [head];
  if (number !== undefined && column !== undefined && line !== undefined && line.trim() !== '') {
    const gutter = ' '.repeat(String(number).length);
    const { text, caret } = around(line, column - 1);
    out.push(`  ${number} | ${text}`, `  ${gutter} | ${caret}`);
  }
  if (error.hint !== undefined) out.push(`  ${error.hint}`);
  return out.join('\n');
}

/** At most 120 characters of a line around an offset, with a caret line that is as wide as what stands before. */
function around(line: string, offset: number): { readonly text: string; readonly caret: string } {
  const start = offset < WIDEST - 20 ? 0 : offset - 40;
  const cut = line.slice(start, start + WIDEST);
  const lead = start > 0 ? '…' : '';
  const tail = line.length > start + WIDEST ? '…' : '';
  const text = lead + cut.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ') + tail;
  return { text, caret: `${' '.repeat(lead.length + offset - start)}^` };
}
