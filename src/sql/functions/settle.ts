import { claimedAt } from './claimed-at.ts';
import { givenUp, lastWords } from './give-up.ts';
import { LISTS } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { REFUSED } from './refused.ts';

/** Settle: what came of it. See SPEC.md, "States of a delivery". */
export const settle: string = /* sql */ `
do $types$ begin
  if to_regtype('rollcall.result') is null then
    create type rollcall.result as (contact bigint, version bigint, action text, outcome text, address text, remote_id text,
      code text, field text, message text, wait_ms bigint, latency_ms int, forget_remote boolean, partial boolean,
      held boolean, tries int, unknown_until timestamptz, theirs boolean, arrived boolean, touched text, lease_end timestamptz,
      stuck boolean, failing_since timestamptz, gave_up boolean, claimed_at timestamptz);
  end if;
end $types$;

-- Records what came of a batch, and says how many of it are due again. Sent under the lease p_token, where a result names no other.
-- p_results: [{contact, token, lease_ms, version, action, outcome, address, remote_id, code, field, message, wait_ms, window_ms,
-- latency_ms, forget_remote, partial, touched, found_at, events: [{id, outcome, code, message, latency_ms}]}]. With the action 'events' nothing is said of the state. lease_ms: how long its lease was, or claimed_at: whatever an earlier attempt may still do
-- until after that is not over with this one, however late it is settled. Touched: another address the request was about; found_at: where the contact was found. Partial: the new
-- address was accepted, the old one is still to be removed.
create or replace function rollcall.settle(p_destination smallint, p_token uuid, p_grace interval, p_results jsonb) returns int
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_now timestamptz;
  v_results rollcall.result[];
  v_freed record;
  v_again int;
  v_leave text := (select d.on_delete from rollcall.destinations d where d.id = p_destination);
  v_erasing boolean := exists (select from rollcall.erasing);
  v_events boolean;
  v_waiting boolean;
  v_clock timestamptz := rollcall.trying_clock(p_destination);
begin
  p_results := rollcall.settle_plain(p_destination, p_token, p_results);
  if p_results is null then return 0; end if;
  v_now := clock_timestamp();
  v_events := jsonb_path_exists(p_results, '$[*].events[*]');
  if v_events then
    perform rollcall.settle_events(p_destination, p_results);
    perform rollcall.log_events(p_destination, p_results, true);
  end if;

  v_waiting := exists (select from rollcall.events e where e.state = 'pending');

  -- held: the lease is still ours. arrived: the upsert is at the destination for certain. theirs: the address was given up
  -- while the request was in flight, and another person lives there now: what is there is theirs, its id too.
  -- stuck: an event must be tried again later, or the next one must wait. gave_up: the state has failed for its whole window.
  select array_agg(row(r.contact, r.version, r.action, coalesce(r.outcome, 'none'), r.address, r.remote_id, r.code, r.field, r.message, r.wait_ms,
           r.latency_ms, r.forget_remote or d.token = l.token and r.events @> '[{"code": "contact_missing"}]', r.partial, coalesce(d.token = l.token, false), d.tries, d.unknown_until,
           r.address is not null and s.address is distinct from r.address
             and (exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = r.address
                            and o.contact_id <> r.contact)
               or exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_address = r.address
                            and o.contact_id <> r.contact)),
           r.action = 'upsert' and (r.outcome = 'delivered' or coalesce(r.partial, false)), r.touched, d.due_at,
           coalesce(jsonb_array_length(r.events) > 0 and r.wait_ms > 0, false) or jsonb_path_exists(coalesce(r.events, '[]'),
             '$[*] ? (@.outcome == "retry" || @.outcome == "throttle" || @.outcome == "unknown")'),
           d.failing_since, coalesce(r.outcome in ('retry', 'unknown') and r.version = s.version and s.action <> 'none' and d.token = l.token, false)
             and ${givenUp('d', 'r.window_ms', 'v_clock')},
           ${claimedAt('r', 'l.token')}
           )::rollcall.result)
    into v_results
    from jsonb_to_recordset(p_results) as r(contact bigint, token uuid, lease_ms bigint, claimed_at timestamptz, version bigint, action text, outcome text, address text, touched text,
      remote_id text, code text, field text, message text, wait_ms bigint, window_ms bigint, latency_ms int, forget_remote boolean,
      partial boolean, events jsonb)
    cross join lateral (select coalesce(r.token, p_token) as token) l
    cross join lateral (
      select s.address, s.version, s.action from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact offset 0) s
    left join lateral (select * from rollcall.due d
      where d.destination_id = p_destination and d.contact_id = r.contact offset 0) d on true;

  -- A remote id belongs to whoever was accepted last; of two in one batch only the later one keeps it.
  update rollcall.desired o set remote_id = null
   where o.destination_id = p_destination and o.contact_id = any(array(
     select o.contact_id
       from (select r.remote_id, array_agg(r.contact) as contacts from unnest(v_results) r
              where r.arrived and not r.theirs and r.remote_id is not null group by r.remote_id) r
      cross join lateral (select o.contact_id from rollcall.desired o
        where o.destination_id + 0 = p_destination and o.remote_id = r.remote_id offset 0) o
      where o.contact_id <> all(r.contacts)));

  with result as materialized (
    select r.*, r.remote_id is null
             or row_number() over (partition by r.remote_id, r.arrived and not r.theirs order by r.n desc) = 1 as id_owner
      from unnest(v_results) with ordinality as r(contact, version, action, outcome, address, remote_id, code, field, message, wait_ms,
        latency_ms, forget_remote, partial, held, tries, unknown_until, theirs, arrived, touched, lease_end, stuck, failing_since,
        gave_up, claimed_at, n)
  ), next as materialized (
    select r.*, s.hash,
           case when r.outcome = 'delivered' then greatest(s.delivered_version, r.version)
                -- It was gone there when an event came for it: its state is sent again, then the event.
                when r.action = 'events' and r.forget_remote and s.action = 'upsert' then null
                -- It was accepted while in doubt, and the repetition was refused: something older may have arrived in between.
                when (r.outcome = 'reject' or r.gave_up) and r.held and r.version = s.version and s.action <> 'none'
                  and s.delivered_version = s.version then s.version - 1
                else s.delivered_version end as delivered_version,
           case
             -- An earlier upsert of unknown outcome may still arrive: then the delete is sent once more after the grace. And whoever
             -- moved and left again since the claim has to go from there too.
             when r.outcome = 'delivered' and r.action = 'delete' and s.action = 'delete' and r.held
               and coalesce(r.unknown_until <= r.claimed_at, true)
               and (r.version = s.version or not x.taken_since and x.left_over is null) then 'none'
             when x.revived and x.leave <> 'keep' then x.leave
             else s.action end as wanted_action,
           s.version + (x.revived and x.leave <> 'keep')::int as wanted,
           case
             -- An address that was taken since the claim is another one than the request was about.
             when v.vanished and not x.taken_since then null
             when r.action = 'delete' then case when x.cleared and not x.taken_since then null else s.remote_address end
             -- Refused as it failed before: nothing was made of it, and no event may go there.
             when r.outcome = 'reject' and r.held and r.version = s.version and r.tries > 0 and r.unknown_until is null
               and s.delivered_version is null and s.remote_id is null and not s.takeover and not s.imported
               and s.remote_address = r.address then null
             when r.address is null or s.remote_address = r.address then s.remote_address
             when r.arrived and r.theirs then case when r.outcome = 'delivered' and not x.taken_since then null else s.remote_address end
             when r.arrived then r.address
             -- Not accepted for certain, and not refused for certain: it may exist there.
             when not r.theirs and s.remote_address is null and (r.outcome in ('unknown', 'retry') or r.unknown_until is not null) then r.address
             else s.remote_address end as next_remote_address,
           case
             when r.action = 'delete' and r.outcome = 'delivered' and r.held or r.forget_remote then null
             when r.arrived and r.theirs then null
             when r.arrived then case when r.id_owner then coalesce(r.remote_id, s.remote_id) end
             else s.remote_id end as next_remote_id,
           -- What was its owner's before may still arrive: then the repetition has to clear it once more.
           s.takeover and not (r.outcome = 'delivered' and s.version = r.version and coalesce(r.unknown_until <= r.claimed_at, true)) as takeover,
           case when r.outcome = 'delivered' and s.version = r.version then null else s.carry_from end as carry_from,
           case
             when r.arrived and not r.theirs and s.remote_address <> r.address and (x.taken_since or not x.cleared)
               and s.remote_address <> all(coalesce(x.left_over, '{}')) then array_append(x.left_over, s.remote_address)
             else x.left_over end as leftovers,
           s.imported and r.forget_remote is not true as imported, s.remote_address as before, x.refused,
           case
             -- Nobody is there any more, or who is there is not ours.
             when r.action = 'delete' and x.cleared or r.forget_remote or r.arrived and r.theirs then null
             when r.action <> 'upsert' or r.version <> s.version or r.outcome = 'none' then s.members
             when r.outcome = 'delivered' and x.cleared then s.payload -> ${LISTS}
             when r.outcome in ('reject', 'config', 'throttle') and r.partial is not true then s.members
             else rollcall.members_in_doubt(s.members, s.payload) end as members
      from result r
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact offset 0) s
      -- Perhaps made again by an earlier attempt that still arrives: then the repetition removes it once more.
      cross join lateral (select r.outcome = 'delivered' and r.held and coalesce(r.unknown_until <= r.claimed_at, true) as cleared) c
      -- Revived: nothing was wanted there any more, and the late request may have made it: it has to go.
      cross join lateral (select s.action = 'none' and r.action = 'upsert' and not r.theirs
                                   and (r.arrived or r.outcome = 'unknown') as revived,
                                 r.action = 'events' and s.delivered_version is distinct from s.version and ${REFUSED} as refused,
                                 case when v_erasing and exists (select from rollcall.erasing g where g.contact_id = s.contact_id offset 0)
                                   then 'delete' else v_leave end as leave,
                                 s.remote_address is distinct from r.touched as taken_since, c.cleared,
                                 -- What was left over since the claim was not removed.
                                 case when c.cleared and s.version = r.version then null else s.leftovers end as left_over) x
      -- Gone there, and nothing that is known to be accepted would bring it back: the events wait until it exists.
      cross join lateral (select r.action = 'events' and r.forget_remote and coalesce(r.unknown_until <= r.claimed_at, true)
                                   and (s.action <> 'upsert' or x.refused) as vanished) v
  ), state as (
    -- Each row is there and locked: an insert that conflicts is an update by key.
    insert into rollcall.desired as s (destination_id, contact_id, action, hash, version, delivered_version, remote_address,
      remote_id, takeover, carry_from, leftovers, imported, members)
    select p_destination, n.contact, n.wanted_action, n.hash, n.wanted, n.delivered_version, n.next_remote_address, n.next_remote_id,
           n.takeover, n.carry_from, n.leftovers, coalesce(n.imported and n.next_remote_address = n.before
             or n.arrived and n.next_remote_id is null and n.next_remote_address = n.address, false), n.members
      from next n
    on conflict (contact_id, destination_id) do update
       set action = excluded.action, version = excluded.version, delivered_version = excluded.delivered_version,
           remote_address = excluded.remote_address, remote_id = excluded.remote_id, takeover = excluded.takeover,
           carry_from = excluded.carry_from, leftovers = excluded.leftovers,
           imported = excluded.imported, members = excluded.members
  ), judged as (
    select r.*, e.waits, not e.waits and (r.wanted_action = 'none' or case when r.action = 'events'
               then coalesce(r.unknown_until <= r.claimed_at, true)
                 and (coalesce(r.delivered_version = r.wanted, false) or r.refused and r.forget_remote is not true)
               else r.version = r.wanted and (r.outcome = 'reject' or r.gave_up or r.outcome = 'delivered' and coalesce(r.unknown_until <= r.claimed_at, true))
             end) as finished
      from next r
      cross join lateral (select v_waiting and coalesce(r.next_remote_address, r.next_remote_id) is not null and exists (select from rollcall.events e
        where e.contact_id = r.contact and e.destination_id = p_destination and e.state = 'pending' and e.ready offset 0) as waits) e
  ), done as (
    delete from rollcall.due d
     where d.destination_id = p_destination and d.contact_id = any(array(select j.contact from judged j where j.held and j.finished))
  ), again as (
    insert into rollcall.due as d (destination_id, contact_id, due_at, tries, unknown_until, failing_since)
    select p_destination, j.contact,
           case
             when j.gave_up then v_now
             when j.outcome in ('retry', 'throttle', 'unknown') or j.stuck then v_now + coalesce(j.wait_ms, 0) * interval '1 millisecond'
             when j.waits then v_now
             when j.outcome = 'delivered' and j.version = j.wanted and j.unknown_until > v_now then j.unknown_until
             else v_now end,
           case when j.gave_up then 0 when j.outcome in ('retry', 'unknown') or j.stuck then j.tries + 1 when j.outcome in ('delivered', 'none') then 0 else j.tries end,
           case
             -- It is not to be sent once more: only the events are. The dead letter remembers.
             when j.gave_up then null
             when j.outcome = 'unknown' then rollcall.doubts(j.unknown_until, v_now + p_grace)
             when j.outcome = 'delivered' and j.unknown_until <= j.claimed_at then null
             when j.outcome = 'reject' and j.version = j.wanted then null
             else j.unknown_until end,
           case when j.gave_up or j.outcome in ('delivered', 'reject') then null
             when j.outcome in ('retry', 'unknown') then coalesce(j.failing_since, v_clock) else j.failing_since end
      from judged j where j.held and not j.finished
    on conflict (contact_id, destination_id) do update
       set token = null, due_at = greatest(excluded.due_at, d.not_before), tries = excluded.tries, unknown_until = excluded.unknown_until,
           failing_since = excluded.failing_since
  ), lost as (
    -- The lease was lost: somebody else may have sent since, so the current state is sent again, and once more after a grace.
    insert into rollcall.due as d (destination_id, contact_id, due_at, unknown_until)
    select p_destination, j.contact, v_now, v_now + p_grace from judged j
     where not j.held and j.wanted_action <> 'none' and j.action <> 'events'
    on conflict (contact_id, destination_id) do update
       set unknown_until = greatest(d.unknown_until, excluded.unknown_until),
           due_at = case when d.token is null then greatest(least(d.due_at, excluded.due_at), d.not_before) else d.due_at end
  ), tried as (
    -- It was refused, and is sent again.
    delete from rollcall.dead_letters l
     where l.destination_id = p_destination and l.stage = 'deliver' and l.contact_id = any(array(
       select j.contact from judged j where not j.held and j.wanted_action <> 'none' and j.action <> 'events'))
  ), failed as materialized (
    select j.*, case when j.gave_up and j.outcome = 'unknown' then greatest(j.unknown_until, v_now + p_grace)
             when j.unknown_until > v_now then j.unknown_until end as doubt
      from judged j where (j.outcome = 'reject' or j.gave_up) and j.version = j.wanted and j.held and j.wanted_action <> 'none'
  ), unmapped as (
    -- Of whom cannot be mapped by now either, the mapping is told: mapped again, they are sent again.
    update rollcall.dead_letters l set unknown_until = greatest(l.unknown_until, f.doubt)
      from failed f where l.destination_id = p_destination and l.contact_id = f.contact and l.stage = 'map'
    returning l.contact_id
  ), letters as (
    insert into rollcall.dead_letters as l (destination_id, contact_id, stage, version, code, field, message, unknown_until, was)
    select p_destination, f.contact, 'deliver', f.version, case when f.gave_up then 'gave_up' else f.code end,
           case when not f.gave_up then f.field end,
           case when f.gave_up then ${lastWords('f.code', 'f.message')} else coalesce(f.message, '') end, f.doubt,
           (select d.was from rollcall.due d where d.destination_id = p_destination and d.contact_id = f.contact offset 0)
      from failed f where f.contact not in (select u.contact_id from unmapped u)
    on conflict (contact_id, destination_id) do update
       set stage = excluded.stage, version = excluded.version, code = excluded.code, field = excluded.field,
           message = excluded.message, at = excluded.at, unknown_until = excluded.unknown_until, dropped_at = null, was = excluded.was
  ), logged as (
    insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, code, message, latency_ms)
    select p_destination, r.contact, r.version, r.action, r.outcome, r.code, r.message, r.latency_ms from result r
     where r.action <> 'events'
  )
  select count(*) filter (where not (held and finished)) into v_again from judged;
  if v_events then
    perform rollcall.log_events(p_destination, p_results, false);
    -- What was refused was refused of a contact that is gone: it is tried once more, as a new one.
    delete from rollcall.dead_letters l
     where l.destination_id = p_destination and l.stage = 'deliver' and l.contact_id = any(array(
       select r.contact from unnest(v_results) r where r.action = 'events' and r.forget_remote));
  end if;

  perform rollcall.told_opt_in(p_destination, array_agg(r.contact)) from unnest(v_results) r
    cross join lateral (select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact
      and s.version = r.version and s.consent = 'opted_in' offset 0) s
   where r.action = 'upsert' and r.outcome = 'delivered' having count(*) > 0;

  if v_waiting then
    perform rollcall.end_events(p_destination, array_agg(r.contact))
       from unnest(v_results) r
       cross join lateral (select s.action from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact offset 0) s
      where r.held and r.action = 'delete' and r.outcome = 'delivered' and s.action = 'none'
     having count(*) > 0;
  end if;

  if exists (select from rollcall.events e where e.held_by is not null) then
    perform rollcall.free_events(p_destination, array_agg(r.contact)) from unnest(v_results) r where r.held having count(*) > 0;
  end if;

  -- Who was found elsewhere was moved by a request that is over, and has gone back: whoever that address is of by now may have been
  -- sent to the same contact, and is sent once more.
  insert into rollcall.due as d (destination_id, contact_id, due_at, unknown_until)
  select distinct p_destination, o.contact_id, v_now, v_now
    from jsonb_to_recordset(p_results) as r(contact bigint, found_at text)
    cross join lateral (select o.contact_id from rollcall.desired o
      where o.destination_id + 0 = p_destination and o.address = r.found_at and o.contact_id <> r.contact and o.action = 'upsert' offset 0) o
   where r.found_at is not null
   order by 2
  on conflict (contact_id, destination_id) do update
     set unknown_until = greatest(d.unknown_until, excluded.unknown_until),
         due_at = case when d.token is null then greatest(excluded.due_at, d.not_before) else d.due_at end;

  -- Whoever took an address from one of these waits for the end of its lease, and for what may arrive after it. The request is
  -- over for certain, so neither is to be waited for any longer.
  for v_freed in
    select a.address, r.lease_end, r.unknown_until
      from unnest(v_results) r
      cross join lateral (values (r.address), (r.touched)) as a(address)
      cross join lateral (select s.address from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact offset 0) s
     where r.held and r.outcome <> 'unknown' and a.address is not null and a.address is distinct from s.address
  loop
    v_again := v_again + 1;
    update rollcall.due d
       set not_before = null,
           due_at = case when d.token is null then v_now else d.due_at end,
           unknown_until = case when d.token is not null or d.unknown_until > v_freed.lease_end + p_grace then d.unknown_until
                                else v_freed.unknown_until end
     where d.destination_id = p_destination and d.contact_id = any(array(
       select x.contact_id
         from (select o.contact_id from rollcall.desired o
                where o.destination_id + 0 = p_destination and o.address = v_freed.address) x
         cross join lateral (
           select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.contact_id
              and (d.not_before is not null or d.token is null and d.tries = 0 and d.due_at > v_now) offset 0 for update skip locked) d));
  end loop;
  return v_again;
end $body$;
`;
