import { RollcallError } from '../../core/errors.ts';
import type { Queryable, Script, Sql } from '../../sql/port.ts';
import { quoteIdent, quoteLiteral, quoteTable } from '../../sql/quote.ts';
import { type MirrorShape } from './shape.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** Says of a table that it is ours to write: in another database it would be the app's. */
const MARK = 'Read from a Supabase project by its API, by Rollcall.';

/** What is kept beside the mirror: what has been read of each table, who reads, and what a pass has seen. */
const STATE = /* sql */ `
create schema if not exists rollcall_api;
create table if not exists rollcall_api.sources (
  name text primary key, id int generated always as identity, kind text not null,
  columns text[] not null default '{}',  -- that the rows here have
  loaded_at timestamptz,                 -- read whole, with these columns; before that nothing is made of its changes
  place jsonb,                           -- of the pass that is under way
  passes bigint not null default 0, began_at timestamptz, passed_at timestamptz, rows bigint,
  whole_at timestamptz,                  -- when the last pass over all of it began: what is new since was not so then
  skipped bigint not null default 0
);
create table if not exists rollcall_api.reader (
  one boolean primary key default true check (one), token uuid, held_until timestamptz,
  wanted_at timestamptz, began_at timestamptz, ended_at timestamptz
);
insert into rollcall_api.reader default values on conflict do nothing;
revoke all on schema rollcall_api from public;
`;

/**
 * Makes the tables that the project is read into, or changes them to what its tables are now. Nothing of the app is here, so nothing
 * is enforced but the key.
 * @throws RollcallError `RC_API_STATE_TAKEN` where such a table is there and is not ours, `RC_API_KEY_CHANGED`
 */
export async function ensureMirror(sql: Sql, shapes: readonly MirrorShape[]): Promise<void> {
  await sql.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext('rollcall_api'))`);
    await tx.script(STATE);
    for (const shape of shapes) {
      const name = tableName(shape);
      const kept = await keptColumns(tx, shape);
      if (kept === undefined) await create(tx, shape);
      else await alter(tx, shape, kept);
      await tx.query('insert into rollcall_api.sources (name, kind) values ($1, $2) on conflict do nothing', [
        name,
        shape.kind,
      ]);
      const [row] = await tx.query<{ id: number }>('select id from rollcall_api.sources where name = $1', [name]);
      await tx.script(`create unlogged table if not exists ${seenTable(row?.id ?? 0)} (key text[] primary key)`);
    }
    await addReferences(tx, shapes);
  });
}

/** Removes it all, and nothing that is not ours. */
export async function dropMirror(tx: Queryable & Script): Promise<void> {
  const tables = await tx.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and obj_description(c.oid, 'pg_class') = $1`,
    [MARK],
  );
  for (const { name } of tables) await tx.script(`drop table ${name} cascade`);
  await tx.script('drop schema if exists rollcall_api cascade');
}

/** The keys that a pass over a table has seen. */
export function seenTable(id: number): string {
  return `rollcall_api.seen_${id}`;
}

type Tx = Queryable & Script;

async function create(tx: Tx, shape: MirrorShape): Promise<void> {
  const columns: string[] = [];
  for (const { name, format } of shape.columns) columns.push(`${quoteIdent(name)} ${await typeOf(tx, format)}`);
  await tx.script(`create schema if not exists ${quoteIdent(shape.schema)};
    create table ${quoteTable(shape)} (${columns.join(', ')}, primary key (${shape.key.map(quoteIdent).join(', ')}));
    comment on table ${quoteTable(shape)} is ${quoteLiteral(MARK)};
    revoke all on ${quoteTable(shape)} from public;`);
}

/** Columns with their types; undefined where there is no such table. @throws RollcallError `RC_API_STATE_TAKEN` */
async function keptColumns(tx: Tx, shape: MirrorShape): Promise<ReadonlyMap<string, string> | undefined> {
  const rows = await tx.query<{ ours: boolean; name: string; type: string }>(
    `select coalesce(obj_description(a.attrelid, 'pg_class') = $2, false) as ours, a.attname::text as name,
            format_type(a.atttypid, a.atttypmod) as type
       from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [quoteTable(shape), MARK],
  );
  if (rows.length === 0) return undefined;
  if (rows[0]?.ours === true) return new Map(rows.map(({ name, type }) => [name, type]));
  throw new RollcallError(
    'RC_API_STATE_TAKEN',
    `The state database has a table ${tableName(shape)} that Rollcall did not make.`,
    {
      hint: 'Is it the database of the project itself? Then set database_url to it. Else give connectors.supabase.state a database of its own.',
    },
  );
}

/** As an app's own migration would: what reads the column notices. */
async function alter(tx: Tx, shape: MirrorShape, kept: ReadonlyMap<string, string>): Promise<void> {
  const table = quoteTable(shape);
  const key = await keyOf(tx, shape);
  if (key.join('\n') !== shape.key.toSorted().join('\n')) {
    throw new RollcallError(
      'RC_API_KEY_CHANGED',
      `${tableName(shape)} has another primary key than when it was first read.`,
      {
        hint: 'Run `rollcall uninstall`, then `rollcall apply`, or take the table out of the mapping and put it back after an `apply`.',
      },
    );
  }
  for (const [name] of kept) {
    if (!shape.columns.some((column) => column.name === name))
      await tx.script(`alter table ${table} drop column ${quoteIdent(name)}`);
  }
  for (const { name, format } of shape.columns) {
    const type = await typeOf(tx, format);
    const before = kept.get(name);
    if (before === type) continue;
    const column = quoteIdent(name);
    await tx.script(
      before === undefined
        ? `alter table ${table} add column ${column} ${type}`
        : `alter table ${table} alter column ${column} type ${type} using ${shape.key.includes(name) ? `${column}::text::${type}` : `null::${type}`}`,
    );
    // What is there has to be read anew, and nothing is made of that.
    await tx.query(
      `update rollcall_api.sources set columns = array_remove(columns, $2), loaded_at = case when $2 = any(columns) then null else loaded_at end where name = $1`,
      [tableName(shape), name],
    );
  }
}

async function keyOf(tx: Tx, shape: MirrorShape): Promise<readonly string[]> {
  const rows = await tx.query<{ name: string }>(
    `select a.attname::text as name from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
      where k.conrelid = to_regclass($1) and k.contype = 'p' order by 1`,
    [quoteTable(shape)],
  );
  return rows.map(({ name }) => name).toSorted();
}

/** Of a type that this database does not know (an enum, that of an extension) the text is kept. */
async function typeOf(tx: Tx, format: string): Promise<string> {
  const [row] = await tx.query<{ type: string | null }>(
    `select format_type(t.oid, null) as type from pg_type t
      where t.oid = to_regtype($1) and t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm')`,
    [format],
  );
  return row?.type ?? (format.endsWith('[]') ? 'text[]' : 'text');
}

/** Where Postgres can know of a foreign key without holding to it (18 and later), links between rows are found by it. */
async function addReferences(tx: Tx, shapes: readonly MirrorShape[]): Promise<void> {
  const [version] = await tx.query<{ new: boolean }>(
    `select current_setting('server_version_num')::int >= 180000 as new`,
  );
  if (version?.new !== true) return;
  for (const shape of shapes) {
    for (const { column, targetColumn, ...target } of shape.references) {
      const aimed = shapes.find((other) => tableName(other) === tableName(target));
      if (aimed === undefined || aimed.key.length !== 1 || aimed.key[0] !== targetColumn) continue;
      const name = `rollcall_${column}`.slice(0, 63);
      const [there] = await tx.query('select 1 from pg_constraint where conrelid = to_regclass($1) and conname = $2', [
        quoteTable(shape),
        name,
      ]);
      if (there !== undefined) continue;
      await tx.script('savepoint reference');
      try {
        await tx.script(`alter table ${quoteTable(shape)} add constraint ${quoteIdent(name)} foreign key (${quoteIdent(column)})
          references ${quoteTable(aimed)} (${quoteIdent(targetColumn)}) not enforced`);
      } catch {
        // Of types that are texts here. Then the config has to name the link.
        await tx.script('rollback to savepoint reference');
      }
    }
  }
}
