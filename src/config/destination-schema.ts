import type { Destination } from '../core/destination.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { LEAVING_POLICIES } from './read-destinations.ts';
import { allowEnv, choice, type Schema } from './schema-parts.ts';

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
