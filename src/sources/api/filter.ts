/** A key of a row as the server wrote it: texts, one for each column of the primary key. */
export type RowKey = readonly string[];

/** A column or table in a list or condition: in quotes, so that any name passes (PostgREST:docs/references/api/url_grammar.rst). */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A query, each part percent-encoded: a `+` in a time stays one. */
export function query(parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

/** The condition for rows behind a key: `or=(a.gt."1",and(a.eq."1",b.gt."2"))`. */
export function behind(columns: readonly string[], key: RowKey): Readonly<Record<string, string>> {
  const arms = columns.map((column, n) => {
    const equal = columns.slice(0, n).map((before, i) => `${quotedName(before)}.eq.${quoted(key[i] ?? '')}`);
    const last = `${quotedName(column)}.gt.${quoted(key[n] ?? '')}`;
    return equal.length === 0 ? last : `and(${[...equal, last].join(',')})`;
  });
  return { or: `(${arms.join(',')})` };
}

/** The condition for the rows with these keys. */
export function among(columns: readonly string[], keys: readonly RowKey[]): Readonly<Record<string, string>> {
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) {
    return { [quotedName(only)]: `in.(${keys.map((key) => quoted(key[0] ?? '')).join(',')})` };
  }
  const arms = keys.map(
    (key) => `and(${columns.map((column, i) => `${quotedName(column)}.eq.${quoted(key[i] ?? '')}`).join(',')})`,
  );
  return { or: `(${arms.join(',')})` };
}

/** The order by a key. */
export function byKey(columns: readonly string[]): string {
  return columns.map((column) => `${quotedName(column)}.asc`).join(',');
}

/** A plain name as it is: some stand-ins of PostgREST know no quotes there. */
export function quotedName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : quoted(name);
}
