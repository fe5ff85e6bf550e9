import type { MappingPlace } from '../../core/mapping.ts';
import { type Inspection, refusal } from './context.ts';
import { type CatalogTable, tableName } from './table.ts';
import { sqlState } from '../port.ts';
import { quoteTable } from '../quote.ts';

/** What is done with a table: its rows are read, its changes are captured. */
export interface Use {
  readonly read: boolean;
  readonly capture: boolean;
}

const PERMISSION_DENIED = '42501';

/**
 * Checks that this role may do with a table what is needed, and that row security hides no row from it.
 * @throws RollcallError `RC_TABLE_PERMISSION` with the GRANT that is missing, `RC_TABLE_ROW_SECURITY`
 */
export async function checkAccess(on: Inspection, found: CatalogTable, use: Use, place: MappingPlace): Promise<void> {
  const { table } = found;
  const view = table.kind === 'view';
  const [rights] = await on.tx.query<{ grants: string[]; role: string; hidden: boolean }>(
    `with recursive family(oid) as (select $1::oid union select i.inhrelid from family f join pg_inherits i on i.inhparent = f.oid)
     select quote_ident(current_user) as role, row_security_active($1::oid) as hidden,
            (select array_agg(x.text order by x.place, x.text) from (
              select 1 as place, format('grant usage on schema %I to %I;', n.nspname, current_user) as text
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.oid = $1::oid and not has_schema_privilege(n.oid, 'usage')
              union all
              select 2, format('grant %s on table %I.%I to %I;', r.names, n.nspname, c.relname, current_user)
                from family join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
                cross join lateral (select string_agg(w.name, ', ' order by w.name) as names from unnest($2::text[]) as w(name)
                  -- What a parent lets one read, its partitions do too; their triggers are their own.
                 where not has_table_privilege(c.oid, w.name) and (c.oid = $1::oid or w.name = 'trigger')) as r
               where r.names is not null and c.relkind <> 'f') as x) as grants`,
    [found.oid, [...(use.read ? ['select'] : []), ...(use.capture && !view ? ['trigger'] : [])]],
  );
  const name = tableName(table);
  const role = rights?.role ?? '';
  if (rights !== undefined && (rights.grants ?? []).length > 0) {
    throw refusal(
      on,
      place,
      'RC_TABLE_PERMISSION',
      `The role ${role} lacks rights on ${name}, which the config reads.`,
      `As the owner of the table run: ${rights.grants.join(' ')}`,
    );
  }
  if (use.read && rights?.hidden === true) throw hiddenRows(on, place, name, role);
  if (use.read && view) await checkView(on, found, role, place);
}

/** A view reads with the rights of its owner, unless it is a security_invoker: only a plan tells what may be read through it. */
async function checkView(on: Inspection, found: CatalogTable, role: string, place: MappingPlace): Promise<void> {
  const { tx } = on;
  const failure = async (rowSecurity: 'on' | 'off'): Promise<string | undefined> => {
    await tx.script(`savepoint rollcall_plan; set local row_security = ${rowSecurity}`);
    try {
      await tx.query(`explain select * from ${quoteTable(found.table)}`);
      return undefined;
    } catch (error) {
      if (sqlState(error) !== PERMISSION_DENIED) throw error;
      return error instanceof Error ? error.message : String(error);
    } finally {
      await tx.script('rollback to savepoint rollcall_plan; release savepoint rollcall_plan');
    }
  };
  const denied = await failure('on');
  if (denied !== undefined) {
    throw refusal(
      on,
      place,
      'RC_TABLE_PERMISSION',
      `The view ${tableName(found.table)} cannot be read: ${denied}.`,
      'Grant select on what it reads to the owner of the view, or to this role where the view is a security_invoker.',
    );
  }
  if ((await failure('off')) !== undefined) throw hiddenRows(on, place, `what ${tableName(found.table)} reads`, role);
}

function hiddenRows(on: Inspection, place: MappingPlace, name: string, role: string): Error {
  return refusal(
    on,
    place,
    'RC_TABLE_ROW_SECURITY',
    `Row-level security of ${name} applies to the role ${role}: rows that it hides would look as if they were deleted.`,
    'Use the role "postgres" of the project, which row-level security does not apply to, or run `alter role … bypassrls`.',
  );
}
