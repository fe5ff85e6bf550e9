import { KEYS_FIRST } from './plan-settings.ts';

/** What becomes of a contact's events when the contact becomes something else. */
export const eventFollowing: string = /* sql */ `
-- What the contacts' new state means for events that wait: those of somebody known by an address alone are the user's who has it
-- now, and those of one who was filtered out are dropped.
create or replace function rollcall.fold_events_along(p_destination smallint, p_wanted rollcall.wanted[]) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_filtered bigint[];
  v_moved bigint[];
  v_kept bigint[];
begin
  if not exists (select from rollcall.events e where e.state = 'pending') then return; end if;
  with moved as (
    -- One that is being sent under the old contact's lease is not sent under another's as well.
    update rollcall.events e
       set contact_id = m.to_contact, held_by = case when m.lease_end is not null then m.contact_id else e.held_by end,
           held_until = coalesce(m.lease_end, e.held_until)
      from (select w.contact_id, h.contact_id as to_contact, l.due_at as lease_end
              from unnest(p_wanted) w
              cross join lateral (select h.contact_id from rollcall.holders(p_destination, substr(w.key, 7)) h
                where h.key not like 'email:%' limit 1) h
              left join lateral (select d.due_at from rollcall.due d
                where d.destination_id = p_destination and d.contact_id = w.contact_id and d.token is not null offset 0) l on true
             where w.key like 'email:%' and w.verdict not in ('ok', 'failed')) m
     where e.contact_id = m.contact_id and e.destination_id = p_destination and e.state = 'pending'
    returning e.contact_id
  )
  select array_agg(distinct m.contact_id) into v_moved from moved m;
  if v_moved is not null then perform rollcall.queue_events(p_destination, v_moved); end if;
  select array_agg(w.contact_id) into v_filtered from unnest(p_wanted) w where w.verdict = 'filtered';
  if v_filtered is not null then perform rollcall.drop_filtered_events(p_destination, v_filtered); end if;
  -- Who left and is kept there can still be told of.
  select array_agg(w.contact_id) into v_kept from unnest(p_wanted) w where w.verdict not in ('ok', 'failed', 'filtered', 'merged');
  if v_kept is not null then perform rollcall.queue_events(p_destination, v_kept); end if;
end $body$;
`;
