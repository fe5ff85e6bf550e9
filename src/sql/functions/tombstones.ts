import { KEYS_FIRST } from './plan-settings.ts';

/** What keeps the erased from coming back: asked only of keys that have no contact, and only where anybody was erased. */
export const tombstones: string = /* sql */ `
-- Those of the keys that may be folded, in their order.
create or replace function rollcall.living_keys(p_keys text[]) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  if cardinality(p_keys) > 0 is not true or not exists (select from rollcall.tombstones) then return p_keys; end if;
  return array(
    select x.key from unnest(p_keys, rollcall.keyed_hashes(p_keys)) with ordinality as x(key, hash, n)
     where not exists (select from rollcall.tombstones t where t.hash = x.hash offset 0) order by x.n);
end $body$;

-- Events of the erased are nobody's, and neither are those of whoever is being erased. What leads to an address alone is for the
-- user who has it now, or waits for it.
create or replace function rollcall.living_events(p_events rollcall.read_event[]) returns rollcall.read_event[]
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_keys text[];
  v_gone text[];
begin
  if p_events is null or not exists (select from rollcall.tombstones) and not exists (select from rollcall.erasing) then return p_events; end if;
  select array_agg(k.key) filter (where c.id is null and a.living is not true),
         array_agg(k.key) filter (where e.contact_id is not null)
    into v_keys, v_gone
    from (select distinct e.key from unnest(p_events) e where e.key is not null) k
    left join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c on true
    left join lateral (select e.contact_id from rollcall.erasing e where e.contact_id = c.id and e.bypass offset 0) e on true
    left join lateral (select true as living where k.key like 'email:%' and (
      exists (select from rollcall.desired s where s.address = substr(k.key, 7) offset 0)
      or exists (select from rollcall.desired s where s.waiting_for = substr(k.key, 7) offset 0))) a on true;
  v_keys := array(select k from unnest(v_keys) k except select k from unnest(rollcall.living_keys(v_keys)) k);
  if cardinality(v_keys) > 0 then perform rollcall.want_rotation(); end if;
  v_gone := v_gone || v_keys;
  if cardinality(v_gone) > 0 is not true then return p_events; end if;
  return array(select e from unnest(p_events) with ordinality as x(id, source, key, name, properties, happened_at, code, message, n)
    cross join lateral (select (x.id, x.source, x.key, x.name, x.properties, x.happened_at, x.code, x.message)::rollcall.read_event as e) y
   where x.key is null or x.key <> all(v_gone) order by x.n);
end $body$;

-- Whoever is being erased is no contact any more, whatever their rows say. In the same order.
create or replace function rollcall.erased_rows(p_rows rollcall.mapped[]) returns rollcall.mapped[]
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select array_agg(case when e.contact_id is null then row(m.key, m.verdict, m.address, m.consent, m.payload, m.cleared)::rollcall.mapped
           else row(m.key, 'erased', null, 'none', '{}'::jsonb, '{}'::jsonb)::rollcall.mapped end order by m.place)
    from unnest(p_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, place)
    left join lateral (select c.id from rollcall.contacts c where c.key = m.key offset 0) c on true
    left join lateral (select e.contact_id from rollcall.erasing e where e.contact_id = c.id and e.bypass offset 0) e on true
$body$;

-- What the log has until now is to go soon: it names somebody who is erased. See rollcall.rotate_wanted.
create or replace function rollcall.want_rotation() returns void language sql set search_path = '' as $body$
  update rollcall.install i set rotate_xid = pg_current_xact_id()
$body$;

-- Addresses of which nothing may be written down in clear: of somebody erased, and nobody has them since.
create or replace function rollcall.erased_addresses(p_addresses text[]) returns text[] language plpgsql stable
set search_path = '' ${KEYS_FIRST} as $body$
begin
  if cardinality(p_addresses) > 0 is not true or not rollcall.has_hashed() then return '{}'; end if;
  return array(
    select x.address from unnest(p_addresses, rollcall.keyed_hashes(array(select 'email:' || a from unnest(p_addresses) with ordinality as y(a, n) order by n)))
        as x(address, hash)
     where not exists (select from rollcall.desired s where s.address = x.address offset 0)
       and not exists (select from rollcall.desired s where s.waiting_for = x.address offset 0)
       and (exists (select from rollcall.tombstones t where t.hash = x.hash offset 0)
         or exists (select from rollcall.consent f where f.address = rollcall.hashed(x.address) offset 0)));
end $body$;
`;
