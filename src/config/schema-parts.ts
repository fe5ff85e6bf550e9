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
