import type { AttributeMapping, AttributeType, Transform } from '../../core/mapping.ts';
import { userColumn } from '../../core/user-columns.ts';
import { quoteIdent, quoteLiteral } from '../quote.ts';

/** An SQL expression and the type of its value. */
export interface SqlValue {
  readonly sql: string;
  readonly type: AttributeType;
}

/** What is known of a `sql:` expression since it was inspected in the database. */
export interface InspectedExpression {
  readonly type: AttributeType;
  /** Projected columns it reads, by their config names. */
  readonly columns: readonly string[];
  /** Reads the clock: its value changes without any row changing. */
  readonly timeDependent: boolean;
}

/** A column, or a place inside a json column, as text unless the column has another type. */
export function pathValue(path: readonly [string, ...string[]]): SqlValue {
  const column = userColumn(path[0]);
  const sql = `users.${quoteIdent(column?.name ?? path[0])}`;
  const type = column?.type ?? 'text';
  if (path.length === 1) return { sql: type === 'text' ? `${sql}::text` : sql, type };
  return { sql: `(${sql} #>> ${textArray(path.slice(1))})`, type: 'text' };
}

/** The value of an attribute before it becomes JSON, with its transforms applied. */
export function attributeValue(attribute: AttributeMapping, inspected: InspectedExpression | undefined): SqlValue {
  let value = sourceValue(attribute, inspected);
  for (const transform of attribute.transforms) value = applyTransform(value, transform);
  return attribute.type === undefined || attribute.type === value.type ? value : cast(value, attribute.type);
}

function sourceValue(attribute: AttributeMapping, inspected: InspectedExpression | undefined): SqlValue {
  const { source } = attribute;
  switch (source.kind) {
    case 'const':
      return constant(source.value);
    case 'sql':
      return { sql: `(${source.expression}\n)`, type: inspected?.type ?? 'text' };
    case 'column': {
      const [, ...keys] = source.path;
      if (attribute.type !== 'json' || keys.length === 0) return pathValue(source.path);
      return { sql: `(${pathValue([source.path[0]]).sql} #> ${textArray(keys)})`, type: 'json' };
    }
  }
}

function constant(value: string | number | boolean): SqlValue {
  if (typeof value === 'boolean') return { sql: String(value), type: 'boolean' };
  if (typeof value === 'number')
    return { sql: `(${value})::numeric`, type: Number.isInteger(value) ? 'integer' : 'float' };
  return { sql: `${quoteLiteral(value)}::text`, type: 'text' };
}

function applyTransform(value: SqlValue, transform: Transform): SqlValue {
  const text = asText(value);
  switch (transform.name) {
    case 'lower':
      return { sql: `lower(${text})`, type: 'text' };
    case 'trim':
      return { sql: `btrim(${text}, E' \\t\\r\\n')`, type: 'text' };
    case 'e164':
      return { sql: e164(text, transform.countryCode), type: 'text' };
    case 'date':
      return cast(value, 'date');
    case 'default':
      return value.type === 'text' || typeof transform.value === 'string'
        ? { sql: `coalesce(${text}, ${quoteLiteral(String(transform.value))})`, type: 'text' }
        : { sql: `coalesce(${value.sql}, ${constant(transform.value).sql})`, type: value.type };
    case 'map': {
      const arms = Object.entries(transform.values).map(
        ([from, to]) => `when ${quoteLiteral(from)} then ${quoteLiteral(String(to))}`,
      );
      const otherwise = transform.otherwise === undefined ? text : quoteLiteral(String(transform.otherwise));
      return {
        sql: `(case ${text} ${arms.join(' ')} else case when ${text} is not null then ${otherwise} end end)`,
        type: 'text',
      };
    }
    case 'template':
      return { sql: template(transform.template, text), type: 'text' };
  }
}

// Supabase Auth stores phones without the plus sign (api/phone.go, formatPhoneNumber); what is no number becomes null.
function e164(text: string, countryCode: string | undefined): string {
  const digits = `regexp_replace(${text}, '[^0-9]', '', 'g')`;
  const national =
    countryCode === undefined
      ? digits
      : `case when btrim(${text}) like '+%' then ${digits} else regexp_replace(${digits}, '^0+', ${quoteLiteral(countryCode)}) end`;
  return `(case when (${national}) ~ '^[1-9][0-9]{6,14}$' then '+' || (${national}) end)`;
}

function template(text: string, value: string): string {
  const parts = text.split(/\{([^{}]+)\}/).map((part, index) => {
    if (index % 2 === 0) return quoteLiteral(part);
    if (part === 'value') return value;
    const [head = '', ...rest] = part.split('.');
    return asText(pathValue([head, ...rest]));
  });
  return `(${parts.join(' || ')})`;
}

/** Columns that an attribute reads, by their config names. */
export function attributeColumns(attribute: AttributeMapping, inspected: InspectedExpression | undefined): string[] {
  const columns: string[] = [];
  if (attribute.source.kind === 'column') columns.push(attribute.source.path[0]);
  if (attribute.source.kind === 'sql') columns.push(...(inspected?.columns ?? []));
  for (const transform of attribute.transforms) {
    if (transform.name !== 'template') continue;
    for (const [, path] of transform.template.matchAll(/\{([^{}]+)\}/g)) {
      if (path !== undefined && path !== 'value') columns.push(path.split('.')[0] ?? path);
    }
  }
  return columns.map((name) => userColumn(name)?.name ?? name);
}

function asText(value: SqlValue): string {
  switch (value.type) {
    case 'text':
      return value.sql;
    case 'timestamp':
    case 'date':
      return `(${jsonText(value)})`;
    case 'json':
      return `(${value.sql})::text`;
    case 'integer':
    case 'float':
    case 'boolean':
      return `(${value.sql})::text`;
  }
}

function cast(value: SqlValue, type: AttributeType): SqlValue {
  if (value.type === type) return value;
  switch (type) {
    case 'text':
      return { sql: asText(value), type };
    case 'integer':
      return { sql: `(${asText(value)})::bigint`, type };
    case 'float':
      return { sql: `(${asText(value)})::numeric`, type };
    case 'boolean':
      return { sql: `(${asText(value)})::boolean`, type };
    case 'date':
      return { sql: value.type === 'timestamp' ? value.sql : `(${asText(value)})::timestamptz`, type };
    case 'timestamp':
      return { sql: `(${asText(value)})::timestamptz`, type };
    case 'json':
      return { sql: `to_jsonb(${value.sql})`, type };
  }
}

/** A date or a time in UTC as text, to the microsecond; infinity becomes null. */
function jsonText(value: SqlValue): string {
  const format = value.type === 'date' ? 'YYYY-MM-DD' : 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
  const at = `(${value.sql})::timestamptz`;
  return `case when isfinite(${at}) then to_char(${at} at time zone 'UTC', ${quoteLiteral(format)}) end`;
}

/** The value as something `jsonb_build_object` renders exactly. */
export function jsonArgument(value: SqlValue): string {
  switch (value.type) {
    case 'date':
    case 'timestamp':
      return jsonText(value);
    case 'integer':
    case 'float':
      return `(${value.sql})::numeric`;
    case 'boolean':
      return `(${value.sql})::boolean`;
    case 'text':
      return `(${value.sql})::text`;
    case 'json':
      return `to_jsonb(${value.sql})`;
  }
}

function textArray(keys: readonly string[]): string {
  return `array[${keys.map(quoteLiteral).join(', ')}]::text[]`;
}
