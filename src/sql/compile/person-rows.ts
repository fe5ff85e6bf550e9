import type { ConsentBasis, UserMapping } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import { quoteIdent, quoteTable } from '../quote.ts';
import type { AggregateSource, ContactSource, RowLink, SourceTable } from '../source.ts';
import { ways } from './link.ts';
import { aggregateColumns, contactColumns, newest, newestFirst } from './parts.ts';
import { USERS, tableScope } from './value.ts';
import { type UserSource, watchedColumns } from './users.ts';

/**
 * A query of the rows that lead to one person, the one that counts first: `row` as JSON text and `holds`, whether the config's
 * condition is true of it; null where there is none. Its parameters: ids of users as uuid[], the same as texts in both cases,
 * addresses, and how many rows at most.
 */
export interface PersonRows {
  /** `schema.table`. */
  readonly source: string;
  /** The columns that the config reads and those of the primary key, as the config names them. */
  readonly columns: readonly string[];
  /** The condition of the config; undefined for none. */
  readonly where: string | undefined;
  readonly sql: string;
}

const PERSON = 'select $1::uuid[] as rollcall_ids, $2::text[] as rollcall_texts, $3::text[] as rollcall_addresses';

/** The row of `auth.users`: the columns that the config reads, under their names there. */
export function userRows(mapping: UserMapping, consent: ConsentBasis | undefined, source: UserSource): PersonRows {
  const watched = new Set(watchedColumns(mapping, consent, source));
  const columns = USER_COLUMNS.filter((c) => watched.has(c.sql) || c.sql === 'id');
  const projected = columns.map((c) => `u.${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`).join(', ');
  const names = columns.map((c) => c.name);
  return {
    source: 'auth.users',
    columns: names,
    where: mapping.where?.expression,
    sql: query({
      alias: USERS.alias,
      names,
      where: mapping.where?.expression,
      rows: [`select ${projected} from auth.users u where u.id = any(rollcall_ids)`],
      order: [],
    }),
  };
}

/** The rows of a table of contacts. */
export function contactRows(source: ContactSource, consent: ConsentBasis | undefined): PersonRows {
  const { table, link, mapping } = source;
  return tableRows(table, link, contactColumns(source, consent), mapping.where?.expression);
}

/** The rows that an aggregate is made of. */
export function aggregateRows(source: AggregateSource): PersonRows {
  return tableRows(source.table, source.link, aggregateColumns(source), source.where?.expression);
}

function tableRows(
  table: SourceTable,
  link: RowLink,
  columns: readonly string[],
  where: string | undefined,
): PersonRows {
  const { alias } = tableScope(table);
  const names = [...new Set([...table.primaryKey.map((c) => c.name), ...columns, newest(table) ?? []].flat())];
  const list = names.map((name) => `${alias}.${quoteIdent(name)}`).join(', ');
  const { via } = link;
  const rows =
    via === undefined
      ? ways(link, alias).map(({ filter }) => `select ${list} from ${quoteTable(table)} as ${alias} where ${filter}`)
      : ways(via.link, 'rollcall_v').map(
          ({ filter }) => `select ${list} from ${quoteTable(via.target)} as rollcall_v
        join ${quoteTable(table)} as ${alias} on ${alias}.${quoteIdent(via.column.name)} = rollcall_v.${quoteIdent(via.targetColumn.name)} where ${filter}`,
        );
  return {
    source: table.name,
    columns: names,
    where,
    sql: query({ alias, names, where, rows, order: newestFirst(table, 'rollcall_r') }),
  };
}

interface Parts {
  /** Of the row in the config's condition. */
  readonly alias: string;
  readonly names: readonly string[];
  readonly where: string | undefined;
  readonly rows: readonly string[];
  readonly order: readonly string[];
}

/** The condition sees a row alone, and is tried on this person's only. */
function query({ alias, names, where, rows, order }: Parts): string {
  const list = names.map((name) => `rollcall_r.${quoteIdent(name)}`).join(', ');
  const holds =
    where === undefined
      ? 'select null::boolean as holds'
      : `select (${where}\n) is true as holds from (select ${list}) as ${alias}`;
  return `select to_jsonb(rollcall_r)::text as row, rollcall_w.holds
    from (select rollcall_r.* from (${PERSON}) as rollcall_p cross join lateral (${rows.join(' union all ')}) as rollcall_r
      ${order.length === 0 ? '' : `order by ${order.join(', ')}`} limit $4) as rollcall_r
    cross join lateral (${holds} offset 0) as rollcall_w`;
}
