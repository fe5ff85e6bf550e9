import { quoteIdent, quoteTable } from '../../sql/quote.ts';
import { type MirrorShape, USERS } from './shape.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** The statements that write one mirrored table. `$1` is the JSON text of rows, as the server sent it, but where something else is said. */
export interface MirrorSql {
  /** Writes what differs, and says how much: `{written}`. */
  readonly write: string;
  /** Notes the keys as seen. */
  readonly note: string;
  /** Keys of the mirror that were not seen: `{key}`, those behind the key `$1`, at most `$2`. */
  readonly unseen: string;
  /** The keys that `$1` has (JSON, an array of objects), as this database writes them: `{key}`. */
  readonly keys: string;
  /** Removes the rows with the keys that `$1` has: JSON, an array of objects. */
  readonly remove: string;
  /** What rows lead to and is not there: `{key}`. */
  readonly missing: readonly { readonly target: string; readonly sql: string }[];
}

/** What the Admin API calls otherwise than the table; an empty address or number is none (auth:internal/models/user.go). */
const USER_VALUES: Readonly<Record<string, string>> = {
  email: `nullif(x.email, '')`,
  phone: `nullif(x.phone, '')`,
  raw_user_meta_data: 'x.user_metadata',
  raw_app_meta_data: 'x.app_metadata',
  is_anonymous: 'coalesce(x.is_anonymous, false)',
  // Not told as such: by the provider, which has the id of the identity provider behind it (auth:internal/models/sso.go).
  is_sso_user: `coalesce(x.app_metadata ->> 'provider' like 'sso:%', false)`,
};
const JSON_NAMES: Readonly<Record<string, string>> = {
  raw_user_meta_data: 'user_metadata',
  raw_app_meta_data: 'app_metadata',
};

/**
 * @param columns those that are read: others stay as they are
 * @param seen the table of the keys that a pass has seen
 * @param users the columns that lead to users
 */
export function mirrorSql(
  shape: MirrorShape,
  columns: readonly string[],
  seen: string,
  users: readonly string[],
): MirrorSql {
  const table = quoteTable(shape);
  const given = givenRows(shape, columns);
  const of = (alias: string, names: readonly string[], cast = ''): string =>
    names.map((name) => `${alias}.${quoteIdent(name)}${cast}`).join(', ');
  const record = (alias: string): string => `row(${of(alias, columns)})::record`;
  const same = shape.key.map((c) => `m.${quoteIdent(c)} = g.${quoteIdent(c)}`).join(' and ');
  const keyOf = (alias: string): string => `array[${of(alias, shape.key, '::text')}]`;
  const list = columns.map(quoteIdent).join(', ');
  const missing = (column: string, type: string, target: string, targetColumn: string, targetType: string): string => {
    const cast = type === targetType ? '' : '::text';
    return `select distinct g.${quoteIdent(column)}::text as key from (${given}) g
      where g.${quoteIdent(column)} is not null
        and not exists (select from ${target} t where t.${quoteIdent(targetColumn)}${cast} = g.${quoteIdent(column)}${cast})`;
  };
  const formatOf = (column: string): string => shape.columns.find(({ name }) => name === column)?.format ?? 'text';
  return {
    // Of a row that is as it was nothing is written, and nothing locked.
    write: `with given as materialized (select distinct on (${shape.key.map(quoteIdent).join(', ')}) * from (${given}) x),
      updated as (update ${table} m set (${list}) = row(${of('g', columns)}) from given g where ${same} and ${record('m')} *<> ${record('g')} returning 1),
      inserted as (insert into ${table} (${list}) select ${of('g', columns)} from given g where not exists (select from ${table} m where ${same}) returning 1)
      select ((select count(*) from updated) + (select count(*) from inserted))::int as written`,
    note: `insert into ${seen} (key) select ${keyOf('g')} from (${given}) g on conflict do nothing`,
    unseen: `select ${keyOf('m')} as key from ${table} m
      where ($1::text[] is null or ${keyOf('m')} > $1::text[]) and not exists (select from ${seen} s where s.key = ${keyOf('m')}) order by 1 limit $2`,
    keys: `select ${keyOf('g')} as key from json_populate_recordset(null::${table}, $1::json) g`,
    remove: `delete from ${table} m using json_populate_recordset(null::${table}, $1::json) g where ${same}`,
    missing: [
      ...users.map((column) => ({
        target: tableName(USERS),
        sql: missing(column, formatOf(column), '"auth"."users"', 'id', 'uuid'),
      })),
      ...shape.references
        .filter((to) => tableName(to) !== tableName(USERS))
        .map(({ column, targetColumn, ...target }) => ({
          target: tableName(target),
          // The other table's column may be of a type of its own.
          sql: missing(column, '', quoteTable(target), targetColumn, 'text'),
        })),
    ],
  };
}

/** The rows of `$1` as Postgres reads them: numbers and times with every digit. */
function givenRows(shape: MirrorShape, columns: readonly string[]): string {
  if (shape.kind !== 'users') {
    return `select ${columns.map(quoteIdent).join(', ')} from json_populate_recordset(null::${quoteTable(shape)}, $1::json)`;
  }
  const read = shape.columns.filter(({ name }) => name === 'raw_app_meta_data' || columns.includes(name));
  const names = read.map(({ name, format }) => `${quoteIdent(JSON_NAMES[name] ?? name)} ${format}`);
  const values = columns.map((name) => `${USER_VALUES[name] ?? `x.${quoteIdent(name)}`} as ${quoteIdent(name)}`);
  return `select ${values.join(', ')} from json_to_recordset($1::json) as x(${names.join(', ')})`;
}
