/** Sending again what counts as delivered, or as refused. */
export const resend: string = /* sql */ `
-- Everybody of a destination is sent again, in the backfill lane: what it holds is not known to be what we delivered (another
-- account, a restored database). With p_forget nothing that is known of the contacts there holds any more. What a brake holds stays
-- held, but that there is nothing to delete or to change at another account.
create or replace function rollcall.send_again(p_destination smallint, p_forget boolean) returns void
language plpgsql set search_path = '' as $body$
declare
  v_grace interval := (select i.grace from rollcall.install i);
  v_doubtful bigint[];
  v_doubts timestamptz[];
begin
  if not p_forget then
    -- What may still arrive there is followed by one more, once it can no longer.
    select array_agg(x.contact_id), array_agg(x.until) into v_doubtful, v_doubts from (
      select d.contact_id, greatest(d.unknown_until, case when d.token is not null then d.due_at + v_grace end) as until
        from rollcall.due d where d.destination_id = p_destination
      union all
      select l.contact_id, l.unknown_until from rollcall.dead_letters l
       where l.destination_id = p_destination and l.unknown_until > clock_timestamp()) x where x.until is not null;
    perform rollcall.forsake_events(p_destination, array(
      select d.contact_id from rollcall.due d where d.destination_id = p_destination and d.token is not null and d.handed is not null));
  end if;
  delete from rollcall.jobs j where j.destination_id = p_destination;
  delete from rollcall.due d where d.destination_id = p_destination and (p_forget or d.lane < 2 or exists (select from rollcall.desired s
    where s.destination_id = p_destination and s.contact_id = d.contact_id and s.action = 'none' offset 0));
  update rollcall.due d
     set token = null, due_at = clock_timestamp(), tries = 0, failing_since = null, unknown_until = null, not_before = null, handed = null
   where d.destination_id = p_destination;
  if p_forget then perform rollcall.end_brake(p_destination, k) from unnest(array['deletes', 'changes']) k; end if;
  delete from rollcall.dead_letters l where l.destination_id = p_destination and l.stage = 'deliver';
  if p_forget then
    -- What may still arrive does so at the other account.
    update rollcall.dead_letters l set unknown_until = null where l.destination_id = p_destination and l.unknown_until is not null;
    update rollcall.desired s
       set remote_address = null, remote_id = null, leftovers = null, carry_from = null, takeover = false, imported = false, members = null,
           action = case when s.action in ('delete', 'unsubscribe') then 'none' else s.action end,
           version = s.version + 1, delivered_version = null, counted_at = null
     where s.destination_id = p_destination;
  else
    update rollcall.desired s set version = s.version + 1, members = rollcall.members_in_doubt(s.members, s.payload)
     where s.destination_id = p_destination and s.action <> 'none';
  end if;
  -- Somebody who left and is kept there may have events that wait.
  insert into rollcall.due (destination_id, contact_id, lane, due_at)
    select s.destination_id, s.contact_id, 1, clock_timestamp() from rollcall.desired s
     where s.destination_id = p_destination
       and (s.action <> 'none' or coalesce(s.remote_address, s.remote_id) is not null and exists (select from rollcall.events e
         where e.contact_id = s.contact_id and e.destination_id = s.destination_id and e.state = 'pending' and e.ready))
    on conflict do nothing;
  if v_doubtful is not null then
    update rollcall.due d set unknown_until = x.until
      from (select u.id, max(u.until) as until from unnest(v_doubtful, v_doubts) as u(id, until) group by u.id) x
     where d.destination_id = p_destination and d.contact_id = x.id;
  end if;
end $body$;
`;
