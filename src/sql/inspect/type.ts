import type { AttributeType } from '../../core/mapping.ts';

/**
 * The types under domains, as the body of `with recursive base(id, oid, mod)`: `start` selects an id, a type and its modifier;
 * the row of each id whose type is no domain is the answer.
 */
export function baseTypes(start: string): string {
  return `base(id, oid, mod) as (
    ${start}
    union all
    select b.id, t.typbasetype, t.typtypmod from base b join pg_type t on t.oid = b.oid and t.typtype = 'd')`;
}

/** A type that is no domain. */
export interface BaseType {
  /** pg_type.typname: no setting changes it. */
  readonly type: string;
  /** pg_type.typcategory. */
  readonly category: string;
  /** Of pg_catalog. */
  readonly builtin: boolean;
}

/** Columns of a query that make a `BaseType`. @param t alias of pg_type */
export function baseTypeColumns(t: string): string {
  return `${t}.typname::text as type, ${t}.typcategory::text as category, ${t}.typnamespace = 'pg_catalog'::regnamespace as builtin`;
}

const TYPES: ReadonlyMap<string, AttributeType> = new Map([
  ['json', 'json'],
  ['jsonb', 'json'],
  ['bool', 'boolean'],
  ['int2', 'integer'],
  ['int4', 'integer'],
  ['int8', 'integer'],
  ['float4', 'float'],
  ['float8', 'float'],
  ['numeric', 'float'],
  ['date', 'date'],
  ['timestamp', 'timestamp'],
  ['timestamptz', 'timestamp'],
]);

/** The attribute type of values of a Postgres type: arrays and composites are JSON, and what is none of the rest is text. */
export function attributeType({ type, category, builtin }: BaseType): AttributeType {
  if (category === 'A' || category === 'C') return 'json';
  return (builtin ? TYPES.get(type) : undefined) ?? 'text';
}
