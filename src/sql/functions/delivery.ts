/** Claim, settle, release: the queue's three verbs. See SPEC.md, "Delivery". */
export const delivery: string = /* sql */ `
-- Leases due contacts. The caller keeps p_after, a lower bound on due_at, so that a claim does not walk over dead rows.
-- A row whose lease ran out was sent perhaps: that attempt may arrive until p_grace after the lease.
create or replace function rollcall.claim(p_destination smallint, p_token uuid, p_limit int, p_lease interval, p_grace interval,
  p_after timestamptz, p_config_hash text, p_ref text, p_environment text)
returns table (contact_id bigint, version bigint, action text, address text, remote_address text, remote_id text, payload text,
  consent text, carry_from text, takeover boolean, leftovers text[], delivered boolean, tries int, due_at timestamptz)
language plpgsql as $body$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_left int := p_limit;
  v_lane smallint;
  v_count int;
begin
  perform rollcall.check_config(p_config_hash);
  perform rollcall.check_identity(p_ref, p_environment);
  foreach v_lane in array array[0, 1]::smallint[] loop
    exit when v_left <= 0;
    return query
    with picked as materialized (
      select d.contact_id, d.token is not null as expired, d.due_at
        from rollcall.due d
       where d.destination_id = p_destination and d.lane = v_lane and d.due_at >= p_after and d.due_at <= v_now
       order by d.due_at limit v_left
         for update skip locked
    ), leased as (
      update rollcall.due d
         set token = p_token, due_at = v_now + p_lease,
             unknown_until = case when p.expired then greatest(d.unknown_until, p.due_at + p_grace) else d.unknown_until end
        from picked p where d.destination_id = p_destination and d.contact_id = p.contact_id
      returning d.contact_id, d.tries, p.due_at
    )
    select s.contact_id, s.version, s.action, s.address, s.remote_address, s.remote_id, s.payload::text,
           s.consent, s.carry_from, s.takeover, s.leftovers, s.delivered_version is not null, l.tries, l.due_at
      from leased l join rollcall.desired s on s.destination_id = p_destination and s.contact_id = l.contact_id
     order by l.due_at;
    get diagnostics v_count = row_count;
    v_left := v_left - v_count;
  end loop;
end $body$;

-- Gives back contacts that were claimed and not sent.
create or replace function rollcall.release(p_destination smallint, p_token uuid, p_contacts bigint[]) returns void
language sql as $body$
  update rollcall.due set token = null, due_at = clock_timestamp()
   where destination_id = p_destination and contact_id = any(p_contacts) and token = p_token
$body$;

-- Records what came of a batch. p_results: [{contact, version, action, outcome, address, remote_id, code, field, message,
-- wait_ms, latency_ms, forget_remote, partial}]. Partial: the new address was accepted, the old one is still to be removed.
create or replace function rollcall.settle(p_destination smallint, p_token uuid, p_grace interval, p_results jsonb) returns int
language plpgsql as $body$
declare
  v_now timestamptz;
  v_settled int;
begin
  perform 1 from rollcall.desired s
    where s.destination_id = p_destination and s.contact_id in (select (r ->> 'contact')::bigint from jsonb_array_elements(p_results) r)
    order by s.contact_id for update;
  v_now := clock_timestamp();

  -- A remote id belongs to whoever was accepted last.
  update rollcall.desired o set remote_id = null
    from jsonb_to_recordset(p_results) as r(contact bigint, outcome text, action text, remote_id text, partial boolean)
   where (r.outcome = 'delivered' or r.partial) and r.action = 'upsert' and o.destination_id = p_destination
     and o.remote_id = r.remote_id and o.contact_id <> r.contact;

  with result as materialized (
    select r.* from jsonb_to_recordset(p_results) as r(contact bigint, version bigint, action text, outcome text, address text,
      remote_id text, code text, field text, message text, wait_ms bigint, latency_ms int, forget_remote boolean, partial boolean)
  ), state as (
    update rollcall.desired s
       set delivered_version = case when r.outcome = 'delivered' then greatest(s.delivered_version, r.version) else s.delivered_version end,
           action = case when r.outcome = 'delivered' and r.action = 'delete' and s.action = 'delete' then 'none' else s.action end,
           remote_address = case
             when r.outcome = 'delivered' and r.action = 'delete' then null
             when r.partial then r.address
             when s.remote_address = r.address or r.address is null then s.remote_address
             -- Not accepted for certain, and not refused for certain: it may exist there.
             when r.outcome <> 'delivered' and (s.remote_address is not null
               or r.outcome <> 'unknown' and d.unknown_until is null) then s.remote_address
             -- Given up while the request was in flight, and another person lives there now: it is theirs.
             when exists (select from rollcall.desired o where o.destination_id = p_destination and o.contact_id <> s.contact_id
                            and (o.address = r.address or o.remote_address = r.address)) then null
             else r.address end,
           remote_id = case
             when r.outcome = 'delivered' and r.action = 'delete' or r.forget_remote then null
             when r.outcome = 'delivered' or r.partial then coalesce(r.remote_id, s.remote_id)
             else s.remote_id end,
           takeover = s.takeover and not (r.outcome = 'delivered' and s.version = r.version),
           carry_from = case when r.outcome = 'delivered' and s.version = r.version then null else s.carry_from end,
           leftovers = case
             when r.outcome = 'delivered' then null
             when r.partial and s.remote_address <> r.address then array_append(s.leftovers, s.remote_address)
             else s.leftovers end
      from result r
      left join rollcall.due d on d.destination_id = p_destination and d.contact_id = r.contact
     where s.destination_id = p_destination and s.contact_id = r.contact
    returning s.contact_id, s.version, s.action
  ), judged as (
    select r.*, s.version as wanted, s.action as wanted_action,
           d.token is not distinct from p_token as held, d.unknown_until
      from result r join state s on s.contact_id = r.contact
      left join rollcall.due d on d.destination_id = p_destination and d.contact_id = r.contact
  ), done as (
    delete from rollcall.due d using judged j
     where d.destination_id = p_destination and d.contact_id = j.contact and j.held and d.token = p_token
       and (j.wanted_action = 'none'
         or j.version = j.wanted and (j.outcome = 'reject'
           or j.outcome = 'delivered' and coalesce(j.unknown_until <= v_now, true)))
    returning d.contact_id
  ), again as (
    update rollcall.due d
       set token = null,
           due_at = case
             when j.outcome in ('retry', 'throttle', 'unknown') then v_now + j.wait_ms * interval '1 millisecond'
             when j.outcome = 'delivered' and j.version = j.wanted and j.unknown_until > v_now then j.unknown_until
             else v_now end,
           tries = case when j.outcome in ('retry', 'unknown') then d.tries + 1 when j.outcome = 'delivered' then 0 else d.tries end,
           unknown_until = case
             when j.outcome = 'unknown' then v_now + p_grace
             when j.outcome = 'delivered' and d.unknown_until <= v_now then null
             else d.unknown_until end
      from judged j
     where d.destination_id = p_destination and d.contact_id = j.contact and j.held and d.token = p_token
       and not exists (select from done x where x.contact_id = j.contact)
  ), lost as (
    -- The lease was lost: somebody else may have sent since, so the current state is sent again, and once more after a grace.
    insert into rollcall.due as d (destination_id, contact_id, due_at, unknown_until)
    select p_destination, j.contact, v_now, v_now + p_grace from judged j
     where j.held is not true and j.wanted_action <> 'none'
    on conflict (destination_id, contact_id) do update
       set unknown_until = greatest(d.unknown_until, excluded.unknown_until),
           due_at = case when d.token is null then least(d.due_at, excluded.due_at) else d.due_at end
  ), letters as (
    insert into rollcall.dead_letters as l (destination_id, contact_id, stage, version, code, field, message)
    select p_destination, j.contact, 'deliver', j.version, j.code, j.field, coalesce(j.message, '')
      from judged j where j.outcome = 'reject' and j.version = j.wanted
    on conflict (destination_id, contact_id) do update
       set stage = excluded.stage, version = excluded.version, code = excluded.code, field = excluded.field,
           message = excluded.message, at = excluded.at
  ), logged as (
    insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, code, message, latency_ms)
    select p_destination, r.contact, r.version, r.action, r.outcome, r.code, r.message, r.latency_ms from result r
  )
  select count(*) filter (where held) into v_settled from judged;
  return v_settled;
end $body$;

-- Pauses a destination whose key, scope or plan is wrong; no record is burned.
create or replace function rollcall.pause_destination(p_destination smallint, p_code text, p_message text, p_pause_ms bigint) returns void
language sql as $body$
  update rollcall.destinations
     set paused_until = clock_timestamp() + p_pause_ms * interval '1 millisecond', pause_code = p_code, pause_message = p_message,
         pauses = pauses + 1
   where id = p_destination and (paused_until is null or paused_until <= clock_timestamp())
$body$;

create or replace function rollcall.resume_destination(p_destination smallint) returns void language sql as $body$
  update rollcall.destinations set paused_until = null, pause_code = null, pause_message = null, pauses = 0
   where id = p_destination and pause_code is not null
$body$;

-- Takes up to p_want sends from every bucket of a destination, or says how long to wait (GCRA; src/core/rate.ts holds the
-- arithmetic and its proof). Never raises. p_buckets: [{name, interval_us, burst}].
create or replace function rollcall.take_sends(p_destination smallint, p_buckets jsonb, p_want int)
returns table (granted int, wait_ms int) language plpgsql as $body$
declare
  v_now timestamptz;
  v_bucket record;
begin
  insert into rollcall.limits (destination_id, bucket)
    select p_destination, b ->> 'name' from jsonb_array_elements(p_buckets) b
     where not exists (select from rollcall.limits l where l.destination_id = p_destination and l.bucket = b ->> 'name')
    on conflict do nothing;
  perform 1 from rollcall.limits l where l.destination_id = p_destination order by l.bucket for update;
  v_now := clock_timestamp();
  granted := p_want; wait_ms := 0;
  for v_bucket in
    select b.*, l.next_at from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint, burst int)
      join rollcall.limits l on l.destination_id = p_destination and l.bucket = b.name
  loop
    -- Sends that fit before the bucket runs more than a burst ahead of the clock.
    granted := least(granted, greatest(0, floor(
      (v_bucket.burst * v_bucket.interval_us
        - greatest(0, extract(epoch from (greatest(v_bucket.next_at, v_now) - v_now)) * 1e6)) / v_bucket.interval_us))::int);
    if granted = 0 then
      wait_ms := greatest(wait_ms, ceil((extract(epoch from (v_bucket.next_at - v_now)) * 1e6
        - (v_bucket.burst - 1) * v_bucket.interval_us) / 1000.0)::int, 1);
    end if;
  end loop;
  if granted > 0 then
    update rollcall.limits l set next_at = greatest(l.next_at, v_now) + granted * b.interval_us * interval '1 microsecond'
      from jsonb_to_recordset(p_buckets) as b(name text, interval_us bigint)
     where l.destination_id = p_destination and l.bucket = b.name;
  end if;
  return next;
end $body$;

-- The destination asked for a pause: nobody sends until it is over.
create or replace function rollcall.hold_sends(p_destination smallint, p_wait_ms bigint) returns void language sql as $body$
  update rollcall.limits set next_at = greatest(next_at, clock_timestamp() + p_wait_ms * interval '1 millisecond')
   where destination_id = p_destination
$body$;
`;
