import { KEYS_FIRST } from './plan-settings.ts';

/**
 * The inner half of capture: appends to the log and wakes an armed worker. The generated trigger functions call it inside an
 * exception block, so nothing here can fail the app's statement. Runs with their rights, search_path, lock_timeout and
 * settings of text.
 */
export const capture: string = /* sql */ `
-- Sequences are read by a function and not as tables: that costs a tenth.
create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null) returns void
language plpgsql as $body$
declare
  v_log int := coalesce(pg_sequence_last_value('rollcall.current_log'), 0);
begin
  ${toCurrentLog(`values (p_source, p_keys, p_events)`, ` and (cardinality(p_keys) > 1000 or cardinality(p_events) > 100) is not true`)}
  els${toCurrentLog(`select p_source, array_agg(k), null from unnest(p_keys) with ordinality as x(k, n) group by (n - 1) / 1000
    union all
    select p_source, '{}', array_agg(e order by n) from unnest(p_events) with ordinality as x(e, n) group by (n - 1) / 100`)}
  end if;
  -- NOTIFY takes a database-wide lock at commit, so only an idle worker that armed itself is told. A full queue would fail the
  -- app's commit.
  if to_timestamp(pg_sequence_last_value('rollcall.armed_until')) > clock_timestamp() and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rollcall', '');
  end if;
end $body$;

-- Says of what this transaction has told the log that it may have changed as early as that: see rollcall.note_answers.
create or replace function rollcall.date_changes(p_since timestamptz) returns void language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  ${[0, 1, 2].map((n) => `update rollcall.changes_${n} c set since = p_since where c.xid = pg_current_xact_id() and p_since < c.at;`).join('\n  ')}
end $body$;

-- A query of captured rows that needs no column but those of the primary key, whatever it is called now. For EXECUTE in a
-- trigger function. "n" has the columns' numbers, which stay when their names do not. With p_only no other columns are taken.
create or replace function rollcall.raw_events(p_relation oid, p_operation text, p_root text, p_only text[]) returns text
language plpgsql as $body$
declare
  v_row text := case when p_operation = 'DELETE' then 'rollcall_old' else 'rollcall_new' end;
  -- A child that inherits a primary key's columns has no such key itself.
  v_key text[] := coalesce(rollcall.key_columns(p_relation), rollcall.key_columns(to_regclass(p_root)));
  v_text text := case cardinality(v_key)
    when 1 then format('%I.%I::text', v_row, v_key[1])
    else format('jsonb_build_array(%s)::text', (select string_agg(format('%I.%I', v_row, k), ', ' order by n) from unnest(v_key) with ordinality as x(k, n))) end;
  v_names jsonb := (select jsonb_object_agg(a.attname, a.attnum) from pg_catalog.pg_attribute a
    where a.attrelid = coalesce(to_regclass(p_root), p_relation) and a.attnum > 0 and not a.attisdropped
      and (p_only is null or a.attname = any(p_only)));
  v_whole text := case when p_only is null then 'to_jsonb(%I)'
    else format('(select jsonb_object_agg(x.key, x.value) from jsonb_each(to_jsonb(%%I)) x where x.key = any(%L))', p_only) end;
  v_pair text := (select string_agg(format('rollcall_old.%1$I::text = rollcall_new.%1$I::text', k), ' and ') from unnest(v_key) k);
begin
  return format($query$select to_jsonb(rollcall_e) as e from (select %L as o, %s as k, %s as r%s, clock_timestamp() as t, true as raw, %L::jsonb as n from %s)
    as rollcall_e$query$, lower(p_operation), case when v_key is null then 'null::text' else v_text end, format(v_whole, v_row),
    case when p_operation <> 'UPDATE' then '' when v_key is null then ', null::jsonb as p' else ', ' || format(v_whole, 'rollcall_old') || ' as p' end,
    v_names,
    case when p_operation = 'UPDATE' and v_key is not null
      then format('rollcall_new left join rollcall_old on %s where rollcall_old.%I is null or rollcall_new *<> rollcall_old', v_pair, v_key[1])
      else v_row end);
end $body$;

create or replace function rollcall.key_columns(p_relation oid) returns text[] language sql stable set search_path = '' as $body$
  select array_agg(a.attname::text order by x.place)
    from pg_catalog.pg_constraint k cross join unnest(k.conkey) with ordinality as x(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.attnum
   where k.conrelid = p_relation and k.contype = 'p'
$body$;

-- Whether a table is one that is named by a text, or a partition or child of it. True as well when nothing has that name: then
-- the table was renamed.
create or replace function rollcall.within(p_relation oid, p_root text) returns boolean language sql stable set search_path = '' as $body$
  with recursive above(relation) as (
    select p_relation
    union
    select i.inhparent from above a join pg_catalog.pg_inherits i on i.inhrelid = a.relation
  )
  select to_regclass(p_root) is null or exists (select from above a where a.relation = to_regclass(p_root))
$body$;
`;

function toCurrentLog(rows: string, where = ''): string {
  return [0, 1, 2]
    .map((n) => `if v_log = ${n}${where} then insert into rollcall.changes_${n} (source, keys, events) ${rows};`)
    .join('\n  els');
}
