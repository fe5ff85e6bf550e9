import { dollarQuote, quoteIdent, quoteLiteral } from '../quote.ts';
import type { SourceTable } from '../source.ts';
import { captureFunction, type CapturePlan, type EventRole, relationOf, type StateRole } from './capture-plan.ts';
import { contactKey } from './link.ts';

/** The triggers on each table, by name. */
export const TRIGGERS: readonly string[] = [
  'rollcall_insert',
  'rollcall_update',
  'rollcall_delete',
  'rollcall_truncate',
];

/** The trigger functions and triggers of all plans; what an earlier config had and this one has not goes. */
export function captureScript(plans: readonly CapturePlan[]): string {
  return [
    ...plans.map(captureTable),
    dropCapture(plans.map(({ table }) => captureFunction(table))),
    ...plans.map(
      ({ table }) =>
        `select rollcall.make_triggers(${quoteLiteral(relationOf(table))}, ${quoteLiteral(captureFunction(table))});`,
    ),
  ].join('\n');
}

/**
 * Drops every capture function but those named, and with them their triggers: that works for a role that does not own the
 * tables.
 */
export function dropCapture(kept: readonly string[]): string {
  const names = kept.map(quoteLiteral).join(', ');
  return `do ${dollarQuote(`declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'rollcall' and p.prorettype = 'pg_catalog.trigger'::regtype${names === '' ? '' : ` and p.proname not in (${names})`}
  loop
    execute 'drop function ' || v_function || ' cascade';
  end loop;
end`)};`;
}

/**
 * The fixed shell around capture of one table. Whatever goes wrong inside, the app's statement goes on: the failure bumps a
 * sequence (which no rollback undoes) and a sweep follows. `lock_timeout` bounds every wait, because a statement timeout while
 * waiting for a lock is the one error that `when others` does not catch.
 */
export function captureTable({ table, states, events }: CapturePlan): string {
  const body = `declare
  v_keys text[];
  v_events jsonb[];
begin
  if tg_op = 'TRUNCATE' then
    begin
      perform nextval('rollcall.uncaptured');
    ${SWALLOWED}
    return null;
  end if;
${states.map((role) => `  begin\n${stateBody(table, role)}\n  ${BUMPED}`).join('\n')}${events === undefined ? '' : `\n  begin\n${eventBody(table, events)}\n  ${BUMPED}`}
  return null;
end`;
  // Floating point digits come out of a session's setting; of contacts only keys are read.
  const exact = events === undefined ? '' : ' set extra_float_digits = 1';
  return `create or replace function rollcall.${quoteIdent(captureFunction(table))}() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '20ms'${exact} as ${dollarQuote(body)};`;
}

const SWALLOWED = `exception when others or assert_failure then
      null;
    end;`;

const BUMPED = `exception when others or assert_failure then
    begin
      perform nextval('rollcall.uncaptured');
    ${SWALLOWED}
  end;`;

function stateBody(table: SourceTable, { link, source, columns }: StateRole): string {
  const { via } = link;
  const key = (alias: string): string =>
    via === undefined ? contactKey(link, alias) : `${alias}.${quoteIdent(via.column.name)}::text`;
  // Rows that are paired have one key when the key is the row's own.
  const own =
    via === undefined &&
    link.email === undefined &&
    table.primaryKey.length === 1 &&
    link.user?.sqlType === 'uuid' &&
    link.user.name === table.primaryKey[0]?.name;
  const both = own
    ? `select array_agg(coalesce(${key('n')}, ${key('o')})) into v_keys
        from ${paired(table, 'full')} where ${changed(table, columns)}`
    : // Record images: they differ where values that compare equal do (citext, json), and json has no equality at all.
      `select array_agg(distinct k.key) into v_keys
        from ${paired(table, 'full')} cross join lateral (values (${key('n')}), (${key('o')})) as k(key)
       where k.key is not null and (${changed(table, columns)})`;
  const one = (alias: 'n' | 'o', rows: string): string =>
    own
      ? `select array_agg(${key(alias)}) into v_keys from ${rows} ${alias};`
      : `select array_agg(distinct k.key) into v_keys from ${rows} ${alias} cross join lateral (select ${key(alias)} as key) k where k.key is not null;`;
  return `    v_keys := null;
    if tg_op = 'UPDATE' then
      ${both};
    elsif tg_op = 'INSERT' then
      ${one('n', 'rollcall_new')}
    else
      ${one('o', 'rollcall_old')}
    end if;
    if v_keys is not null then
      perform rollcall.capture(v_keys${source === undefined ? '' : `, ${quoteLiteral(source)}`});
    end if;`;
}

function paired(table: SourceTable, join: 'full' | 'left'): string {
  // A full join is never done by nested loops: the plan is made for the session's first statement, which is a small one.
  const on = table.primaryKey.map(({ name }) => `o.${quoteIdent(name)} = n.${quoteIdent(name)}`).join(' and ');
  return `rollcall_new n ${join} join rollcall_old o on ${on}`;
}

function changed(table: SourceTable, columns: readonly string[]): string {
  const [key] = table.primaryKey;
  const id = quoteIdent(key?.name ?? '');
  const image = (alias: string): string => `row(${columns.map((c) => `${alias}.${quoteIdent(c)}`).join(', ')})::record`;
  return `n.${id} is null or o.${id} is null or ${image('n')} *<> ${image('o')}`;
}

function eventBody(table: SourceTable, role: EventRole): string {
  const { columns } = role;
  const projected = (alias: string): string => projection(columns, alias);
  const keys = table.primaryKey.map(({ name }) => name);
  const key = (alias: string): string =>
    keys.length === 1
      ? `${alias}.${quoteIdent(keys[0] ?? '')}::text`
      : `jsonb_build_array(${keys.map((k) => `${alias}.${quoteIdent(k)}`).join(', ')})::text`;
  const static_ = branches(role, {
    insert: `select array_agg(${event('insert', key('n'), projected('n'))}) into v_events from rollcall_new n;`,
    update: `select array_agg(${event('update', key('n'), projected('n'), projected('o'))}) into v_events
        from ${paired(table, 'left')} where ${changed(table, columns.length === 0 ? keys : columns)};`,
    delete: `select array_agg(${event('delete', key('o'), projected('o'))}) into v_events from rollcall_old o;`,
  });
  const log = `if v_events is not null then
      perform rollcall.capture('{}', ${quoteLiteral(table.name)}, v_events);
    end if;`;
  // Of auth.users no more than the allowed columns is taken, come what may.
  if (table.schema === 'auth') return `    v_events := null;\n    ${static_}\n    ${log}`;
  return `    v_events := null;
    begin
    ${static_}
    exception when undefined_column then
      -- The table is not what this was made for: nothing is lost when the rows are kept whole until it is looked at.
    ${rawBranches(role, keys)}
    end;
    ${log}`;
}

function event(operation: string, key: string, row: string, before?: string): string {
  const old = before === undefined ? '' : `, 'p', ${before}`;
  return `jsonb_build_object('o', '${operation}', 'k', ${key}, 'r', ${row}${old}, 't', clock_timestamp())`;
}

function branches(role: EventRole, sql: Readonly<Record<'insert' | 'update' | 'delete', string>>): string {
  return role.operations
    .map(
      (operation, n) =>
        `${n === 0 ? 'if' : 'elsif'} tg_op = '${operation.toUpperCase()}' then\n      ${sql[operation]}`,
    )
    .concat('end if;')
    .join('\n    ');
}

function rawBranches(role: EventRole, keys: readonly string[]): string {
  const row = (alias: string): string => `to_jsonb(${alias})`;
  const member = (alias: string, name: string): string => `${row(alias)} -> ${quoteLiteral(name)}`;
  const key = (alias: string): string =>
    keys.length === 1
      ? `${row(alias)} ->> ${quoteLiteral(keys[0] ?? '')}`
      : `jsonb_build_array(${keys.map((k) => member(alias, k)).join(', ')})::text`;
  const raw = (sql: string): string => `${sql} || '{"raw": true}'`;
  const on = keys.map((k) => `${member('o', k)} = ${member('n', k)}`).join(' and ');
  return branches(role, {
    insert: `select array_agg(${raw(event('insert', key('n'), row('n')))}) into v_events from rollcall_new n;`,
    update: `select array_agg(${raw(event('update', key('n'), row('n'), row('o')))}) into v_events
        from rollcall_new n left join rollcall_old o on ${on} where ${row('n')} is distinct from ${row('o')};`,
    delete: `select array_agg(${raw(event('delete', key('o'), row('o')))}) into v_events from rollcall_old o;`,
  });
}

/** One `jsonb_build_object` takes at most 100 arguments. */
const COLUMNS_PER_OBJECT = 40;

function projection(columns: readonly string[], alias: string): string {
  const objects: string[] = [];
  for (let from = 0; from < columns.length; from += COLUMNS_PER_OBJECT) {
    const pairs = columns
      .slice(from, from + COLUMNS_PER_OBJECT)
      .map((c) => `${quoteLiteral(c)}, ${alias}.${quoteIdent(c)}`);
    objects.push(`jsonb_build_object(${pairs.join(', ')})`);
  }
  return objects.length === 0 ? `'{}'::jsonb` : objects.join(' || ');
}
