/** How a value is said at a destination: the same as `src/destinations/*` say it, see `Conversion` in src/core/declared.ts. */
export const values: string = /* sql */ `
-- JSON as JavaScript writes it: no spaces, and names that are whole numbers first.
create or replace function rollcall.compact_json(p_value jsonb) returns text language plpgsql immutable set search_path = '' as $body$
begin
  case jsonb_typeof(p_value)
    when 'object' then
      return '{' || coalesce((select string_agg(to_json(e.key)::text || ':' || rollcall.compact_json(e.value), ','
          order by case when e.key ~ '^(0|[1-9][0-9]{0,9})$' and e.key::bigint < 4294967295 then e.key::bigint end nulls last, e.n)
        from jsonb_each(p_value) with ordinality as e(key, value, n)), '') || '}';
    when 'array' then
      return '[' || coalesce((select string_agg(rollcall.compact_json(e.value), ',' order by e.n)
        from jsonb_array_elements(p_value) with ordinality as e(value, n)), '') || ']';
    when 'number' then return trim_scale((p_value #>> '{}')::numeric)::text;
    else return p_value::text;
  end case;
end $body$;

-- A text as one segment of a path, or, with p_dots false, as a value of a query (src/core/wire.ts, pathSegment).
create or replace function rollcall.url_segment(p_text text, p_dots boolean default true) returns text
language plpgsql immutable set search_path = '' as $body$
declare
  v_encoded text;
begin
  select coalesce(string_agg(case when c ~ '^[A-Za-z0-9_.!~*''()-]$' then c else (
      select string_agg('%' || upper(lpad(to_hex(get_byte(b.bytes, i)), 2, '0')), '' order by i)
        from (select convert_to(c, 'UTF8') as bytes) b cross join lateral generate_series(0, length(b.bytes) - 1) i) end, '' order by n), '')
    into v_encoded from string_to_table(p_text, null) with ordinality as x(c, n);
  return case when p_dots and v_encoded in ('.', '..') then replace(v_encoded, '.', '%252E') else v_encoded end;
end $body$;

-- A phone number as E.164, or null (src/destinations/brevo/phone.ts).
create or replace function rollcall.phone_of(p_text text) returns text language sql immutable set search_path = '' as $body$
  select '+' || (regexp_match(regexp_replace(p_text, '[\\s().\\-/]', '', 'g'), '^(?:\\+|00)?([1-9][0-9]{6,14})$'))[1]
   where p_text !~ '\\(0+\\)'
$body$;

-- A day of the calendar at the beginning of a text, or null.
create or replace function rollcall.calendar_day(p_text text) returns text language plpgsql immutable set search_path = '' as $body$
declare
  v_parts text[] := regexp_match(p_text, '^([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])');
begin
  if v_parts is null then return null; end if;
  -- There is no year 0 in Postgres; where it was a leap year, 4 is one too.
  perform make_date(case when v_parts[1] = '0000' then 4 else v_parts[1]::int end, v_parts[2]::int, v_parts[3]::int);
  return v_parts[1] || '-' || v_parts[2] || '-' || v_parts[3];
exception when datetime_field_overflow or invalid_datetime_format then return null;
end $body$;

-- A value by a conversion; null where the destination would drop it.
create or replace function rollcall.say_value(p_conversion text, p_value jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_type text := jsonb_typeof(p_value);
  v_text text := p_value #>> '{}';
begin
  case p_conversion
    when 'plain' then return case when v_type in ('object', 'array') then to_jsonb(rollcall.compact_json(p_value)) else p_value end;
    when 'text' then return to_jsonb(case when v_type = 'string' then v_text else rollcall.compact_json(p_value) end);
    when 'day' then
      return case when v_type = 'string' and v_text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' then to_jsonb(left(v_text, 10)) else p_value end;
    when 'calendar_day' then return case when v_type = 'string' then to_jsonb(rollcall.calendar_day(v_text)) end;
    when 'number' then return case when v_type = 'number' then p_value end;
    when 'boolean' then return case when v_type = 'boolean' then p_value end;
    when 'phone' then return case when v_type in ('string', 'number') then to_jsonb(rollcall.phone_of(v_text)) end;
    else return p_value;
  end case;
end $body$;

-- A name of letters, digits, "-" and "_" (src/destinations/brevo/encode-event.ts, eventName).
create or replace function rollcall.slug_of(p_name text) returns text language sql immutable set search_path = '' as $body$
  select coalesce(string_agg(case when c ~ '[\\s.:/]' then '_' when c ~ '^[A-Za-z0-9_-]$' then c else '-' || to_hex(ascii(c)) || '-' end, '' order by n), '')
    from string_to_table(p_name, null) with ordinality x(c, n)
$body$;

-- A value with such names all through, and without what has no value.
create or replace function rollcall.slugged(p_value jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
begin
  case jsonb_typeof(p_value)
    when 'object' then
      return (select coalesce(jsonb_object_agg(rollcall.slug_of(e.key), rollcall.slugged(e.value)), '{}') from jsonb_each(p_value) e where e.value <> 'null');
    when 'array' then
      return (select coalesce(jsonb_agg(rollcall.slugged(e.value) order by e.n), '[]') from jsonb_array_elements(p_value) with ordinality e(value, n));
    else return p_value;
  end case;
end $body$;

-- Why an event cannot be stored at a destination with such limits; null when it can: {code, message, field}.
create or replace function rollcall.event_problem(p_limits jsonb, p_name text, p_properties jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_name text := rollcall.slug_of(p_name);
  v_names text[] := array(select rollcall.slug_of(e.key) from jsonb_each(p_properties) e where e.value <> 'null');
  v_bad text;
  v_bytes int;
begin
  if length(v_name) not between 1 and (p_limits ->> 'name')::int then
    return jsonb_build_object('code', 'invalid_event', 'message', 'The event''s name has ' || length(v_name) || ' characters as it is written there: too few or too many.');
  end if;
  v_bad := (select n from unnest(v_names) n where length(n) not between 1 and (p_limits ->> 'property')::int limit 1);
  if v_bad is not null then
    return jsonb_build_object('code', 'invalid_property', 'field', left(v_bad, 100), 'message', 'The name of a property is empty or too long as it is written there: map a shorter one.');
  end if;
  v_bad := (select n from unnest(v_names) n group by n having count(*) > 1 limit 1);
  if v_bad is not null then
    return jsonb_build_object('code', 'invalid_property', 'field', v_bad, 'message', 'Two properties are both ' || v_bad || ' as names are written there: rename one.');
  end if;
  v_bytes := octet_length(rollcall.compact_json(rollcall.slugged(p_properties)));
  return case when v_bytes > (p_limits ->> 'bytes')::int then jsonb_build_object('code', 'too_large',
    'message', 'The event''s properties take ' || v_bytes || ' bytes, and at most ' || (p_limits ->> 'bytes') || ' are taken: map less.') end;
end $body$;

-- The attributes of a contact as a destination takes them (said), the first that it would drop (refused), and whether some of those with a
-- conversion of their own is said, or has a value; whether something is cleared, and whether something is false. p_rule: AttributeRule.
create or replace function rollcall.say_attributes(p_rule jsonb, p_attributes jsonb, p_plan jsonb, p_takeover boolean,
  out said jsonb, out refused text, out says_named boolean, out has_named boolean, out says_nothing_of boolean, out says_false boolean)
language plpgsql immutable set search_path = '' as $body$
declare
  v_one record;
  v_name text;
  v_said jsonb;
  v_empty boolean;
  v_upper boolean := (p_rule ->> 'upperCase')::boolean;
begin
  said := '{}'; says_named := false; has_named := false; says_nothing_of := false; says_false := false;
  for v_one in
    select a.key, a.value from jsonb_each(p_attributes) a
    union all
    select p.key, 'null'::jsonb from jsonb_each(p_plan) p where p_takeover and not p_attributes ? p.key
  loop
    v_name := case when v_upper then upper(v_one.key) else v_one.key end;
    continue when p_rule -> 'leftOut' ? v_name;
    if jsonb_typeof(v_one.value) = 'null' then
      v_said := p_rule -> 'cleared';
    elsif p_rule -> 'named' ? v_name then
      v_said := rollcall.say_value(p_rule -> 'named' ->> v_name, v_one.value);
    elsif (p_rule ->> 'nestedAsText')::boolean and jsonb_typeof(v_one.value) in ('object', 'array') then
      v_said := to_jsonb(rollcall.compact_json(v_one.value));
    else
      v_said := rollcall.say_value(p_rule -> 'by' ->> coalesce(p_plan ->> v_one.key, 'unknown'), v_one.value);
    end if;
    if v_said is null then
      refused := coalesce(refused, v_name);
    else
      said := said || jsonb_build_object(v_name, v_said);
      v_empty := v_said in ('null', '""');
      says_nothing_of := says_nothing_of or v_empty;
      says_false := says_false or v_said = 'false';
      if p_rule -> 'named' ? v_name then
        says_named := true;
        has_named := has_named or not v_empty;
      end if;
    end if;
  end loop;
end $body$;
`;
