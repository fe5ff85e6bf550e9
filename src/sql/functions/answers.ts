import { KEYS_FIRST } from './plan-settings.ts';
import { unfolded } from './unfolded.ts';

/** Most rows of each table of the log that are looked through for the time of a change. */
const LOOKED_AT = 10_000;

/** What generated mappings call for the dates of answers; also in an install that is about to be upgraded. */
export const answerTimes: string = /* sql */ `
-- A time that a row says, in microseconds since 1970; null where it says none.
create or replace function rollcall.micros_of(p_time text) returns bigint language plpgsql stable as $body$
begin
  -- Words such as now are no time that anybody has noted.
  return case when p_time ~ '^[0-9]' then (extract(epoch from p_time::timestamptz) * 1000000)::bigint end;
exception when data_exception then
  return null;
end $body$;

-- Whether an opt-in counts as confirmed: a time, or a yes.
create or replace function rollcall.is_confirmed(p_value text) returns boolean language sql stable as $body$
  select pg_catalog.lower(p_value) in ('true', 't', 'yes', 'y', 'on', '1') or rollcall.micros_of(p_value) is not null
$body$;
`;

/**
 * The column of the app that says who may be mailed, as a source of facts. An answer is \`basis\`, \`opted_out\` or \`missing\`, and a
 * \`basis\` with a date has it behind a blank, in microseconds since 1970.
 */
export const answers: string = /* sql */ `
${answerTimes}
-- Compares what the rows say with what they said, and adds what has changed to the ledger. Owner rows are locked by the caller.
-- The first answer ever seen of somebody is no opt-in, unless it has a date: it may have been there for years. p_from: no change
-- that is folded now is older. Of a yes the earliest time counts at which it can have been said, of a no the latest.
create or replace function rollcall.note_answers(p_rows rollcall.mapped[], p_from timestamptz) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_now timestamptz := clock_timestamp();
  -- What no trigger told of has changed since the last sweep looked, which took less than an hour.
  v_from timestamptz := (select i.swept_at - interval '1 hour' from rollcall.install i);
  v_facts jsonb;
begin
  with seen as materialized (
    select c.id, m.key, m.address, x.answer, x.at, a.answer as before, a.at as at_before, a.said_at
      from unnest(p_rows) m
      cross join lateral (select split_part(m.consent, ' ', 1) as answer, nullif(split_part(m.consent, ' ', 2), '')::bigint as at) x
      cross join lateral (select c.id from rollcall.contacts c where c.key = m.key offset 0) c
      left join lateral (select a.* from rollcall.answers a where a.contact_id = c.id offset 0) a on true
     where m.verdict = 'ok' and x.answer in ('basis', 'opted_out', 'missing')
       and (a.answer, a.at) is distinct from (x.answer, x.at)
  ), logged as materialized (
    -- What a sweep or a backfill comes to before the fold does.
    select coalesce(u.since, u.at) as at, u.keys from ${unfolded(['at', 'since', 'keys'], LOOKED_AT)} u where p_from is null and exists (select from seen s where s.answer = 'basis' and s.at is null)
  ), told as materialized (
    select s.*, case
        when s.answer = 'opted_out' and s.before is distinct from 'opted_out' or s.answer = 'missing' and s.before = 'basis' then 'opt_out'
        when s.answer = 'basis' and (s.at is not null or s.before <> 'basis') then 'opt_in' end as kind,
           case when s.answer = 'basis' then greatest(coalesce(p_from, (select min(l.at) from logged l where s.key = any(l.keys)), v_from),
             s.said_at + interval '1 microsecond') else v_now end as said
      from seen s
  ), written as (
    insert into rollcall.answers as a (contact_id, answer, at, said_at)
      select t.id, t.answer, t.at, coalesce(t.said, v_now) from told t order by t.id
    on conflict (contact_id) do update
       set answer = excluded.answer, at = excluded.at, said_at = greatest(excluded.said_at, a.said_at + interval '1 microsecond')
  )
  select jsonb_agg(jsonb_build_object('id', concat_ws(' ', t.key, t.kind, y.at), 'kind', t.kind, 'person', rollcall.person_of(t.key),
           'address', t.address, 'at', y.at, 'proof', '{"event": "column"}'::jsonb) order by t.id)
    into v_facts
    from told t
    cross join lateral (select case when t.answer = 'basis' and t.at is not null then t.at
      else (extract(epoch from coalesce(t.said, v_now)) * 1000000)::bigint end as at) y
   where t.kind is not null;
  if v_facts is null then return; end if;
  -- Whoever else has the address is looked at again.
  perform rollcall.capture(array_agg(k)) from unnest(rollcall.add_facts('app', v_facts)) k
    where k <> all(array(select m.key from unnest(p_rows) m)) having count(*) > 0;
end $body$;

-- Of these keys, whose rows answer otherwise than was heard: a no of the ledger hides what their column says, so what they shall be is
-- no different. Nothing while the table of the answers cannot be read.
create or replace function rollcall.unheard_keys(p_keys text[]) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_function name := (select d.map_function from rollcall.destinations d where d.enabled order by d.id limit 1);
  v_part rollcall.parts := (select p from rollcall.parts p where p.gives_consent limit 1);
  v_rows rollcall.mapped[];
begin
  if v_function is null or (select i.consent_source is null from rollcall.install i)
    or exists (select from rollcall.sources s where s.name = v_part.source and s.pause_code is not null) then return '{}'; end if;
  v_rows := rollcall.map_rows(v_function, p_keys, null);
  if v_part.function is not null then
    v_rows := rollcall.map_rows(v_part.function, array(select m.key from unnest(v_rows) m where m.verdict in ('ok', 'email', 'unlisted')),
      array(select m.address from unnest(v_rows) m where m.verdict in ('ok', 'email', 'unlisted')));
  end if;
  return array(
    select m.key from unnest(v_rows) m
      cross join lateral (select split_part(m.consent, ' ', 1) as answer, nullif(split_part(m.consent, ' ', 2), '')::bigint as at) x
      cross join lateral (select c.id from rollcall.contacts c where c.key = m.key
        and exists (select from rollcall.desired s where s.contact_id = c.id and s.action = 'upsert' offset 0) offset 0) c
      left join lateral (select a.answer, a.at from rollcall.answers a where a.contact_id = c.id offset 0) a on true
     where m.verdict = 'ok' and x.answer in ('basis', 'opted_out', 'missing') and (a.answer, a.at) is distinct from (x.answer, x.at));
exception when sqlstate 'RC003' or lock_not_available then
  return '{}';
end $body$;

-- Another column says something else: its first answers are first answers again.
create or replace function rollcall.use_answers(p_source text) returns void language sql set search_path = '' as $body$
  delete from rollcall.answers where (select i.consent_source is distinct from p_source from rollcall.install i);
  update rollcall.install i set consent_source = p_source where i.consent_source is distinct from p_source;
$body$;
`;
