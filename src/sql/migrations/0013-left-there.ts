/** Who was found to have left at a destination is in the ledger, as whoever it has told us of by itself. */
export const leftThere: string = /* sql */ `
insert into rollcall.consent (id, kind, person, address, origin, at, received_at, proof)
  select encode(sha256(convert_to('left there ' || s.destination_id || ' ' || s.contact_id, 'UTF8')), 'hex'), 'opt_out',
         case when c.key not like 'email:%' then c.key end, coalesce(s.address, s.remote_address), 'destination:' || d.name,
         s.left_there_at, s.left_there_at, '{"event": "unsubscribed"}'
    from rollcall.desired s
    join rollcall.contacts c on c.id = s.contact_id
    join rollcall.destinations d on d.id = s.destination_id
   where s.left_there_at is not null and (c.key not like 'email:%' or coalesce(s.address, s.remote_address) is not null)
on conflict do nothing;
-- The destination has told it, so it is not to be told: what it shall have is the same as before. The function is there where a row is.
do $body$ begin
  if exists (select from rollcall.desired s where s.left_there_at is not null) then
    update rollcall.desired s set hash = rollcall.fingerprint_of(s.address, 'opted_out', s.payload)
     where s.left_there_at is not null and s.action = 'upsert';
  end if;
end $body$;
alter table rollcall.desired drop column left_there_at;
`;
