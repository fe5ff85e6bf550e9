/** What holds for a destination as a whole: its pause and its shared rate limits. */
export const destinationState: string = /* sql */ `
-- Pauses a destination whose key, scope or plan is wrong; no record is burned. Without a time it lasts until rollcall apply.
create or replace function rollcall.pause_destination(p_destination smallint, p_code text, p_message text, p_pause_ms bigint) returns void
language sql set search_path = '' as $body$
  update rollcall.destinations
     set paused_until = coalesce(clock_timestamp() + p_pause_ms * interval '1 millisecond', 'infinity'), pause_code = p_code, pause_message = p_message,
         pauses = pauses + 1
   where id = p_destination and (paused_until is null or paused_until <= clock_timestamp() or p_pause_ms is null)
$body$;

create or replace function rollcall.resume_destination(p_destination smallint) returns void
language sql set search_path = '' as $body$
  update rollcall.destinations set paused_until = null, pause_code = null, pause_message = null, pauses = 0
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
  v_bucket record;
  v_wait bigint := 0;
begin
  insert into rollcall.limits (destination_id, bucket)
    select p_destination, b ->> 'name' from jsonb_array_elements(p_buckets) b
     where not exists (select from rollcall.limits l where l.destination_id = p_destination and l.bucket = b ->> 'name')
    on conflict do nothing;
  perform 1 from rollcall.limits l where l.destination_id = p_destination order by l.bucket for update;
  v_now_us := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  granted := greatest(p_want, 0);
  for v_bucket in
    select t.granted, t.wait_ms from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint, burst int)
      join rollcall.limits l on l.destination_id = p_destination and l.bucket = b.name
      cross join lateral rollcall.take_permits(b.interval_us, b.burst, l.next_us, v_now_us, p_want) t
  loop
    granted := least(granted, v_bucket.granted);
    v_wait := greatest(v_wait, v_bucket.wait_ms);
  end loop;
  wait_ms := least(v_wait, 2147483647)::int;
  if granted > 0 then
    update rollcall.limits l set next_us = greatest(l.next_us, v_now_us) + granted * b.interval_us
      from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint)
     where l.destination_id = p_destination and l.bucket = b.name;
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
