import { ATTRIBUTE_TYPES, NULL_POLICIES } from './read-targets.ts';
import { allowEnv, type Schema } from './schema-parts.ts';

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

/** Attributes made of a constant or an SQL expression. */
export const attributesSchema: Schema = {
  type: ['object', 'null'],
  description: 'Attribute to a constant or an SQL expression over the mappable columns.',
  additionalProperties: {
    anyOf: [
      closed({ const: constant, ...options }, ['const']),
      closed({ sql: { type: 'string', minLength: 1 }, ...options }, ['sql']),
    ],
  },
};

function closed(properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}
