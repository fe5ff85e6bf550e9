import { type Json, type JsonObject, renderJson } from '../core/json.ts';
import { EMAIL_KEY } from '../sql/compile/link.ts';
import type { Preview, PreviewedContact, PreviewedRow } from '../sql/preview.ts';
import { nameText } from './difference.ts';
import { cut, hanging, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import { reasonText } from './why-advice.ts';

/** A longer value is cut: metadata may be of kilobytes. */
const LONGEST_VALUE = 200;

const NOTHING = 'No row makes one of them.';

/** The text of `rollcall preview`. */
export function renderPreview({ table, installed, rows }: Preview, width: number, paint: Paint): string {
  const blocks = rows.map((row) => rowBlock(table, row, width, paint));
  const note = installed
    ? 'Compiled beside what is installed, and rolled back.'
    : 'Nothing is installed: compiled in one transaction, and rolled back.';
  return [...(rows.length === 0 ? [`${table} has no row.`] : blocks), note].join('\n\n');
}

function rowBlock(table: string, row: PreviewedRow, width: number, paint: Paint): string {
  const line = (label: string, text: string): string => hanging(`  ${label.padEnd(10)}`, text, width);
  return [
    paint('bold', row.id === null ? table : `${table} ${row.id}`),
    line('row', pairs(row.row)),
    ...(row.holds === false ? [line('left out', 'the condition of the mapping (`where`) is not true of it')] : []),
    line('leads to', leadsTo(row.key)),
    ...row.destinations.flatMap((one) => contactLines(one, one.key === row.key ? '' : leadsTo(one.key), line)),
    ...eventLines(row, line),
    ...row.problems.map(({ place, path, code, message }) =>
      wrap(`${code} at ${place} (${path}): ${message}`, width, '  ').replace(code, paint('red', code)),
    ),
  ].join('\n');
}

type Line = (label: string, text: string) => string;

function leadsTo(key: string | null): string {
  if (key === null) return 'nobody';
  return key.startsWith(EMAIL_KEY) ? `whoever has ${key.slice(EMAIL_KEY.length)}` : `user ${key}`;
}

function contactLines(one: PreviewedContact, who: string, line: Line): readonly string[] {
  const { destination, verdict, address, consent, attributes } = one;
  const of = who === '' ? '' : ` (${who})`;
  if (verdict === 'failed') {
    return [
      line(
        destination,
        `can't be mapped${of}: ${textOf(attributes['code'])} ${cut(textOf(attributes['message']), LONGEST_VALUE)}`,
      ),
    ];
  }
  if (verdict !== 'ok')
    return [line(destination, `no contact${of}: ${verdict === 'gone' ? NOTHING : reasonText(verdict)}`)];
  const values = [
    `address  ${renderJson(address)}${of}`,
    `consent  ${renderJson(consent)}`,
    ...Object.entries(attributes).map(([name, value]) => `${nameText(name)}  ${cut(renderJson(value), LONGEST_VALUE)}`),
  ];
  return values.map((text, n) => line(n === 0 ? destination : '', text));
}

function eventLines({ events, without }: PreviewedRow, line: Line): readonly string[] {
  const lines = events.map(({ operation, name, verdict, properties, message }) => {
    const what =
      verdict === 'failed' ? `can't be mapped: ${message ?? ''}` : cut(renderJson(properties), LONGEST_VALUE);
    return line(operation, `event ${name}  ${what}`);
  });
  const none = without.map((operation) =>
    line(
      operation,
      operation === 'update' ? 'no event, where nothing else changes' : 'no event: its condition is not true',
    ),
  );
  return [...lines, ...none];
}

function pairs(row: JsonObject): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${cut(renderJson(value), LONGEST_VALUE)}`)
    .join(', ');
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
