import { filteredOut } from './event-writing.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** As the index of those that wait longest has it. */
const WAITING_UNTIL = `(case when e.state = 'pending' then e.wait_until end)`;

/** Those of an array of events that still wait and nobody else is at, locked. */
function waiting(seqs: string): string {
  return `array(
       select x.seq from unnest(${seqs}) as o(seq) cross join lateral (
         select x.seq from rollcall.events x where x.seq = o.seq and x.state = 'pending' offset 0 for update skip locked) x)`;
}

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

-- Ends the wait of events whose contact does not exist after 72 hours, and forgets those that ended a week ago, or that are
-- more than history_most() behind the newest; at most p_limit of each. The wait goes on, and is looked at again in an hour, while the contact or the destination is what is waited for: the
-- contact's upsert is due, or the destination is paused. Those whose contact exists are made due, should nothing else have done
-- it: before any event is locked, as settle has it. Returns how many ended or were forgotten.
create or replace function rollcall.expire_events(p_limit int) returns int language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_old record;
  v_ended int;
  v_dropped int := 0;
  v_pruned int;
begin
  for v_old in
    with old as materialized (
      select e.seq, e.contact_id, e.destination_id from rollcall.events e
       where ${WAITING_UNTIL} < clock_timestamp() order by ${WAITING_UNTIL} limit p_limit
    )
    select o.destination_id, coalesce(d.takes, false) as takes, array_agg(o.seq) filter (where w.stays is not true) as absent,
           array_agg(o.seq) filter (where w.stays) as staying, array_agg(distinct o.contact_id) filter (where d.takes and s.there) as there
      from old o
      left join lateral (select d.enabled and d.takes_events as takes, d.pause_code is not null as paused
        from rollcall.destinations d where d.id = o.destination_id offset 0) d on true
      left join lateral (select s.action, coalesce(s.remote_address, s.remote_id) is not null as there
        from rollcall.desired s where s.contact_id = o.contact_id and s.destination_id = o.destination_id offset 0) s on true
      cross join lateral (select d.takes and (d.paused or s.there or s.action = 'upsert' and exists (select from rollcall.due q
        where q.contact_id = o.contact_id and q.destination_id = o.destination_id offset 0)) as stays offset 0) w
     group by o.destination_id, d.takes order by 1
  loop
    if v_old.there is not null then perform rollcall.queue_events(v_old.destination_id, v_old.there); end if;
    update rollcall.events e set wait_until = clock_timestamp() + interval '1 hour' where e.seq = any(${waiting('v_old.staying')});
    update rollcall.events e
       set state = 'dropped', reason = case when v_old.takes then 'no_contact' else 'no_destination' end, ready = true,
           ended_at = clock_timestamp()
     where e.seq = any(${waiting('v_old.absent')});
    get diagnostics v_ended = row_count;
    v_dropped := v_dropped + v_ended;
  end loop;
  -- Only those that ended first are looked at, so that nothing is walked over in vain.
  delete from rollcall.events e where e.seq = any(array(
    with oldest as materialized (
      select x.seq, x.ended_at from rollcall.events x where x.state <> 'pending' order by x.ended_at limit p_limit
    )
    select x.seq from oldest o cross join lateral (select x.seq from rollcall.events x where x.seq = o.seq offset 0 for update skip locked) x
     where o.ended_at < clock_timestamp() - interval '7 days'
        or o.seq <= (select max(y.seq) from rollcall.events y) - rollcall.history_most()));
  get diagnostics v_pruned = row_count;
  return v_dropped + v_pruned;
end $body$;
`;
