/** What holds for a destination as a whole: its pause and its shared rate limits. */
export const destinationState: string = /* sql */ `
-- Pauses a destination whose key, scope or plan is wrong; no record is burned. Without a time it lasts until a person ends it. A pause
-- that was on keeps its beginning, and its words where there are no new ones.
create or replace function rollcall.pause_destination(p_destination smallint, p_code text, p_message text, p_pause_ms bigint) returns void
language sql set search_path = '' as $body$
  update rollcall.destinations
     set paused_until = coalesce(clock_timestamp() + p_pause_ms * interval '1 millisecond', 'infinity'), pause_code = p_code,
         pause_message = case when p_message = '' and pause_code = p_code then pause_message else p_message end,
         pauses = pauses + 1, paused_since = coalesce(paused_since, clock_timestamp()), probe_until = null
   where id = p_destination and (paused_until is null or paused_until <= clock_timestamp() or p_pause_ms is null)
$body$;

-- Whether the caller, and nobody else for so long, finds out whether a paused destination takes requests again.
create or replace function rollcall.take_probe(p_destination smallint, p_hold_ms bigint) returns boolean language sql set search_path = '' as $body$
  update rollcall.destinations set probe_until = clock_timestamp() + p_hold_ms * interval '1 millisecond'
   where id = p_destination and pause_code is not null and coalesce(paused_until <= clock_timestamp(), true)
     and coalesce(probe_until <= clock_timestamp(), true)
  returning true
$body$;

-- Nothing was found out: somebody tries again, after a wait.
create or replace function rollcall.end_probe(p_destination smallint, p_wait_ms bigint) returns void language sql set search_path = '' as $body$
  update rollcall.destinations set probe_until = clock_timestamp() + p_wait_ms * interval '1 millisecond'
   where id = p_destination and probe_until is not null
$body$;

-- Pauses end now, of one destination or of all; p_all those too that a person has to end. Each is still tried with care at first. How
-- many ended.
create or replace function rollcall.end_pauses(p_all boolean, p_destination smallint default null) returns int language sql
set search_path = '' as $body$
  with ended as (
    update rollcall.destinations d set paused_until = null, probe_until = null
     where d.pause_code is not null and (p_destination is null or d.id = p_destination)
       and (p_all or d.paused_until is distinct from 'infinity')
    returning 1
  )
  select count(*)::int from ended
$body$;

-- The clock by which it is told how long something fails: it stands still while the destination is paused or no worker runs, as
-- nothing is tried then.
create or replace function rollcall.trying_clock(p_destination smallint) returns timestamptz language sql set search_path = '' as $body$
  select coalesce(d.paused_since, clock_timestamp()) - d.rested_ms * interval '1 millisecond'
    from rollcall.destinations d where d.id = p_destination
$body$;

-- A worker runs. Where none did for two minutes, that is left out of that clock; a pause leaves itself out.
create or replace function rollcall.note_work() returns void language sql set search_path = '' as $body$
  update rollcall.destinations d
     set alive_at = clock_timestamp(),
         rested_ms = d.rested_ms + case when d.paused_since is null and d.alive_at < clock_timestamp() - interval '2 minutes'
           then (extract(epoch from clock_timestamp() - d.alive_at) * 1000)::bigint else 0 end
   where d.enabled and coalesce(d.alive_at < clock_timestamp() - interval '20 seconds', true)
$body$;

create or replace function rollcall.resume_destination(p_destination smallint) returns void
language sql set search_path = '' as $body$
  update rollcall.destinations
     set paused_until = null, pause_code = null, pause_message = null, pauses = 0, paused_since = null, probe_until = null,
         rested_ms = rested_ms + coalesce((extract(epoch from clock_timestamp() - paused_since) * 1000)::bigint, 0)
   where id = p_destination and pause_code is not null and paused_until is distinct from 'infinity'
$body$;

-- The arithmetic of src/core/rate.ts, sum for sum: times are whole microseconds since the epoch.
create or replace function rollcall.take_permits(p_interval_us bigint, p_burst int, p_next_us bigint, p_now_us bigint, p_want int,
  out granted int, out wait_ms bigint, out next_us bigint)
language plpgsql immutable set search_path = '' as $body$
declare
  v_base bigint := greatest(p_next_us, p_now_us);
  v_slack bigint := p_now_us + (p_burst - 1) * p_interval_us - v_base;
begin
  granted := least(greatest(p_want, 0), case when v_slack < 0 then 0 else v_slack / p_interval_us + 1 end);
  wait_ms := case when granted >= p_want then 0
    else greatest(1, ceil((granted * p_interval_us - v_slack) / 1000.0)::bigint) end;
  next_us := case when granted = 0 then p_next_us else v_base + granted * p_interval_us end;
end $body$;

-- Takes up to p_want sends from every bucket of a destination, or says how long to wait. p_buckets: [{name, interval_us, burst}].
create or replace function rollcall.take_sends(p_destination smallint, p_buckets jsonb, p_want int)
returns table (granted int, wait_ms int) language plpgsql set search_path = '' as $body$
declare
  v_now_us bigint;
  v_names text[] := array(select b ->> 'name' from jsonb_array_elements(p_buckets) b);
  v_found text[];
  v_next bigint[];
  v_at tid[];
  v_bucket record;
  v_wait bigint := 0;
begin
  -- Read once and changed by their places: while a snapshot is held open elsewhere, each look by key walks over all their versions.
  for turn in 1..2 loop
    select array_agg(x.bucket), array_agg(x.next_us), array_agg(x.at) into v_found, v_next, v_at from (
      select l.bucket, l.next_us, l.ctid as at from rollcall.limits l
       where l.destination_id = p_destination and l.bucket = any(v_names) order by l.bucket for update) x;
    exit when v_found @> v_names;
    insert into rollcall.limits (destination_id, bucket) select p_destination, n from unnest(v_names) n on conflict do nothing;
  end loop;
  v_now_us := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  granted := greatest(p_want, 0);
  for v_bucket in
    select t.granted, t.wait_ms from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint, burst int)
      join unnest(v_found, v_next) as l(bucket, next_us) on l.bucket = b.name
      cross join lateral rollcall.take_permits(b.interval_us, b.burst, l.next_us, v_now_us, p_want) t
  loop
    granted := least(granted, v_bucket.granted);
    v_wait := greatest(v_wait, v_bucket.wait_ms);
  end loop;
  wait_ms := least(v_wait, 2147483647)::int;
  if granted > 0 then
    update rollcall.limits l set next_us = greatest(l.next_us, v_now_us) + granted * (
        select b.interval_us from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint) where b.name = l.bucket)
     where l.ctid = any(v_at);
  end if;
  return next;
end $body$;

-- The destination asked for a pause: nobody sends what these buckets count until it is over, the first of a burst included.
create or replace function rollcall.hold_sends(p_destination smallint, p_buckets jsonb, p_wait_ms bigint) returns void language sql
set search_path = '' as $body$
  update rollcall.limits l
     set next_us = greatest(l.next_us, (extract(epoch from clock_timestamp()) * 1000000)::bigint + p_wait_ms * 1000
       + (b.burst - 1) * b.interval_us)
    from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint, burst int)
   where l.destination_id = p_destination and l.bucket = b.name
$body$;
`;
