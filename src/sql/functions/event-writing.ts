import { EMAIL_KEY } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { LIST_SOURCE } from './told.ts';

/** A filtered person of whom nothing stays at the destination, as SQL. @param s alias of `rollcall.desired` */
export function filteredOut(s: string): string {
  return `(${s}.reason = 'filtered' and (${s}.action = 'delete' or coalesce(${s}.remote_address, ${s}.remote_id) is null))`;
}

/** Writing events for their destinations, and making due whoever has some to be sent. */
export const eventWriting: string = /* sql */ `
-- Called when all keys of the events are folded, with their owner rows locked. What is not ready waits for release_events.
create or replace function rollcall.write_events(p_events rollcall.read_event[], p_ready boolean) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_destination smallint;
  v_contacts bigint[];
begin
  for v_destination in select d.id from rollcall.destinations d where d.enabled and d.takes_events order by d.id loop
    with written as (
      insert into rollcall.events as w
        (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, reason, message, ended_at)
      select e.id, v_destination, c.id, e.source, e.name, coalesce(e.properties, '{}'), e.happened_at,
             p_ready or x.state <> 'pending', x.state, x.reason, e.message, case when x.state <> 'pending' then clock_timestamp() end
        from unnest(p_events) with ordinality as e(id, source, key, name, properties, happened_at, code, message, n)
        cross join lateral (select case when e.key like '${EMAIL_KEY}%' then substr(e.key, ${EMAIL_KEY.length + 1}) end as address) a
        -- What is known by an address alone belongs to the user who has it, or who waits for it.
        cross join lateral (select coalesce(
            (select o.contact_id from rollcall.desired o
              where o.destination_id + 0 = v_destination and o.address = a.address
                and exists (select from rollcall.contacts c where c.id = o.contact_id and c.key not like '${EMAIL_KEY}%' offset 0)),
            -- Fenced off, or the least id is looked for among all there are.
            (select min(w.contact_id) from (select o.contact_id from rollcall.desired o
              where o.destination_id + 0 = v_destination and o.waiting_for = a.address
                and exists (select from rollcall.contacts c where c.id = o.contact_id and c.key not like '${EMAIL_KEY}%' offset 0) offset 0) w),
            (select c.id from rollcall.contacts c where c.key = e.key)) as id offset 0) c
        cross join lateral (select exists (select from rollcall.desired s
            where s.contact_id = c.id and s.destination_id = v_destination and ${filteredOut('s')}) as filtered offset 0) f
        cross join lateral (select
            case when e.code is not null then 'dead' when c.id is null or f.filtered then 'dropped' else 'pending' end as state,
            case when e.code is not null then e.code when e.key is null then 'no_contact_link' when c.id is null then 'no_contact'
                 when f.filtered then 'filtered' end as reason) x
       -- A list is one destination's.
       where e.source <> '${LIST_SOURCE}'
          or e.properties ->> 'destination' = (select d.name from rollcall.destinations d where d.id = v_destination)
       order by e.n
      on conflict (id, destination_id) do nothing
      returning w.contact_id, w.state
    )
    select array_agg(distinct w.contact_id) into v_contacts from written w where w.state = 'pending';
    if p_ready and v_contacts is not null then perform rollcall.queue_events(v_destination, v_contacts); end if;
  end loop;
end $body$;

-- Makes due whoever of the contacts has events to be sent and exists at the destination. The others are due once they exist.
-- A queue row that is there is locked in any case, also of somebody not known to exist: a settle that has not seen these events
-- must not take it away, and it may just be making the contact known. What a brake holds stays held, its events too. Who comes into
-- another lane is due from now, as claims look at what became due a moment ago.
create or replace function rollcall.queue_events(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  insert into rollcall.due as d (destination_id, contact_id, lane, due_at, not_before)
  select p_destination, x.id, 0, greatest(clock_timestamp(), h.held_until), h.held_until
    from (select distinct c as id from unnest(p_contacts) c) x
    cross join lateral (select max(e.held_until) as held_until from rollcall.events e
      where e.contact_id = x.id and e.destination_id = p_destination and e.state = 'pending' and e.held_by is not null) h
   where (exists (select from rollcall.desired s where s.contact_id = x.id and s.destination_id = p_destination
                    and coalesce(s.remote_address, s.remote_id) is not null offset 0)
          or exists (select from rollcall.due d where d.contact_id = x.id and d.destination_id = p_destination offset 0))
     and exists (select from rollcall.events e where e.contact_id = x.id and e.destination_id = p_destination
                    and e.state = 'pending' and e.ready offset 0)
   order by x.id
  on conflict (contact_id, destination_id) do update
     set lane = case when d.lane = 1 then 0 else d.lane end, not_before = greatest(d.not_before, excluded.not_before),
         due_at = case when d.token is null then greatest(d.due_at, clock_timestamp(), excluded.not_before) else d.due_at end
   where d.lane = 1 or excluded.not_before is not null
$body$;

-- The window that events were taken in is complete: all of them are in order now.
create or replace function rollcall.release_events() returns void language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_released record;
begin
  for v_released in
    with released as (
      update rollcall.events e set ready = true where not e.ready returning e.destination_id, e.contact_id
    )
    select r.destination_id, array_agg(distinct r.contact_id) as contacts from released r group by r.destination_id order by 1
  loop
    perform rollcall.queue_events(v_released.destination_id, v_released.contacts);
  end loop;
end $body$;
`;
