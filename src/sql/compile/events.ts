import { USER_COLUMNS } from '../../core/user-columns.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTable, quoteTexts } from '../quote.ts';
import type { EventSource, EventType, RowLink, SourceColumn } from '../source.ts';
import { eventScope, inspectedProperty, isUsers, typeColumns } from './event-columns.ts';
import { jsonObject } from './json-object.ts';
import { contactKey } from './link.ts';
import { attributeValue } from './value.ts';

/**
 * The function that makes events of captured rows: `rollcall.<name>(p_events jsonb[]) returns setof rollcall.mapped_event`, in
 * which `place` counts from 1 and each event that a row is has one row. Only `rollcall.map_events` calls it. It reads no
 * table but that of a link `via`, so the app may change the table of the rows as it likes.
 *
 * A captured row is `{o, k, r, p, t}` (see functions/event-mapping.ts), and what the caller adds to it:
 * - `fresh`: an update in the transaction that inserted the row;
 * - `only`: the number of the one type that is asked for;
 * - `bare`: properties and `when` are not evaluated.
 *
 * Verdicts: `ok`; `unless_inserted`, which is an event unless its transaction inserted the row; `failed` with the code in
 * the properties.
 */
export function eventMapFunction(name: string, source: EventSource): string {
  const types = source.types.map((type, n) => typeQuery(source, type, n + 1));
  return `create or replace function rollcall.${quoteIdent(name)}(p_events jsonb[]) returns setof rollcall.mapped_event
language plpgsql set search_path = '' as ${dollarQuote(`#variable_conflict use_column
begin
  return query
  ${types.join('\n  union all\n  ')};
end`)};`;
}

// Names inside the function begin with ours, so that no table or column of the project can have them.
function typeQuery(source: EventSource, type: EventType, number: number): string {
  const columns = typeColumns(source, type);
  const names = quoteTexts(columns.map((c) => c.name));
  const complete = columns.length === 0 ? 'true' : `rollcall_e.event -> 'r' ?& ${names}`;
  const operations = type.operations.map(quoteLiteral).join(', ');
  const fresh = type.notWithInsert ? ` and (o <> 'update' or event -> 'fresh' is null)` : '';
  // What the table is like inside the function: our own condition knows it as it is, the config by its own names.
  const asItIs = columns.map((c) => [c.name, c.name] as const);
  const asNamed = isUsers(source.table)
    ? USER_COLUMNS.filter((u) => columns.some((c) => c.name === u.sql)).map((u) => [u.sql, u.name] as const)
    : asItIs;
  const { alias } = eventScope(source.table);
  const condition = type.condition === undefined ? 'true' : `(${type.condition}\n)`;
  const when = type.when === undefined ? 'true' : `(${type.when.expression}\n) is true`;
  return `select rollcall_e.place, rollcall_t.key, ${quoteLiteral(type.name)}::text, ${number}, rollcall_t.verdict,
         rollcall_t.properties, (rollcall_e.event ->> 't')::timestamptz, rollcall_t.message
    from (select event, n::int as place from unnest(p_events) with ordinality as rollcall_u(event, n)
           cross join lateral (select event ->> 'o' as o) as rollcall_o
           where o in (${operations})${fresh} and coalesce((event ->> 'only')::int, ${number}) = ${number} offset 0) as rollcall_e
    cross join lateral (select ${complete} as complete, rollcall_e.event -> 'bare' is not null as bare) as rollcall_x
    cross join lateral jsonb_to_record(nullif(rollcall_e.event -> 'r', 'null')) as rollcall_new(${definitions(columns)})
    cross join lateral jsonb_to_record(nullif(rollcall_e.event -> 'p', 'null')) as rollcall_old(${definitions(columns)})
    cross join lateral (${rowScope(alias, asItIs, `select ${condition} as holds`)}) as rollcall_c
    cross join lateral (${rowScope(
      alias,
      asNamed,
      `select ${linkKey(source.link, alias)} as key,
           case when not rollcall_x.complete then 'failed'${type.notWithInsert ? ` when rollcall_e.event ->> 'o' = 'update' then 'unless_inserted'` : ''} else 'ok' end as verdict,
           case when not rollcall_x.complete then '{"code": "RC_EVENT_COLUMN"}'::jsonb
                when not rollcall_x.bare then (${properties(source, type)}) end as properties,
           case when not rollcall_x.complete then (select 'The row was captured without what is needed now: ' || string_agg(c, ', ')
                  from unnest(${names}) c where not rollcall_e.event -> 'r' ? c) end as message`,
      `case when not rollcall_x.complete then true when rollcall_c.holds is not true then false
                when rollcall_x.bare then true else ${when} end`,
    )}) as rollcall_t`;
}

/** The columns of a record; there must be one. */
function definitions(columns: readonly SourceColumn[]): string {
  const list = columns.map((c) => `${quoteIdent(c.name)} ${c.sqlType}`);
  return list.length === 0 ? 'rollcall_none text' : list.join(', ');
}

/**
 * A query over the row. A name without a table means the row: what it was, `old`, is one query further out, where only what
 * the row does not have is looked for.
 */
function rowScope(
  alias: string,
  names: readonly (readonly [column: string, as: string])[],
  select: string,
  where = 'true',
): string {
  const row = (record: string): string =>
    `select ${names.length === 0 ? '1 as rollcall_none' : names.map(([column, as]) => `${record}.${quoteIdent(column)} as ${quoteIdent(as)}`).join(', ')}`;
  return `select rollcall_s.* from (${row('rollcall_old')}) as old
       cross join lateral (${select}
         from (${row('rollcall_new')}) as ${alias} where ${where}) as rollcall_s`;
}

/** The key of the contact that a row leads to, as SQL; null where it leads to none. */
export function linkKey(link: RowLink, alias: string): string {
  const { via } = link;
  if (via !== undefined) {
    return `(select ${contactKey(via.link, 'rollcall_v')} from ${quoteTable(via.target)} as rollcall_v
             where rollcall_v.${quoteIdent(via.targetColumn.name)} = ${alias}.${quoteIdent(via.column.name)} limit 1)`;
  }
  if (link.user === undefined && link.email === undefined) return 'null::text';
  return contactKey(link, alias);
}

function properties(source: EventSource, type: EventType): string {
  return jsonObject(
    type.properties.map((property) => ({
      name: property.name,
      value: attributeValue(property, inspectedProperty(source, property), eventScope(source.table)),
      keepNull: property.onNull === 'clear',
    })),
  );
}
