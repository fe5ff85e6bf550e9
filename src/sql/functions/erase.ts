import { normalAddress, UUID } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Beginning an erasure. See SPEC.md, "Erasure". */
export const erase: string = /* sql */ `
-- Whose keys an id of a user, or an address, leads to: users with all who are known by the addresses they have, and whoever is known by
-- the address itself. None of whom nothing is held and who is no user.
create or replace function rollcall.erase_whom(p_who text) returns text[]
language plpgsql set search_path = '' set row_security = off as $body$
declare
  v_user text := case when p_who ~ ${UUID} then lower(p_who) end;
  v_address text := case when p_who like '%@%' then ${normalAddress('p_who')} end;
  v_users text[];
  v_addresses text[];
begin
  v_users := array(
    select c.key from rollcall.contacts c where c.key = v_user
    union select f.person from rollcall.consent f where f.person = v_user
    union select u.id::text from auth.users u where u.id = v_user::uuid
    union select c.key from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id
           where v_address in (s.address, s.waiting_for) and c.key not like 'email:%'
    union select u.id::text from auth.users u where v_address is not null and ${normalAddress('u.email')} = v_address);
  v_addresses := array(
    select a from rollcall.addresses_of(v_users) a
    union select v_address where exists (select from rollcall.contacts c where c.key = 'email:' || v_address)
      or exists (select from rollcall.consent f where f.address = v_address));
  return array(select x.key from (select k as key from unnest(v_users) k union select 'email:' || a from unnest(v_addresses) a) x
    where x.key is not null order by x.key collate "C");
end $body$;

-- The addresses that people have now, as their rows say and as we know them.
create or replace function rollcall.addresses_of(p_keys text[]) returns setof text language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  return query
    select substr(k, 7) from unnest(p_keys) k where k like 'email:%'
    union select a from rollcall.user_addresses(array(select k from unnest(p_keys) k where k not like 'email:%')) a
    union select a.address from unnest(p_keys) k
      cross join lateral (select c.id from rollcall.contacts c where c.key = k offset 0) c
      cross join lateral (select s.address, s.waiting_for from rollcall.desired s where s.contact_id = c.id offset 0) s
      cross join lateral (values (s.address), (s.waiting_for)) as a(address)
     where a.address is not null;
exception when syntax_error_or_access_rule_violation or invalid_schema_name then
  raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
end $body$;

-- Erases a person: records it, and has them deleted at every destination. The rest is done once that is settled, by
-- rollcall.finish_erasures. Asked for again while it is at work, it is the same erasure.
create or replace function rollcall.erase(p_who text, p_by text default 'operator') returns uuid
language plpgsql set search_path = '' as $body$
declare
  v_keys text[];
begin
  perform rollcall.required_pads();
  v_keys := rollcall.erase_whom(p_who);
  if cardinality(v_keys) = 0 then
    raise exception 'nothing is held about that person' using errcode = 'RC063';
  end if;
  return rollcall.erase_keys(v_keys, p_by);
end $body$;

create or replace function rollcall.erase_keys(p_keys text[], p_by text) returns uuid
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_contacts bigint[];
  v_id uuid;
begin
  perform rollcall.settle_key();
  insert into rollcall.contacts (key) select k from unnest(p_keys) k order by k collate "C" on conflict do nothing;
  select array_agg(x.id) into v_contacts from (
    select c.id from (select k collate "C" as key from unnest(p_keys) k order by 1) k
      cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0 for update) c) x;
  v_id := rollcall.begin_erasing(v_contacts, p_by);
  -- What waits is sent to nobody any more.
  update rollcall.events e set state = 'dropped', reason = 'contact_deleted', ready = true, ended_at = clock_timestamp()
   where e.state = 'pending' and e.contact_id = any(v_contacts);
  perform rollcall.fold_keys(p_keys, 0::smallint);
  return v_id;
end $body$;

-- Notes who is erased and where they may stand. The owner rows are locked by the caller. Who is being erased already stays in that
-- erasure, and by another's word goes past the brakes from now on.
create or replace function rollcall.begin_erasing(p_contacts bigint[], p_by text) returns uuid
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_bypass boolean := p_by <> 'user.deleted';
  v_id uuid := (select e.erasure_id from unnest(p_contacts) c
    cross join lateral (select e.erasure_id from rollcall.erasing e where e.contact_id = c offset 0) e limit 1);
begin
  if v_id is null then
    insert into rollcall.erasures (by) values (p_by) returning id into v_id;
  elsif v_bypass then
    update rollcall.erasures r set by = p_by where r.id = v_id and r.by = 'user.deleted';
  end if;
  insert into rollcall.erasing as g (contact_id, erasure_id, bypass, addresses)
    select c.id, v_id, v_bypass, array(select rollcall.addresses_of(array[c.key]))
      from unnest(p_contacts) as x(id) cross join lateral (select c.id, c.key from rollcall.contacts c where c.id = x.id offset 0) c
     order by c.id
  on conflict (contact_id) do update set bypass = g.bypass or excluded.bypass;
  insert into rollcall.erasing_at (contact_id, destination_id, places, known)
    select x.id, d.id, rollcall.places_of(d.id, x.id),
           coalesce(coalesce(s.remote_address, s.remote_id) is not null or s.leftovers is not null or q.tries > 0 or q.token is not null, false)
      from unnest(p_contacts) as x(id) cross join rollcall.destinations d
      left join lateral (select s.remote_address, s.remote_id, s.leftovers from rollcall.desired s
        where s.contact_id = x.id and s.destination_id = d.id offset 0) s on true
      left join lateral (select q.tries, q.token from rollcall.due q where q.contact_id = x.id and q.destination_id = d.id offset 0) q on true
     -- One that the config no longer names is told of too, where they are known there.
     where d.enabled or coalesce(s.remote_address, s.remote_id) is not null
     order by x.id, d.id
  on conflict do nothing;
  return v_id;
end $body$;

-- Where somebody may stand at a destination: under their id, and under each address they had there.
create or replace function rollcall.places_of(p_destination smallint, p_contact bigint) returns jsonb
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select coalesce(jsonb_agg(x.place order by x.turn), '[]') from (
    select 1 as turn, jsonb_build_object('address', coalesce(s.remote_address, s.address), 'id', s.remote_id) as place
      from rollcall.desired s where s.contact_id = p_contact and s.destination_id = p_destination and s.remote_id is not null
    union all
    select 2, jsonb_build_object('address', a.address, 'id', null) from (
      select unnest(array[s.address, s.remote_address] || s.leftovers) as address from rollcall.desired s
       where s.contact_id = p_contact and s.destination_id = p_destination
      union select p.address from rollcall.past_addresses p where p.contact_id = p_contact and p.destination_id = p_destination
      union select unnest(g.addresses) from rollcall.erasing g where g.contact_id = p_contact
      union select substr(c.key, 7) from rollcall.contacts c where c.id = p_contact and c.key like 'email:%') a
     where a.address is not null) x
$body$;

-- Asked by a fold, where the config says so: who is gone from auth.users is erased, within the brakes; who is back is not. The owner
-- rows are locked by the caller.
create or replace function rollcall.erase_deleted(p_keys text[]) returns void
language plpgsql set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_gone bigint[];
  v_back bigint[];
  v_contact bigint;
begin
  select array_agg(c.id) filter (where u.id is null and g.contact_id is null and (
           exists (select from rollcall.desired s where s.contact_id = c.id offset 0)
           or exists (select from rollcall.consent f where f.person = c.key offset 0))),
         array_agg(c.id) filter (where u.id is not null and not g.bypass)
    into v_gone, v_back
    from unnest(p_keys) as k(key)
    cross join lateral (select c.id, c.key from rollcall.contacts c where c.key = k.key offset 0) c
    left join lateral (select u.id from auth.users u where u.id = k.key::uuid offset 0) u on true
    left join lateral (select g.contact_id, g.bypass from rollcall.erasing g where g.contact_id = c.id offset 0) g on true
   where k.key not like 'email:%';
  if v_gone is not null then
    perform rollcall.settle_key();
    foreach v_contact in array v_gone loop
      perform rollcall.begin_erasing(array[v_contact], 'user.deleted');
    end loop;
  end if;
  if v_back is not null then
    delete from rollcall.erasures r where r.id = any(array(select g.erasure_id from rollcall.erasing g where g.contact_id = any(v_back)));
    delete from rollcall.erasing_at a where a.contact_id = any(v_back);
    delete from rollcall.erasing g where g.contact_id = any(v_back);
  end if;
exception when syntax_error_or_access_rule_violation or invalid_schema_name then
  raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
end $body$;
`;
