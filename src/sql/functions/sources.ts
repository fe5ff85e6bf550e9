/** The state of what is read: a source whose table is no longer what its SQL was made for is paused, by itself. */
export const sources: string = /* sql */ `
create or replace function rollcall.pause_source(p_source text, p_code text, p_message text) returns void
language sql set search_path = '' as $body$
  update rollcall.sources set pause_code = p_code, pause_message = p_message, paused_at = coalesce(paused_at, now())
   where name = p_source and (pause_code, pause_message) is distinct from (p_code, p_message)
$body$;

-- Once it can be read again everything is compared: what changed meanwhile was folded without it.
create or replace function rollcall.resume_source(p_source text) returns void language plpgsql set search_path = '' as $body$
begin
  update rollcall.sources set pause_code = null, pause_message = null, paused_at = null where name = p_source and pause_code is not null;
  if found then perform nextval('rollcall.uncaptured'); end if;
end $body$;

-- The first column that is not as it was when the SQL was generated, in words; null when all are.
create or replace function rollcall.drift(p_source text, p_shape jsonb) returns text language sql stable set search_path = '' as $body$
  select case
           when to_regclass(p_source) is null then format('The table %s is gone, or this role may not see it.', p_source)
           when a.attname is null then format('The column %I is gone.', s.key)
           else format('The column %I was %s and is %s.', s.key, s.value, format_type(a.atttypid, a.atttypmod)) end
    from jsonb_each_text(p_shape) s
    left join pg_catalog.pg_attribute a
      on a.attrelid = to_regclass(p_source) and a.attname = s.key and a.attnum > 0 and not a.attisdropped
   where a.attname is null or format_type(a.atttypid, a.atttypmod) <> s.value
   order by s.key limit 1
$body$;

-- Looks at the tables before they are read. A column that was renamed, dropped or retyped pauses its source.
create or replace function rollcall.watch_sources() returns void language plpgsql set search_path = '' as $body$
declare
  v_source record;
begin
  for v_source in
    select s.name, d.message from rollcall.sources s cross join lateral (select rollcall.drift(s.relation, s.shape) as message) d
     where s.enabled and s.pause_code is null and d.message is not null
  loop
    if v_source.name = 'auth.users' then
      raise exception '%', v_source.message using errcode = 'RC003', detail = 'drift';
    end if;
    perform rollcall.pause_source(v_source.name, 'drift', v_source.message);
  end loop;
end $body$;

-- Sources that were paused and fit again: somebody put the column back.
create or replace function rollcall.recheck_sources() returns void language plpgsql set search_path = '' as $body$
declare
  v_source record;
  v_function name;
begin
  for v_source in
    select s.name from rollcall.sources s
     where s.enabled and s.pause_code is not null and s.name <> 'auth.users' and rollcall.drift(s.relation, s.shape) is null
  loop
    begin
      for v_function in select p.function from rollcall.parts p where p.source = v_source.name loop
        perform rollcall.map_rows(v_function, '{}', '{}');
      end loop;
      perform rollcall.check_events(m.source) from rollcall.event_maps m where m.source = v_source.name;
      perform rollcall.resume_source(v_source.name);
    exception when others then
      null; -- Still paused, for the reason it has.
    end;
  end loop;
end $body$;

-- Contact keys for keys of another table. One that cannot be read pauses its own table; a sweep follows when it can.
create or replace function rollcall.resolve_keys(p_source text, p_keys text[]) returns text[]
language plpgsql set search_path = '' as $body$
declare
  v_function name := (select r.function from rollcall.resolvers r where r.source = p_source);
  v_keys text[];
begin
  if v_function is null then return '{}'; end if;
  execute format('select rollcall.%I($1)', v_function) into v_keys using p_keys;
  return coalesce(v_keys, '{}');
exception when syntax_error_or_access_rule_violation or invalid_schema_name or data_exception then
  perform rollcall.pause_source(s.name, sqlstate, sqlerrm) from rollcall.sources s where right(p_source, length(s.name) + 4) = ' -> ' || s.name;
  return '{}';
end $body$;
`;
