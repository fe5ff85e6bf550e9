import { dollarQuote, quoteIdent, quoteTable } from '../quote.ts';
import type { RowLink, Sources } from '../source.ts';
import { contactKey, viaName } from './link.ts';

/** What makes keys of contacts of the keys of another table. */
export interface Resolver {
  /** As the log has it: `orders -> customers`. */
  readonly source: string;
  /** Name of the function, unquoted. */
  readonly name: string;
  /** `create function rollcall.<name>(p_keys text[]) returns text[]`. */
  readonly sql: string;
}

/** One for each link that leads through another table. */
export function resolvers(sources: Pick<Sources, 'contacts' | 'aggregates'>): readonly Resolver[] {
  const found = new Map<string, Resolver>();
  const links = [...sources.contacts, ...sources.aggregates].flatMap((s) => [
    { table: s.table, link: s.link },
    ...s.bases.map((b) => ({ table: b.table, link: b.link })),
  ]);
  for (const { table, link } of links) {
    if (link.via === undefined) continue;
    const source = viaName(table, link.via);
    if (found.has(source)) continue;
    const name = `resolve_${found.size + 1}`;
    found.set(source, { source, name, sql: resolver(name, link.via) });
  }
  return [...found.values()];
}

function resolver(name: string, via: NonNullable<RowLink['via']>): string {
  return `create or replace function rollcall.${quoteIdent(name)}(p_keys text[]) returns text[]
language plpgsql set search_path = '' set row_security = off as ${dollarQuote(`begin
  return (select array_agg(distinct x.key) from (
    select ${contactKey(via.link, 't')} as key from ${quoteTable(via.target)} t
     where t.${quoteIdent(via.targetColumn.name)} = any(p_keys::${via.column.sqlType}[])) x
   where x.key is not null);
end`)};`;
}
