import { PASSING } from './passing.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** The state of what is read: a source whose table is no longer what its SQL was made for is paused, by itself. */
export const sources: string = /* sql */ `
create or replace function rollcall.pause_source(p_source text, p_code text, p_message text) returns void
language sql set search_path = '' as $body$
  update rollcall.sources set pause_code = p_code, pause_message = p_message, paused_at = coalesce(paused_at, now())
   where name = p_source and (pause_code, pause_message) is distinct from (p_code, p_message)
$body$;

-- A migration of the app, perhaps: whoever is in other tables does not wait for it.
create or replace function rollcall.pause_locked(p_source text) returns void language sql set search_path = '' as $body$
  select rollcall.pause_source(p_source, 'locked', 'Another transaction has locked it.')
$body$;

-- Asks for a sweep and says why. The causes are those of src/engine/sweep-report.ts.
create or replace function rollcall.want_sweep(p_cause text, p_source text) returns void language plpgsql set search_path = '' as $body$
begin
  perform nextval('rollcall.uncaptured');
  insert into rollcall.sweep_causes (cause, source, bumps) values (p_cause, p_source, 1);
end $body$;

-- Once it can be read again everything is compared: what changed meanwhile was folded without it.
create or replace function rollcall.resume_source(p_source text) returns void language plpgsql set search_path = '' as $body$
begin
  update rollcall.sources set pause_code = null, pause_message = null, paused_at = null where name = p_source and pause_code is not null;
  if found then perform rollcall.want_sweep('source_resumed', p_source); end if;
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
create or replace function rollcall.watch_sources() returns void language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
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

-- Sources that were paused and can be read again, in every way they are: somebody put the column back, or mended the row that
-- made a view fail.
create or replace function rollcall.recheck_sources() returns void language plpgsql set search_path = '' set lock_timeout = '2s' as $body$
declare
  v_source record;
begin
  for v_source in
    select s.name from rollcall.sources s
     where s.enabled and s.pause_code is not null and s.name <> 'auth.users' and rollcall.drift(s.relation, s.shape) is null
  loop
    begin
      perform rollcall.map_nobody(p.function), rollcall.try_pages(p.page_function) from rollcall.parts p where p.source = v_source.name;
      perform rollcall.resolve_nobody(r.function) from rollcall.resolvers r where ${leadsThrough('v_source.name', 'r.source')};
      perform rollcall.check_events(m.source) from rollcall.event_maps m where m.source = v_source.name;
      perform rollcall.resume_source(v_source.name);
    exception when others then
      null; -- Still paused, for the reason it has.
    end;
  end loop;
end $body$;

-- Fails as a resolver does for keys of any kind.
create or replace function rollcall.resolve_nobody(p_function name) returns void language plpgsql set search_path = '' as $body$
begin
  execute format('select rollcall.%I(array[null::text])', p_function);
end $body$;

-- Contact keys for keys of another table. A key that cannot be one (its column had another type when it was logged) leads to
-- nobody. A table that cannot be read is paused; a sweep follows when it can.
create or replace function rollcall.resolve_keys(p_source text, p_keys text[]) returns text[]
language plpgsql set search_path = '' set lock_timeout = '2s' as $body$
declare
  v_function name := (select r.function from rollcall.resolvers r where r.source = p_source);
  v_keys text[];
  v_count int := cardinality(p_keys);
  v_step int;
  v_from int := 1;
begin
  if v_function is null then return '{}'; end if;
  begin
    execute format('select rollcall.%I($1)', v_function) into v_keys using p_keys;
    return coalesce(v_keys, '{}');
  exception
  when lock_not_available then
    perform rollcall.pause_locked(s.name) from rollcall.sources s where ${leadsThrough('s.name', 'p_source')};
    return '{}';
  when ${PASSING} then
    raise;
  when others then
    null; -- Whose trouble it is, is found below.
  end;
  begin
    perform rollcall.resolve_nobody(v_function);
  exception
  when ${PASSING} then
    raise;
  when others then
    perform rollcall.pause_source(s.name, sqlstate, sqlerrm) from rollcall.sources s where ${leadsThrough('s.name', 'p_source')};
    return '{}';
  end;
  if v_count = 1 then return '{}'; end if;
  v_step := greatest(1, v_count / 16);
  while v_from <= v_count loop
    v_keys := v_keys || rollcall.resolve_keys(p_source, p_keys[v_from : v_from + v_step - 1]);
    v_from := v_from + v_step;
  end loop;
  return coalesce(v_keys, '{}');
end $body$;
`;

function leadsThrough(table: string, resolver: string): string {
  return `right(${resolver}, length(${table}) + 4) = ' -> ' || ${table}`;
}
