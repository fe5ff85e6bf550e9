import type { Config } from '../config/types.ts';
import type { AttributeMapping, EventTable, RelatedRows, SystemEvent, TableName, ViewWatch } from '../core/mapping.ts';
import { isSegmentAttribute, segmentOfAttribute } from '../core/segments.ts';
import { SYSTEM_EVENT_DEFINITIONS } from '../sql/inspect/system-event-definitions.ts';
import type { Sources } from '../sql/source.ts';
import { describeLink, describeNamedLink, describeSource, oneLine, tableText } from './describe.ts';

/** What is done with a table of the project, or with one that Supabase keeps; as data, for text and `--json`. */
export type SourceItem = ContactsItem | AggregatesItem | EventsItem;

interface Common {
  /** As the config may write it: without the schema `public`. */
  readonly table: string;
  /** How a row leads to its contact; null where only the database tells. */
  readonly contact: string | null;
}

interface Watched {
  readonly where: string | null;
  /** What tells of changes beside the table's own triggers, as a view has none. */
  readonly again: { readonly tables: readonly string[]; readonly every_ms: number | null } | null;
}

/** Rows are contacts, or parts of one. */
export interface ContactsItem extends Common, Watched {
  readonly as: 'contacts';
  readonly email: string | null;
}

/** Attributes are made of all rows of a contact. */
export interface AggregatesItem extends Common, Watched {
  readonly as: 'aggregates';
  readonly attributes: readonly string[];
}

export interface EventsItem extends Common {
  readonly as: 'events';
  readonly event: string;
  /** What happens to the row, or the event of Auth or Storage. */
  readonly on: readonly string[];
  readonly when: string | null;
  /** Null: those that the event has by itself. */
  readonly properties: readonly { readonly from: string; readonly to: string }[] | null;
  /** False: nothing leads from a row to a contact. */
  readonly sent: boolean;
}

/**
 * Everything beside the users themselves that a config reads, in its order.
 * @param sources what the database says to it, if it was asked
 */
export function listSources(config: Config, sources: Sources | undefined): readonly SourceItem[] {
  return [
    ...contacts(config, sources),
    ...(sources === undefined ? named(config) : found(sources)),
    ...config.eventTables.map((table) => eventsOf(table, sources)),
    ...config.systemEvents.map((event) => systemEvent(event, sources)),
  ];
}

function contacts({ tables }: Config, sources: Sources | undefined): ContactsItem[] {
  return tables.map((mapping) => {
    const link = sources?.contacts.find((s) => s.mapping === mapping)?.link;
    return {
      as: 'contacts',
      table: tableText(mapping.table),
      contact: (link === undefined ? describeNamedLink(mapping.link, mapping.email) : describeLink(link)) ?? null,
      email: mapping.email ?? null,
      where: sqlOf(mapping.where),
      again: againOf(mapping),
    };
  });
}

/** Aggregates with the links that the database has. */
function found({ aggregates }: Sources): AggregatesItem[] {
  return aggregates.map(({ table, link, where, attributes }) => ({
    as: 'aggregates',
    table: tableText(table),
    contact: describeLink(link),
    attributes: attributes.map(shownName),
    where: sqlOf(where),
    again: againOf(relatedRows(attributes[0])),
  }));
}

/** Aggregates as the config has them; those over the same rows are one. */
function named({ tables, userMapping }: Config): AggregatesItem[] {
  const groups = new Map<string, { readonly from: RelatedRows; readonly attributes: string[] }>();
  for (const attribute of [...tables, userMapping].flatMap((mapping) => mapping.attributes)) {
    const from = relatedRows(attribute);
    if (from === undefined) continue;
    const key = JSON.stringify([from.table, from.link, from.where?.expression, againOf(from)]);
    const group = groups.get(key) ?? { from, attributes: [] };
    group.attributes.push(shownName(attribute));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ from, attributes }) => ({
    as: 'aggregates',
    table: tableText(from.table),
    contact: describeNamedLink(from.link) ?? null,
    attributes,
    where: sqlOf(from.where),
    again: againOf(from),
  }));
}

/** An attribute as it is shown: what carries a segment by the segment's name. */
function shownName({ name }: AttributeMapping): string {
  return isSegmentAttribute(name) ? segmentOfAttribute(name) : name;
}

function relatedRows(attribute: AttributeMapping | undefined): RelatedRows | undefined {
  return attribute?.source.kind === 'aggregate' ? attribute.source.from : undefined;
}

function eventsOf(mapping: EventTable, sources: Sources | undefined): EventsItem {
  const source = sources?.events.find((s) => sameTable(s.table, mapping.table));
  return {
    as: 'events',
    table: tableText(mapping.table),
    contact: (source === undefined ? describeNamedLink(mapping.link) : describeLink(source.link)) ?? null,
    event: mapping.name,
    on: mapping.operations,
    when: sqlOf(mapping.when),
    properties: mapping.properties.map(property),
    sent: sources === undefined || source !== undefined,
  };
}

function systemEvent({ type, name, when, properties }: SystemEvent, sources: Sources | undefined): EventsItem {
  const { table } = SYSTEM_EVENT_DEFINITIONS[type];
  const source = sources?.events.find((s) => sameTable(s.table, table));
  const known = properties ?? source?.types.find((t) => t.name === name)?.properties;
  return {
    as: 'events',
    table: tableText(table),
    contact: source === undefined ? (table.schema === 'auth' ? 'id' : null) : describeLink(source.link),
    event: name,
    on: [type],
    when: sqlOf(when),
    properties: known?.map(property) ?? null,
    sent: true,
  };
}

function property(mapping: AttributeMapping): { readonly from: string; readonly to: string } {
  return { from: describeSource(mapping), to: mapping.name };
}

function sqlOf(condition: { readonly expression: string } | undefined): string | null {
  return condition === undefined ? null : oneLine(condition.expression);
}

function againOf(watch: ViewWatch | undefined): Watched['again'] {
  if (watch === undefined || (watch.baseTables.length === 0 && watch.everyMs === undefined)) return null;
  return { tables: watch.baseTables.map(tableText), every_ms: watch.everyMs ?? null };
}

function sameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.table === b.table;
}
