import { PASSING } from './passing.ts';

/** Types of the events' functions, and the generated functions called so that one bad row fails alone. */
export const eventMapping: string = /* sql */ `
do $types$ begin
  if to_regtype('rollcall.change') is null then
    create type rollcall.change as (log_id bigint, xid xid8, source text, events jsonb[]);
    -- A captured row: {"o": "insert|update|delete", "k": its primary key as text, "r": its columns, "p": what they were before an
    -- update, "t": when}, and of a row of the WAL "x", the commit. Place: within its log row. Turn: within all that is read. What was held has a held_id and no xid.
    create type rollcall.captured_event as (log_id bigint, xid xid8, place int, held_id bigint, turn bigint, event jsonb);
    create type rollcall.mapped_event as (place int, key text, name text, type_no int, verdict text, properties jsonb,
      happened_at timestamptz, message text);
    create type rollcall.read_event as (id uuid, source text, key text, name text, properties jsonb, happened_at timestamptz,
      code text, message text);
    create type rollcall.read_turn as (mapped rollcall.mapped_event, source text, captured rollcall.captured_event);
  end if;
end $types$;

-- What a generated function makes of captured rows, or why it makes nothing. p_first is the place of the first of them.
create or replace function rollcall.try_events(p_function name, p_events jsonb[], p_first int,
  out mapped rollcall.mapped_event[], out code text, out message text)
language plpgsql set search_path = '' as $body$
begin
  execute format('select array_agg(row(m.place + $2 - 1, m.key, m.name, m.type_no, m.verdict, m.properties, m.happened_at, m.message)::rollcall.mapped_event)
    from rollcall.%I($1) m', p_function) into mapped using p_events, p_first;
  mapped := coalesce(mapped, '{}');
exception
when ${PASSING} then
  raise;
when others or assert_failure then
  -- A row's value can raise any of the others. What fails without any row is what the function was made for having changed.
  code := sqlstate; message := sqlerrm;
  begin
    execute format('select from rollcall.%I(''{}'')', p_function);
  exception when others then
    raise exception '%', message using errcode = case when left(code, 2) in ('42', '3F') then 'RC003' else code end, detail = code;
  end;
end $body$;

-- The events of captured rows. Rows that cannot be mapped (a bad cast, say) are found by dividing, and reported one by one.
create or replace function rollcall.map_events(p_function name, p_events jsonb[], p_first int) returns rollcall.mapped_event[]
language plpgsql set search_path = '' as $body$
declare
  v_try record;
  v_all rollcall.mapped_event[] := '{}';
  v_count int := cardinality(p_events);
  v_step int;
  v_from int := 1;
begin
  select * into v_try from rollcall.try_events(p_function, p_events, p_first);
  if v_try.code is null then return v_try.mapped; end if;
  if v_count = 1 then return rollcall.map_failing(p_function, p_events[1], p_first, v_try.code, v_try.message); end if;
  v_step := greatest(1, v_count / 16);
  while v_from <= v_count loop
    v_all := v_all || rollcall.map_events(p_function, p_events[v_from : v_from + v_step - 1], p_first + v_from - 1);
    v_from := v_from + v_step;
  end loop;
  return v_all;
end $body$;

-- The events of one captured row that makes the function fail: each by itself, so that those that can be mapped are. Whose
-- event it is, and of which name, is found without its properties.
create or replace function rollcall.map_failing(p_function name, p_event jsonb, p_place int, p_code text, p_message text)
returns rollcall.mapped_event[] language plpgsql set search_path = '' as $body$
declare
  v_bare record;
  v_one record;
  v_type rollcall.mapped_event;
  v_all rollcall.mapped_event[] := '{}';
begin
  select * into v_bare from rollcall.try_events(p_function, array[p_event || '{"bare": true}'], p_place);
  if v_bare.code is not null then
    return array[row(p_place, null, null, 0, 'failed', jsonb_build_object('code', p_code), (p_event ->> 't')::timestamptz, p_message)::rollcall.mapped_event];
  end if;
  foreach v_type in array v_bare.mapped loop
    select * into v_one from rollcall.try_events(p_function, array[p_event || jsonb_build_object('only', v_type.type_no)], p_place);
    v_all := v_all || case when v_one.code is null then v_one.mapped
      else array[row(p_place, v_type.key, v_type.name, v_type.type_no, 'failed', jsonb_build_object('code', v_one.code),
        v_type.happened_at, v_one.message)::rollcall.mapped_event] end;
  end loop;
  return v_all;
end $body$;
`;
