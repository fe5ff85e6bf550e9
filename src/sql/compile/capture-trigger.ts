import type { Config } from '../../config/types.ts';
import type { RowOperation } from '../../core/mapping.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTable, quoteTexts } from '../quote.ts';
import type { SourceTable } from '../source.ts';
import { eventsQuery, textSettings } from './capture-events.ts';
import { keysQuery, ownKeys, touchedQuery } from './capture-keys.ts';
import { CURRENT_LOG, logRows } from './capture-log.ts';
import { captureFunction } from './capture-names.ts';
import type { CapturePlan, EventRole, StateRole } from './capture-plan.ts';
import { WRITES_BACK } from './write-back.ts';

/** The triggers on a table, by name; those on a partition or a child of it have a suffix. */
export const TRIGGERS: readonly string[] = [
  'rollcall_insert',
  'rollcall_update',
  'rollcall_delete',
  'rollcall_truncate',
];

/** Counts what was not captured. A sequence, as no rollback undoes it; if that fails too, nothing is left to be done. */
const COUNT = `begin perform nextval('rollcall.uncaptured'); exception when others or assert_failure then null; end;`;

/** Says which table was truncated, once that is counted: a sequence cannot, and a row goes when the TRUNCATE is rolled back. */
const TELL_TRUNCATE = `begin
      perform nextval('rollcall.truncated');
      insert into rollcall.sweep_causes (cause, source, bumps) values ('truncate', tg_table_schema || '.' || tg_table_name, 0);
    exception when others or assert_failure then null; end;`;

/** State is found again by a sweep; what happened is not, so it is counted by itself too. */
const COUNT_EVENTS = `begin perform nextval('rollcall.uncaptured'), nextval('rollcall.lost_events'); exception when others or assert_failure then null; end;`;

/**
 * The capture functions and triggers of all plans; those of other tables go. Idempotent.
 * @param by with `wal` a table whose changes are read from the WAL already gets no triggers
 */
export function captureScript(plans: readonly CapturePlan[], by: Config['capture'] = 'triggers'): string {
  const made = plans.map((plan) => captureTable(plan, by));
  return [dropCapture(plans.map((plan) => captureFunction(plan.table))), ...made].join('\n');
}

/** Drops capture functions, and their triggers with them: the only way for a role that does not own the tables. */
export function dropCapture(kept: readonly string[]): string {
  return `do ${dollarQuote(`declare
  v_function pg_catalog.name;
begin
  for v_function in
    select p.proname from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'rollcall' and p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype
       and p.proname <> all (array[${kept.map(quoteLiteral).join(', ')}]::pg_catalog.name[])
  loop
    execute pg_catalog.format('drop function rollcall.%I() cascade', v_function);
  end loop;
end`)};`;
}

/**
 * The fixed shell around capture for one table, and its triggers. Whatever goes wrong inside, the app's statement goes on: the
 * failure bumps a sequence and a sweep follows. `lock_timeout` bounds every wait, because a statement timeout while waiting
 * for a lock is the one error that `when others` does not catch. State and events fail apart from each other.
 */
export function captureTable(plan: CapturePlan, by: Config['capture'] = 'triggers'): string {
  const name = captureFunction(plan.table);
  const body = `declare
  v_key text;
  v_keys text[];
  v_event jsonb;
  v_events jsonb[];
  v_log int;
  v_locked boolean := false;
begin
  if tg_op = 'TRUNCATE' then
    ${COUNT}
    ${TELL_TRUNCATE}
    return null;
  end if;
${plan.states.length === 0 ? '' : stateBlock(plan)}${plan.events === undefined ? '' : eventBlock(plan.table, plan.events)}  return null;
end`;
  return `create or replace function rollcall.${quoteIdent(name)}() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '20ms' ${textSettings(plan)} as ${dollarQuote(body)};
select rollcall.make_triggers(${quoteLiteral(quoteTable(plan.table))}, ${quoteLiteral(name)})${by === 'wal' ? ` where rollcall.wants_triggers(${quoteLiteral(plan.table.name)})` : ''};`;
}

function stateBlock(plan: CapturePlan): string {
  const log = (operation: RowOperation): string =>
    plan.states.map((role) => logKeys(plan.table, role, operation, keysQuery(plan, role, operation))).join('');
  const touched = plan.states.map((role) => logKeys(plan.table, role, 'update', touchedQuery(role))).join('');
  return `  begin
    if tg_op = 'INSERT' then
      v_log := ${CURRENT_LOG};${log('insert')}
    elsif tg_op = 'UPDATE' then${log('update')}
    else
      v_log := ${CURRENT_LOG};${log('delete')}
    end if;
  exception
  when undefined_column then
    -- A watched column is gone: whoever an update touches is taken, changed or not, as long as the links are there.
    begin
      if tg_op = 'UPDATE' then${touched}
      else
        perform nextval('rollcall.uncaptured');
      end if;
    exception when others or assert_failure then
      ${COUNT}
    end;
  when others or assert_failure then
    v_locked := sqlstate = '55P03';
    ${COUNT}
  end;
`;
}

function logKeys(table: SourceTable, role: StateRole, operation: RowOperation, query: string): string {
  const { source } = role;
  const own = ownKeys(role, table.primaryKey);
  return logRows(operation, {
    // The fence keeps a key from being made twice.
    query: own ? query : `select x.k from (${query} offset 0) as x where x.k is not null`,
    into: 'keys',
    source,
    item: 'v_key',
    list: 'v_keys',
    capture: `rollcall.capture(v_keys${source === null ? '' : `, ${quoteLiteral(source)}`})`,
  });
}

function eventBlock(table: SourceTable, role: EventRole): string {
  const root = quoteLiteral(quoteTable(table));
  const branches = role.operations.map(
    (
      operation,
    ) => `if tg_op = '${operation.toUpperCase()}' then${operation === 'update' ? '' : `\n      v_log := coalesce(v_log, ${CURRENT_LOG});`}${logEvents(table, operation, eventsQuery(table, role, operation))}
      `,
  );
  const only = role.wholeRows === true ? 'null' : quoteTexts(role.wholeRows);
  const raw = `when undefined_column then
    -- The projection no longer fits the table: the whole rows are kept until it is known what they should be.
    begin${logEvents(table, 'update', `execute rollcall.raw_events(tg_relid, tg_op, ${root}, ${only})`)}
    exception when others or assert_failure then
      ${COUNT_EVENTS}
    end;
  `;
  const operations = role.operations.map((operation) => quoteLiteral(operation.toUpperCase())).join(', ');
  const quiet = role.writtenBack ? `  if ${WRITES_BACK} then return null; end if;\n` : '';
  // Who waited for a lock once does not wait again.
  return `${quiet}  if v_locked then
    if tg_op in (${operations}) then
      begin perform nextval('rollcall.lost_events'); exception when others or assert_failure then null; end;
    end if;
    return null;
  end if;
  begin
    -- A partition that was detached is no part of the table any more, whose triggers it still has.
    if (tg_table_name = ${quoteLiteral(table.table)} and tg_table_schema = ${quoteLiteral(table.schema)}) or rollcall.within(tg_relid, ${root}) then
      ${branches.join('els')}end if;
    end if;
  exception
  ${raw}when others or assert_failure then
    ${COUNT_EVENTS}
  end;
`;
}

function logEvents(table: SourceTable, operation: RowOperation, query: string): string {
  const source = quoteLiteral(table.name);
  return logRows(operation, {
    query,
    into: 'events',
    source: table.name,
    item: 'v_event',
    list: 'v_events',
    capture: `rollcall.capture('{}', ${source}, v_events)`,
  });
}
