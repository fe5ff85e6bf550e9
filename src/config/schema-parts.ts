/** A JSON Schema as data. */
export type Schema = { readonly [keyword: string]: unknown };

const ANNOTATIONS: ReadonlySet<string> = new Set(['description', 'default', 'examples', 'secret', 'title']);

/** A schema that also takes a text with a variable in it: `${NAME}`. */
export function allowEnv(schema: Schema): Schema {
  const entries = Object.entries(schema);
  const rules = entries.filter(([keyword]) => !ANNOTATIONS.has(keyword));
  const notes = entries.filter(([keyword]) => ANNOTATIONS.has(keyword));
  return {
    ...Object.fromEntries(notes),
    anyOf: [Object.fromEntries(rules), { type: 'string', pattern: '\\$\\{' }],
  };
}

/** A closed object, or nothing (an empty section), whose keys may each say nothing too. */
export function object(description: string, properties: Readonly<Record<string, Schema>>): Schema {
  return { type: ['object', 'null'], description, properties, additionalProperties: false };
}

/** True or false. */
export function boolean(description: string): Schema {
  return { ...allowEnv({ type: 'boolean' }), description };
}

/** Text that is not empty. */
export function text(description: string): Schema {
  return { type: 'string', minLength: 1, description };
}

/** A time such as `30s`. */
export function duration(description: string): Schema {
  const rule = allowEnv({ type: 'string', pattern: '^\\s*\\d+(ms|s|m|h|d)\\s*$' });
  return { ...rule, description, examples: ['30s', '2m', '1h'] };
}

/** One of the given words. */
export function choice(words: readonly string[], description: string): Schema {
  return { ...allowEnv({ enum: [...words] }), description };
}

/** A schema, or nothing. */
export function orNothing(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** An object with these keys and no others. */
export function closed(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}
