/** Reading answers by the rules of a declaration: `AnswerRule` in src/core/declared.ts. */
export const answer: string = /* sql */ `
create or replace function rollcall.as_json(p_text text) returns jsonb language plpgsql immutable set search_path = '' as $body$
begin
  return p_text::jsonb;
exception when others then return null;
end $body$;

-- What an HTTP status means where nothing else is known (src/core/status-class.ts).
create or replace function rollcall.status_class(p_status int) returns text language sql immutable set search_path = '' as $body$
  select case
    when p_status is null or p_status < 200 or p_status > 599 then 'unknown'
    when p_status < 300 then 'delivered'
    when p_status < 400 or p_status in (401, 402, 403, 407) then 'config'
    when p_status >= 500 or p_status in (408, 425) then 'retry'
    when p_status = 429 then 'throttle'
    else 'reject' end
$body$;

-- The vendor's words in an error body of whatever shape: texts, lists, and objects by field.
create or replace function rollcall.words_in(p_value jsonb, p_field text default null, p_depth int default 0) returns text
language plpgsql immutable set search_path = '' as $body$
begin
  if p_depth > 8 then return null; end if;
  case jsonb_typeof(p_value)
    when 'string' then return coalesce(nullif(p_field, 'base') || ': ', '') || (p_value #>> '{}');
    when 'array' then
      return (select string_agg(rollcall.words_in(e, p_field, p_depth + 1), '; ') from (select e from jsonb_array_elements(p_value) e limit 20) x);
    when 'object' then
      return (select string_agg(rollcall.words_in(e.value, case when e.key in ('message', 'error', 'errors', 'details') then p_field else e.key end,
          p_depth + 1), '; ') from (select * from jsonb_each(p_value) limit 20) e);
    else return null;
  end case;
end $body$;

create or replace function rollcall.words_of(p_name text, p_status int, p_json jsonb) returns text language sql immutable set search_path = '' as $body$
  select left(coalesce(nullif(rollcall.words_in(case when jsonb_typeof(p_json) = 'object' then
      coalesce(p_json -> 'errors', p_json -> 'error', p_json -> 'message', p_json -> 'details') end), ''),
    p_name || ' answered with status ' || p_status || ' and no readable error.'), 500)
$body$;

-- An HTTP date in seconds since 1970 (RFC 9110, section 5.6.7), or null: the three forms of src/core/retry-after.ts.
create or replace function rollcall.http_date(p_text text) returns bigint language plpgsql immutable set search_path = '' as $body$
declare
  v_months constant text := '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)';
  v_text text := lower(btrim(p_text, E' \\t\\r\\n'));
  v text[] := regexp_match(v_text, '^[a-z]{3}, ([0-9]{2}) ' || v_months || ' ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$');
begin
  if v is null then
    v := regexp_match(v_text, '^[a-z]{6,9}, ([0-9]{2})-' || v_months || '-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$');
    -- Two digits of a year: 70 to 99 are of the last century.
    v[3] := v[3]::int + case when v[3]::int < 70 then 2000 else 1900 end;
  end if;
  if v[1] is null then
    v := regexp_match(v_text, '^[a-z]{3} ' || v_months || ' ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})$');
    v := array[v[2], v[1], v[6], v[3], v[4], v[5]];
  end if;
  if v[4]::int > 23 or v[5]::int > 59 or v[6]::int > 60 then return null; end if;
  return extract(epoch from make_date(v[3]::int, (strpos(v_months, v[2]) + 2) / 4, v[1]::int))::bigint
    + (v[4]::int * 60 + v[5]::int) * 60 + v[6]::int;
exception when others then return null;
end $body$;

-- Whole numbers of a list in a header.
create or replace function rollcall.numbers_in(p_header text) returns bigint[] language sql immutable set search_path = '' as $body$
  select coalesce(array_agg(btrim(n)::bigint order by o) filter (where n ~ '^\\s*[0-9]{1,9}\\s*$'), '{}')
    from string_to_table(coalesce(p_header, ''), ',') with ordinality x(n, o)
$body$;

-- How long an answer asks us to wait, in ms (src/core/retry-after.ts): seconds, or a time, which is compared with the answer's own. Of
-- \`x-sib-ratelimit-reset\` the windows that are used up count, else all, and with both headers the longer wait (brevo/failure.ts).
create or replace function rollcall.retry_after_ms(p_headers jsonb, p_status int) returns bigint language plpgsql immutable set search_path = '' as $body$
declare
  v_headers jsonb;
  v_after text;
  v_asked bigint;
  v_resets bigint[];
  v_left bigint[];
  v_reset bigint;
begin
  if coalesce(jsonb_typeof(p_headers), '') <> 'object' then return null; end if;
  select jsonb_object_agg(lower(h.key), h.value) into v_headers from jsonb_each(p_headers) h;
  v_after := btrim(v_headers ->> 'retry-after', E' \\t\\r\\n');
  if v_after ~ '^[0-9]{1,9}([.][0-9]+)?$' then v_asked := ceil(v_after::numeric * 1000);
  else
    v_asked := (rollcall.http_date(v_after) - rollcall.http_date(v_headers ->> 'date')) * 1000;
    if v_asked < 0 then v_asked := 0; end if;
  end if;
  if p_status = 429 then
    v_resets := rollcall.numbers_in(v_headers ->> 'x-sib-ratelimit-reset');
    v_left := rollcall.numbers_in(v_headers ->> 'x-sib-ratelimit-remaining');
    select coalesce(max(x.reset) filter (where x.remaining = 0 and cardinality(v_left) = cardinality(v_resets)), max(x.reset)) * 1000
      into v_reset from unnest(v_resets, v_left) x(reset, remaining);
  end if;
  return greatest(v_asked, v_reset);
end $body$;

-- What stands at the first of some places of a value that has anything there, as text; of one type of JSON, where that is asked for. The
-- names in a path hold no brackets.
create or replace function rollcall.first_at(p_value jsonb, p_places jsonb, p_type text default null) returns text
language plpgsql immutable set search_path = '' as $body$
declare
  v_found jsonb;
begin
  for n in 0 .. coalesce(jsonb_array_length(p_places), 0) - 1 loop
    v_found := p_value #> translate((p_places -> n)::text, '[]', '{}')::text[];
    if v_found #>> '{}' <> '' and (p_type is null or jsonb_typeof(v_found) = p_type) then return v_found #>> '{}'; end if;
  end loop;
  return null;
end $body$;

-- The complaints in a value, each with the field it is about (sendry/errors.ts, mailtrap/errors.ts): texts, lists, objects by field, objects
-- with a message, and rows of an import.
create or replace function rollcall.complaints_in(p_value jsonb, p_field text default null, p_depth int default 0) returns table (field text, words text)
language plpgsql immutable set search_path = '' as $body$
#variable_conflict use_column
declare
  v_own text;
begin
  if p_value is null or p_depth > 8 then return; end if;
  case jsonb_typeof(p_value)
    when 'null' then return;
    when 'array' then
      return query select c.field, c.words from jsonb_array_elements(p_value) e cross join lateral rollcall.complaints_in(e, p_field, p_depth + 1) c limit 20;
    when 'object' then
      if jsonb_typeof(p_value -> 'message') = 'string' then
        select case jsonb_typeof(p_value -> k) when 'array' then (select string_agg(e, '.') from jsonb_array_elements_text(p_value -> k) e)
            when 'string' then replace(regexp_replace(p_value ->> k, '^[/.]', ''), '/', '.') end as name into v_own
          from unnest(array['field', 'path', 'property', 'param']) with ordinality x(k, n) where p_value -> k not in ('null', '""', '[]') order by n limit 1;
        return query select coalesce(v_own, p_field), p_value ->> 'message';
      elsif jsonb_typeof(p_value -> 'email') = 'string' and p_value ? 'errors' then
        return query select * from rollcall.complaints_in(p_value -> 'errors', null, p_depth + 1);
      else
        return query select c.field, c.words from jsonb_each(p_value) e
          cross join lateral rollcall.complaints_in(e.value, case when e.key <> 'base' then e.key end, p_depth + 1) c limit 20;
      end if;
    else return query select p_field, p_value #>> '{}';
  end case;
end $body$;

-- Whether each of the wanted complaints is among those at the first of some places that has any. p_found: what was found there before.
create or replace function rollcall.complains(p_found jsonb, p_wanted jsonb) returns boolean language sql immutable set search_path = '' as $body$
  select not exists (
    select from jsonb_array_elements(p_wanted) w where not exists (
      select from jsonb_array_elements(p_found) c
       where case jsonb_typeof(w -> 'field') when 'null' then c ->> 'field' is null when 'string' then coalesce(c ->> 'field' ~* (w ->> 'field'), false) else true end
         and (w ->> 'words' is null or c ->> 'words' ~* (w ->> 'words'))))
$body$;

create or replace function rollcall.complaints_at(p_json jsonb, p_places jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select coalesce(jsonb_agg(to_jsonb(c)), '[]') from rollcall.complaints_in((
    select p_json #> array(select jsonb_array_elements_text(p.path)) from jsonb_array_elements(p_places) with ordinality p(path, n)
     where p_json #> array(select jsonb_array_elements_text(p.path)) <> 'null' order by p.n limit 1)) c
$body$;

-- Whether a rule fits, its complaints left aside.
create or replace function rollcall.rule_fits(p_rule jsonb, p_status int, p_body text, p_json jsonb, p_facts jsonb) returns boolean
language plpgsql immutable set search_path = '' as $body$
declare
  v_words text;
begin
  if p_rule ? 'status' and not p_rule -> 'status' @> to_jsonb(p_status) then return false; end if;
  if p_rule ? 'of' and not p_rule -> 'of' ? rollcall.status_class(p_status) then return false; end if;
  if p_rule ? 'json' and not (case p_rule ->> 'json' when 'none' then p_json is null and coalesce(p_body, '') ~ '\\S'
      else coalesce(jsonb_typeof(p_json), '') = p_rule ->> 'json' end) then
    return false;
  end if;
  if p_rule ? 'at' and p_json #> translate((p_rule -> 'at' -> 0)::text, '[]', '{}')::text[] is distinct from p_rule -> 'at' -> 1 then return false; end if;
  if p_rule ? 'when' and not rollcall.test_holds(p_rule -> 'when', p_facts) then return false; end if;
  if p_rule ? 'body' and coalesce(p_body, '') !~* (p_rule ->> 'body') then return false; end if;
  if not p_rule ? 'words' then return true; end if;
  v_words := rollcall.first_at(p_json, p_rule -> 'words' -> 0, 'string');
  return coalesce(v_words ~* (p_rule -> 'words' ->> 1) and (p_rule -> 'words' ->> 2 is null or v_words ~* (p_rule -> 'words' ->> 2)), false);
end $body$;

-- The outcome of an answer: {kind, code, message, field, retry_after_ms, forget_remote, until_apply, remote_id}. p_answer: {status, headers,
-- body}, or {error, sent} where none came.
create or replace function rollcall.read_answer(p_name text, p_rules jsonb, p_answer jsonb, p_facts jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $body$
declare
  v_status int := (p_answer ->> 'status')::int;
  v_body text := p_answer ->> 'body';
  v_json jsonb;
  v_each jsonb;
  v_places jsonb;
  v_found jsonb;
  v_rule jsonb;
  v_kind text;
  v_id text;
  v_words text;
begin
  if v_status is null then
    return jsonb_build_object('kind', case when (p_answer ->> 'sent')::boolean then 'unknown' else 'retry' end,
      'code', case when (p_answer ->> 'sent')::boolean then 'no_answer' else 'not_sent' end, 'message', left(coalesce(p_answer ->> 'error', ''), 500));
  end if;
  v_json := rollcall.as_json(v_body);
  for n in 0 .. jsonb_array_length(p_rules) - 1 loop
    v_each := p_rules -> n;
    continue when not rollcall.rule_fits(v_each, v_status, v_body, v_json, p_facts);
    if v_each ? 'complaints' then
      if v_places is distinct from v_each -> 'complaints' -> 0 then
        v_places := v_each -> 'complaints' -> 0;
        v_found := rollcall.complaints_at(v_json, v_places);
      end if;
      continue when v_found = '[]' or not rollcall.complains(v_found, (v_each -> 'complaints') - 0);
    end if;
    v_rule := v_each;
    exit;
  end loop;
  v_kind := coalesce(v_rule ->> 'kind', rollcall.status_class(v_status));
  if v_kind = 'delivered' then
    v_id := coalesce(rollcall.first_at(v_json, coalesce(v_rule -> 'id', '[]'), v_rule ->> 'idType'), rollcall.fill(v_rule -> 'idIs', p_facts) #>> '{}');
    if v_id is null and (v_rule ->> 'needsId')::boolean then
      return jsonb_build_object('kind', 'unknown', 'code', 'malformed_answer',
        'message', p_name || ' answered with success, but the answer holds no id.');
    end if;
    return jsonb_strip_nulls(jsonb_build_object('kind', 'delivered', 'remote_id', v_id));
  end if;
  v_words := rollcall.words_of(p_name, v_status, v_json);
  return jsonb_strip_nulls(jsonb_build_object('kind', v_kind,
    'code', coalesce(rollcall.first_at(v_json, v_rule -> 'codeAt', 'string'), v_rule ->> 'code', case when v_status between 300 and 399 then 'redirect' when v_status = 401 then 'unauthorized'
      when v_status = 403 then 'forbidden' when v_status < 300 then 'malformed_answer' else 'http_' || v_status end),
    'message', left(coalesce((v_rule ->> 'say') || ' It said: ', '') || v_words, 500), 'field', v_rule -> 'field',
    'forget_remote', v_rule -> 'forgetRemote', 'until_apply', v_rule -> 'untilApply',
    'retry_after_ms', case when v_kind in ('throttle', 'retry') then rollcall.retry_after_ms(p_answer -> 'headers', v_status) end));
end $body$;

-- The rows of a request for many that a refusal names. p_rows: RefusedRows.
create or replace function rollcall.rows_in(p_rows jsonb, p_answer jsonb) returns table (address text, errors jsonb) language sql immutable set search_path = '' as $body$
  select e ->> (p_rows ->> 'address'), coalesce(e -> (p_rows ->> 'errors'), 'null')
    from (select rollcall.as_json(p_answer ->> 'body') #> array(select jsonb_array_elements_text(p_rows -> 'path')) as list) x
    cross join lateral jsonb_array_elements(case when jsonb_typeof(x.list) = 'array' then x.list else '[]' end) e
   where jsonb_typeof(e) = 'object' and e ->> (p_rows ->> 'address') <> ''
$body$;

create or replace function rollcall.row_outcome(p_name text, p_rows jsonb, p_errors jsonb) returns jsonb language sql volatile set search_path = '' as $body$
  select rollcall.read_answer(p_name, p_rows -> 'answers', jsonb_build_object('status', 422, 'body', jsonb_build_object('errors', p_errors)::text), '{}')
$body$;

-- The outcome of an answer to one step, with what it says of the one row of it.
create or replace function rollcall.read_step(p_name text, p_step jsonb, p_answer jsonb, p_facts jsonb) returns jsonb language plpgsql volatile set search_path = '' as $body$
declare
  v_outcome jsonb := rollcall.read_answer(p_name, p_step -> 'answers', p_answer, p_facts);
begin
  if v_outcome ->> 'kind' <> 'reject' or not p_step ? 'refusedRows' then return v_outcome; end if;
  return coalesce((select rollcall.row_outcome(p_name, p_step -> 'refusedRows', r.errors) from rollcall.rows_in(p_step -> 'refusedRows', p_answer) r
    where lower(r.address) = lower(p_facts ->> 'address') limit 1), v_outcome);
end $body$;
`;
