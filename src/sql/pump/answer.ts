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

-- How long an answer asks us to wait, in ms: seconds or a time.
create or replace function rollcall.retry_after_ms(p_headers jsonb, p_status int) returns bigint language plpgsql volatile set search_path = '' as $body$
declare
  v_after text;
  v_reset text;
begin
  select max(h.value) filter (where lower(h.key) = 'retry-after'), max(h.value) filter (where lower(h.key) = 'x-sib-ratelimit-reset')
    into v_after, v_reset from jsonb_each_text(coalesce(nullif(p_headers, 'null'), '{}')) h;
  if v_after ~ '^\\s*[0-9]{1,9}\\s*$' then return v_after::bigint * 1000; end if;
  if p_status = 429 and v_reset ~ '^[0-9 ,]+$' then
    return (select max(n::bigint) * 1000 from regexp_split_to_table(v_reset, '[ ,]+') n where n ~ '^[0-9]{1,9}$');
  end if;
  if v_after is null then return null; end if;
  return greatest(0, (extract(epoch from v_after::timestamptz - clock_timestamp()) * 1000)::bigint);
exception when others then return null;
end $body$;

-- What stands at the first of some places of a value that has anything there, as text.
create or replace function rollcall.first_at(p_value jsonb, p_paths jsonb) returns text language sql immutable set search_path = '' as $body$
  select x.found from (
    select p_value #>> array(select jsonb_array_elements_text(p.path)) as found, p.n from jsonb_array_elements(p_paths) with ordinality p(path, n)) x
   where x.found <> '' order by x.n limit 1
$body$;

create or replace function rollcall.rule_fits(p_rule jsonb, p_status int, p_body text, p_json jsonb, p_facts jsonb) returns boolean
language sql immutable set search_path = '' as $body$
  select (p_rule -> 'status' is null or exists (select from jsonb_array_elements(p_rule -> 'status') s
             where case when jsonb_typeof(s) = 'array' then p_status between (s ->> 0)::int and (s ->> 1)::int else p_status = s::int end))
     and (p_rule ->> 'body' is null or coalesce(p_body, '') ~* (p_rule ->> 'body'))
     and case p_rule ->> 'json' when 'object' then coalesce(jsonb_typeof(p_json) = 'object', false)
           when 'array' then coalesce(jsonb_typeof(p_json) = 'array', false)
           when 'none' then p_json is null and btrim(coalesce(p_body, '')) <> '' else true end
     and (p_rule -> 'at' is null or p_json #> array(select jsonb_array_elements_text(p_rule -> 'at' -> 0)) = p_rule -> 'at' -> 1)
     and rollcall.test_holds(p_rule -> 'when', p_facts)
$body$;

-- The outcome of an answer: {kind, code, message, field, retry_after_ms, forget_remote, until_apply, remote_id}. p_answer: {status, headers,
-- body}, or {error, sent} where none came.
create or replace function rollcall.read_answer(p_name text, p_rules jsonb, p_answer jsonb, p_facts jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $body$
declare
  v_status int := (p_answer ->> 'status')::int;
  v_body text := p_answer ->> 'body';
  v_json jsonb;
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
  select r.rule into v_rule from jsonb_array_elements(p_rules) with ordinality r(rule, n)
   where rollcall.rule_fits(r.rule, v_status, v_body, v_json, p_facts) order by r.n limit 1;
  v_kind := coalesce(v_rule ->> 'kind', rollcall.status_class(v_status));
  if v_kind = 'delivered' then
    v_id := coalesce(rollcall.first_at(v_json, coalesce(v_rule -> 'id', '[]')), rollcall.fill(v_rule -> 'idIs', p_facts) #>> '{}');
    if v_id is null and (v_rule ->> 'needsId')::boolean then
      return jsonb_build_object('kind', 'unknown', 'code', 'malformed_answer',
        'message', p_name || ' answered with success, but the answer holds no id.');
    end if;
    return jsonb_strip_nulls(jsonb_build_object('kind', 'delivered', 'remote_id', v_id));
  end if;
  v_words := rollcall.words_of(p_name, v_status, v_json);
  return jsonb_strip_nulls(jsonb_build_object('kind', v_kind,
    'code', coalesce(v_rule ->> 'code', case when v_status between 300 and 399 then 'redirect' when v_status = 401 then 'unauthorized'
      when v_status = 403 then 'forbidden' when v_status < 300 then 'malformed_answer' else 'http_' || v_status end),
    'message', left(coalesce((v_rule ->> 'say') || ' It said: ', '') || v_words, 500), 'field', v_rule -> 'field',
    'forget_remote', v_rule -> 'forgetRemote', 'until_apply', v_rule -> 'untilApply',
    'retry_after_ms', case when v_kind in ('throttle', 'retry') then rollcall.retry_after_ms(p_answer -> 'headers', v_status) end));
end $body$;
`;
