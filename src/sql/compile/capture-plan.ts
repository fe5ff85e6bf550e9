import { createHash } from 'node:crypto';
import type { Config } from '../../config/types.ts';
import type { RowOperation } from '../../core/mapping.ts';
import { quoteIdent } from '../quote.ts';
import type { RowLink, SourceColumn, Sources, SourceTable } from '../source.ts';
import { eventColumns } from './event-columns.ts';
import { linkColumns, viaName } from './link.ts';
import { aggregateColumns, contactColumns } from './parts.ts';
import { watchedColumns } from './users.ts';

/** What the triggers of one table do. */
export interface CapturePlan {
  /** Never a view. */
  readonly table: SourceTable;
  readonly states: readonly StateRole[];
  readonly events: EventRole | undefined;
}

/** Changes of the table that change contacts. */
export interface StateRole {
  readonly link: RowLink;
  /** The log's name for keys that lead through another table; undefined when they are contacts' own. */
  readonly source: string | undefined;
  /** A change of any other column is none. */
  readonly columns: readonly string[];
}

/** Changes of the table that are events. */
export interface EventRole {
  readonly columns: readonly string[];
  readonly operations: readonly RowOperation[];
}

/** One plan for each table that anything is read from. */
export function capturePlans(config: Config, sources: Sources): readonly CapturePlan[] {
  const plans = new Map<
    string,
    { table: SourceTable; states: Map<string, StateRole>; events: EventRole | undefined }
  >();
  const planOf = (table: SourceTable): { states: Map<string, StateRole>; events: EventRole | undefined } => {
    const plan = plans.get(table.name) ?? { table, states: new Map<string, StateRole>(), events: undefined };
    plans.set(table.name, plan);
    return plan;
  };
  const add = (table: SourceTable, link: RowLink, columns: readonly string[]): void => {
    if (table.kind === 'view') return;
    const { states } = planOf(table);
    const source = link.via === undefined ? undefined : viaName(table, link.via);
    const key = `${source} ${linkColumns(link).join(' ')}`;
    const all = [...new Set([...(states.get(key)?.columns ?? []), ...linkColumns(link), ...columns])];
    states.set(key, { link, source, columns: all });
  };
  const users = usersTable(sources);
  add(users, { user: users.primaryKey[0] }, watchedColumns(config.userMapping, config.consent, sources.users));
  for (const source of sources.contacts) {
    add(source.table, source.link, contactColumns(source, config.consent));
    for (const base of source.bases) add(base.table, base.link, allColumns(base.table));
  }
  for (const source of sources.aggregates) {
    add(source.table, source.link, aggregateColumns(source));
    for (const base of source.bases) add(base.table, base.link, allColumns(base.table));
    // A row there that comes to belong to another contact takes these along.
    const { via } = source.link;
    if (via !== undefined) add(via.target, via.link, [via.targetColumn.name]);
  }
  for (const source of sources.events) {
    const operations = [...new Set(source.types.flatMap((type) => type.operations))];
    planOf(source.table).events = { columns: eventColumns(source), operations };
  }
  return [...plans.values()].map(({ table, states, events }) => ({ table, states: [...states.values()], events }));
}

/** What a view makes of a table is not known, so any column counts. */
function allColumns(table: SourceTable): readonly string[] {
  return [...table.columns.keys()];
}

/** `auth.users` as far as capture needs it. */
function usersTable({ users, events }: Sources): SourceTable {
  const known = events.find(({ table }) => table.name === 'auth.users')?.table;
  const id: SourceColumn = { name: 'id', sqlType: 'uuid', type: 'text' };
  const column = (name: string): SourceColumn => known?.columns.get(name) ?? { name, sqlType: 'text', type: 'text' };
  const columns = new Map([...users.columns].map((name) => [name, name === 'id' ? id : column(name)]));
  return { schema: 'auth', table: 'users', name: 'auth.users', kind: 'table', columns, primaryKey: [id] };
}

/** The name of a table's capture function, unquoted: the table's as far as there is room, and a hash that is its own. */
export function captureFunction({ schema, table }: Pick<SourceTable, 'schema' | 'table'>): string {
  if (schema === 'auth' && table === 'users') return 'capture_users';
  const hash = createHash('sha256').update(`${schema}.${table}`).digest('hex').slice(0, 8);
  const readable = table
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  return `capture_${readable}_${hash}`;
}

/** The table's name in SQL. */
export function relationOf({ schema, table }: Pick<SourceTable, 'schema' | 'table'>): string {
  return `${quoteIdent(schema)}.${quoteIdent(table)}`;
}

/** For `rollcall.sources.triggers`: each source's table with its capture function. */
export function triggerTables(
  plans: readonly CapturePlan[],
): ReadonlyMap<string, readonly { readonly table: string; readonly function: string }[]> {
  return new Map(
    plans.map(({ table }) => [table.name, [{ table: relationOf(table), function: captureFunction(table) }]]),
  );
}
