import { LISTS } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { SUPPRESSED } from './remote.ts';
import { free } from './repair.ts';

/**
 * Nothing of this contact was ever sent to the destination, nor is on its way. What stands there was not made by us then, whenever it was read.
 * As SQL over `s`, its row of desired, and `d`, its row of due, if any.
 */
const UNSENT = `s.delivered_version is null and s.remote_address is null and s.remote_id is null and s.leftovers is null
       and d.token is null and d.unknown_until is null`;

/** Taking over what a destination had before us. See docs/consent.md, "Contacts that are there already". */
export const adopt: string = /* sql */ `
-- Puts into the ledger what a page of the reading tells of consent, also of addresses that nobody here has. Where a contact that is
-- unsubscribed may have been made so by us it tells nothing: whoever never said yes is unsubscribed there by us.
create or replace function rollcall.adopt_facts(p_destination smallint, p_run uuid, p_after bigint, p_limit int,
  out last_place bigint, out recorded int)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_since timestamptz := (rollcall.use_remote(p_destination, p_run)).began_at;
  v_name text := (select d.name from rollcall.destinations d where d.id = p_destination);
  v_places bigint[];
  v_facts jsonb;
begin
  v_places := array(select r.place from rollcall.remote_contacts r where r.destination_id = p_destination and r.place > p_after
                     order by r.place limit p_limit);
  last_place := case when cardinality(v_places) = p_limit then v_places[p_limit] end;
  v_places := array(
    select r.place from unnest(v_places) as p(place)
      cross join lateral (select * from rollcall.remote_contacts r where r.place = p.place offset 0) r
     where r.status = '${SUPPRESSED}' or r.status = 'unsubscribed' and not exists (
       select from (
           select o.contact_id from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = r.address
           union select o.contact_id from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_address = r.address
           union select o.contact_id from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = r.remote_id
           union select o.contact_id from rollcall.desired o where o.destination_id = p_destination and o.leftovers && array[r.address]
           union select a.contact_id from rollcall.past_addresses a where a.address = r.address and a.destination_id = p_destination) x
         cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.contact_id offset 0) s
         left join lateral (select * from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.contact_id offset 0) d on true
        where not (${UNSENT})
          and not (s.action = 'upsert' and s.consent = 'basis' and s.delivered_version = s.version
            and not rollcall.is_moving(p_destination, s.contact_id, v_since))));
  v_facts := rollcall.facts_at(v_places, array_fill(null::text, array[cardinality(v_places)]));
  -- By their ids, as rollcall.add_facts makes them.
  recorded := (select count(distinct f ->> 'id') from jsonb_array_elements(v_facts) f where not exists (select from rollcall.consent c
    where c.id = encode(sha256(convert_to('destination:' || v_name || ' ' || (f ->> 'id'), 'UTF8')), 'hex') offset 0));
  if v_facts <> '[]' then perform rollcall.receive_facts(v_name, v_facts, v_since); end if;
end $body$;

-- p_marks: [{contact, version, id, equal, apart}]. Whoever was never sent is known from now on as who stands there at their address, and
-- whoever is equal counts as delivered. With apart no request for many takes them: only the id names them for certain. Of whoever was
-- delivered without an id the id is noted. Who has changed since the comparison, or is being sent, is left alone. Gives back how many of each.
create or replace function rollcall.adopt_contacts(p_destination smallint, p_run uuid, p_marks jsonb, out known int, out equal int)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_since timestamptz := (rollcall.use_remote(p_destination, p_run)).began_at;
  v_contacts bigint[];
  v_equal bigint[];
  v_apart bigint[];
begin
  -- Owner rows first, in the order of their keys, as the fold does; then state, then queue, so that none is claimed meanwhile.
  select array_agg(x.id) into v_contacts from (
    select c.id from (
      select c.key collate "C" as key from jsonb_array_elements(p_marks) r
        cross join lateral (select c.key from rollcall.contacts c where c.id = (r ->> 'contact')::bigint offset 0) c
      order by 1) k
    cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0 for update) c) x;
  perform 1 from (select unnest(v_contacts) as id order by 1) x cross join lateral (
    select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.id offset 0 for update) s;
  perform 1 from (select unnest(v_contacts) as id order by 1) x cross join lateral (
    select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d;

  with item as materialized (
    select s.contact_id, s.action, s.hash, s.version, s.address, s.delivered_version, m.id, m.apart, u.unsent,
           u.unsent and m.equal and not s.takeover and not s.payload ? ${LISTS} as equal
      from jsonb_to_recordset(p_marks) as m(contact bigint, version bigint, id text, equal boolean, apart boolean)
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = m.contact
        and s.version = m.version and s.action = 'upsert' offset 0) s
      left join lateral (select * from rollcall.due d where d.destination_id = p_destination and d.contact_id = m.contact offset 0) d on true
      cross join lateral (select ${UNSENT} as unsent) u
     where m.contact = any(v_contacts)
       and (u.unsent and ${free('s.address', 's.contact_id')}
         or m.id is not null and s.remote_id is null and s.remote_address = s.address and s.delivered_version = s.version
           and not rollcall.is_moving(p_destination, s.contact_id, v_since))
       and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = m.id
         and o.contact_id <> s.contact_id offset 0)
  ), written as (
    -- Each row is there and locked: an insert that conflicts is an update by key.
    insert into rollcall.desired as s (destination_id, contact_id, action, hash, version, delivered_version, remote_address, remote_id, imported)
    select p_destination, i.contact_id, i.action, i.hash, i.version, case when i.equal then i.version else i.delivered_version end,
           i.address, i.id, i.id is null
      from item i
    on conflict (contact_id, destination_id) do update
       set delivered_version = excluded.delivered_version, remote_address = excluded.remote_address, remote_id = excluded.remote_id,
           imported = s.imported or excluded.imported
  )
  select count(*), count(*) filter (where i.equal), array_agg(i.contact_id) filter (where i.equal),
         array_agg(i.contact_id) filter (where i.unsent and i.apart)
    into known, equal, v_equal, v_apart from item i;
  delete from rollcall.due d
   where d.destination_id = p_destination and d.contact_id = any(v_equal)
     -- Events of theirs that wait are sent.
     and not exists (select from rollcall.events e
       where e.contact_id = d.contact_id and e.destination_id = p_destination and e.state = 'pending' and e.ready offset 0);
  delete from rollcall.dead_letters l
   where l.destination_id = p_destination and l.contact_id = any(v_equal) and l.stage = 'deliver';
  update rollcall.due d set single = true where d.destination_id = p_destination and d.contact_id = any(v_apart);
end $body$;
`;
