import { z } from 'zod';
import type { Destination } from '../core/destination.ts';

/** The parts of a JSON Schema that are looked at here. */
export interface OptionSchema {
  readonly properties?: Readonly<Record<string, OptionSchema>>;
  readonly items?: OptionSchema;
  readonly additionalProperties?: boolean | OptionSchema;
  readonly anyOf?: readonly OptionSchema[];
  readonly oneOf?: readonly OptionSchema[];
  readonly allOf?: readonly OptionSchema[];
  readonly type?: string;
  readonly description?: string;
  /** From `.meta({ secret: true })`. */
  readonly secret?: boolean;
  readonly [keyword: string]: unknown;
}

/** What a destination's options look like in the file, as a JSON Schema (draft 2020-12). */
export function optionSchema(destination: Destination<unknown>): OptionSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(destination.config, { io: 'input', unrepresentable: 'any' });
  return schema as OptionSchema;
}

/** A schema with all its alternatives. */
function variants(schema: OptionSchema): readonly OptionSchema[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap(variants)];
}

/** The schemas that a child (a key, or an index of a list) may have. */
function children(schemas: readonly OptionSchema[], part: string | number): readonly OptionSchema[] {
  return schemas.flatMap(variants).flatMap((schema) => {
    if (typeof part === 'number') return schema.items === undefined ? [] : [schema.items];
    const named = Object.hasOwn(schema.properties ?? {}, part) ? schema.properties?.[part] : undefined;
    if (named !== undefined) return [named];
    return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  });
}

/** The schemas that may hold at a path below the options. */
export function schemasAt(schema: OptionSchema, path: readonly (string | number)[]): readonly OptionSchema[] {
  return path.reduce<readonly OptionSchema[]>((schemas, part) => children(schemas, part), [schema]).flatMap(variants);
}

/** The keys known at a path; undefined when any key may stand there, or none can be told. */
export function knownKeys(schema: OptionSchema, path: readonly (string | number)[]): readonly string[] | undefined {
  const schemas = schemasAt(schema, path).filter((candidate) => candidate.type === 'object' || candidate.properties);
  if (schemas.length === 0) return undefined;
  if (
    schemas.some(
      (candidate) => candidate.additionalProperties === true || typeof candidate.additionalProperties === 'object',
    )
  )
    return undefined;
  return [...new Set(schemas.flatMap((candidate) => Object.keys(candidate.properties ?? {})))];
}

/** A copy of parsed options without their secrets, at any depth. */
export function withoutSecrets(value: unknown, schema: OptionSchema, path: readonly (string | number)[] = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, schema, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key]) => !schemasAt(schema, [...path, key]).some((candidate) => candidate.secret === true),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutSecrets(item, schema, [...path, key])]));
}

/** The secrets of parsed options, at any depth. */
export function secretsOf(
  value: unknown,
  schema: OptionSchema,
  path: readonly (string | number)[] = [],
): readonly string[] {
  if (typeof value === 'string') {
    return schemasAt(schema, path).some((candidate) => candidate.secret === true) ? [value] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const parts: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return parts.flatMap(([part, item]) => secretsOf(item, schema, [...path, part]));
}
