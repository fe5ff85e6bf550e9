/** Filling templates and asking tests of src/core/declared.ts, over the facts of a delivery. */
export const fill: string = /* sql */ `
-- The declaration of a destination. Put together anew, as what is stored is packed, and would be unpacked at each look into it.
create or replace function rollcall.declared_of(p_destination smallint) returns jsonb language sql stable set search_path = '' as $body$
  select d.declaration || '{}' from rollcall.declared d where d.destination_id = p_destination
$body$;

-- Whether a fact is true: there, and neither false nor empty.
create or replace function rollcall.is_true(p_value jsonb) returns boolean language sql immutable set search_path = '' as $body$
  select coalesce(p_value not in ('null', 'false', '""', '[]', '{}'), false)
$body$;

create or replace function rollcall.test_holds(p_test jsonb, p_facts jsonb) returns boolean language plpgsql immutable set search_path = '' as $body$
declare
  v_each jsonb;
begin
  if p_test is null or jsonb_typeof(p_test) = 'null' then return true; end if;
  if jsonb_typeof(p_test) = 'string' then return rollcall.is_true(p_facts -> (p_test #>> '{}')); end if;
  if p_test ? 'not' then return not rollcall.test_holds(p_test -> 'not', p_facts); end if;
  for v_each in select e from jsonb_array_elements(coalesce(p_test -> 'all', p_test -> 'any')) e loop
    if rollcall.test_holds(v_each, p_facts) <> (p_test ? 'all') then return not p_test ? 'all'; end if;
  end loop;
  return p_test ? 'all';
end $body$;

create or replace function rollcall.fill(p_template jsonb, p_facts jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_each jsonb;
  v_value jsonb;
  v_filled jsonb;
begin
  if jsonb_typeof(p_template) = 'array' then
    return coalesce((select jsonb_agg(rollcall.fill(e.value, p_facts) order by e.n) from jsonb_array_elements(p_template) with ordinality e(value, n)), '[]');
  elsif jsonb_typeof(p_template) <> 'object' then
    return p_template;
  elsif p_template ? '$' then
    return coalesce(p_facts -> (p_template ->> '$'), 'null');
  elsif p_template ? '$object' then
    v_filled := '{}';
    for v_each in select e from jsonb_array_elements(p_template -> '$object') e loop
      continue when v_each ->> 2 is distinct from 'filled' and not rollcall.test_holds(v_each -> 2, p_facts);
      v_value := rollcall.fill(v_each -> 1, p_facts);
      continue when v_each ->> 2 = 'filled' and not rollcall.is_true(v_value);
      v_filled := v_filled || case when v_each ->> 0 = '...' then v_value else jsonb_build_object(v_each ->> 0, v_value) end;
    end loop;
    return v_filled;
  elsif p_template ? '$text' then
    return to_jsonb((select string_agg(coalesce(rollcall.fill(e.value, p_facts) #>> '{}', ''), '' order by e.n)
      from jsonb_array_elements(p_template -> '$text') with ordinality e(value, n)));
  elsif p_template ? '$segment' then
    return to_jsonb(rollcall.url_segment(coalesce(p_facts ->> (p_template ->> '$segment'), '')));
  elsif p_template ? '$query' then
    return to_jsonb(rollcall.url_segment(coalesce(p_facts ->> (p_template ->> '$query'), ''), false));
  elsif p_template ? '$flat' then
    return (select coalesce(jsonb_object_agg(e.key, rollcall.say_value('plain', e.value)), '{}') from jsonb_each(p_facts -> (p_template ->> '$flat')) e);
  elsif p_template ? '$slug' then
    return to_jsonb(rollcall.slug_of(p_facts ->> (p_template ->> '$slug')));
  elsif p_template ? '$slugged' then
    return rollcall.slugged(p_facts -> (p_template ->> '$slugged'));
  elsif p_template ? '$milliseconds' then
    return to_jsonb(regexp_replace(p_facts ->> (p_template ->> '$milliseconds'), '([.][0-9]{3})[0-9]+', '\\1'));
  elsif p_template ? '$pick' or p_template ? '$omit' then
    return (select coalesce(jsonb_object_agg(e.key, e.value) filter (where
        coalesce(p_template -> '$pick', p_template -> '$omit') -> 1 ? e.key = (p_template ? '$pick')), '{}')
      from jsonb_each(p_facts -> (coalesce(p_template -> '$pick', p_template -> '$omit') ->> 0)) e);
  elsif p_template ? '$present' or p_template ? '$known' then
    return (select coalesce(jsonb_object_agg(e.key, e.value) filter (where e.value <> 'null' and (p_template ? '$known' or e.value <> '""')), '{}')
      from jsonb_each(rollcall.fill(coalesce(p_template -> '$present', p_template -> '$known'), p_facts)) e);
  elsif p_template ? '$number' then
    return to_jsonb((p_facts ->> (p_template ->> '$number'))::numeric);
  elsif p_template ? '$if' then
    return rollcall.fill(case when rollcall.test_holds(p_template -> '$if' -> 0, p_facts) then p_template -> '$if' -> 1
      else p_template -> '$if' -> 2 end, p_facts);
  end if;
  return p_template;
end $body$;
`;
