/** The triggers of capture: made where they are missing, never replaced where they are right. */
export const triggers: string = /* sql */ `
-- A table with all that inherits from it: a statement that names a partition fires the partition's triggers and no others.
create or replace function rollcall.table_tree(p_relation text) returns setof regclass language sql stable set search_path = '' as $body$
  with recursive tree as (
    select to_regclass(p_relation)::oid as id
    union select i.inhrelid from pg_catalog.pg_inherits i join tree t on t.id = i.inhparent
  )
  select c.oid::regclass from tree t join pg_catalog.pg_class c on c.oid = t.id where c.relkind in ('r', 'p')
$body$;

-- The triggers that a table and its partitions lack, or that do not call its function, or are switched off.
create or replace function rollcall.lacking_triggers(p_relation text, p_function text) returns table (relation regclass, name text, event text)
language sql stable set search_path = '' as $body$
  select t.relation, x.name, x.event
    from rollcall.table_tree(p_relation) as t(relation)
    cross join (values
      ('rollcall_insert', 'insert on %s referencing new table as rollcall_new'),
      ('rollcall_update', 'update on %s referencing old table as rollcall_old new table as rollcall_new'),
      ('rollcall_delete', 'delete on %s referencing old table as rollcall_old'),
      ('rollcall_truncate', 'truncate on %s')) as x(name, event)
   where not exists (
     select from pg_catalog.pg_trigger g where g.tgrelid = t.relation and g.tgname = x.name and g.tgenabled in ('O', 'A')
        and g.tgfoid = to_regprocedure(format('rollcall.%I()', p_function)))
$body$;

-- CREATE OR REPLACE TRIGGER needs the TRIGGER privilege only; a role that does not own the table can do no more. To replace one
-- takes a lock that stops every writer, so one that is right is left alone.
create or replace function rollcall.make_triggers(p_relation text, p_function text) returns int
language plpgsql set search_path = '' as $body$
declare
  v_lacks record;
  v_made int := 0;
begin
  for v_lacks in select * from rollcall.lacking_triggers(p_relation, p_function) loop
    execute format('create or replace trigger %I after ' || v_lacks.event || ' for each statement execute function rollcall.%I()',
      v_lacks.name, v_lacks.relation, p_function);
    v_made := v_made + 1;
  end loop;
  return v_made;
end $body$;

-- What capture cannot see is missing from now on; a sweep follows. For status, and for workers to mend.
create or replace function rollcall.missing_triggers() returns table (table_name text, trigger_name text)
language sql stable set search_path = '' as $body$
  select l.relation::text, l.name
    from rollcall.sources s
    cross join lateral jsonb_to_recordset(s.triggers) as t("table" text, "function" text)
    cross join lateral rollcall.lacking_triggers(t."table", t."function") l
   where s.enabled order by 1, 2
$body$;

create or replace function rollcall.ensure_triggers() returns int language plpgsql set search_path = '' set lock_timeout = '2s' as $body$
declare
  v_table record;
  v_made int := 0;
begin
  for v_table in
    select distinct t."table" as relation, t."function" as name
      from rollcall.sources s cross join lateral jsonb_to_recordset(s.triggers) as t("table" text, "function" text)
     where s.enabled and exists (select from rollcall.lacking_triggers(t."table", t."function"))
  loop
    begin
      v_made := v_made + rollcall.make_triggers(v_table.relation, v_table.name);
    exception when others then
      null; -- No right, or no lock in time: status tells of it, and the next upkeep tries again.
    end;
  end loop;
  if v_made > 0 then perform nextval('rollcall.uncaptured'); end if;
  return v_made;
end $body$;
`;
