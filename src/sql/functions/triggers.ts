/** Whether a source `s` has triggers: one whose changes are read from the WAL has none. */
const BY_TRIGGERS = '(s.wal_from is null or s.wal_until is not null)';

/** Triggers as they should be: on every table that is captured, and on each partition and child, as writes to those pass the parent's by. */
export const triggers: string = /* sql */ `
-- All triggers of one capture function, below one table. Writes through a parent of a foreign table fail when their rows are
-- collected for a trigger: there the triggers see no rows, and each write is one that was not captured.
create or replace function rollcall.triggers_of(p_table text, p_function name)
returns table (relation oid, name text, definition text, present boolean) language sql stable set search_path = '' as $body$
  with recursive tree(relid, below) as (
    select to_regclass(p_table)::oid, false
    union
    select i.inhrelid, true from tree t join pg_catalog.pg_inherits i on i.inhparent = t.relid
  ), above_foreign(relid) as (
    select i.inhparent from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid where c.relkind = 'f'
    union
    select i.inhparent from above_foreign f join pg_catalog.pg_inherits i on i.inhrelid = f.relid
  ), wanted as (
    -- A child may have triggers of its own too, and of another parent.
    select t.relid, 'rollcall_' || e.event || case when t.below then '_' || right(p_function::text, 8) else '' end as name, e.event, e.type,
           case when f.relid is null then e.old end as old, case when f.relid is null then e.new end as new
      from tree t
      left join above_foreign f on f.relid = t.relid
      left join pg_catalog.pg_class c on c.oid = t.relid
      -- The bits of pg_trigger.tgtype (catalog/pg_trigger.h); none of them is AFTER, for each statement.
      cross join (values ('insert', 4, null, 'rollcall_new'), ('update', 16, 'rollcall_old', 'rollcall_new'),
                         ('delete', 8, 'rollcall_old', null), ('truncate', 32, null, null)) as e(event, type, old, new)
     where c.relkind is distinct from 'f'
  )
  select w.relid, w.name,
         format('create or replace trigger %I after %s on %s%s for each statement execute function rollcall.%I()', w.name, w.event,
           w.relid::regclass, ' referencing' || nullif(concat(' old table as ' || w.old, ' new table as ' || w.new), ''), p_function),
         exists (select from pg_catalog.pg_trigger t
                  where t.tgrelid = w.relid and t.tgname = w.name and t.tgenabled in ('O', 'A') and t.tgtype = w.type
                    and t.tgfoid = to_regprocedure(format('rollcall.%I()', p_function))
                    and t.tgoldtable is not distinct from w.old and t.tgnewtable is not distinct from w.new)
    from wanted w
$body$;

-- For apply. One that is right is left alone: to replace it takes a lock that stops every writer. CREATE OR REPLACE needs the
-- TRIGGER privilege only; a role that does not own the table can do no more.
create or replace function rollcall.make_triggers(p_table text, p_function name) returns int
language plpgsql set search_path = '' as $body$
declare
  v_definition text;
  v_made int := 0;
begin
  for v_definition in select t.definition from rollcall.triggers_of(p_table, p_function) t where not t.present loop
    execute v_definition;
    v_made := v_made + 1;
  end loop;
  return v_made;
end $body$;

-- Upkeep: makes what is missing, disabled or wrong, on partitions that are new as well, and returns how many. What happened
-- meanwhile is for a sweep to find. Writers behind us wait as long as we do, so what cannot be had at once is tried again at the next
-- call; the order is another one each time, so that one table that is always locked stops no other.
create or replace function rollcall.ensure_triggers() returns int language plpgsql set search_path = '' set lock_timeout = '20ms' as $body$
declare
  v_trigger record;
  v_made int := 0;
  v_why jsonb := '{}';
  v_until timestamptz := clock_timestamp() + interval '200 milliseconds';
begin
  for v_trigger in
    select t.definition, min(rollcall.table_name(t.relation)) as source, min(rollcall.trigger_trouble(t.relation, t.name)) as cause,
           array_agg(s.name) as sources from rollcall.sources s
      cross join lateral (select distinct x ->> 'table' as name, x ->> 'function' as function from jsonb_array_elements(s.triggers) x) w
      cross join lateral rollcall.triggers_of(w.name, w.function) t
     where s.enabled and ${BY_TRIGGERS} and t.relation is not null and not t.present
     group by t.definition order by random()
  loop
    exit when clock_timestamp() > v_until;
    begin
      execute v_trigger.definition;
      -- Now that its table is locked: the WAL may have taken it over since it was looked at, and each event would be there twice.
      if not exists (select from unnest(v_trigger.sources) n where rollcall.wants_triggers(n)) then
        raise exception 'the write-ahead log has it';
      end if;
      v_made := v_made + 1;
      v_why := v_why || jsonb_build_object(v_trigger.cause || ' ' || v_trigger.source, true);
    exception when others then
      null; -- Still missing, as status says.
    end;
  end loop;
  if v_made > 0 then
    perform nextval('rollcall.uncaptured');
    insert into rollcall.sweep_causes (cause, source, bumps)
      select split_part(k, ' ', 1), substr(k, strpos(k, ' ') + 1), (row_number() over () = 1)::int from jsonb_object_keys(v_why) k;
  end if;
  return v_made;
end $body$;

create or replace function rollcall.table_name(p_relation oid) returns text language sql stable set search_path = '' as $body$
  select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = p_relation
$body$;

-- What became of a trigger that is not as it should be. A partition or child that has none of ours yet is new.
create or replace function rollcall.trigger_trouble(p_relation oid, p_name text) returns text language sql stable set search_path = '' as $body$
  select case
    when t.tgenabled in ('D', 'R') then 'trigger_disabled'
    when t.tgname is not null then 'trigger_changed'
    when exists (select from pg_catalog.pg_inherits i where i.inhrelid = p_relation) and not exists (
      select from pg_catalog.pg_trigger o join pg_catalog.pg_proc p on p.oid = o.tgfoid
       where o.tgrelid = p_relation and p.pronamespace = 'rollcall'::regnamespace) then 'partition_new'
    else 'trigger_missing' end
    from (select) x left join pg_catalog.pg_trigger t on t.tgrelid = p_relation and t.tgname = p_name
$body$;

-- What status shows: triggers that are not there, or switched off.
create or replace function rollcall.missing_triggers() returns table (table_name text, trigger_name text)
language sql stable set search_path = '' as $body$
  select distinct coalesce(t.relation::regclass::text, x ->> 'table'), t.name
    from rollcall.sources s cross join lateral jsonb_array_elements(s.triggers) x
    cross join lateral rollcall.triggers_of(x ->> 'table', x ->> 'function') t
   where s.enabled and ${BY_TRIGGERS} and not t.present
   order by 1, 2
$body$;
`;
