import type { AttributeMapping, Condition, RelatedRows } from '../../core/mapping.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { checkAccess } from './access.ts';
import { checkAttribute, tableColumns } from './columns.ts';
import { type Inspection, refusal } from './context.ts';
import { inspectCondition, inspectExpression } from './expression.ts';
import { inferRowLink, type LinkedTables, namedLink } from './link.ts';
import { rowScope } from './scope.ts';
import { type CatalogTable, readTable } from './table.ts';
import { inspectView } from './view.ts';
import type { AggregateSource, BaseTable, RowLink } from '../source.ts';

/** A set of aggregates, and what only the inspection needs to know of it. */
export interface InspectedAggregates {
  readonly source: AggregateSource;
  readonly found: CatalogTable;
  /** Of the first of them. */
  readonly from: RelatedRows;
}

/** As in the making. */
interface Group {
  readonly found: CatalogTable;
  readonly from: RelatedRows;
  readonly link: RowLink;
  readonly where: Condition | undefined;
  readonly rank: number;
  readonly bases: readonly BaseTable[];
  readonly attributes: AttributeMapping[];
  readonly expressions: Map<string, InspectedExpression>;
}

/**
 * Reads what the config's aggregates are made of: those over the same rows are one source.
 * @throws RollcallError `RC_NO_CONTACT_LINK`, and what the parts throw
 */
export async function inspectAggregates(
  on: Inspection,
  contacts: LinkedTables,
): Promise<readonly InspectedAggregates[]> {
  const { tables, userMapping } = on.config;
  const groups = new Map<string, Group>();
  for (const [index, { attributes }] of [...tables, userMapping].entries()) {
    for (const attribute of attributes) {
      if (attribute.source.kind === 'aggregate') await inspectOne(on, contacts, groups, attribute, index + 1);
    }
  }
  return [...groups.values()].map(({ found, from, ...group }) => ({
    source: { table: found.table, ...group },
    found,
    from,
  }));
}

async function inspectOne(
  on: Inspection,
  contacts: LinkedTables,
  groups: Map<string, Group>,
  attribute: AttributeMapping,
  rank: number,
): Promise<void> {
  if (attribute.source.kind !== 'aggregate') return;
  const { expression, from } = attribute.source;
  const key = JSON.stringify([
    rank,
    from.table,
    from.link,
    from.where?.expression,
    from.baseTables,
    from.everyMs === undefined,
  ]);
  let group = groups.get(key);
  if (group === undefined) {
    group = await inspectGroup(on, contacts, from, rank);
    groups.set(key, group);
  }
  checkAttribute(on, tableColumns(group.found), attribute);
  const scope = rowScope(group.found, 'rows');
  group.attributes.push(attribute);
  group.expressions.set(expression, await inspectExpression(on, scope, expression, attribute));
}

async function inspectGroup(on: Inspection, contacts: LinkedTables, from: RelatedRows, rank: number): Promise<Group> {
  const found = await readTable(on, from.table, from);
  await checkAccess(on, found, { read: true, capture: true }, from);
  const link = await aggregateLink(on, contacts, from, found);
  const bases = found.table.kind === 'view' ? await inspectView(on, found, from, contacts, from) : [];
  const expressions = new Map<string, InspectedExpression>();
  const { where } = from;
  if (where !== undefined) {
    const place = { path: `${from.path}.where`, line: where.line, column: where.column };
    const scope = rowScope(found, 'row');
    expressions.set(where.expression, await inspectCondition(on, scope, where.expression, 'where', place));
  }
  return { found, from, link, where, rank, bases, attributes: [], expressions };
}

async function aggregateLink(
  on: Inspection,
  contacts: LinkedTables,
  from: RelatedRows,
  found: CatalogTable,
): Promise<RowLink> {
  if (from.link !== undefined) return namedLink(on, found, from.link, contacts, from);
  const inferred = inferRowLink(found, contacts);
  if ('link' in inferred) return inferred.link;
  throw refusal(on, from, 'RC_NO_CONTACT_LINK', inferred.none.why, inferred.none.hint);
}
