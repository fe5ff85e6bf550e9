import type { ContactTable } from '../../core/mapping.ts';
import { answerPaths } from '../compile/answer.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { checkAccess } from './access.ts';
import { checkAttribute, checkPath, tableColumns } from './columns.ts';
import { inside, type Inspection, refusal } from './context.ts';
import { inspectCondition, inspectExpression } from './expression.ts';
import { inferContactLink, type LinkedTable, type LinkedTables, namedLink } from './link.ts';
import { rowScope } from './scope.ts';
import { type CatalogTable, readTable, tableName } from './table.ts';
import { inspectView } from './view.ts';
import type { ContactSource, RowLink } from '../source.ts';

/** A table of contacts, and what only the inspection needs to know of it. */
export interface InspectedContacts {
  readonly source: ContactSource;
  readonly found: CatalogTable;
}

/**
 * Reads the tables of contacts, in the config's order.
 * @throws RollcallError `RC_NO_CONTACT_LINK`, and what the parts throw
 */
export async function inspectContacts(on: Inspection): Promise<readonly InspectedContacts[]> {
  const { tables } = on.config;
  const read: { readonly mapping: ContactTable; readonly found: CatalogTable }[] = [];
  for (const mapping of tables) {
    const found = await readTable(on, mapping.table, mapping);
    await checkAccess(on, found, { read: true, capture: true }, mapping);
    read.push({ mapping, found });
  }
  // Those that lead through another table come last: they need its link.
  const links = new Map<string, LinkedTable>();
  const through = (mapping: ContactTable): boolean => mapping.link?.kind === 'table';
  for (const { mapping, found } of [
    ...read.filter((r) => !through(r.mapping)),
    ...read.filter((r) => through(r.mapping)),
  ]) {
    links.set(found.table.name, { table: found.table, link: await contactLink(on, mapping, found, links) });
  }
  const all: InspectedContacts[] = [];
  for (const [index, { mapping, found }] of read.entries()) {
    const link = links.get(found.table.name)?.link ?? {};
    const { kind } = found.table;
    const bases = kind === 'view' ? await inspectView(on, found, mapping, links, mapping) : [];
    const expressions = await inspectRows(on, mapping, found);
    const source: ContactSource = { table: found.table, mapping, link, rank: index + 1, expressions, bases };
    all.push({ source, found });
  }
  checkConsent(on, all);
  return all;
}

/** The links of tables of contacts, by the tables' names. */
export function linkedTables(contacts: readonly InspectedContacts[]): LinkedTables {
  return new Map(contacts.map(({ source }) => [source.table.name, { table: source.table, link: source.link }]));
}

async function contactLink(
  on: Inspection,
  mapping: ContactTable,
  found: CatalogTable,
  links: LinkedTables,
): Promise<RowLink> {
  const columns = tableColumns(found);
  if (mapping.email !== undefined) checkPath(on, columns, [mapping.email], inside(mapping, 'email'));
  const email = mapping.email === undefined ? undefined : found.table.columns.get(mapping.email);
  if (email !== undefined && !found.words.has(email.name)) {
    const what = `The column "${email.name}" of ${tableName(found.table)} is ${email.sqlType}, and an address is text.`;
    throw refusal(on, mapping, 'RC_CONTACT_LINK', what, 'Map a text column to email.');
  }
  if (mapping.link !== undefined) {
    const link = await namedLink(on, found, mapping.link, links, mapping);
    return link.user === undefined ? link : { ...link, email };
  }
  const inferred = inferContactLink(found, email);
  if ('link' in inferred) return inferred.link;
  throw refusal(on, mapping, 'RC_NO_CONTACT_LINK', inferred.none.why, inferred.none.hint);
}

async function inspectRows(
  on: Inspection,
  mapping: ContactTable,
  found: CatalogTable,
): Promise<ReadonlyMap<string, InspectedExpression>> {
  const expressions = new Map<string, InspectedExpression>();
  const columns = tableColumns(found);
  const scope = rowScope(found, 'row');
  for (const attribute of mapping.attributes) {
    const { source } = attribute;
    if (source.kind === 'aggregate') continue;
    checkAttribute(on, columns, attribute);
    if (source.kind !== 'sql') continue;
    expressions.set(source.expression, await inspectExpression(on, scope, source.expression, attribute));
  }
  const { where } = mapping;
  if (where !== undefined) {
    const place = { path: `${mapping.path}.where`, line: where.line, column: where.column };
    expressions.set(where.expression, await inspectCondition(on, scope, where.expression, 'where', place));
  }
  return expressions;
}

function checkConsent(on: Inspection, contacts: readonly InspectedContacts[]): void {
  const { consent } = on.config;
  if (consent?.kind !== 'column' || consent.table === undefined) return;
  const place = { path: 'consent', line: consent.line, column: consent.column };
  const name = tableName(consent.table);
  const of = contacts.find(({ source }) => source.table.name === name);
  if (of === undefined) {
    const what = `The consent column is in ${name}, and that is no mapped table of contacts.`;
    throw refusal(on, place, 'RC_CONFIG_COLUMN_UNKNOWN', what, `Map ${name} under table_mapping.`);
  }
  for (const path of answerPaths(consent)) checkPath(on, tableColumns(of.found), path, place);
}
