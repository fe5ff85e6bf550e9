import { quote } from '../../config/quote.ts';
import type { WriteBack } from '../../core/mapping.ts';
import { isAnswer, isMetadataAnswer, type WriteBackTarget, type WrittenKind } from '../compile/write-back.ts';
import { checkAccess } from './access.ts';
import { tableColumns, unknownColumn } from './columns.ts';
import { inside, type Inspection, refusal } from './context.ts';
import { inferRowLink, type LinkedTables, namedLink } from './link.ts';
import { type CatalogTable, readTable, tableName } from './table.ts';
import type { RowLink } from '../source.ts';

/**
 * Checks where consent is to be written: the column is there, can hold it, and may be written.
 * @throws RollcallError `RC_WRITE_BACK` with what is wrong, `RC_TABLE_UNKNOWN`, `RC_CONFIG_COLUMN_UNKNOWN`, `RC_TABLE_PERMISSION`,
 * `RC_TABLE_ROW_SECURITY`, `RC_CONTACT_LINK`, `RC_NO_CONTACT_LINK`
 */
export async function inspectWriteBacks(on: Inspection, links: LinkedTables): Promise<readonly WriteBackTarget[]> {
  const all: WriteBackTarget[] = [];
  for (const to of on.config.writeBacks) all.push(await inspectOne(on, to, links));
  return all;
}

async function inspectOne(on: Inspection, to: WriteBack, links: LinkedTables): Promise<WriteBackTarget> {
  const { target } = to;
  const { consent } = on.config;
  if (target.kind === 'app_metadata') {
    if (isMetadataAnswer(to, consent)) checkSays(on, to);
    await checkRight(on, to, `'auth.users'::regclass`, 'auth.users', ['update'], 'raw_app_meta_data');
    return { to };
  }
  const found = await readTable(on, target.table, to);
  const column = found.table.columns.get(target.name);
  if (column === undefined) throw unknownColumn(on, tableColumns(found), target.name, inside(to, 'column'));
  if (found.table.kind === 'view') {
    const what = `${tableName(target.table)} is a view, and consent is written into tables.`;
    throw refusal(on, to, 'RC_WRITE_BACK', what, 'Name the table under it.');
  }
  const kind = kindOf(found, target.name);
  if (kind === undefined) {
    const what = `The column ${quote(target.name)} of ${tableName(target.table)} is ${column.sqlType}, which cannot hold an opt-out.`;
    throw refusal(on, to, 'RC_WRITE_BACK', what, 'Name a boolean, a timestamp (when they left) or a text.');
  }
  const answers = isAnswer(found.table, target.name, consent);
  if (answers) checkSays(on, to);
  if (answers && kind === 'timestamp') {
    const what = `The column ${quote(target.name)} is the one that consent is read from, and a time is neither yes nor no.`;
    throw refusal(on, to, 'RC_WRITE_BACK', what, 'Name a boolean column.');
  }
  await checkAccess(on, found, { read: true, capture: false }, to);
  const rights = target.insert ? ['update', 'insert'] : ['update'];
  await checkRight(on, to, `${found.oid}::oid`, tableName(target.table), rights, target.name);
  return { to, column: { table: found.table, link: await linkOf(on, to, found, links), name: target.name, kind } };
}

function kindOf(found: CatalogTable, name: string): WrittenKind | undefined {
  const column = found.table.columns.get(name);
  if (column?.type === 'boolean') return 'boolean';
  if (column?.type === 'timestamp') return 'timestamp';
  return found.words.has(name) ? 'text' : undefined;
}

/** A no must not be written as the yes that it would be read as. */
function checkSays(on: Inspection, to: WriteBack): void {
  if (to.says === 'opted_in') return;
  const what = 'consent is read from this place, where true is a yes, and true would be written there for a no.';
  throw refusal(on, to, 'RC_WRITE_BACK', what, 'Add `says: opted_in`.');
}

async function linkOf(on: Inspection, to: WriteBack, found: CatalogTable, links: LinkedTables): Promise<RowLink> {
  const { target } = to;
  const said = target.kind === 'column' ? target.link : undefined;
  if (said !== undefined) return namedLink(on, found, said, links, to);
  const inferred = inferRowLink(found, links);
  if ('none' in inferred) throw refusal(on, to, 'RC_NO_CONTACT_LINK', inferred.none.why, inferred.none.hint);
  if (inferred.link.via === undefined) return inferred.link;
  const what = `The rows of ${found.table.name} lead to their contacts through another table.`;
  throw refusal(on, to, 'RC_WRITE_BACK', what, 'Name a column that does: `contact: {user_id: <column>}`.');
}

async function checkRight(
  on: Inspection,
  to: WriteBack,
  relation: string,
  name: string,
  rights: readonly string[],
  column: string,
): Promise<void> {
  const [row] = await on.tx.query<{ role: string; lacks: string[] | null }>(
    `select quote_ident(current_user) as role, (select array_agg(r) from unnest($2::text[]) r
       where not (has_column_privilege(${relation}, $1, r))) as lacks`,
    [column, rights],
  );
  if (row?.lacks === null || row === undefined) return;
  const missing = row.lacks.join(', ');
  throw refusal(
    on,
    to,
    'RC_TABLE_PERMISSION',
    `The role ${row.role} lacks rights on ${name}, where consent is to be written: ${missing}.`,
    `As the owner of the table run: grant ${missing} on ${name} to ${row.role};`,
  );
}
