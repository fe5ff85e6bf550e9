import { KEYS_FIRST } from './plan-settings.ts';
import { free } from './repair.ts';

/**
 * Nothing is to be done any more for a contact at a destination, and nothing of before can arrive there. As SQL.
 * @param contact its id
 */
export function settledAt(contact: string, destination: string): string {
  const own = (row: string): string => `${row}.contact_id = ${contact} and ${row}.destination_id = ${destination}`;
  return `(not exists (select from rollcall.due q where ${own('q')} offset 0)
       and not exists (select from rollcall.desired s where ${own('s')} and (s.action <> 'none'
             or s.remote_address is not null or s.remote_id is not null or s.leftovers is not null) offset 0)
       and not exists (select from rollcall.dead_letters l where ${own('l')} and l.unknown_until > clock_timestamp() offset 0))`;
}

/** Looking for the erased where they were deleted, until they are not found. */
export const erasureReads: string = /* sql */ `
-- The next contact that is to be looked for at a destination, and where; none when there is nobody. No other worker looks for it for
-- p_hold. Where nothing can be read (p_reads) the settled deletion is all that can be known.
create or replace function rollcall.take_erased(p_destination smallint, p_reads boolean, p_hold interval,
  out contact bigint, out places jsonb) language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_variable
declare
  v_at record;
begin
  for v_at in select a.contact_id, a.known, a.places from rollcall.erasing_at a
       where a.destination_id = p_destination and a.outcome is null and a.look_at <= clock_timestamp()
       order by a.look_at limit 100 for update skip locked loop
    if not ${settledAt('v_at.contact_id', 'p_destination')} then
      update rollcall.erasing_at a set look_at = clock_timestamp() + interval '500 milliseconds', gone_at = null
       where a.contact_id = v_at.contact_id and a.destination_id = p_destination;
      continue;
    end if;
    select coalesce(jsonb_agg(p.place order by p.n), '[]') into places
      from jsonb_array_elements(v_at.places) with ordinality as p(place, n)
     where not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = p.place ->> 'id'
             and o.contact_id <> v_at.contact_id offset 0)
       -- A living person's by now.
       and (p.place ->> 'address' is null or ${free("p.place ->> 'address'", 'v_at.contact_id')});
    update rollcall.erasing_at a
       set gone_at = coalesce(a.gone_at, clock_timestamp()), look_at = clock_timestamp() + p_hold,
           outcome = case when not p_reads then case when v_at.known then 'cannot_be_read' else 'never_there' end
                          when places = '[]' then case when v_at.known then 'taken' else 'never_there' end end
     where a.contact_id = v_at.contact_id and a.destination_id = p_destination;
    continue when not p_reads or places = '[]';
    contact := v_at.contact_id;
    return;
  end loop;
  places := null;
end $body$;

-- What came of the look: p_found is where they stand, {address, id}; null when nowhere. Found, they are deleted again, and looked for
-- after that, a little later each time.
create or replace function rollcall.note_erased(p_destination smallint, p_contact bigint, p_found jsonb) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_now timestamptz;
begin
  perform 1 from rollcall.contacts c where c.id = p_contact for update;
  if not exists (select from rollcall.erasing_at a where a.contact_id = p_contact and a.destination_id = p_destination and a.outcome is null)
    then return; end if;
  perform 1 from rollcall.desired s where s.contact_id = p_contact and s.destination_id = p_destination for update;
  v_now := clock_timestamp();
  if not ${settledAt('p_contact', 'p_destination')} then return; end if;
  -- Somebody living may have come to have it since: then it is theirs.
  if p_found is null or p_found ->> 'address' is not null and not (${free("p_found ->> 'address'", 'p_contact')})
     or exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = p_found ->> 'id'
       and o.contact_id <> p_contact offset 0) then
    update rollcall.erasing_at a set outcome = case when p_found is null then 'gone' else 'taken' end, read_at = v_now
     where a.contact_id = p_contact and a.destination_id = p_destination;
    return;
  end if;
  insert into rollcall.desired as s (destination_id, contact_id, action, reason, hash, version, remote_address, remote_id)
    values (p_destination, p_contact, 'delete', 'erased', '', 1, p_found ->> 'address', p_found ->> 'id')
  on conflict (contact_id, destination_id) do update
     set action = 'delete', version = s.version + 1, remote_address = excluded.remote_address, remote_id = excluded.remote_id;
  insert into rollcall.due (destination_id, contact_id, lane, due_at) values (p_destination, p_contact, 0, v_now) on conflict do nothing;
  update rollcall.erasing_at a
     set gone_at = null, known = true, found = a.found + 1,
         look_at = v_now + least(power(2, a.found), 300) * interval '1 second'
   where a.contact_id = p_contact and a.destination_id = p_destination;
end $body$;

-- It could not be looked for: again after a wait.
create or replace function rollcall.look_again(p_destination smallint, p_contact bigint, p_wait interval) returns void
language sql set search_path = '' as $body$
  update rollcall.erasing_at a set look_at = clock_timestamp() + p_wait
   where a.contact_id = p_contact and a.destination_id = p_destination and a.outcome is null
$body$;

-- A person says that a destination is not waited for: the receipt says so.
create or replace function rollcall.leave_out(p_erasure uuid, p_destination text) returns boolean language sql set search_path = '' as $body$
  with left_out as (
    update rollcall.erasing_at a set outcome = 'left_out'
     where a.outcome is null and a.destination_id = (select d.id from rollcall.destinations d where d.name = p_destination)
       and a.contact_id = any(array(select g.contact_id from rollcall.erasing g where g.erasure_id = p_erasure))
    returning 1)
  select exists (select from left_out)
$body$;
`;
