import type { Config } from '../../config/types.ts';
import type { AttributeMapping, RowOperation } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import { quoteIdent, quoteTable } from '../quote.ts';
import type { ContactSource, EventSource, RowLink, SourceColumn, Sources, SourceTable } from '../source.ts';
import { keyText } from './capture-events.ts';
import { eventColumns, isUsers } from './event-columns.ts';
import { linkKey } from './events.ts';
import { aggregateColumns, contactColumns } from './parts.ts';
import { attributeValue, type InspectedExpression, jsonArgument, type RowScope, tableScope, USERS } from './value.ts';
import { watchedColumns } from './users.ts';

/** A table whose rows are to be shown, with everything that the config makes of them. */
export interface Previewed {
  /** `schema.table`. */
  readonly name: string;
  readonly table: SourceTable;
  readonly link: RowLink;
  /** By the database's names: those that are read, and the primary key. */
  readonly columns: readonly string[];
  readonly contacts: ContactSource | undefined;
  readonly events: EventSource | undefined;
  /** The condition of its rows, and what values are read from. */
  readonly where: string | undefined;
  readonly attributes: readonly AttributeMapping[];
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
}

const USER_ID: SourceColumn = { name: 'id', sqlType: 'uuid', type: 'text' };

/** Every table that the config reads. */
export function previewed(config: Config, sources: Sources): readonly Previewed[] {
  const names = new Set([
    'auth.users',
    ...[...sources.contacts, ...sources.aggregates, ...sources.events].map(({ table }) => table.name),
  ]);
  return [...names].map((name) => (name === 'auth.users' ? users(config, sources) : tableOf(name, config, sources)));
}

function users(config: Config, sources: Sources): Previewed {
  const events = sources.events.find(({ table }) => isUsers(table));
  const { where, attributes } = config.userMapping;
  const columns = new Map(
    USER_COLUMNS.filter((c) => sources.users.columns.has(c.sql)).map((c) => [
      c.sql,
      { name: c.sql, sqlType: 'text', type: c.type },
    ]),
  );
  return {
    name: 'auth.users',
    table: { schema: 'auth', table: 'users', name: 'auth.users', kind: 'table', columns, primaryKey: [USER_ID] },
    link: { user: USER_ID },
    columns: unique([
      'id',
      ...watchedColumns(config.userMapping, config.consent, sources.users),
      ...(events === undefined ? [] : eventColumns(events)),
    ]),
    contacts: undefined,
    events,
    where: where?.expression,
    attributes: attributes.filter(({ source }) => source.kind !== 'aggregate'),
    expressions: sources.users.expressions,
  };
}

function tableOf(name: string, config: Config, sources: Sources): Previewed {
  const contacts = sources.contacts.find(({ table }) => table.name === name);
  const aggregates = sources.aggregates.filter(({ table }) => table.name === name);
  const events = sources.events.find(({ table }) => table.name === name);
  const [first] = [contacts, ...aggregates, events].filter((source) => source !== undefined);
  if (first === undefined) throw new Error(`${name} is no source`);
  const { table } = first;
  return {
    name,
    table,
    link: first.link,
    columns: unique([
      ...table.primaryKey.map((c) => c.name),
      ...(contacts === undefined ? [] : contactColumns(contacts, config.consent)),
      ...aggregates.flatMap(aggregateColumns),
      ...(events === undefined ? [] : eventColumns(events)),
    ]),
    contacts,
    events,
    where: contacts?.mapping.where?.expression,
    attributes: contacts?.mapping.attributes.filter(({ source }) => source.kind !== 'aggregate') ?? [],
    expressions: contacts?.expressions ?? new Map(),
  };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

/**
 * The rows to be shown: `id`, the primary key as text, null for a view; `row`, its columns as JSON text; `key`, whose it is; and `event`,
 * what the triggers would capture of an insert, as JSON text. Parameters: most rows, and with `one` the primary key.
 */
export function previewQuery(of: Previewed, one: boolean): string {
  const { table, columns, events } = of;
  const { primaryKey } = table;
  const list = columns.map((name) => `t.${quoteIdent(name)}`).join(', ') || '1 as rollcall_one';
  const id = primaryKey.length === 0 ? 'null::text' : keyText(primaryKey, 'rollcall_r');
  const order =
    primaryKey.length === 0 ? '' : `order by ${primaryKey.map((c) => `t.${quoteIdent(c.name)}`).join(', ')}`;
  const captured = events === undefined ? [] : eventColumns(events).map((name) => `rollcall_r.${quoteIdent(name)}`);
  const event =
    events === undefined
      ? 'null::text'
      : `jsonb_build_object('k', ${id}, 'r', (select to_jsonb(rollcall_c) from (select ${captured.join(', ') || 'null as rollcall_none'}) as rollcall_c), 't', clock_timestamp())::text`;
  return `select ${id} as id, to_jsonb(rollcall_r)::text as row, ${linkKey(of.link, 'rollcall_r')} as key, ${event} as event
    from (select ${list} from ${quoteTable(table)} as t ${one ? `where ${isRow(table)}` : ''} ${order} limit $1) as rollcall_r`;
}

/** One attribute of a row, or its condition when it is undefined, as JSON text: `value`. Parameters as above. */
export function previewValue(of: Previewed, attribute: AttributeMapping | undefined): string {
  const scope: RowScope = isUsers(of.table) ? USERS : tableScope(of.table);
  const list = isUsers(of.table)
    ? USER_COLUMNS.filter((c) => of.columns.includes(c.sql)).map(
        (c) => `rollcall_r.${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`,
      )
    : of.columns.map((name) => `rollcall_r.${quoteIdent(name)}`);
  const { source } = attribute ?? {};
  const inspected = source?.kind === 'sql' ? of.expressions.get(source.expression) : undefined;
  const value =
    attribute === undefined
      ? `to_jsonb((${of.where ?? 'true'}\n) is true)`
      : `to_jsonb(${jsonArgument(attributeValue(attribute, inspected, scope))})`;
  const columns = of.columns.map((name) => `t.${quoteIdent(name)}`).join(', ');
  return `select (${value})::text as value from (select ${list.join(', ')}
    from (select ${columns} from ${quoteTable(of.table)} as t where ${isRow(of.table)} limit $1) as rollcall_r) as ${scope.alias}`;
}

/** Whether `t` is the row of the key in `$2`: a value, or a JSON array of several, however it is spaced. By the key's index. */
function isRow({ primaryKey }: SourceTable): string {
  const [only, ...more] = primaryKey;
  if (only !== undefined && more.length === 0) return `t.${quoteIdent(only.name)} = $2::${only.sqlType}`;
  const parts = primaryKey.map(({ name, sqlType }, n) =>
    // An array in JSON is no text that the type reads.
    sqlType.endsWith('[]')
      ? `to_jsonb(t.${quoteIdent(name)}) = $2::jsonb -> ${n}`
      : `t.${quoteIdent(name)} = ($2::jsonb ->> ${n})::${sqlType}`,
  );
  return [`jsonb_array_length($2::jsonb) = ${primaryKey.length}`, ...parts].join(' and ');
}

/** What may happen to a row, as far as the config makes events of it. */
export function operationsOf({ events }: Previewed): readonly RowOperation[] {
  const all = new Set(events?.types.flatMap((type) => type.operations));
  return (['insert', 'update', 'delete'] as const).filter((operation) => all.has(operation));
}
