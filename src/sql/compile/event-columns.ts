import { userColumn } from '../../core/user-columns.ts';
import type { AttributeMapping, TableName } from '../../core/mapping.ts';
import type { EventSource, EventType, SourceColumn, SourceTable } from '../source.ts';
import { linkColumns } from './link.ts';
import { attributeColumns, type InspectedExpression, type RowScope, tableScope, USERS } from './value.ts';

/** Columns that the events of a source are made of, by their names in the database: those that must be captured. */
export function eventColumns(source: EventSource): readonly string[] {
  const names = new Set(source.types.flatMap((type) => typeColumns(source, type).map((c) => c.name)));
  return [...source.table.columns.keys()].filter((name) => names.has(name));
}

/** Columns that one event of a source is made of, and that lead to its contact. */
export function typeColumns(source: EventSource, type: EventType): readonly SourceColumn[] {
  const scope = eventScope(source.table);
  const names = new Set<string>(linkColumns(source.link));
  for (const property of type.properties)
    for (const name of attributeColumns(property, inspectedProperty(source, property), scope)) names.add(name);
  if (type.when !== undefined)
    for (const name of source.expressions.get(type.when.expression)?.columns ?? []) names.add(name);
  const inDatabase = new Set(
    [...names].map((name) => (isUsers(source.table) ? (userColumn(name)?.sql ?? name) : name)),
  );
  // Our own condition knows the table as it is.
  if (type.condition !== undefined)
    for (const name of source.expressions.get(type.condition)?.columns ?? []) inDatabase.add(name);
  return [...source.table.columns.values()].filter(
    (c) => inDatabase.has(c.name) && (!isUsers(source.table) || userColumn(c.name) !== undefined),
  );
}

/** The row that the user's expressions and properties are about. */
export function eventScope(table: SourceTable): RowScope {
  return isUsers(table) ? USERS : tableScope(table);
}

/** The table whose rows are seen under the names of the config, and not as they are. */
export function isUsers({ schema, table }: TableName): boolean {
  return schema === 'auth' && table === 'users';
}

/** What is known of the expression of a property. */
export function inspectedProperty(source: EventSource, property: AttributeMapping): InspectedExpression | undefined {
  return property.source.kind === 'sql' ? source.expressions.get(property.source.expression) : undefined;
}
