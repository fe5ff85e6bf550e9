import type { MappingPlace } from '../../core/mapping.ts';
import { usefulIndexes } from '../compile/link.ts';
import type { Inspection } from './context.ts';
import type { CatalogTable } from './table.ts';
import { quoteTable } from '../quote.ts';
import type { RowLink } from '../source.ts';

/** Fewer rows are read whole as fast. */
const ROWS = 1_000;

/** Rows that are looked up by their contact. */
export interface LookedUp {
  readonly found: CatalogTable;
  readonly link: RowLink;
  readonly place: MappingPlace;
}

/** Warns of each index without which every change reads a whole table, once, with the statement that makes it. */
export async function checkIndexes(on: Inspection, lookedUp: readonly LookedUp[]): Promise<void> {
  const told = new Set<string>();
  for (const { found, link, place } of lookedUp) {
    const { table, rows } = found;
    if (table.kind === 'view' || rows < ROWS) continue;
    for (const index of usefulIndexes(link)) {
      const statement = `create index on ${quoteTable(table)} (${index});`;
      if (told.has(statement) || (await hasIndex(on, found, index))) continue;
      told.add(statement);
      on.warnings.push({
        code: 'RC_WARN_NO_INDEX',
        message: `${table.name} has about ${rows} rows and no index that finds those of one contact: every change of one reads all of them. Run: ${statement}`,
        line: place.line,
        column: place.column,
      });
    }
  }
}

/**
 * Whether an index of the table begins with an expression. The expression is put into the words that Postgres has for it by
 * making that very index on an empty copy of the table.
 */
async function hasIndex({ tx }: Inspection, { oid, table }: CatalogTable, index: string): Promise<boolean> {
  await tx.script('savepoint rollcall_index');
  try {
    await tx.query(`create temporary table rollcall_copy (like ${quoteTable(table)})`);
    await tx.query(`create index rollcall_wanted on pg_temp.rollcall_copy (${index})`);
    const [found] = await tx.query(
      `select 1 from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
        where i.indrelid = $1::oid and i.indisvalid and m.amname in ('btree', 'hash')
          and pg_get_indexdef(i.indexrelid, 1, true) = pg_get_indexdef('pg_temp.rollcall_wanted'::regclass, 1, true)
          -- A value that is looked for is not null, which is all that such a condition asks for.
          and (i.indpred is null or exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attnum > 0
                and pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)
                and (a.attnum = i.indkey[0] or i.indkey[0] = 0 and pg_get_indexdef(i.indexrelid, 1, true) like '%' || quote_ident(a.attname) || '%')))
        limit 1`,
      [oid],
    );
    return found !== undefined;
  } finally {
    await tx.script('rollback to savepoint rollcall_index; release savepoint rollcall_index');
  }
}
