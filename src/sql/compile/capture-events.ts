import type { RowOperation } from '../../core/mapping.ts';
import { quoteIdent } from '../quote.ts';
import type { SourceColumn, SourceTable } from '../source.ts';
import { differs, NEW, OLD, paired, unpaired } from './capture-keys.ts';
import type { CapturePlan, EventRole } from './capture-plan.ts';

/**
 * A query of one column `e`: a captured row for each row of the statement; for an update, for each in which a projected column
 * changed. Its columns become jsonb as rows, which costs half of what `jsonb_build_object` does, and has no limit of 100.
 */
export function eventsQuery(table: SourceTable, role: EventRole, operation: RowOperation): string {
  const { primaryKey } = table;
  const row = operation === 'delete' ? OLD : NEW;
  const was = operation === 'update' ? `case when not ${unpaired(primaryKey, OLD)} then rollcall_p end as p, ` : '';
  const from =
    operation === 'update'
      ? `${NEW} left join ${OLD} on ${paired(primaryKey)}
      cross join lateral (${projection(role, OLD)}) as rollcall_p`
      : row;
  const where = operation === 'update' ? `where ${unpaired(primaryKey, OLD)} or ${differs(role.columns)}` : '';
  return `select to_jsonb(rollcall_e) as e from (
      select '${operation}' as o, ${keyText(primaryKey, row)} as k, rollcall_r as r, ${was}clock_timestamp() as t
      from ${from} cross join lateral (${projection(role, row)}) as rollcall_r ${where}) as rollcall_e`;
}

/** A primary key as text: one column as it is, several as a JSON array. */
export function keyText(primaryKey: readonly SourceColumn[], row: string): string {
  const columns = primaryKey.map((c) => `${row}.${quoteIdent(c.name)}`);
  return columns.length === 1 ? `${columns.join('')}::text` : `jsonb_build_array(${columns.join(', ')})::text`;
}

function projection({ columns }: EventRole, row: string): string {
  return `select ${columns.length === 0 ? 'null as rollcall_none' : columns.map((c) => `${row}.${quoteIdent(c)}`).join(', ')}`;
}

/** Types whose values are the same text in every session. */
const PLAIN = /^(?:smallint|integer|bigint|numeric|boolean|text|uuid|character|character varying|jsonb?)(?:\(|$|\[)/;
/** Types whose values are the same in jsonb but for the offset that a time is written with. */
const PLAIN_IN_JSON = /^(?:real|double precision|date|time|timestamp)(?:[ ([]|$)/;

/**
 * The settings that fix how values become text. Each costs every statement of the app something, so there are none that the
 * table's types do not need.
 */
export function textSettings({ table, states, events }: CapturePlan): string {
  const texts = [
    ...(events === undefined ? [] : table.primaryKey),
    ...states.flatMap((s) => s.links.flatMap((l) => l.via?.column ?? [])),
  ];
  const projected = (events?.columns ?? []).flatMap((name) => table.columns.get(name) ?? []);
  const plain =
    texts.every((c) => PLAIN.test(c.sqlType)) &&
    projected.every((c) => PLAIN.test(c.sqlType) || PLAIN_IN_JSON.test(c.sqlType));
  return [
    ...(events === undefined ? [] : [`set extra_float_digits = 1`]),
    ...(plain
      ? []
      : [`set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'iso_8601' set bytea_output = 'hex'`]),
  ].join(' ');
}
