/** Sending again what counts as delivered, or as refused. */
export const resend: string = /* sql */ `
-- Everybody of a destination is sent again, in the backfill lane: what it holds is not known to be what we delivered (another
-- account, a restored database). With p_forget nothing that is known of the contacts there holds any more. What a brake holds stays
-- held, but that there is nothing to delete or to change at another account.
create or replace function rollcall.send_again(p_destination smallint, p_forget boolean) returns void
language plpgsql set search_path = '' as $body$
begin
  if not p_forget then
    perform rollcall.forsake_events(p_destination, array(
      select d.contact_id from rollcall.due d where d.destination_id = p_destination and d.token is not null and d.handed is not null));
  end if;
  delete from rollcall.jobs j where j.destination_id = p_destination;
  delete from rollcall.due d where d.destination_id = p_destination and (p_forget or d.lane < 2 or exists (select from rollcall.desired s
    where s.destination_id = p_destination and s.contact_id = d.contact_id and s.action = 'none' offset 0));
  update rollcall.due d
     set token = null, due_at = clock_timestamp(), tries = 0, unknown_until = null, not_before = null, handed = null
   where d.destination_id = p_destination;
  if p_forget then perform rollcall.end_brake(p_destination, k) from unnest(array['deletes', 'changes']) k; end if;
  delete from rollcall.dead_letters l where l.destination_id = p_destination and l.stage = 'deliver';
  if p_forget then
    update rollcall.desired s
       set remote_address = null, remote_id = null, leftovers = null, carry_from = null, takeover = false, imported = false,
           action = case when s.action in ('delete', 'unsubscribe') then 'none' else s.action end,
           version = s.version + 1, delivered_version = null, counted_at = null
     where s.destination_id = p_destination;
  else
    update rollcall.desired s set version = s.version + 1 where s.destination_id = p_destination and s.action <> 'none';
  end if;
  -- Somebody who left and is kept there may have events that wait.
  insert into rollcall.due (destination_id, contact_id, lane, due_at)
    select s.destination_id, s.contact_id, 1, clock_timestamp() from rollcall.desired s
     where s.destination_id = p_destination
       and (s.action <> 'none' or coalesce(s.remote_address, s.remote_id) is not null and exists (select from rollcall.events e
         where e.contact_id = s.contact_id and e.destination_id = s.destination_id and e.state = 'pending' and e.ready))
    on conflict do nothing;
end $body$;

-- Pauses end now, but for those that a person has to end; the first contact still goes alone.
create or replace function rollcall.end_pauses() returns void language sql set search_path = '' as $body$
  update rollcall.destinations set paused_until = null where paused_until is not null and paused_until <> 'infinity'
$body$;

-- Contacts that a destination refused are tried once more, and pauses end: somebody says that something was mended.
create or replace function rollcall.try_again() returns void language sql set search_path = '' as $body$
  with refused as (
    delete from rollcall.dead_letters l where l.stage = 'deliver' returning l.destination_id, l.contact_id
  )
  insert into rollcall.due as d (destination_id, contact_id, lane, due_at)
    select r.destination_id, r.contact_id, 1, clock_timestamp() from refused r
    on conflict (contact_id, destination_id) do nothing;
  update rollcall.destinations set paused_until = null where paused_until is not null
$body$;
`;
