import type { Destination } from '../core/destination.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { topicSchema } from './consent-schema.ts';
import { CREATABLE } from './destination-keys.ts';
import { LEAVING_POLICIES } from './read-destinations.ts';
import { ATTRIBUTE_TYPES } from './read-targets.ts';
import { allowEnv, choice, object, orNothing, type Schema, text } from './schema-parts.ts';

/** `destinations`, with the options of every destination of the registry. */
export function destinationsSchema(registry: readonly Destination<unknown>[]): Schema {
  const byType = { anyOf: registry.map((destination) => entry(destination, true)) };
  const named = registry.map((destination) => [
    destination.id,
    registry.length === 1 ? entry(destination, false) : { anyOf: [entry(destination, false), ...byType.anyOf] },
  ]);
  return {
    type: ['object', 'null'],
    description: 'Name to destination and its options.',
    properties: Object.fromEntries(named) as Record<string, Schema>,
    propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' },
    additionalProperties: registry.length === 0 ? false : byType,
  };
}

const names: Schema = orNothing({ type: 'array', items: text('The name of a mapped attribute.') });

const byAttribute = (values: Schema): Schema => ({ type: ['object', 'null'], additionalProperties: values });

/** What any destination may say for itself. */
const GENERIC: Readonly<Record<string, Schema>> = {
  attributes: object('How the attributes of its contacts differ from the mapping. Names are those of the mapping.', {
    only: { ...names, description: 'The attributes that go there. Default: all.' },
    drop: { ...names, description: 'Attributes that do not go there.' },
    rename: { ...byAttribute(text('Its name there.')), description: 'Attribute to the name it has there.' },
    retype: { ...byAttribute(allowEnv({ enum: [...ATTRIBUTE_TYPES] })), description: 'Attribute to its type there.' },
  }),
  where: orNothing(
    text('SQL condition over the mapped attributes and email; for whom it is not true is no contact there.'),
  ),
  create_missing: {
    ...allowEnv({
      anyOf: [{ type: 'array', items: allowEnv({ enum: [...CREATABLE] }) }, { type: ['boolean', 'null'] }],
    }),
    description: 'What apply creates there. true: all of it, false: nothing. Default: fields.',
  },
};

/** The options of a destination, closed, with its `type`. */
function entry(destination: Destination<unknown>, typeRequired: boolean): Schema {
  const options = lenient(optionSchema(destination));
  return {
    ...options,
    description: `${destination.id}: ${destination.docsUrl}`,
    properties: {
      ...(options['properties'] as Record<string, Schema> | undefined),
      sandbox: {
        ...allowEnv({ type: ['boolean', 'null'] }),
        description: 'With environment: development, false sends to the real API instead of the local sandbox.',
      },
      type: { const: destination.id, description: 'Which destination; may be left out when the name says it.' },
      on_delete: choice(LEAVING_POLICIES, 'What becomes of the contact of a person who left. Default: delete.'),
      topic: topicSchema,
      ...GENERIC,
    },
    required: [...((options['required'] as readonly string[] | undefined) ?? []), ...(typeRequired ? ['type'] : [])],
    additionalProperties: options['additionalProperties'] ?? false,
  };
}

/** A destination's schema, with variables allowed wherever a value is not free text. */
function lenient(schema: OptionSchema): Schema {
  const walked: Schema = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, lenientKeyword(keyword, value)]),
  );
  const leaf = schema.properties === undefined && schema.items === undefined && schema.anyOf === undefined;
  const strict = leaf && schema.type !== 'object' && schema.type !== 'array' && Object.keys(schema).length > 0;
  return strict ? allowEnv(walked) : walked;
}

function lenientKeyword(keyword: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (keyword === 'properties') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lenient(item as OptionSchema)]));
  }
  if (keyword === 'items' || keyword === 'additionalProperties') return lenient(value as OptionSchema);
  if (Array.isArray(value) && /^(?:any|one|all)Of$/.test(keyword)) {
    return value.map((item) => lenient(item as OptionSchema));
  }
  return value;
}
