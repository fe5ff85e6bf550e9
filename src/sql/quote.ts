import type { TableName } from '../core/mapping.ts';

/** Quotes an SQL identifier. */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The table's name in SQL, and as `regclass` reads it. */
export function quoteTable({ schema, table }: TableName): string {
  return `${quoteIdent(schema)}.${quoteIdent(table)}`;
}

/** An array of texts in SQL. */
export function quoteTexts(texts: readonly string[]): string {
  return `array[${texts.map(quoteLiteral).join(', ')}]::pg_catalog.text[]`;
}

/** Quotes a text as an SQL literal, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** Wraps a function body in a dollar quote that does not occur in it. */
export function dollarQuote(body: string): string {
  let tag = '$rollcall$';
  for (let n = 1; body.includes(tag); n += 1) tag = `$rollcall${n}$`;
  return `${tag}${body}${tag}`;
}
