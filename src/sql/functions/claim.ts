import { KEYS_FIRST } from './plan-settings.ts';
import { fitsMany, MAY_STRAY } from './jobs.ts';
import { attributesOf } from './lists.ts';
import { REFUSED } from './refused.ts';

/** Claim and release: who sends what. See SPEC.md, "States of a delivery". */
export const claim: string = /* sql */ `
-- The next due contacts of a lane; with p_consents, of the first of them only those that no request for many can carry.
do $drop$ begin
  -- What a function returns cannot be changed in place.
  if exists (select from pg_proc p where p.pronamespace = 'rollcall'::regnamespace and p.proname = 'pick_due'
      and not 'doubt_until' = any(p.proargnames)) then
    drop function rollcall.pick_due(smallint, smallint, int, timestamptz, timestamptz, text[]);
  end if;
end $drop$;
create or replace function rollcall.pick_due(p_destination smallint, p_lane smallint, p_limit int, p_from timestamptz, p_now timestamptz,
  p_consents text[])
returns table (contact_id bigint, tries int, due_at timestamptz, lost boolean, doubt boolean, doubt_until timestamptz, at tid)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
begin
  if p_consents is null then
    return query
      select d.contact_id, d.tries, d.due_at, d.token is not null, d.token is not null or d.unknown_until is not null, d.unknown_until,
           d.ctid
        from rollcall.due d
       where d.queue = p_destination * 4 + p_lane and d.due_at >= p_from and d.due_at <= p_now
         and (d.not_before is null or d.not_before <= p_now)
       order by d.due_at limit p_limit
         for update skip locked;
    return;
  end if;
  return query
    with first as materialized (
      select d.contact_id, d.due_at from rollcall.due d
       where d.queue = p_destination * 4 + p_lane and d.due_at >= p_from and d.due_at <= p_now
         and (d.not_before is null or d.not_before <= p_now)
       order by d.due_at limit 500
    ), apart as materialized (
      select f.contact_id from first f
        cross join lateral (select * from rollcall.due d where d.destination_id = p_destination and d.contact_id = f.contact_id offset 0) d
        cross join lateral (select * from rollcall.desired s
          where s.destination_id = p_destination and s.contact_id = f.contact_id offset 0) s
       where d.token is not null or not (${fitsMany('p_consents')})
       order by f.due_at limit p_limit
    )
    select d.contact_id, d.tries, d.due_at, d.token is not null, d.token is not null or d.unknown_until is not null, d.unknown_until,
           d.at
      from apart a
      cross join lateral (select d.*, d.ctid as at from rollcall.due d
        where d.destination_id = p_destination and d.contact_id = a.contact_id and d.due_at <= p_now offset 0 for update skip locked) d;
end $body$;

-- Leases due contacts: of each lane as many as p_limits has for it, live first. Of a lane in which p_least or more wait, those with
-- one of p_consents are left for a request for many: see pick_due. p_live_wait: live ones are left to others until they have waited
-- so long. The caller keeps p_after, a lower bound on due_at, so that a claim does not walk over dead rows; or p_back above 0: what has
-- become due no longer ago than that, as the lane was found empty since.
-- p_bytes: what comes after so many bytes of a lane has neither payload nor events, and the caller gives it back; the first one has.
-- A row whose lease ran out was sent perhaps: that attempt may arrive until p_grace after the lease. again: what was accepted, or may
-- have been, is said once more after whatever could still have come between. erases: somebody is being erased. astray: an attempt in doubt may have
-- moved the contact of this id to an address it had.
drop function if exists rollcall.claim(smallint, uuid, int, interval, interval, timestamptz, text, text, text);
do $drop$ begin
  -- What a function returns cannot be changed in place.
  if exists (select from pg_proc p where p.pronamespace = 'rollcall'::regnamespace and p.proname = 'claim'
      and not 'lists' = any(p.proargnames)) then
    drop function if exists rollcall.claim(smallint, uuid, int[], interval, interval, timestamptz[], int[], text[], interval, text, text, text,
      pg_lsn, timestamptz, bigint);
    drop function if exists rollcall.claim(smallint, uuid, int[], interval, interval, timestamptz[], int[], text[], interval, text, text, text,
      pg_lsn, timestamptz);
    drop function if exists rollcall.claim(smallint, uuid, int[], interval, interval, timestamptz[], int[], text[], interval, text, text, text,
      pg_lsn, timestamptz, bigint, interval[]);
  end if;
end $drop$;
create or replace function rollcall.claim(p_destination smallint, p_token uuid, p_limits int[], p_lease interval, p_grace interval,
  p_after timestamptz[], p_least int[], p_consents text[], p_live_wait interval, p_config_hash text, p_ref text, p_environment text,
  p_seen pg_lsn default null, p_bound timestamptz default null, p_bytes bigint default null,
  p_back interval[] default null)
returns table (contact_id bigint, version bigint, action text, address text, remote_address text, remote_id text, payload text,
  consent text, carry_from text, takeover boolean, leftovers text[], delivered boolean, tries int, due_at timestamptz,
  send_state boolean, events text, lane smallint, imported boolean, again boolean, astray boolean, erases boolean, lists text)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_lane smallint;
  v_many boolean;
  v_from timestamptz;
  v_contacts bigint[];
  v_tries int[];
  v_due timestamptz[];
  v_doubt boolean[];
  v_last boolean[];     -- what was in doubt arrives no more: this attempt ends the doubt
  v_lost bigint[];
  v_at tid[];
  v_leased int;
  v_events boolean;
  v_erasing boolean := exists (select from rollcall.erasing);
  v_lists text[] := (select d.lists from rollcall.destinations d where d.id = p_destination);
  v_once boolean := (select d.events_once from rollcall.destinations d where d.id = p_destination);
begin
  perform rollcall.check_config(p_config_hash);
  perform rollcall.check_identity(p_ref, p_environment, p_seen, p_bound);
  foreach v_lane in array array[0, 1]::smallint[] loop
    continue when p_limits[v_lane + 1] <= 0;
    v_from := case when p_back[v_lane + 1] > interval '0' then v_now - p_live_wait - p_back[v_lane + 1] else p_after[v_lane + 1] end;
    -- Those of a walk over so many wait for the request that takes them, however few of them there are yet.
    v_many := p_least[v_lane + 1] > 0 and (
      (select b.waiting from rollcall.backlog(p_destination, v_lane, p_least[v_lane + 1], v_from) b) >= p_least[v_lane + 1]
      or v_lane = 1 and exists (select from rollcall.backfills b
        where b.walked_at is null and least(b.most, b.expected) >= p_least[v_lane + 1]));
    select array_agg(p.contact_id), array_agg(p.tries), array_agg(p.due_at), array_agg(p.doubt),
           array_agg(coalesce(not p.lost and p.doubt_until <= v_now, false)),
           array_agg(p.contact_id) filter (where p.lost), array_agg(p.at)
      into v_contacts, v_tries, v_due, v_doubt, v_last, v_lost, v_at
      from rollcall.pick_due(p_destination, v_lane, p_limits[v_lane + 1], v_from,
        case when v_lane = 0 then v_now - p_live_wait else v_now end, case when v_many then p_consents end) p;
    continue when v_contacts is null;
    -- In a statement of its own: what is picked may have been committed since the one above began, which would not see it here. By
    -- their places, as they are locked: by their keys all their dead versions would be walked over.
    update rollcall.due d
       set token = p_token, due_at = v_now + p_lease, handed = case when d.token is not null then d.handed end,
           unknown_until = case when d.token is not null then rollcall.doubts(d.unknown_until, d.due_at + p_grace) else d.unknown_until end
     where d.ctid = any(v_at);
    get diagnostics v_leased = row_count;
    -- What is not leased must not be sent.
    if v_leased <> cardinality(v_contacts) then
      raise exception 'leased % of % that were picked', v_leased, cardinality(v_contacts);
    end if;
    if v_once and v_lost is not null then perform rollcall.forsake_events(p_destination, v_lost); end if;
    v_events := exists (select from rollcall.events e where e.state = 'pending');
    -- In a statement of its own: a fold that locked the queue row before us has committed by now, and its state is read.
    return query
    select c.contact_id, c.version, c.action, c.address, c.remote_address, c.remote_id, case when c.fits then c.payload end,
           c.consent, c.carry_from, c.takeover, c.leftovers, c.delivered, c.tries, c.due_at, c.send_state,
           case when c.fits then c.events end, v_lane, c.imported, c.again, c.astray, c.erases, c.lists
      from (select x.*, coalesce(sum(octet_length(x.payload) + octet_length(x.events)) over (order by x.due_at, x.contact_id
                     rows between unbounded preceding and 1 preceding) < p_bytes, true) as fits from (
    select s.contact_id, s.version, s.action, s.address, s.remote_address, s.remote_id, (${attributesOf('s.payload')})::text as payload,
           s.consent, s.carry_from, s.takeover, s.leftovers, s.delivered_version is not null as delivered, l.tries, l.due_at,
           n.send_state,
           case when v_events and (n.send_state and s.action = 'upsert' or coalesce(s.remote_address, s.remote_id) is not null)
             then case when v_once then rollcall.hand_out(p_destination, s.contact_id)
                       else rollcall.next_events(p_destination, s.contact_id) end
             else '[]' end as events,
           s.imported, s.delivered_version is not distinct from s.version or l.last as again,
           l.doubt and ${MAY_STRAY} as astray,
           v_erasing and exists (select from rollcall.erasing g where g.contact_id = s.contact_id offset 0) as erases,
           case when v_lists is not null then rollcall.list_changes(v_lists, s.payload, s.members, s.takeover)::text end as lists
      from unnest(v_contacts, v_tries, v_due, v_doubt, v_last) as l(contact_id, tries, due_at, doubt, last)
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = l.contact_id offset 0) s
      cross join lateral (select s.action <> 'none' and (l.doubt
        or s.delivered_version is distinct from s.version and not ${REFUSED}) as send_state) n) x) c
     order by c.due_at;
  end loop;
end $body$;

-- Gives back contacts that were claimed and not sent. Due from now, as claims look at what became due a moment ago.
create or replace function rollcall.release(p_destination smallint, p_token uuid, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.due d set token = null, due_at = greatest(clock_timestamp(), not_before)
   where d.destination_id = p_destination and d.token = p_token and d.contact_id = any(array(
     select x.id from unnest(p_contacts) as x(id) cross join lateral (
       select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d
      order by x.id))
$body$;
`;
