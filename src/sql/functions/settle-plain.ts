import { claimedAt } from './claimed-at.ts';
import { LISTS } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/**
 * What nearly all of a settle is: an upsert that was accepted, of somebody who is still what was sent. Told apart here, and written
 * at half the cost of the way that knows every case.
 */
export const settlePlain: string = /* sql */ `
-- Locks the state of all, then their places in the queue, in the order of all writers. Settles the plain ones and returns the
-- others; null when there are none. The results are those of rollcall.settle.
create or replace function rollcall.settle_plain(p_destination smallint, p_token uuid, p_results jsonb) returns jsonb
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_contacts bigint[];
  v_places bigint[];
  v_tokens uuid[];
  v_leases bigint[];
  v_claimed timestamptz[];
  v_ids text[];
  v_same boolean[];
  v_apart boolean;      -- no two of them were given one id
  v_plain bigint[];
  v_said jsonb;         -- contact -> [id there, latency]
  v_rest bigint[];
  v_waiting boolean;
begin
  with result as materialized (
    select r.* from rows from (jsonb_to_recordset(p_results) as (contact bigint, token uuid, lease_ms bigint, claimed_at timestamptz, version bigint, action text, outcome text,
        address text, touched text, found_at text, remote_id text, forget_remote boolean, partial boolean, events jsonb)) with ordinality
        as r(contact, token, lease_ms, claimed_at, version, action, outcome, address, touched, found_at, remote_id, forget_remote, partial, events, place)
     order by r.contact
  )
  select array_agg(r.contact), array_agg(r.place), array_agg(coalesce(r.token, p_token)), array_agg(r.lease_ms), array_agg(r.claimed_at), array_agg(r.remote_id),
         array_agg(coalesce(r.outcome = 'delivered' and r.action = 'upsert' and r.partial is not true and r.forget_remote is not true
           and coalesce(r.events = '[]', true) and coalesce(r.touched = r.address, true) and r.found_at is null
           and s.version = r.version and s.action = 'upsert' and s.address = r.address and coalesce(s.remote_address = r.address, true)
           and coalesce(s.remote_id = r.remote_id, true) and s.carry_from is null and s.leftovers is null and s.consent <> 'opted_in', false)),
         count(r.remote_id) = count(distinct r.remote_id)
    into v_contacts, v_places, v_tokens, v_leases, v_claimed, v_ids, v_same, v_apart
    from result r
    left join lateral (select s.version, s.action, s.address, s.remote_address, s.remote_id, s.carry_from, s.leftovers, s.consent
        from rollcall.desired s where s.destination_id = p_destination and s.contact_id = r.contact offset 0 for update) s on true;
  select array_agg(x.same and coalesce(d.token = x.token and coalesce(d.unknown_until <= ${claimedAt('x', 'x.token')}, true), false))
    into v_same
    from unnest(v_contacts, v_tokens, v_leases, v_claimed, v_same) as x(contact, token, lease_ms, claimed_at, same)
    left join lateral (select d.token, d.due_at, d.unknown_until from rollcall.due d
      where d.destination_id = p_destination and d.contact_id = x.contact offset 0 for update) d on true;
  -- In statements of their own: what was released while we waited for the locks is seen.
  v_waiting := exists (select from rollcall.events e where e.state = 'pending');
  select array_agg(x.contact) filter (where y.plain), array_agg(x.place) filter (where not y.plain)
    into v_plain, v_rest
    from unnest(v_contacts, v_places, v_ids, v_same) as x(contact, place, id, same)
    cross join lateral (select v_apart and x.same
      and not (v_waiting and exists (select from rollcall.events e
        where e.contact_id = x.contact and e.destination_id = p_destination and e.state = 'pending' and e.ready offset 0))
      and not (x.id is not null and exists (select from rollcall.desired o
        where o.destination_id + 0 = p_destination and o.remote_id = x.id and o.contact_id <> x.contact offset 0)) as plain) y;
  -- Events that were moved while they were sent are for the careful way.
  if v_plain is null or exists (select from rollcall.events e where e.held_by is not null) then return p_results; end if;

  select jsonb_object_agg(r.contact, jsonb_build_array(r.remote_id, r.latency_ms)) into v_said
    from jsonb_to_recordset(p_results) as r(contact bigint, remote_id text, latency_ms int);
  with done as (
    update rollcall.desired s
       set delivered_version = s.version, remote_address = s.address, takeover = false, members = s.payload -> ${LISTS},
           remote_id = coalesce(v_said -> s.contact_id::text ->> 0, s.remote_id),
           imported = coalesce(s.imported and s.remote_address = s.address, false)
             or coalesce(v_said -> s.contact_id::text ->> 0, s.remote_id) is null
     where s.destination_id = p_destination and s.contact_id = any(v_plain)
    returning s.contact_id, s.version
  )
  insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, latency_ms)
    select p_destination, d.contact_id, d.version, 'upsert', 'delivered', (v_said -> d.contact_id::text ->> 1)::int from done d;
  delete from rollcall.due d where d.destination_id = p_destination and d.contact_id = any(v_plain);
  if v_rest is null then return null; end if;
  return (select jsonb_agg(e.result order by e.place) from jsonb_array_elements(p_results) with ordinality as e(result, place)
           where e.place = any(v_rest));
end $body$;
`;
