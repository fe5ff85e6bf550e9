import { normalAddress } from '../compile/link.ts';
import { LISTS } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { free } from './repair.ts';

/** After a restore: what the destinations have counts before what this database remembers. See docs/operations.md, "After a restore". */
export const recover: string = /* sql */ `
-- Everybody counts as not delivered, until the destination is found to have them. Nobody sends meanwhile: the install is bound
-- elsewhere, or marked as set back, until rollcall.bind_here. Done again after a kill, it does no harm. The log of the same
-- cluster still fits its position, also on another timeline; what waits in it is folded.
create or replace function rollcall.begin_recover() returns void language plpgsql set search_path = '' as $body$
begin
  if (select i.identity -> 'system_identifier' = x.now -> 'system_identifier' and i.identity -> 'oids' = x.now -> 'oids'
        from rollcall.install i cross join lateral (select rollcall.identity() as now) x) then
    perform rollcall.want_sweep('bound', null);
  else
    perform rollcall.begin_anew();
  end if;
  update rollcall.install set set_back_at = coalesce(set_back_at, now());
  perform rollcall.send_again(d.id, false) from rollcall.destinations d;
end $body$;

-- p_marks: [{contact, version, found, equal, left, id, leftovers}]. What is equal counts as delivered and is not sent; of all
-- others it is known where they are.
create or replace function rollcall.recover_contacts(p_destination smallint, p_run uuid, p_marks jsonb) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_contacts bigint[];
begin
  perform rollcall.use_remote(p_destination, p_run);
  select array_agg(x.id) into v_contacts from (
    select c.id from (
      select c.key collate "C" as key from jsonb_array_elements(p_marks) r
        cross join lateral (select c.key from rollcall.contacts c where c.id = (r ->> 'contact')::bigint offset 0) c
      order by 1) k
    cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0 for update) c) x;
  perform 1 from (select unnest(v_contacts) as id order by 1) x cross join lateral (
    select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.id offset 0 for update) s;

  perform rollcall.tell_leaving(p_destination, (
    select jsonb_agg(jsonb_build_object('contact', r ->> 'contact', 'places', r -> 'left'))
      from jsonb_array_elements(p_marks) r
      cross join lateral (select from rollcall.desired s where s.destination_id = p_destination
        and s.contact_id = (r ->> 'contact')::bigint and s.version = (r ->> 'version')::bigint and s.action = 'upsert' offset 0) s
     where jsonb_array_length(r -> 'left') > 0));

  with item as materialized (
    -- No reading shows lists.
    select s.*, m.found, m.equal and s.members is null and not s.payload ? ${LISTS} as equal,
           case when not m.found then null
                when ${free('s.address', 's.contact_id')} then s.address else s.remote_address end as now_address,
           case when not m.found then null when m.id is null then s.remote_id
                when not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = m.id
                  and o.contact_id <> s.contact_id offset 0) then m.id end as now_id,
           nullif(array(select a from unnest(s.leftovers) a
             union select a.address from (select ${normalAddress('j.written')} as address
               from jsonb_array_elements_text(m.leftovers) as j(written)) a
              where a.address is distinct from s.address and ${free('a.address', 's.contact_id')}), '{}') as now_leftovers
      from jsonb_to_recordset(p_marks) as m(contact bigint, version bigint, found boolean, equal boolean, id text, leftovers jsonb)
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = m.contact
        and s.version = m.version and s.action = 'upsert' offset 0) s
     where m.contact = any(v_contacts)
  ), written as (
    -- Each row is there and locked: an insert that conflicts is an update by key.
    insert into rollcall.desired as s (destination_id, contact_id, action, hash, version, delivered_version, remote_address, remote_id,
      leftovers)
    select p_destination, i.contact_id, i.action, i.hash, i.version, case when i.equal then i.version else i.delivered_version end,
           i.now_address, i.now_id, i.now_leftovers
      from item i
    on conflict (contact_id, destination_id) do update
       set delivered_version = excluded.delivered_version, remote_address = excluded.remote_address, remote_id = excluded.remote_id,
           leftovers = excluded.leftovers
  )
  delete from rollcall.due d
   where d.destination_id = p_destination and d.contact_id = any(array(
     -- Events of theirs that wait are sent.
     select i.contact_id from item i where i.equal and not exists (select from rollcall.events e
       where e.contact_id = i.contact_id and e.destination_id = p_destination and e.state = 'pending' and e.ready offset 0)));
end $body$;
`;
