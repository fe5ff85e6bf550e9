import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';

function cell(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : renderJson(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as a CSV text with one header row (RFC 4180): the first columns in this order, all others sorted by name. */
export function csvText(rows: readonly JsonObject[], first: readonly string[]): string {
  const others = new Set(rows.flatMap((row) => Object.keys(row)).filter((name) => !first.includes(name)));
  const header = [...first, ...[...others].toSorted()];
  const lines = rows.map((row) => header.map((name) => cell(Object.hasOwn(row, name) ? row[name] : undefined)));
  return [header.map(cell), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** A multipart body (RFC 7578) as text. */
export interface Multipart {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Fields, then one CSV file. The boundary is the first of a series that no part contains, so that equal parts make an equal body.
 */
export function multipart(
  fields: Readonly<Record<string, string>>,
  file: { readonly field: string; readonly name: string; readonly text: string },
): Multipart {
  const parts = Object.entries(fields).map(
    ([name, value]) => `content-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  parts.push(
    `content-disposition: form-data; name="${file.field}"; filename="${file.name}"\r\ncontent-type: text/csv\r\n\r\n${file.text}\r\n`,
  );
  let n = 0;
  while (parts.some((part) => part.includes(`rollcall-part-${n}`))) n += 1;
  const boundary = `rollcall-part-${n}`;
  const body = `${parts.map((part) => `--${boundary}\r\n${part}`).join('')}--${boundary}--\r\n`;
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

/** Columns with these names could be read as consent, which no import may speak of. */
const CONSENT = /^(?:un)?subscribed$/i;

/** One contact of an import, flat: what stands in its attributes becomes columns of their own. */
export function flatRow(row: JsonObject): JsonObject {
  const { metadata, properties, ...rest } = row;
  const parts = [properties, metadata].filter(isJsonObject).flatMap((part) => Object.entries(part));
  return { ...Object.fromEntries(parts.filter(([name]) => !CONSENT.test(name))), ...rest };
}
