import type { MappingPlace, ViewWatch } from '../../core/mapping.ts';
import { refusedUserColumn, userColumn } from '../../core/user-columns.ts';
import { checkAccess } from './access.ts';
import { inside, type Inspection, refusal } from './context.ts';
import { inferRowLink, type LinkedTables } from './link.ts';
import { type CatalogTable, readTable, tableName } from './table.ts';
import type { BaseTable } from '../source.ts';

/** In other tables of `auth`: what lets somebody in. */
const KEPT_SECRET = /token|secret|password|hash|code|challenge|credential|_key$/;

/**
 * Checks that changes of a view will be seen, and that it shows nothing that may not leave.
 * @returns the tables whose triggers tell of its changes
 * @throws RollcallError `RC_VIEW_NOT_WATCHED`, `RC_VIEW_SECRET`, `RC_NO_CONTACT_LINK`, and what `readTable` throws
 */
export async function inspectView(
  on: Inspection,
  view: CatalogTable,
  watch: ViewWatch,
  contacts: LinkedTables,
  place: MappingPlace,
): Promise<readonly BaseTable[]> {
  const name = tableName(view.table);
  if (watch.baseTables.length === 0 && watch.everyMs === undefined) {
    throw refusal(
      on,
      place,
      'RC_VIEW_NOT_WATCHED',
      `${name} is a view: it has no triggers, so nothing tells when its rows change.`,
      'Name the tables it reads (`base_tables: [orders]`), or how often to look again (`every: 1h`).',
    );
  }
  await checkSecrets(on, view, place);
  const bases: BaseTable[] = [];
  for (const base of watch.baseTables) {
    const at = inside(place, 'base_tables');
    const found = await readTable(on, base, at);
    if (found.table.kind === 'view') {
      throw refusal(
        on,
        at,
        'RC_VIEW_NOT_WATCHED',
        `${tableName(base)} is a view too: it has no triggers.`,
        'Name the tables under it.',
      );
    }
    await checkAccess(on, found, { read: false, capture: true }, at);
    const link = inferRowLink(found, contacts);
    if ('none' in link) {
      throw refusal(
        on,
        at,
        'RC_NO_CONTACT_LINK',
        link.none.why,
        `Give it such a column, or have the view ${name} looked at again in turn: \`every: 1h\` instead of base_tables.`,
      );
    }
    bases.push({ table: found.table, link: link.link });
  }
  return bases;
}

/** Columns that a view reads, through views of any depth; the rule of each view knows its own. */
async function checkSecrets(on: Inspection, view: CatalogTable, place: MappingPlace): Promise<void> {
  const reads = await on.tx.query<{ schema: string; table: string; column: string | null }>(
    `with recursive views(oid) as (
       select $1::oid
       union
       select c.oid from views v join pg_rewrite r on r.ev_class = v.oid and r.ev_type = '1'
         join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
         join pg_class c on c.oid = d.refobjid and c.relkind in ('v', 'm'))
     select distinct n.nspname::text as schema, c.relname::text as "table", x.name as "column"
       from views v join pg_rewrite r on r.ev_class = v.oid and r.ev_type = '1'
       join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
       join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
       cross join lateral (
         select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = d.refobjsubid and a.attnum > 0
         union all
         -- A whole row is no dependency on any column: only the stored rule shows it.
         select null where r.ev_action::text like '%:varattno 0 :vartype ' || c.reltype || ' %') as x(name)
      where n.nspname in ('auth', 'vault', 'pgsodium') and c.relkind <> 'c'
      order by 1, 2, 3`,
    [view.oid],
  );
  for (const { schema, table, column } of reads) {
    const reason = secret(schema, table, column);
    if (reason === undefined) continue;
    const what = column === null ? `the whole row of ${schema}.${table}` : `${schema}.${table}.${column}`;
    throw refusal(
      on,
      place,
      'RC_VIEW_SECRET',
      `The view ${tableName(view.table)} reads ${what}, directly or through other views: ${reason}.`,
      'Map a view or a table that does not.',
    );
  }
}

/** Why a column may not be read by a view that is mapped; undefined when it may. */
function secret(schema: string, table: string, column: string | null): string | undefined {
  if (schema !== 'auth') return `what is in ${schema} is secret`;
  if (column === null) return 'hashes and tokens are in it';
  if (table !== 'users') return KEPT_SECRET.test(column) ? 'it may let somebody in' : undefined;
  if (userColumn(column)?.sql === column || column === 'instance_id') return undefined;
  return refusedUserColumn(column) ?? 'it is none of the columns of auth.users that may leave';
}
