import type { AttributeMapping, Condition, EventTable } from '../../core/mapping.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { checkAccess } from './access.ts';
import { checkAttribute, type NamedColumns, tableColumns } from './columns.ts';
import { type Inspection, refusal } from './context.ts';
import { inspectCondition, inspectExpression } from './expression.ts';
import { inferRowLink, type LinkedTables, namedLink } from './link.ts';
import { capturedScope, type Scope } from './scope.ts';
import { type CatalogTable, readTable, tableName } from './table.ts';
import type { EventSource, RowLink } from '../source.ts';

/** What an event's own words are checked against. */
export interface EventWords {
  readonly columns: NamedColumns;
  readonly scope: Scope;
}

/** The part of an event's mapping that names columns. */
interface Named {
  readonly path: string;
  readonly properties: readonly AttributeMapping[];
  readonly when: Condition | undefined;
}

/**
 * Reads the tables of events. One whose rows lead to no contact is left out, with a warning.
 * @throws RollcallError `RC_VIEW_EVENTS`, and what the parts throw
 */
export async function inspectEventTables(on: Inspection, contacts: LinkedTables): Promise<readonly EventSource[]> {
  const sources: EventSource[] = [];
  for (const mapping of on.config.eventTables) {
    const found = await readTable(on, mapping.table, mapping);
    const { table } = found;
    if (table.kind === 'view') {
      throw refusal(
        on,
        mapping,
        'RC_VIEW_EVENTS',
        `${tableName(table)} is a view: it has no triggers, so no change of it can be an event.`,
        'Take the events from the table under it.',
      );
    }
    await checkAccess(on, found, { read: false, capture: true }, mapping);
    const link = await eventLink(on, contacts, mapping, found);
    if (link === undefined) continue;
    const expressions = new Map<string, InspectedExpression>();
    await inspectWords(on, { columns: tableColumns(found), scope: capturedScope(found) }, mapping, expressions);
    const { name, operations, when, properties } = mapping;
    const type = { name, operations, condition: undefined, when, properties, notWithInsert: false };
    sources.push({ table, link, types: [type], expressions });
  }
  return sources;
}

/**
 * Checks the properties and the condition of one event, and adds their expressions.
 * @throws RollcallError `RC_SQL_EXPRESSION`, and what `checkAttribute` throws
 */
export async function inspectWords(
  on: Inspection,
  { columns, scope }: EventWords,
  { path, properties, when }: Named,
  expressions: Map<string, InspectedExpression>,
): Promise<void> {
  for (const property of properties) {
    const { source } = property;
    if (source.kind === 'aggregate') {
      const what = `The property ${property.name} is an aggregate, and an event is of one row.`;
      throw refusal(on, property, 'RC_SQL_EXPRESSION', what, 'Map the aggregate as an attribute of contacts.');
    }
    checkAttribute(on, columns, property);
    if (source.kind !== 'sql') continue;
    expressions.set(source.expression, await inspectExpression(on, scope, source.expression, property));
  }
  if (when === undefined) return;
  const place = { path: `${path}.when`, line: when.line, column: when.column };
  expressions.set(when.expression, await inspectCondition(on, scope, when.expression, 'when', place));
}

async function eventLink(
  on: Inspection,
  contacts: LinkedTables,
  mapping: EventTable,
  found: CatalogTable,
): Promise<RowLink | undefined> {
  if (mapping.link !== undefined) return namedLink(on, found, mapping.link, contacts, mapping);
  const inferred = inferRowLink(found, contacts);
  if ('link' in inferred) return inferred.link;
  const { why, hint } = inferred.none;
  const { line, column } = mapping;
  const message = `The events of ${tableName(found.table)} are not sent. ${why} ${hint}`;
  on.warnings.push({ code: 'RC_WARN_EVENTS_NO_CONTACT', message, line, column });
  return undefined;
}
