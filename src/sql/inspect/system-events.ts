import type { AttributeMapping, SystemEvent } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import type { UserSource } from '../compile/users.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { checkAccess } from './access.ts';
import { checkPath, tableColumns, userColumns } from './columns.ts';
import { type Inspection, refusal } from './context.ts';
import { type EventWords, inspectWords } from './events.ts';
import { inspectCondition } from './expression.ts';
import { capturedScope, userScope } from './scope.ts';
import { readTable, type Shape, tableName } from './table.ts';
import { RollcallError } from '../../core/errors.ts';
import type { EventSource, EventType, RowLink } from '../source.ts';
import { OBJECT_COLUMNS, SYSTEM_EVENT_DEFINITIONS, type SystemEventDefinition } from './system-event-definitions.ts';

/**
 * Reads the events of Supabase Auth and Storage: one source for each of the two tables. Of `auth.users` only what may be mapped
 * is in it, by the database's names of the columns; `when` and properties use those of the config.
 * @throws RollcallError `RC_NO_STORAGE_OBJECTS`, and what the parts throw
 */
export async function inspectSystemEvents(on: Inspection, users: UserSource): Promise<readonly EventSource[]> {
  const of = (table: string): SystemEvent[] =>
    on.config.systemEvents.filter((e) => tableName(SYSTEM_EVENT_DEFINITIONS[e.type].table) === table);
  const [auth, files] = [of('auth.users'), of('storage.objects')];
  const sources: EventSource[] = [];
  if (auth[0] !== undefined) {
    const shape = await narrowed(
      on,
      auth[0],
      USER_COLUMNS.map((c) => c.sql),
    );
    const words = { columns: userColumns(users.columns), scope: userScope(users.columns, 'event') };
    sources.push(await source(on, auth, shape, words, { user: shape.table.columns.get('id') }));
  }
  if (files[0] !== undefined) {
    const shape = await storageObjects(on, files[0]);
    const words = { columns: tableColumns(shape), scope: capturedScope(shape) };
    const { columns } = shape.table;
    const owner = columns.get('owner_id') ?? columns.get('owner');
    if (owner === undefined) checkPath(on, words.columns, ['owner_id'], files[0]);
    sources.push(await source(on, files, shape, words, { user: owner }));
  }
  return sources;
}

async function source(
  on: Inspection,
  events: readonly SystemEvent[],
  shape: Shape,
  words: EventWords,
  link: RowLink,
): Promise<EventSource> {
  const { table } = shape;
  const expressions = new Map<string, InspectedExpression>();
  const types: EventType[] = [];
  for (const event of events) {
    const definition = SYSTEM_EVENT_DEFINITIONS[event.type];
    for (const column of definition.needs) checkPath(on, tableColumns(shape), [column], event);
    const properties = event.properties ?? defaults(definition, event, words);
    await inspectWords(on, words, { path: event.path, properties, when: event.when }, expressions);
    for (const { operation, condition, notWithInsert } of definition.cases((column) => table.columns.has(column))) {
      if (condition !== undefined) {
        const found = await inspectCondition(on, capturedScope(shape), condition, event.type, event);
        expressions.set(condition, found);
      }
      const { name, when } = event;
      types.push({ name, operations: [operation], condition, when, properties, notWithInsert });
    }
  }
  return { table, link, types, expressions };
}

function defaults({ properties }: SystemEventDefinition, event: SystemEvent, words: EventWords): AttributeMapping[] {
  const { path, line, column } = event;
  return properties
    .filter((p) => words.columns.has(p.path[0]))
    .map((p) => ({
      name: p.name,
      source: { kind: 'column', path: p.path },
      transforms: [],
      type: p.type,
      onNull: 'skip',
      path: `${path}.properties.${p.name}`,
      line,
      column,
    }));
}

async function storageObjects(on: Inspection, event: SystemEvent): Promise<Shape> {
  try {
    return await narrowed(on, event, OBJECT_COLUMNS);
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code !== 'RC_TABLE_UNKNOWN') throw error;
    throw refusal(
      on,
      event,
      'RC_NO_STORAGE_OBJECTS',
      `This database has no table storage.objects, and the event ${event.type} is of its rows.`,
      'Use the database of a project that has Supabase Storage, or take the event out of the config.',
    );
  }
}

/** The table of an event, with some of its columns only. */
async function narrowed(on: Inspection, event: SystemEvent, columns: readonly string[]): Promise<Shape> {
  const found = await readTable(on, SYSTEM_EVENT_DEFINITIONS[event.type].table, event);
  await checkAccess(on, found, { read: false, capture: true }, event);
  const { table, virtual } = found;
  const kept = new Map([...table.columns].filter(([name]) => columns.includes(name)));
  return { table: { ...table, columns: kept }, virtual };
}
