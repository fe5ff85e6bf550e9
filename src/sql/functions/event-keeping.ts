import { filteredOut } from './event-writing.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** As the index of those that wait longest has it. */
const WAITING_SINCE = `(case when e.state = 'pending' then e.happened_at end)`;

/** Events that are not to be sent any more, and those that are over. */
export const eventKeeping: string = /* sql */ `
-- Called for contacts that have just become filtered, when that is written.
create or replace function rollcall.drop_filtered_events(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.events u set state = 'dropped', reason = 'filtered', ready = true, ended_at = clock_timestamp()
   where u.seq = any(array(
     select e.seq
       from (select distinct c as id from unnest(p_contacts) c) x
       cross join lateral (select from rollcall.desired s
         where s.contact_id = x.id and s.destination_id = p_destination and ${filteredOut('s')} offset 0) s
       cross join lateral (select e.seq from rollcall.events e
         where e.contact_id = x.id and e.destination_id = p_destination and e.state = 'pending' offset 0) e))
$body$;

-- Ends the wait of events whose contact does not exist after 72 hours, and forgets those that ended a week ago; at most p_limit
-- of each. Those that wait for the destination alone are made due, should nothing else have done it. Returns how many ended or
-- were forgotten.
create or replace function rollcall.expire_events(p_limit int) returns int language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_old record;
  v_dropped int := 0;
  v_pruned int;
begin
  for v_old in
    with old as materialized (
      select e.seq, e.contact_id, e.destination_id from rollcall.events e
       where ${WAITING_SINCE} < clock_timestamp() - interval '72 hours'
       order by ${WAITING_SINCE} limit p_limit for update skip locked
    )
    select o.destination_id, d.takes, array_agg(o.seq) filter (where not s.there) as absent,
           array_agg(distinct o.contact_id) filter (where s.there) as waiting
      from old o
      cross join lateral (select exists (select from rollcall.destinations d
        where d.id = o.destination_id and d.enabled and d.takes_events) as takes offset 0) d
      cross join lateral (select d.takes and exists (select from rollcall.desired s
        where s.contact_id = o.contact_id and s.destination_id = o.destination_id
          and coalesce(s.remote_address, s.remote_id) is not null) as there offset 0) s
     group by o.destination_id, d.takes order by 1
  loop
    update rollcall.events e
       set state = 'dropped', reason = case when v_old.takes then 'no_contact' else 'no_destination' end, ready = true,
           ended_at = clock_timestamp()
     where e.seq = any(v_old.absent);
    v_dropped := v_dropped + coalesce(cardinality(v_old.absent), 0);
    if v_old.waiting is not null then perform rollcall.queue_events(v_old.destination_id, v_old.waiting); end if;
  end loop;
  delete from rollcall.events e where e.seq = any(array(
    select x.seq from rollcall.events x
     where x.state <> 'pending' and x.ended_at < clock_timestamp() - interval '7 days'
     order by x.ended_at limit p_limit for update skip locked));
  get diagnostics v_pruned = row_count;
  return v_dropped + v_pruned;
end $body$;
`;
