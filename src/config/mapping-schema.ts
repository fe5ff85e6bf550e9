import { ATTRIBUTE_TYPES, NULL_POLICIES } from './read-targets.ts';
import { contactSchema, tableListSchema, tableNameSchema } from './link-schema.ts';
import { allowEnv, closed, duration, type Schema, text } from './schema-parts.ts';

const constant: Schema = { type: ['string', 'number', 'boolean'] };

const transform: Schema = {
  anyOf: [
    { enum: ['lower', 'trim', 'e164', 'date'] },
    closed({ lower: { type: 'null' } }, ['lower']),
    closed({ trim: { type: 'null' } }, ['trim']),
    closed({ date: { type: 'null' } }, ['date']),
    closed(
      {
        e164: {
          type: ['object', 'null'],
          properties: {
            country_code: {
              type: ['string', 'integer', 'null'],
              description: 'Calling code put before national numbers, for example "49".',
            },
          },
          additionalProperties: false,
        },
      },
      ['e164'],
    ),
    closed({ default: { ...constant, description: 'Stands in for a null.' } }, ['default']),
    closed(
      {
        map: { type: 'object', minProperties: 1, additionalProperties: constant },
        else: { ...constant, description: 'For values that are not listed; without it they stay as they are.' },
      },
      ['map'],
    ),
    closed(
      {
        template: { type: 'string', minLength: 1, description: '{value} is the value so far; {path} another column.' },
      },
      ['template'],
    ),
    { type: 'string', pattern: '\\$\\{' },
  ],
};

const options: Readonly<Record<string, Schema>> = {
  transform: { anyOf: [transform, { type: 'array', items: transform }, { type: 'null' }] },
  type: { ...allowEnv({ enum: [...ATTRIBUTE_TYPES, null] }), description: 'Default: the type of the source.' },
  when_null: {
    ...allowEnv({ enum: [...NULL_POLICIES, null] }),
    description: 'skip leaves the value at the destination alone, clear removes it. Default: skip.',
  },
};

const name: Schema = { type: 'string', minLength: 1, maxLength: 255 };
const target: Schema = { anyOf: [name, closed({ to: name, ...options }, ['to'])] };

/** What a column is mapped to: a target, a target with options, or a list of these. */
export const targetsSchema: Schema = {
  anyOf: [...(target['anyOf'] as Schema[]), { type: 'array', minItems: 1, items: target }],
};

const fromConstant = closed({ const: constant, ...options }, ['const']);
const sql = text('One SQL expression over the columns of the row.');

/** `every` of an expression. */
const every = duration('How often it is evaluated again, where it reads the clock or a view. Default: 1h.');

const fromRelated = closed(
  {
    sql: text('One SQL expression over all rows of the table that belong to the contact, for example count(*).'),
    from: tableNameSchema,
    where: text('SQL condition; rows for which it is not true are left out.'),
    contact: contactSchema,
    base_tables: tableListSchema('Where from is a view: the tables under it, whose changes change it.'),
    every,
    ...options,
  },
  ['sql', 'from'],
);

/** Attributes made of a constant or an SQL expression. */
export const attributesSchema: Schema = {
  type: ['object', 'null'],
  description:
    'Attribute to a constant, an SQL expression over the columns of the row, or one over the rows of another table.',
  additionalProperties: { anyOf: [fromConstant, closed({ sql, every, ...options }, ['sql']), fromRelated] },
};

/** Properties of an event, by the columns of its source. */
export const propertySchema: Schema = {
  anyOf: [...(targetsSchema['anyOf'] as Schema[]), fromConstant, closed({ sql, ...options }, ['sql'])],
};
