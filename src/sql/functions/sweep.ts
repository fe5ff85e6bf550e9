import { SESSION } from './mapping.ts';
import { PASSING } from './passing.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { unfolded } from './unfolded.ts';

/** The plain sweep: every user's key is compared, and only what differs goes through the fold. */
export const sweep: string = /* sql */ `
create or replace function rollcall.uncaptured_count() returns bigint language sql set search_path = '' as $body$
  select case when is_called then last_value + 1 else 0 end from rollcall.uncaptured
$body$;

do $types$ begin
  if to_regtype('rollcall.sweep_keys') is null then
    create type rollcall.sweep_keys as (last text, scanned int, keys text[]);
  end if;
end $types$;

-- Values of a primary key as text are read back as what they were only under the same settings.
create or replace function rollcall.page_rows(p_function name, p_after text, p_limit int) returns rollcall.sweep_keys
language plpgsql set search_path = '' set lock_timeout = '2s' ${SESSION} as $body$
declare
  v_page rollcall.sweep_keys;
begin
  execute format('select (x.page).* from (select rollcall.%I($1, $2) as page offset 0) x', p_function) into v_page using p_after, p_limit;
  return v_page;
end $body$;

-- Fails when a source cannot be paged through: its first page and the one after it are read.
create or replace function rollcall.try_pages(p_function name) returns void language plpgsql set search_path = '' as $body$
declare
  v_page rollcall.sweep_keys;
begin
  if p_function is null then return; end if;
  v_page := rollcall.page_rows(p_function, null, 1);
  if v_page.last is not null then perform rollcall.page_rows(p_function, v_page.last, 1); end if;
end $body$;

-- The next rows of one source: phase 0 are the users, then every table whose rows lead to contacts by an address.
create or replace function rollcall.sweep_rows(p_phase int, p_after text, p_limit int) returns rollcall.sweep_keys
language plpgsql set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_part record;
  v_page rollcall.sweep_keys;
begin
  if p_phase = 0 then
    select max(x.id::text collate "C"), count(*), array_agg(x.id::text order by x.id) into v_page from (
      select u.id from auth.users u
       where u.id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')::uuid and u.id is distinct from p_after::uuid
       order by u.id limit p_limit) x;
    return v_page;
  end if;
  select p.page_function, p.source into v_part from rollcall.parts p
   where p.page_function is not null order by p.function offset p_phase - 1 limit 1;
  if not found or exists (select from rollcall.sources s where s.name = v_part.source and s.pause_code is not null) then return v_page; end if;
  return rollcall.page_rows(v_part.page_function, p_after, p_limit);
exception
when lock_not_available then
  if p_phase = 0 then raise; end if;
  perform rollcall.pause_locked(v_part.source);
  return null;
when ${PASSING} then
  raise;
when others or assert_failure then
  if p_phase = 0 and left(sqlstate, 2) not in ('42', '3F') then raise; end if;
  if p_phase = 0 then raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate; end if;
  perform rollcall.pause_source(v_part.source, sqlstate, sqlerrm);
  return null;
end $body$;

-- A sweep by another config, or in a copy of the database, would find everybody else to be gone.
create or replace function rollcall.check_install(p_config_hash text, p_ref text, p_environment text) returns void
language plpgsql set search_path = '' as $body$
begin
  perform rollcall.check_config(p_config_hash);
  perform rollcall.check_identity(p_ref, p_environment);
end $body$;

-- Says that the sweep goes on. Seldom: a page that finds nothing writes nothing, and waits for no disk when it commits.
create or replace function rollcall.keep_sweeping() returns void language sql set search_path = '' as $body$
  update rollcall.install set sweep_until = clock_timestamp() + interval '15 seconds' where sweep_until < clock_timestamp() + interval '10 seconds'
$body$;

-- Those of the keys that the fold will come to by itself. Looked for in as much of the log as takes no time to read; where it cannot
-- be read, the sweep is what is left.
create or replace function rollcall.in_log(p_keys text[]) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  return array(
    select unnest(p_keys)
    intersect
    select unnest(u.keys) from ${unfolded(['keys'], 300)} u);
exception when others then
  return null;
end $body$;

-- Those with a letter that they cannot be mapped. One who can by now, as a function was mended, may be what they were before.
create or replace function rollcall.unmapped_keys(p_destination smallint) returns text[] language sql stable set search_path = '' as $body$
  select coalesce(array_agg(c.key), '{}') from rollcall.dead_letters l
    cross join lateral (select c.key from rollcall.contacts c where c.id = l.contact_id offset 0) c
   where l.destination_id = p_destination and l.stage = 'map'
$body$;

-- Whoever of a range of users is not as they shall be at a destination, and more than those where it is not known: null where
-- every one of them has to be looked at. One query of everything, and a row that cannot be mapped fails it whole.
create or replace function rollcall.differing(p_destination smallint, p_function name, p_after uuid, p_last uuid) returns text[]
language plpgsql set search_path = '' set jit = off ${SESSION} as $body$
declare
  v_keys text[];
  v_letters text[] := rollcall.unmapped_keys(p_destination);
begin
  execute format($query$
    select array_agg(x.key) from rollcall.%I($1, $2) x
     where x.verdict = 'failed' or x.key = any($4) or not exists (
       select from (select c.id from rollcall.contacts c where c.key = x.key offset 0) c
         cross join lateral (select s.action, s.reason, s.hash, s.waiting_for from rollcall.desired s
           where s.contact_id = c.id and s.destination_id = $3 offset 0) s
        where case when x.verdict = 'ok' then s.action = 'upsert' and s.hash = x.hash and s.waiting_for is null
                   else s.action <> 'upsert' and s.reason = x.verdict end offset 0)$query$, p_function)
    into v_keys using p_after, p_last, p_destination, v_letters;
  return coalesce(v_keys, '{}');
exception
when ${PASSING} then
  raise;
when others or assert_failure then
  return null;
end $body$;

-- Those of a page of users who have to be compared one by one. Where tables add to contacts those are all.
create or replace function rollcall.to_compare(p_keys text[], p_after uuid) returns text[]
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_destination record;
  v_some text[];
  v_keys text[] := '{}';
begin
  if p_keys is null or exists (select from rollcall.parts) then return p_keys; end if;
  for v_destination in select d.id, d.fingerprint_function as name from rollcall.destinations d where d.enabled loop
    if v_destination.name is null then return p_keys; end if;
    v_some := rollcall.differing(v_destination.id, v_destination.name, coalesce(p_after, '00000000-0000-0000-0000-000000000000'), p_keys[cardinality(p_keys)]::uuid);
    if v_some is null then return p_keys; end if;
    v_keys := v_keys || v_some;
  end loop;
  if (select i.consent_source is not null from rollcall.install i) then
    -- Who has never been heard.
    v_keys := v_keys || array(select k from unnest(p_keys) k cross join lateral (select c.id from rollcall.contacts c where c.key = k offset 0) c
      where not exists (select from rollcall.answers a where a.contact_id = c.id offset 0));
  end if;
  -- Nobody comes before the least of all ids, so the first of all users is not among those after it.
  if p_after is null then v_keys := v_keys || p_keys[1]; end if;
  return array(select distinct k from unnest(v_keys) k);
end $body$;

-- The place in p_after is phase/cursor. Contacts that no source names any more are left to absent_page: they are folded once
-- all has been read.
-- What differs is told apart by what is there of it: no contact (missing), one that had left (returned), another state (stale). What
-- is in the log was seen by a trigger, and is in none of these.
create or replace function rollcall.sweep_page(p_after text, p_limit int)
returns table (last_key text, scanned int, folded int, missing int, returned int, stale int, failed int) language plpgsql
set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_phase int := coalesce(split_part(p_after, '/', 1)::int, 0);
  v_after text := nullif(substr(p_after, strpos(p_after, '/') + 1), '');
  v_page rollcall.sweep_keys;
  v_keys text[];
  v_wanted rollcall.wanted[];
  v_known int;
  v_missing text[];
  v_returned text[];
  v_stale text[];
  v_unheard text[];
  v_absent text[];
  v_seen text[];
  v_part record;
  v_destination record;
begin
  perform rollcall.watch_sources();
  v_page := rollcall.sweep_rows(v_phase, v_after, p_limit);
  v_keys := case when v_phase = 0 then rollcall.to_compare(v_page.keys, v_after::uuid) else v_page.keys end;
  scanned := v_page.scanned;
  folded := 0; missing := 0; returned := 0; stale := 0; failed := 0;
  last_key := case when v_page.last is not null then v_phase || '/' || v_page.last
                   when v_phase < (select count(*) from rollcall.parts p where p.page_function is not null) then v_phase + 1 || '/' end;
  perform rollcall.keep_sweeping();
  if cardinality(v_keys) > 0 is not true then return next; return; end if;
  for v_destination in select d.id, d.map_function from rollcall.destinations d where d.enabled loop
    v_wanted := rollcall.wanted_rows(v_destination.id, v_destination.map_function, v_keys);
    v_known := coalesce(cardinality(v_wanted), 0);
    select array_agg(w.key) filter (where x.stale and not x.absent) as stale, array_agg(w.key) filter (where x.absent) as absent,
           array_agg(w.key) filter (where x.stale and w.verdict = 'ok' and s.action <> 'upsert') as returned,
           count(*) filter (where w.verdict = 'failed')::int as failed
      into v_part
        from unnest(v_wanted) w
        left join lateral (select s.contact_id, s.action, s.reason, s.hash, s.waiting_for from rollcall.desired s
          where s.destination_id = v_destination.id and s.contact_id = w.contact_id offset 0) s on true
        cross join lateral (select s.contact_id is not null and s.action = 'upsert' and w.verdict in ('gone', 'not_synced') as absent, case
         when w.verdict = 'failed' then not exists (select from rollcall.dead_letters l
           where l.destination_id = v_destination.id and l.contact_id = w.contact_id and l.stage = 'map')
         when s.contact_id is null then w.verdict <> 'gone'
         when w.verdict = 'ok' and s.waiting_for = w.address then not exists (select from rollcall.desired o
           where o.destination_id + 0 = v_destination.id and o.address = w.address)
         when w.verdict <> 'failed' and exists (select from rollcall.dead_letters l
           where l.destination_id = v_destination.id and l.contact_id = w.contact_id and l.stage = 'map' offset 0) then true
         when w.verdict = 'ok' then s.hash is distinct from w.hash
         else s.action = 'upsert' or s.reason is distinct from w.verdict
           or w.verdict = 'filtered' and s.waiting_for is distinct from w.address end as stale) x;
    v_stale := v_stale || v_part.stale;
    v_absent := v_absent || v_part.absent;
    v_returned := v_returned || v_part.returned;
    failed := greatest(failed, v_part.failed);
  end loop;
  -- A key without a contact is in nothing that is wanted.
  if v_known is distinct from cardinality(v_keys) then
    select array_agg(k) into v_missing from unnest(v_keys) k where not exists (select from rollcall.contacts c where c.key = k offset 0);
    v_missing := rollcall.living_keys(v_missing);
  end if;
  v_stale := array(select unnest(v_stale || v_missing) except select unnest(v_absent));
  v_unheard := array(select unnest(rollcall.unheard_keys(v_keys)) except select unnest(v_stale || v_absent));
  if cardinality(v_stale || v_unheard) = 0 then return next; return; end if;
  v_seen := rollcall.in_log(v_stale);
  missing := cardinality(array(select unnest(v_missing) except select unnest(v_seen)));
  returned := cardinality(array(select unnest(v_returned) except select unnest(v_seen)));
  stale := cardinality(array(select unnest(v_stale) except select unnest(v_seen))) - missing - returned;
  select f.changed into folded from rollcall.fold_keys(v_stale || v_unheard, 1::smallint) f;
  return next;
end $body$;

-- Keys we still have as contacts and that no source names any more, in the order of keys, which is that of users. Each is checked
-- by itself again when it is folded. Counted are those who are to be there.
create or replace function rollcall.absent_page(p_after text, p_limit int)
returns table (last_key text, scanned int, keys text[]) language plpgsql
set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_gone text[];
  v_email text[];
  v_users text[];
  v_others text[];
  v_destination record;
begin
  perform rollcall.keep_sweeping();
  select max(x.key), array_agg(x.key) filter (where u.user_is = false), array_agg(x.key) filter (where u.user_is is null),
         array_agg(x.key) filter (where u.user_is)
    into last_key, v_gone, v_email, v_users
    from (select c.key from rollcall.contacts c where c.key > p_after order by c.key limit p_limit offset 0) x
    cross join lateral (select case when x.key not like 'email:%'
      then exists (select from auth.users u where u.id = x.key::uuid offset 0) end as user_is offset 0) u;
  perform rollcall.forget_keys(v_gone || v_email);
  scanned := coalesce(cardinality(v_users), 0);
  select d.id, d.map_function into v_destination from rollcall.destinations d where d.enabled order by d.id limit 1;
  if not found then keys := rollcall.held_keys(v_gone); return next; return; end if;
  -- Where users are contacts by themselves, one who is there needs no table. A few of them tell.
  if exists (select from unnest(rollcall.map_rows(v_destination.map_function, v_users[1:10], null)) m where m.verdict = 'ok') then
    v_others := rollcall.held_keys(v_email);
  else
    scanned := 0;
    v_others := rollcall.held_keys(v_email || v_users);
  end if;
  keys := rollcall.held_keys(v_gone);
  scanned := scanned + coalesce(cardinality(keys), 0) + coalesce(cardinality(v_others), 0);
  if v_others is not null then
    keys := keys || array(
      select w.key from unnest(rollcall.wanted_rows(v_destination.id, v_destination.map_function, v_others)) w
       where w.verdict in ('gone', 'not_synced'));
  end if;
  return next;
exception when syntax_error_or_access_rule_violation or invalid_schema_name then
  raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
end $body$;

-- Those of the contacts that are to be at some destination.
create or replace function rollcall.held_keys(p_keys text[]) returns text[] language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select array_agg(x.k) from unnest(p_keys) as x(k)
   where exists (select from (select c.id from rollcall.contacts c where c.key = x.k offset 0) c
     cross join lateral (select from rollcall.desired s where s.contact_id = c.id and s.action = 'upsert' offset 0) s offset 0)
$body$;

-- Begins a sweep unless another is at work; null when there is nothing to do. Pages prolong it; that of a dead worker is soon
-- over. A failed capture is counted at once and commits later: while a transaction older than this sweep is open, one more
-- sweep is to follow once it has ended.
-- The ticket: what was uncaptured, then "/" and the id below which all must have ended, or "/" alone when all have.
create or replace function rollcall.begin_sweep(p_every interval, p_force boolean) returns text
language plpgsql set search_path = '' as $body$
declare
  v_install rollcall.install;
  v_uncaptured bigint := rollcall.uncaptured_count();
  v_own xid8;
  v_oldest xid8;
begin
  select * into v_install from rollcall.install i
   where (i.sweep_until is null or i.sweep_until < clock_timestamp())
     and (p_force or i.swept_at is null or i.swept_at < clock_timestamp() - least(p_every, i.reevaluate) or i.uncaptured_seen <> v_uncaptured
       or i.sweep_again_at <= pg_snapshot_xmin(pg_current_snapshot()))
     for update skip locked;
  if not found then return null; end if;
  v_own := pg_current_xact_id();
  v_oldest := pg_snapshot_xmin(pg_current_snapshot());
  update rollcall.install set sweep_until = clock_timestamp() + interval '15 seconds', sweep_began = rollcall.sweep_beginning() || jsonb_build_object('uncaptured', v_uncaptured);
  return v_uncaptured || case
    when v_oldest >= v_own then '/'
    when v_install.uncaptured_seen <> v_uncaptured then '/' || v_own
    when v_install.sweep_again_at <= v_oldest then '/'
    else '' end;
end $body$;

create or replace function rollcall.end_sweep(p_ticket text) returns void language sql set search_path = '' as $body$
  update rollcall.install
     set sweep_until = null, swept_at = clock_timestamp(), uncaptured_seen = split_part(p_ticket, '/', 1)::bigint,
         sweep_again_at = case when p_ticket like '%/%' then nullif(split_part(p_ticket, '/', 2), '')::xid8 else sweep_again_at end
$body$;
`;
