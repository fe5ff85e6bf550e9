import type { AttributeMapping, ConsentBasis } from '../../core/mapping.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTable } from '../quote.ts';
import type { AggregateSource, ContactSource, RowLink, SourceTable } from '../source.ts';
import { answerOf, answerPaths } from './answer.ts';
import { jsonObject } from './json-object.ts';
import { EMAIL_KEY, keyUser, linkColumns, ways } from './link.ts';
import { LONGEST_PAYLOAD, own, tooLarge } from './users.ts';
import { attributeColumns, attributeValue, type InspectedExpression, tableScope } from './value.ts';

/** What a table adds to contacts: one generated function, and how the fold has to take it. */
export interface Part {
  /** Name of the function, unquoted. */
  readonly name: string;
  /** Its table, as in `rollcall.sources`. */
  readonly source: string;
  readonly rank: number;
  readonly attributes: readonly string[];
  readonly makesContacts: boolean;
  readonly givesConsent: boolean;
  /** `create function rollcall.<name>(p_keys text[], p_addresses text[]) returns setof rollcall.mapped`, one row a key. */
  readonly sql: string;
}

/** The parts of all sources of contacts and aggregates. */
export function parts(
  contacts: readonly ContactSource[],
  aggregates: readonly AggregateSource[],
  consent: ConsentBasis | undefined,
): readonly Part[] {
  return [
    ...contacts.map((source, n) => contactPart(`part_${n + 1}`, source, consent)),
    ...aggregates.map((source, n) => aggregatePart(`aggregate_${n + 1}`, source)),
  ];
}

/** Columns of a contact table that decide what the contact is, by their names in the database. */
export function contactColumns(source: ContactSource, consent: ConsentBasis | undefined): readonly string[] {
  const { table, mapping, link, expressions } = source;
  const scope = tableScope(table);
  const inspected = (a: AttributeMapping): ReturnType<typeof expressions.get> =>
    a.source.kind === 'sql' ? expressions.get(a.source.expression) : undefined;
  const names = new Set<string>(linkColumns(link));
  for (const a of own(mapping)) for (const name of attributeColumns(a, inspected(a), scope)) names.add(name);
  if (mapping.where !== undefined)
    for (const name of expressions.get(mapping.where.expression)?.columns ?? []) names.add(name);
  if (consent?.kind === 'column' && isTable(consent.table, table)) {
    for (const [column] of answerPaths(consent)) names.add(column);
  }
  if (newest(table) !== undefined) names.add('created_at');
  return [...table.columns.keys()].filter((name) => names.has(name));
}

/** Columns of a related table that its aggregates are made of, by their names in the database. */
export function aggregateColumns({ table, link, where, attributes, expressions }: AggregateSource): readonly string[] {
  const names = new Set<string>(linkColumns(link));
  for (const a of attributes)
    for (const name of attributeColumns(a, aggregateOf(a, expressions), tableScope(table))) names.add(name);
  for (const name of (where && expressions.get(where.expression)?.columns) ?? []) names.add(name);
  return [...table.columns.keys()].filter((name) => names.has(name));
}

function aggregateOf(
  { source }: AttributeMapping,
  expressions: AggregateSource['expressions'],
): InspectedExpression | undefined {
  return source.kind === 'aggregate' ? expressions.get(source.expression) : undefined;
}

/** Of several rows for one contact the newest by this column counts, then the one with the greatest primary key. */
export function newest(table: SourceTable): string | undefined {
  const column = table.columns.get('created_at');
  return column?.type === 'timestamp' || column?.type === 'date' ? 'created_at' : undefined;
}

/** The order in which the first of several rows for one contact counts, as SQL. Of a view any row will do, but the same each time. */
export function newestFirst(table: SourceTable, alias: string): readonly string[] {
  const keys = table.primaryKey.map((c) => c.name);
  return [
    ...(newest(table) === undefined ? [] : [`${alias}.created_at desc nulls last`]),
    ...(keys.length === 0 ? [`${alias}::text desc`] : keys.map((key) => `${alias}.${quoteIdent(key)} desc`)),
  ];
}

function isTable(name: { readonly schema: string; readonly table: string } | undefined, table: SourceTable): boolean {
  return name?.schema === table.schema && name.table === table.table;
}

function contactPart(name: string, source: ContactSource, consent: ConsentBasis | undefined): Part {
  const { table, mapping, link, rank, expressions } = source;
  const scope = tableScope(table);
  const attributes = own(mapping);
  const givesConsent = consent?.kind === 'column' && isTable(consent.table, table);
  const members = attributes.map((a) => ({
    name: a.name,
    value: attributeValue(a, a.source.kind === 'sql' ? expressions.get(a.source.expression) : undefined, scope),
    keepNull: false,
  }));
  const keys = table.primaryKey.map((c) => c.name);
  const columns = [...new Set([...contactColumns(source, consent), ...keys])];
  const rows = matching(table, link, columns, mapping.where?.expression);
  const order = newestFirst(table, 'rollcall_r');
  return {
    name,
    source: table.name,
    rank,
    attributes: attributes.map((a) => a.name),
    makesContacts: true,
    givesConsent,
    sql: functionOf(
      name,
      `select rollcall_k.key,
         case when rollcall_b.bytes > ${LONGEST_PAYLOAD} then 'failed' when rollcall_b.bytes is not null then 'ok' else 'gone' end,
         null::text,
         coalesce(rollcall_b.consent, 'missing'),
         case when rollcall_b.bytes > ${LONGEST_PAYLOAD} then ${tooLarge('rollcall_b.bytes')} else coalesce(rollcall_b.payload, '{}') end,
         ${cleared(attributes)}
    from rollcall_k
    left join (
      select rollcall_p.rollcall_key, rollcall_y.*, pg_column_size(rollcall_y.payload) as bytes
        from (select distinct on (rollcall_r.rollcall_key) rollcall_r.* from (${rows}) as rollcall_r
               order by rollcall_r.rollcall_key, ${order.join(', ')}) as rollcall_p
        cross join lateral (
          select ${jsonObject(members)} as payload, ${givesConsent ? `(${answerOf(consent, scope)})` : `null::text`} as consent
            from (select ${columns.map((c) => `rollcall_p.${quoteIdent(c)}`).join(', ')}) as ${scope.alias} offset 0) as rollcall_y
      ) as rollcall_b on rollcall_b.rollcall_key = rollcall_k.key`,
    ),
  };
}

function aggregatePart(name: string, source: AggregateSource): Part {
  const { table, link, where, attributes, rank, expressions } = source;
  const scope = tableScope(table);
  const members = attributes.map((a) => ({
    name: a.name,
    value: attributeValue(a, aggregateOf(a, expressions), scope),
    keepNull: false,
  }));
  const rows = matching(table, link, aggregateColumns(source), where?.expression);
  return {
    name,
    source: table.name,
    rank,
    attributes: attributes.map((a) => a.name),
    makesContacts: false,
    givesConsent: false,
    sql: functionOf(
      name,
      `select rollcall_k.key, case when rollcall_b.bytes > ${LONGEST_PAYLOAD} then 'failed' else 'ok' end, null::text, 'missing',
         case when rollcall_b.bytes > ${LONGEST_PAYLOAD} then ${tooLarge('rollcall_b.bytes')} else rollcall_b.payload end,
         ${cleared(attributes)}
    from rollcall_k
    left join (select ${scope.alias}.rollcall_key, ${jsonObject(members)} as payload
      from (${rows}) as ${scope.alias} group by ${scope.alias}.rollcall_key) as rollcall_g on rollcall_g.rollcall_key = rollcall_k.key
    cross join (select ${jsonObject(members)} as payload from (${rows}) as ${scope.alias} where false) as rollcall_n
    cross join lateral (select x.payload, pg_column_size(x.payload) as bytes
      from (select coalesce(rollcall_g.payload, rollcall_n.payload) as payload offset 0) as x offset 0) as rollcall_b`,
    ),
  };
}

const FEW = 20;

/**
 * A batch is mapped by a few scans, not by one for each contact: a table without a fitting index is read once, and not a
 * thousand times. So the plan is made for the batch, and joins are free; `jit` would compile what runs for a millisecond. For a few
 * contacts to make a plan costs more than to run it: they share one, by whatever index there is.
 * Names inside begin with ours, so that no table of the project can have them.
 */
function functionOf(name: string, query: string): string {
  return `create or replace function rollcall.${quoteIdent(name)}(p_keys text[], p_addresses text[]) returns setof rollcall.mapped
language plpgsql set plan_cache_mode = force_generic_plan set enable_hashjoin = on set enable_bitmapscan = on set jit = off as ${dollarQuote(`#variable_conflict use_column
declare
  rollcall_ids uuid[] := array(select ${keyUser('x.key')} from unnest(p_keys) as x(key) where x.key not like '${EMAIL_KEY}%');
  rollcall_texts text[] := array(select unnest(array[x.id::text, upper(x.id::text)]) from unnest(rollcall_ids) as x(id));
  rollcall_addresses text[] := array(select distinct x.address from unnest(p_addresses) as x(address) where x.address is not null);
begin
  if cardinality(p_keys) > ${FEW} then perform set_config('plan_cache_mode', 'force_custom_plan', true); end if;
  return query
  with rollcall_k as materialized (
    select x.key, ${keyUser('x.key')} as id, x.address from unnest(p_keys, p_addresses) as x(key, address))
  ${query};
end`)};`;
}

/** The rows of all contacts, each with the key of its contact. */
function matching(table: SourceTable, link: RowLink, columns: readonly string[], where: string | undefined): string {
  const scope = tableScope(table);
  const { via } = link;
  const list = columns.map((c) => `${scope.alias}.${quoteIdent(c)}`).join(', ') || '1 as rollcall_one';
  const rows = (filter: string): string =>
    `(select ${list} from ${quoteTable(table)} as ${scope.alias} where ${filter}) as rollcall_o`;
  const found =
    via === undefined
      ? ways(link, 'rollcall_o').map(
          ({ join }, n) => `${rows(ways(link, scope.alias)[n]?.filter ?? 'false')} join rollcall_k on ${join}`,
        )
      : ways(via.link, 'rollcall_v').map(
          ({ filter, join }) => `${quoteTable(via.target)} as rollcall_v
        join ${rows('true')} on rollcall_o.${quoteIdent(via.column.name)} = rollcall_v.${quoteIdent(via.targetColumn.name)}
        join rollcall_k on ${join} where ${filter}`,
        );
  return found
    .map((from) =>
      fulfilling(scope.alias, columns, where, `select rollcall_k.key as rollcall_key, rollcall_o.* from ${from}`),
    )
    .join('\n      union all\n      ');
}

/**
 * Those of the rows for which the config's condition is true. It sees a row alone, and only once it is known to be a contact's: beside
 * the link it would be tried on every row of the table, and one that it fails for would fail all contacts.
 */
function fulfilling(alias: string, columns: readonly string[], where: string | undefined, rows: string): string {
  if (where === undefined) return rows;
  const list = columns.map((c) => `rollcall_m.${quoteIdent(c)}`).join(', ') || '1 as rollcall_one';
  return `select rollcall_m.* from (${rows} offset 0) as rollcall_m
        cross join lateral (select (${where}\n) is true as holds from (select ${list}) as ${alias}) as rollcall_w where rollcall_w.holds`;
}

/** Of a null that clears nothing else is known; whatever gives a value comes over it. */
function cleared(attributes: readonly AttributeMapping[]): string {
  const names = attributes.filter((a) => a.onNull === 'clear').map((a) => [a.name, null]);
  return `${quoteLiteral(JSON.stringify(Object.fromEntries(names)))}::jsonb`;
}
