import { KEYS_FIRST } from './plan-settings.ts';

/** Whether anything is still to be said of a contact. A destination that the config no longer names does not count. */
function kept(contact: string): string {
  const enabled = (row: string): string =>
    `exists (select from rollcall.destinations t where t.id = ${row}.destination_id and t.enabled offset 0)`;
  return `(exists (select from rollcall.erasing g where g.contact_id = ${contact} offset 0)
       or exists (select from rollcall.due q where q.contact_id = ${contact} and ${enabled('q')} offset 0)
       or exists (select from rollcall.events e where e.contact_id = ${contact} and e.state = 'pending' offset 0)
       or exists (select from rollcall.dead_letters l where l.contact_id = ${contact} and ${enabled('l')} offset 0)
       or exists (select from rollcall.desired o where o.contact_id = ${contact} and ${enabled('o')} and (o.action <> 'none'
             or o.reason is distinct from 'gone' or o.remote_address is not null or o.remote_id is not null or o.leftovers is not null)
             offset 0))`;
}

/** Past addresses of a contact at a destination that are kept: by the last of them a stray there is known. */
const PAST_ADDRESSES_MOST = 20;

/** Least data: of whoever left, and is nowhere any more, nothing is kept. */
export const forget: string = /* sql */ `
-- Contacts that no destination has and no source names. A key holds an address, or leads to one. Whoever comes back is new.
create or replace function rollcall.forget_contacts(p_limit int) returns int language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_contacts bigint[];
begin
  v_contacts := array(
    select c.id
      from (select distinct x.contact_id from (
              select s.contact_id from rollcall.desired s
               where s.action = 'none' and s.reason = 'gone' and s.remote_address is null and s.remote_id is null and s.leftovers is null
                 and not ${kept('s.contact_id')}
               limit p_limit) x) x
      cross join lateral (select c.id from rollcall.contacts c where c.id = x.contact_id offset 0 for update skip locked) c);
  return rollcall.forget_of(v_contacts);
end $body$;

-- The same for contacts that no destination was ever to have: of those whose row a sweep has not found.
create or replace function rollcall.forget_keys(p_keys text[]) returns int
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  if p_keys is null then return 0; end if;
  return rollcall.forget_of(array(
    select c.id from unnest(p_keys) as x(key)
     cross join lateral (select c.id from rollcall.contacts c where c.key = x.key
       and not exists (select from rollcall.desired s where s.contact_id = c.id offset 0) and not ${kept('c.id')}
       offset 0 for update skip locked) c));
end $body$;

-- All but the last addresses that each of these has given up. The owner rows are locked by the caller.
create or replace function rollcall.forget_past_addresses(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  delete from rollcall.past_addresses d where d.id = any(array(
    select o.id from unnest(p_contacts) as c(id)
      cross join lateral (select p.id from rollcall.past_addresses p
        where p.contact_id = c.id and p.destination_id = p_destination order by p.id desc offset ${PAST_ADDRESSES_MOST}) o))
$body$;

-- The owner rows are locked by the caller.
create or replace function rollcall.forget_of(p_contacts bigint[]) returns int language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_contacts bigint[];
begin
  if cardinality(p_contacts) = 0 then return 0; end if;
  -- Whoever settles holds the state, not the owner row: what a late outcome makes due is seen, or finds nobody.
  perform 1 from (select unnest(p_contacts) as id order by 1) x cross join lateral (
    select from rollcall.desired s where s.contact_id = x.id offset 0 for update) s;
  v_contacts := array(
    select x.id from unnest(p_contacts) as x(id)
     where not ${kept('x.id')});
  delete from rollcall.due d where d.contact_id = any(v_contacts);
  delete from rollcall.desired s where s.contact_id = any(v_contacts);
  delete from rollcall.dead_letters l where l.contact_id = any(v_contacts);
  delete from rollcall.given g where g.contact_id = any(v_contacts);
  delete from rollcall.past_addresses a where a.contact_id = any(v_contacts);
  delete from rollcall.answers a where a.contact_id = any(v_contacts);
  delete from rollcall.write_backs w where w.contact_id = any(v_contacts);
  delete from rollcall.contacts c where c.id = any(v_contacts);
  return cardinality(v_contacts);
end $body$;
`;
