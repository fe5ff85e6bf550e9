import { dollarQuote, quoteIdent, quoteTable } from '../quote.ts';
import type { ContactSource, SourceColumn } from '../source.ts';
import { contactKey, EMAIL_KEY } from './link.ts';

/**
 * Pages through the rows of a table that lead to somebody who is known by an address alone: `rollcall.<name>(p_after text,
 * p_limit int) returns rollcall.sweep_keys`. Users are found without it. Undefined when no row leads to one.
 */
export function pageFunction(name: string, { table, link }: ContactSource): string | undefined {
  if (link.email === undefined) return undefined;
  const from = `${quoteTable(table)} t`;
  const key = contactKey(link, 't');
  const keys = table.primaryKey;
  const list = keys.map((c) => `t.${quoteIdent(c.name)}`).join(', ');
  // Each in its type's own words, which are sure to be read back as the same value.
  const texts = keys.map((c) => `t.${quoteIdent(c.name)}::text`).join(', ');
  // A view has no key to go by, so the contacts' own keys are one.
  const [what, rows, after] =
    keys.length === 0
      ? [
          'max(x.key), count(*)::int, array_agg(x.key)',
          (where: string) => `select distinct y.key from (select ${key} collate "C" as key from ${from}) y
        where y.key like '${EMAIL_KEY}%'${where} order by y.key limit p_limit`,
          ' and y.key > p_after',
        ]
      : [
          `(array_agg(x.at order by x.n desc))[1], count(*)::int, array_agg(distinct x.key) filter (where x.key like '${EMAIL_KEY}%')`,
          (
            where: string,
          ) => `select row_number() over (order by ${list}) as n, jsonb_build_array(${texts})::text as at, ${key} as key
        from ${from}${where} order by ${list} limit p_limit`,
          ` where ${behind(keys)}`,
        ];
  const page = (where: string): string => `select ${what} into v_page from (${rows(where)}) x;`;
  return `create or replace function rollcall.${quoteIdent(name)}(p_after text, p_limit int) returns rollcall.sweep_keys
language plpgsql set search_path = '' set row_security = off as ${dollarQuote(`declare
  v_page rollcall.sweep_keys;
begin
  if p_after is null then
    ${page('')}
  else
    ${page(after)}
  end if;
  return v_page;
end`)};`;
}

/** Whether a row comes after the cursor `p_after`, as its primary key's index sorts. */
function behind(keys: readonly SourceColumn[]): string {
  const places = keys.map((c, n) => ({
    column: `t.${quoteIdent(c.name)}`,
    value: `(p_after::jsonb ->> ${n})::${c.sqlType}`,
    operator: (name: string): string =>
      c.operators === undefined ? name : `operator(${quoteIdent(c.operators)}.${name})`,
  }));
  if (keys.every((c) => c.operators === undefined))
    return `(${places.map((p) => p.column).join(', ')}) > (${places.map((p) => p.value).join(', ')})`;
  // A comparison of whole rows has one operator for all columns.
  return places.reduceRight((rest, { column, value, operator }) => {
    const after = `${column} ${operator('>')} ${value}`;
    return rest === '' ? after : `${column} ${operator('>=')} ${value} and (${after} or (${rest}))`;
  }, '');
}
