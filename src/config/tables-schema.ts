import { contactSchema, tableListSchema } from './link-schema.ts';
import { attributesSchema, propertySchema, targetsSchema } from './mapping-schema.ts';
import { ROW_OPERATIONS } from './read-event-table.ts';
import { SYSTEM_EVENT_NAMES } from './read-system-events.ts';
import { boolean, closed, duration, object, type Schema, text } from './schema-parts.ts';

const properties: Schema = {
  type: ['object', 'null'],
  additionalProperties: propertySchema,
  description: 'Column to property of the event, or property to a constant or an SQL expression.',
};
const when = text('SQL condition; only what it is true for is an event.');

const eventTable: Schema = {
  ...closed(
    {
      sync_as: { const: 'events' },
      event_name: text('The name of the event.'),
      operations: {
        type: ['array', 'null'],
        minItems: 1,
        uniqueItems: true,
        items: { enum: [...ROW_OPERATIONS] },
        description: 'What is an event: the row being inserted, updated or deleted. Default: [insert].',
      },
      contact: contactSchema,
      when: { ...when, description: 'SQL condition over the row, and over old for what it was before an update.' },
      properties,
    },
    ['sync_as', 'event_name'],
  ),
};

const contactTable: Schema = {
  type: 'object',
  properties: {
    sync_as: { enum: ['contacts', null], description: 'Default: contacts.' },
    contact: contactSchema,
    where: text('SQL condition; rows for which it is not true do not count.'),
    attributes: attributesSchema,
    base_tables: tableListSchema('Where it is a view: the tables under it, whose changes change it.'),
    every: duration('Where it is a view: how often it is read again.'),
    event_name: false,
    operations: false,
    properties: false,
    when: false,
  },
  additionalProperties: targetsSchema,
};

/** `table_mapping`. */
export const tableMappingSchema: Schema = {
  type: ['object', 'null'],
  additionalProperties: { anyOf: [contactTable, eventTable] },
  description:
    'Table (or schema.table) to column and target. For contacts the first table that has a value for an attribute gives it, before auth.users.',
};

const eventOptions: Schema = {
  anyOf: [
    boolean('Whether it is sent, under its own name.'),
    text('The name it is sent under.'),
    closed({ event_name: text('The name it is sent under. Default: its own.'), properties, when }),
  ],
};

/** `events`. */
export const systemEventsSchema: Schema = {
  description:
    'Events of Supabase Auth and Storage: a list of their names, or a map of them to true, a name or options.',
  anyOf: [
    { type: 'array', uniqueItems: true, items: { enum: [...SYSTEM_EVENT_NAMES] } },
    object(
      'Event to true, a name or options.',
      Object.fromEntries(SYSTEM_EVENT_NAMES.map((name) => [name, eventOptions])),
    ),
  ],
};
