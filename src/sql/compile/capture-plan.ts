import { USER_COLUMNS } from '../../core/user-columns.ts';
import type { Config } from '../../config/types.ts';
import type { RowOperation } from '../../core/mapping.ts';
import { quoteTable } from '../quote.ts';
import type { EventSource, RowLink, SourceColumn, Sources, SourceTable } from '../source.ts';
import { captureFunction } from './capture-names.ts';
import { eventColumns, isUsers } from './event-columns.ts';
import { linkColumns, viaName } from './link.ts';
import { aggregateColumns, contactColumns } from './parts.ts';
import { watchedColumns } from './users.ts';
import { writtenTable } from './write-back.ts';

/** What the triggers of one table do. A table has one plan, however many sources it is a part of. */
export interface CapturePlan {
  /** Never a view. */
  readonly table: SourceTable;
  readonly states: readonly StateRole[];
  readonly events: EventRole | undefined;
}

/** Changes of the table that change contacts: whose a row is and was goes into the log, and nothing of what it says. */
export interface StateRole {
  /** The log's name for keys that lead through another table; null where they are those of contacts. */
  readonly source: string | null;
  readonly links: readonly RowLink[];
  /** A change of any other column is none; `all` where it is not known which can be one. */
  readonly columns: readonly string[] | 'all';
}

/** Changes of the table that are events: its rows go into the log, projected to what the events are made of. */
export interface EventRole {
  /** In the table's order. */
  readonly columns: readonly string[];
  readonly operations: readonly RowOperation[];
  /** Whether we write consent into the table ourselves: that is no event of the app's. */
  readonly writtenBack: boolean;
  /** What may be taken once the projection no longer fits the table: whole rows, or of `auth.users` the columns that may be mapped. */
  readonly wholeRows: true | readonly string[];
}

/** As in the making. */
interface Draft {
  readonly table: SourceTable;
  readonly states: Map<string | null, StateRole>;
  events: EventRole | undefined;
}

/** One plan for each table that anything is read from, `auth.users` first. Views have none: the tables under them do. */
export function capturePlans(config: Config, sources: Sources): readonly CapturePlan[] {
  const drafts = new Map<string, Draft>();
  const draft = (table: SourceTable): Draft => {
    const found: Draft = drafts.get(quoteTable(table)) ?? { table, states: new Map(), events: undefined };
    drafts.set(quoteTable(table), found);
    return found;
  };
  const users = usersTable(sources);
  watch(draft(users), { user: users.primaryKey[0] }, watchedColumns(config.userMapping, config.consent, sources.users));
  for (const source of [...sources.contacts, ...sources.aggregates]) {
    const { table, link, bases } = source;
    if (table.kind !== 'view') {
      watch(
        draft(table),
        link,
        'mapping' in source ? contactColumns(source, config.consent) : aggregateColumns(source),
      );
    }
    // What of a row a view shows is not known.
    for (const base of bases) watch(draft(base.table), base.link, 'all');
    // A row there that comes to belong to another contact takes these along.
    const { via } = link;
    if (via !== undefined && via.target.kind !== 'view') watch(draft(via.target), via.link, [via.targetColumn.name]);
  }
  for (const source of sources.events) {
    const writtenBack = sources.writeBacks.some(
      (target) => quoteTable(writtenTable(target)) === quoteTable(source.table),
    );
    draft(source.table).events = { ...eventRole(source), writtenBack };
  }
  return [...drafts.values()].map(({ table, states, events }) => ({ table, states: [...states.values()], events }));
}

/** Adds to what is watched for one source of the log: one log row tells of all. */
function watch({ table, states }: Draft, link: RowLink, columns: readonly string[] | 'all'): void {
  const source = link.via === undefined ? null : viaName(table, link.via);
  const before = states.get(source) ?? { links: [], columns: [] };
  states.set(source, {
    source,
    links: [...before.links, ...(before.links.some((other) => sameLink(other, link)) ? [] : [link])],
    columns:
      columns === 'all' || before.columns === 'all'
        ? 'all'
        : [...new Set([...before.columns, ...linkColumns(link), ...columns])],
  });
}

function sameLink(a: RowLink, b: RowLink): boolean {
  return a.user?.name === b.user?.name && a.email?.name === b.email?.name && a.via?.column.name === b.via?.column.name;
}

function eventRole(source: EventSource): Omit<EventRole, 'writtenBack'> {
  const operations = new Set(source.types.flatMap((type) => type.operations));
  // To tell such an update from any other, the insert before it must be in the log.
  if (source.types.some((type) => type.notWithInsert)) operations.add('insert');
  return {
    columns: eventColumns(source),
    operations: (['insert', 'update', 'delete'] as const).filter((operation) => operations.has(operation)),
    wholeRows: isUsers(source.table) ? USER_COLUMNS.map((c) => c.sql) : true,
  };
}

/** `auth.users` as far as capture needs it. */
function usersTable({ users, events }: Sources): SourceTable {
  const known = events.find(({ table }) => isUsers(table))?.table;
  if (known !== undefined) return known;
  const id: SourceColumn = { name: 'id', sqlType: 'uuid', type: 'text' };
  const columns = new Map([...users.columns].map((name) => [name, { name, sqlType: 'text', type: 'text' as const }]));
  return { schema: 'auth', table: 'users', name: 'auth.users', kind: 'table', columns, primaryKey: [id] };
}

/** For `rollcall.sources.triggers`: each source's table with its capture function. */
export function triggerTables(
  plans: readonly CapturePlan[],
): ReadonlyMap<string, readonly { readonly table: string; readonly function: string }[]> {
  return new Map(
    plans.map(({ table }) => [table.name, [{ table: quoteTable(table), function: captureFunction(table) }]]),
  );
}
