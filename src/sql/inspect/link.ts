import { quote } from '../../config/quote.ts';
import type { ContactLink, MappingPlace } from '../../core/mapping.ts';
import { tableColumns, unknownColumn } from './columns.ts';
import { inside, type Inspection, listed, refusal } from './context.ts';
import { type CatalogTable, type ForeignKey, tableName } from './table.ts';
import { sqlState } from '../port.ts';
import type { RowLink, SourceColumn, SourceTable } from '../source.ts';

/** A mapped table of contacts whose link is known. */
export interface LinkedTable {
  readonly table: SourceTable;
  readonly link: RowLink;
}

/** By `schema.table`. */
export type LinkedTables = ReadonlyMap<string, LinkedTable>;

/** Where a link was looked for and not found. */
export interface NoLink {
  /** As a sentence. */
  readonly why: string;
  readonly hint: string;
}

type Found = { readonly link: RowLink } | { readonly none: NoLink };

/** Columns that hold the address of whom a row is about, by their names; the first that is there counts. */
const ADDRESS_COLUMNS = ['customer_email', 'user_email', 'email'];

const UNDEFINED_OPERATOR = '42883';

/**
 * The link of a table of contacts, where the config does not say: one foreign key to `auth.users(id)`, with the column mapped
 * to the address for rows where that is null; else that column alone.
 */
export function inferContactLink(found: CatalogTable, email: SourceColumn | undefined): Found {
  const keys = userKeys(found);
  if (keys.length > 1) return ambiguous(found, keys);
  const [key] = keys;
  if (key !== undefined) return { link: { user: column(found, key.column), email } };
  if (email !== undefined) return { link: { email } };
  return none(
    `Nothing leads from a row of ${tableName(found.table)} to its contact: it has no foreign key to auth.users(id), and no column of it is mapped to email.`,
    'Map a column to email, or name the column: `contact: {user_id: <column>}`.',
  );
}

/**
 * The link of rows that are about a contact, where the config does not say: that of the table's own mapping, else one foreign
 * key to `auth.users(id)`, else one to a mapped table of contacts, else a column with an address.
 */
export function inferRowLink(found: CatalogTable, contacts: LinkedTables): Found {
  const mapped = contacts.get(found.table.name);
  if (mapped !== undefined && mapped.link.via === undefined) return { link: mapped.link };
  const users = userKeys(found);
  if (users.length > 1) return ambiguous(found, users);
  if (users[0] !== undefined) return { link: { user: column(found, users[0].column) } };
  const keys = found.foreignKeys.filter((key) => contacts.get(tableName(key))?.link.via === undefined);
  const tables = keys.filter((key) => contacts.has(tableName(key)));
  if (tables.length > 1) return ambiguous(found, tables);
  const [key] = tables;
  const target = key === undefined ? undefined : contacts.get(tableName(key));
  const targetColumn = key === undefined ? undefined : target?.table.columns.get(key.targetColumn);
  if (key !== undefined && target !== undefined && targetColumn !== undefined) {
    const via = { column: column(found, key.column), target: target.table, targetColumn, link: target.link };
    return { link: { via } };
  }
  const address = ADDRESS_COLUMNS.find((name) => found.words.has(name));
  if (address !== undefined) return { link: { email: column(found, address) } };
  return none(
    `Nothing leads from a row of ${tableName(found.table)} to a contact: it has no foreign key to auth.users(id) or to a mapped table of contacts, and no text column ${ADDRESS_COLUMNS.join(', ')}.`,
    'Name the column that does: `contact: {user_id: <column>}` or `contact: {email: <column>}`.',
  );
}

/**
 * The link that the config names.
 * @throws RollcallError `RC_CONFIG_COLUMN_UNKNOWN`, `RC_CONTACT_LINK` when the column cannot lead to a contact
 */
export async function namedLink(
  on: Inspection,
  found: CatalogTable,
  link: ContactLink,
  contacts: LinkedTables,
  entry: MappingPlace,
): Promise<RowLink> {
  const place = inside(entry, 'contact');
  const from = found.table.columns.get(link.column);
  if (from === undefined) throw unknownColumn(on, tableColumns(found), link.column, place);
  const wrong = (what: string, hint: string): Error => refusal(on, place, 'RC_CONTACT_LINK', what, hint);
  const its = `The column ${quote(link.column)} of ${tableName(found.table)} is ${from.sqlType}`;
  switch (link.kind) {
    case 'user':
      if (from.sqlType === 'uuid' || found.words.has(from.name)) return { user: from };
      throw wrong(
        `${its}, and the id of a user is a uuid.`,
        'Name a column that holds auth.users.id, as uuid or text.',
      );
    case 'email':
      if (found.words.has(from.name)) return { email: from };
      throw wrong(`${its}, and an address is text.`, 'Name a text column.');
    case 'table': {
      const name = tableName(link.table);
      const target = contacts.get(name);
      if (target === undefined || name === found.table.name) {
        throw wrong(
          `The rows of ${tableName(found.table)} are to lead through ${name}, and that is no other mapped table of contacts.`,
          `Map ${name} under table_mapping, or name a column with the user's id or address.`,
        );
      }
      if (target.link.via !== undefined) {
        throw wrong(
          `${name} leads to its contacts through another table itself, and a row may lead through one table only.`,
          "Name a column with the user's id or address.",
        );
      }
      const [key, second] = target.table.primaryKey;
      if (key === undefined || second !== undefined) {
        const what = key === undefined ? 'has none, as it is a view' : 'has several columns';
        throw wrong(
          `The column ${quote(link.column)} is to hold the primary key of ${name}, and that table ${what}.`,
          "Name a column with the user's id or address.",
        );
      }
      if (!(await comparable(on, from, key))) {
        throw wrong(`${its}, and the primary key of ${name} is ${key.sqlType}.`, 'Name the column that refers to it.');
      }
      return { via: { column: from, target: target.table, targetColumn: key, link: target.link } };
    }
  }
}

async function comparable({ tx }: Inspection, a: SourceColumn, b: SourceColumn): Promise<boolean> {
  await tx.script('savepoint rollcall_compare');
  try {
    await tx.query(`select null::${a.sqlType} = null::${b.sqlType}`);
    return true;
  } catch (error) {
    if (sqlState(error) === UNDEFINED_OPERATOR) return false;
    throw error;
  } finally {
    await tx.script('rollback to savepoint rollcall_compare; release savepoint rollcall_compare');
  }
}

function userKeys({ foreignKeys }: CatalogTable): readonly ForeignKey[] {
  return foreignKeys.filter((k) => k.schema === 'auth' && k.table === 'users' && k.targetColumn === 'id');
}

function column({ table }: CatalogTable, name: string): SourceColumn {
  const there = table.columns.get(name);
  if (there === undefined) throw new Error(`${table.name} has a key on a column that it has not: ${name}`);
  return there;
}

function ambiguous({ table }: CatalogTable, keys: readonly ForeignKey[]): Found {
  const [first] = keys;
  const ways = listed(keys.map((key) => `${quote(key.column)} (to ${tableName(key)})`));
  const word = first?.schema === 'auth' ? 'user_id' : (first?.table ?? 'table');
  return none(
    `Several columns of ${tableName(table)} may lead to the contact: ${ways}.`,
    `Say which: \`contact: {${word}: ${first?.column ?? ''}}\`.`,
  );
}

function none(why: string, hint: string): Found {
  return { none: { why, hint } };
}
