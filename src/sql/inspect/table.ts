import { quote } from '../../config/quote.ts';
import { closest } from '../../config/suggest.ts';
import type { MappingPlace, TableName } from '../../core/mapping.ts';
import { type Inspection, nearest, refusal } from './context.ts';
import { attributeType, type BaseType, baseTypeColumns, baseTypes } from './type.ts';
import type { Queryable } from '../port.ts';
import type { SourceColumn, SourceTable } from '../source.ts';

/** The columns of a table. */
export interface Shape {
  readonly table: SourceTable;
  /** Generated columns that are not stored (Postgres 18). They are none of the table's columns: no trigger sees their values. */
  readonly virtual: readonly string[];
}

/** A table as the catalogs have it, with what only the inspection needs to know of it. */
export interface CatalogTable extends Shape {
  readonly oid: string;
  /** Columns whose values are words: text and its kin, citext. */
  readonly words: ReadonlySet<string>;
  /** Of one column each. */
  readonly foreignKeys: readonly ForeignKey[];
  /** About how many rows it and its partitions have, by the last ANALYZE; 0 before the first. */
  readonly rows: number;
}

export interface ForeignKey extends TableName {
  readonly column: string;
  readonly targetColumn: string;
}

const KINDS: Readonly<Record<string, SourceTable['kind']>> = { r: 'table', p: 'partitioned', v: 'view', m: 'view' };

/** `schema.table`, unquoted: its name in messages and in `rollcall.sources`. */
export function tableName({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}

/**
 * Reads the shape of a table or view. Needs no right on it.
 * @throws RollcallError `RC_TABLE_UNKNOWN`, `RC_TABLE_KIND` (a foreign table), `RC_NO_PRIMARY_KEY`
 */
export async function readTable(on: Inspection, name: TableName, place: MappingPlace): Promise<CatalogTable> {
  const { tx } = on;
  const [found] = await tx.query<{ oid: string; kind: string; rows: string }>(
    `with recursive family(oid) as (
       select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname::text = $1 and c.relname::text = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
       union select i.inhrelid from family f join pg_inherits i on i.inhparent = f.oid)
     select c.oid::text as oid, c.relkind::text as kind,
            (select sum(greatest(x.reltuples, 0))::bigint from family join pg_class x using (oid) where x.relkind <> 'p')::text as rows
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname::text = $1 and c.relname::text = $2 and c.oid in (select oid from family)`,
    [name.schema, name.table],
  );
  if (found === undefined) throw await unknownTable(on, name, place);
  const kind = KINDS[found.kind];
  if (kind === undefined) {
    throw refusal(
      on,
      place,
      'RC_TABLE_KIND',
      `${tableName(name)} is a foreign table: its rows are in another database, and changes there cannot be seen.`,
      'Install Rollcall in the database that holds the rows, or copy them into a table of this one.',
    );
  }
  const { columns, words, virtual } = await readColumns(tx, found.oid);
  const primaryKey = await readPrimaryKey(tx, found.oid, columns);
  if (kind !== 'view' && primaryKey.length === 0) {
    throw refusal(
      on,
      place,
      'RC_NO_PRIMARY_KEY',
      `The table ${tableName(name)} has no primary key, so its rows cannot be told apart when they change.`,
      'Give it one: `alter table … add primary key (…)`, with the columns that tell a row from all others.',
    );
  }
  return {
    oid: found.oid,
    table: { schema: name.schema, table: name.table, name: tableName(name), kind, columns, primaryKey },
    words,
    virtual,
    foreignKeys: await readForeignKeys(tx, found.oid),
    rows: Number(found.rows ?? 0),
  };
}

async function readColumns(
  tx: Queryable,
  oid: string,
): Promise<{ columns: Map<string, SourceColumn>; words: Set<string>; virtual: string[] }> {
  const all = await tx.query<
    BaseType & {
      name: string;
      sql: string;
      domain: string | null;
      operators: string | null;
      virtual: boolean;
      [column: string]: unknown;
    }
  >(
    `with recursive ${baseTypes(`select a.attnum, a.atttypid, a.atttypmod from pg_attribute a
       where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped`)}
     select a.attname::text as name, format_type(b.oid, b.mod) as sql, a.attgenerated = 'v' as virtual,
            case when b.oid <> a.atttypid then format_type(a.atttypid, a.atttypmod) end as domain, ${baseTypeColumns('t')},
            (select n.nspname::text
               from pg_opclass o join pg_am m on m.oid = o.opcmethod and m.amname = 'btree'
               join pg_amop x on x.amopfamily = o.opcfamily and x.amoplefttype = o.opcintype and x.amoprighttype = o.opcintype
                and x.amopstrategy = 5
               join pg_operator p on p.oid = x.amopopr join pg_namespace n on n.oid = p.oprnamespace
              where o.opcintype = b.oid and o.opcdefault and n.nspname <> 'pg_catalog') as operators
       from base b join pg_type t on t.oid = b.oid and t.typtype <> 'd'
       join pg_attribute a on a.attrelid = $1::oid and a.attnum = b.id
      order by a.attnum`,
    [oid],
  );
  const rows = all.filter((r) => !r.virtual);
  const column = ({ name, sql, domain, operators, ...type }: (typeof rows)[number]): SourceColumn => ({
    name,
    sqlType: sql,
    type: attributeType(type),
    ...(domain === null ? {} : { domain }),
    ...(operators === null ? {} : { operators }),
  });
  return {
    columns: new Map(rows.map((r) => [r.name, column(r)])),
    words: new Set(rows.filter((r) => r.category === 'S').map((r) => r.name)),
    virtual: all.filter((r) => r.virtual).map((r) => r.name),
  };
}

/** In the key's order, without the columns that its index only includes. */
async function readPrimaryKey(
  tx: Queryable,
  oid: string,
  columns: ReadonlyMap<string, SourceColumn>,
): Promise<SourceColumn[]> {
  const rows = await tx.query<{ name: string }>(
    `select a.attname::text as name
       from pg_constraint k cross join unnest(k.conkey) with ordinality as x(attnum, place)
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.attnum
      where k.conrelid = $1::oid and k.contype = 'p'
      order by x.place`,
    [oid],
  );
  return rows.flatMap(({ name }) => columns.get(name) ?? []);
}

async function readForeignKeys(tx: Queryable, oid: string): Promise<readonly ForeignKey[]> {
  return tx.query<ForeignKey & { [column: string]: unknown }>(
    `select distinct a.attname::text as "column", n.nspname::text as schema, r.relname::text as "table",
            t.attname::text as "targetColumn"
       from pg_constraint k
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
       join pg_class r on r.oid = k.confrelid join pg_namespace n on n.oid = r.relnamespace
       join pg_attribute t on t.attrelid = k.confrelid and t.attnum = k.confkey[1]
      where k.conrelid = $1::oid and k.contype = 'f' and cardinality(k.conkey) = 1
      order by 1, 2, 3, 4`,
    [oid],
  );
}

async function unknownTable(on: Inspection, name: TableName, place: MappingPlace): Promise<Error> {
  const near = await on.tx.query<{ schema: string; table: string }>(
    `select n.nspname::text as schema, c.relname::text as "table"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        and (n.nspname::text = $1 or (c.relname::text = $2 and n.nspname !~ '^(pg_|information_schema$)'))
      order by n.nspname::text <> $1, 2`,
    [name.schema, name.table],
  );
  const here = near.filter((t) => t.schema === name.schema).map((t) => t.table);
  const elsewhere = near.find((t) => t.schema !== name.schema);
  const [schema] = await on.tx.query('select 1 from pg_namespace where nspname::text = $1', [name.schema]);
  const hint =
    elsewhere !== undefined && closest(name.table, here) === undefined
      ? `Did you mean ${quote(tableName(elsewhere))}?`
      : (nearest(name.table, here) ?? 'Create it first, or mend its name.');
  return refusal(
    on,
    place,
    'RC_TABLE_UNKNOWN',
    schema === undefined
      ? `This database has no schema ${quote(name.schema)}, and the config names the table ${quote(tableName(name))}.`
      : `This database has no table or view ${quote(tableName(name))}.`,
    hint,
  );
}
