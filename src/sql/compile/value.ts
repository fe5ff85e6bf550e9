import type { AttributeMapping, AttributeType, Transform } from '../../core/mapping.ts';
import { userColumn } from '../../core/user-columns.ts';
import type { SourceTable } from '../source.ts';
import { quoteIdent, quoteLiteral, quoteTexts } from '../quote.ts';

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

/** The row that values are read from: its name in SQL, and its columns. */
export interface RowScope {
  /** Quoted where it has to be. */
  readonly alias: string;
  column(name: string): { readonly name: string; readonly type: AttributeType } | undefined;
}

/** A row of `auth.users`, projected to the columns that may be mapped, under their names in the config. */
export const USERS: RowScope = { alias: 'users', column: userColumn };

/** A row of a table of the project, under the table's own name. */
export function tableScope(table: SourceTable): RowScope {
  return { alias: quoteIdent(table.table), column: (name) => table.columns.get(name) };
}

/** A column, or a place inside a json column, as text unless the column has another type. */
export function pathValue(path: readonly [string, ...string[]], row: RowScope): SqlValue {
  const column = row.column(path[0]);
  const sql = `${row.alias}.${quoteIdent(column?.name ?? path[0])}`;
  const type = column?.type ?? 'text';
  if (path.length === 1) return { sql: type === 'text' ? `${sql}::text` : sql, type };
  return { sql: `(${sql} #>> ${quoteTexts(path.slice(1))})`, type: 'text' };
}

/** The value of an attribute before it becomes JSON, with its transforms applied. */
export function attributeValue(
  attribute: AttributeMapping,
  inspected: InspectedExpression | undefined,
  row: RowScope,
): SqlValue {
  let value = sourceValue(attribute, inspected, row);
  for (const transform of attribute.transforms) value = applyTransform(value, transform, row);
  return attribute.type === undefined || attribute.type === value.type ? value : cast(value, attribute.type);
}

function sourceValue(attribute: AttributeMapping, inspected: InspectedExpression | undefined, row: RowScope): SqlValue {
  const { source } = attribute;
  switch (source.kind) {
    case 'const':
      return constant(source.value);
    case 'sql':
    case 'aggregate':
      // What is taken as text may be a uuid or an inet.
      return inspected === undefined || inspected.type === 'text'
        ? { sql: `(${source.expression}\n)::text`, type: 'text' }
        : { sql: `(${source.expression}\n)`, type: inspected.type };
    case 'column': {
      const [, ...keys] = source.path;
      if (attribute.type !== 'json' || keys.length === 0) return pathValue(source.path, row);
      return { sql: `(${pathValue([source.path[0]], row).sql} #> ${quoteTexts(keys)})`, type: 'json' };
    }
  }
}

function constant(value: string | number | boolean): SqlValue {
  if (typeof value === 'boolean') return { sql: String(value), type: 'boolean' };
  if (typeof value === 'number')
    return { sql: `(${value})::numeric`, type: Number.isInteger(value) ? 'integer' : 'float' };
  return { sql: `${quoteLiteral(value)}::text`, type: 'text' };
}

function applyTransform(value: SqlValue, transform: Transform, row: RowScope): SqlValue {
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
      return defaultValue(value, transform.value);
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
      return { sql: template(transform.template, text, row), type: 'text' };
  }
}

/** Values of one kind stay of that kind; a default of another kind makes the whole text. */
function defaultValue(value: SqlValue, otherwise: string | number | boolean): SqlValue {
  const given = constant(otherwise);
  const numeric = (type: AttributeType): boolean => type === 'integer' || type === 'float';
  // A null inside json is no value either.
  if (value.type === 'json') {
    return { sql: `coalesce(nullif(to_jsonb(${value.sql}), 'null'::jsonb), to_jsonb(${given.sql}))`, type: 'json' };
  }
  if (numeric(value.type) && numeric(given.type)) {
    const type = value.type === given.type ? value.type : 'float';
    return { sql: `coalesce(${value.sql}, ${given.sql})`, type };
  }
  if (value.type === 'boolean' && given.type === 'boolean') {
    return { sql: `coalesce(${value.sql}, ${given.sql})`, type: 'boolean' };
  }
  return { sql: `coalesce(${asText(value)}, ${quoteLiteral(String(otherwise))})`, type: 'text' };
}

// Supabase Auth stores phones without the plus sign (api/phone.go, formatPhoneNumber); what is no number becomes null. An
// international prefix is a plus sign or 00; the (0) some write after it is not dialled from abroad.
function e164(text: string, countryCode: string | undefined): string {
  const digits = `regexp_replace(${text}, '[^0-9]', '', 'g')`;
  const dialled = `regexp_replace(regexp_replace(${text}, ${quoteLiteral('\\(0\\)|[^0-9]')}, '', 'g'), '^00', '')`;
  const national =
    countryCode === undefined ? digits : `regexp_replace(${digits}, '^0+', ${quoteLiteral(countryCode)})`;
  const number = `case when ${text} ~ ${quoteLiteral('^[\\s(]*(?:\\+|00)')} then ${dialled} else ${national} end`;
  return `(select case when n ~ '^[1-9][0-9]{6,14}$' then '+' || n end from (select ${number} as n) as e164)`;
}

function template(text: string, value: string, row: RowScope): string {
  const parts = text.split(/\{([^{}]+)\}/).map((part, index) => {
    if (index % 2 === 0) return quoteLiteral(part);
    if (part === 'value') return value;
    const [head = '', ...rest] = part.split('.');
    return asText(pathValue([head, ...rest], row));
  });
  return `(${parts.join(' || ')})`;
}

/** Columns that an attribute reads, by their names in the scope; of an aggregate, columns of the related table. */
export function attributeColumns(
  attribute: AttributeMapping,
  inspected: InspectedExpression | undefined,
  row: RowScope,
): string[] {
  const columns: string[] = [];
  if (attribute.source.kind === 'column') columns.push(attribute.source.path[0]);
  if (attribute.source.kind === 'sql' || attribute.source.kind === 'aggregate')
    columns.push(...(inspected?.columns ?? []));
  for (const transform of attribute.transforms) {
    if (transform.name !== 'template') continue;
    for (const [, path] of transform.template.matchAll(/\{([^{}]+)\}/g)) {
      if (path !== undefined && path !== 'value') columns.push(path.split('.')[0] ?? path);
    }
  }
  return columns.map((name) => row.column(name)?.name ?? name);
}

function asText(value: SqlValue): string {
  switch (value.type) {
    case 'text':
      return value.sql;
    case 'timestamp':
    case 'date':
      return `(${jsonText(value)})`;
    case 'json':
      // A text inside json without its quotes; null for a null.
      return `(to_jsonb(${value.sql}) #>> '{}')`;
    case 'integer':
    case 'float':
    case 'boolean':
      return `(${value.sql})::text`;
  }
}

/** Text that is to be a time. The words that stand for another time each day are refused as what they are: no time. */
function timeText(text: string): string {
  return `regexp_replace(${text}, '(now|today|tomorrow|yesterday)', ${quoteLiteral('\\1 (relative)')}, 'i')`;
}

/** A value as one of another type. */
export function cast(value: SqlValue, type: AttributeType): SqlValue {
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
      return { sql: value.type === 'timestamp' ? value.sql : `(${timeText(asText(value))})::timestamptz`, type };
    case 'timestamp':
      return { sql: `(${timeText(asText(value))})::timestamptz`, type };
    case 'json':
      return { sql: `to_jsonb(${value.sql})`, type };
  }
}

/** A date or a time in UTC as text, to the microsecond; infinity and years before Christ have no such form and become null. */
function jsonText(value: SqlValue): string {
  const format = value.type === 'date' ? 'YYYY-MM-DD' : 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
  const at = `(${value.sql})::timestamptz`;
  return `case when isfinite(${at}) and ${at} >= '0001-01-01 00:00:00+00'::timestamptz then to_char(${at} at time zone 'UTC', ${quoteLiteral(format)}) end`;
}

/** The value as something `jsonb_build_object` renders exactly. */
export function jsonArgument(value: SqlValue): string {
  switch (value.type) {
    case 'date':
    case 'timestamp':
      return jsonText(value);
    case 'integer':
      return `(${value.sql})::numeric`;
    case 'float':
      // By way of text, as double precision has more digits than its cast to numeric keeps; JSON has no other numbers.
      return `nullif(nullif(nullif((${value.sql})::text, 'NaN'), 'Infinity'), '-Infinity')::numeric`;
    case 'boolean':
      return `(${value.sql})::boolean`;
    case 'text':
      return `(${value.sql})::text`;
    case 'json':
      return `to_jsonb(${value.sql})`;
  }
}
