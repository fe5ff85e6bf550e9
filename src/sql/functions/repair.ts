import { normalAddress } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Nobody else lives at an address, and nobody else is known to stand there. As SQL over the contact it is for. */
export function free(address: string, contact: string): string {
  return `not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = ${address}
             and o.contact_id <> ${contact} offset 0)
          and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_address = ${address}
             and o.contact_id <> ${contact} offset 0)`;
}

/** Putting right what an audit has found: through the queue, as any change. */
export const repair: string = /* sql */ `
-- p_repairs: [{kind, contact, version, forget_id, leftovers, places, address, id}]. Who has changed since the comparison, or moves, is
-- left alone: the next audit looks again. Gives back how many of each kind were written.
create or replace function rollcall.repair_contacts(p_destination smallint, p_run uuid, p_repairs jsonb) returns jsonb
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_since timestamptz := (rollcall.use_remote(p_destination, p_run)).began_at;
  v_contacts bigint[];
  v_strangers text[];
  v_anew bigint[];
  v_resend bigint[];
  v_left jsonb[];
  v_remove bigint[];
  v_now timestamptz := clock_timestamp();
  v_changes bigint[];          -- those of the resent that the brake has not counted within the hour
begin
  select array_agg(distinct 'email:' || ${normalAddress("r ->> 'address'")}) into v_strangers
    from jsonb_array_elements(p_repairs) r where r ->> 'kind' = 'remove' and r ->> 'contact' is null;
  -- An address that is to be removed must not be taken by somebody in the same moment: neither would see the other.
  if v_strangers is not null or jsonb_path_exists(p_repairs, '$[*] ? (@.kind == "remove" || @.leftovers.size() > 0)') then
    lock table rollcall.desired in share row exclusive mode;
  end if;
  insert into rollcall.contacts (key)
    select k from unnest(v_strangers) k where not exists (select from rollcall.contacts c where c.key = k offset 0) order by k
    on conflict do nothing;

  -- Owner rows first, in the order of their keys, as the fold does; then state, then queue.
  select array_agg(x.id) into v_contacts from (
    select c.id from (
      select c.key collate "C" as key from jsonb_array_elements(p_repairs) r
        cross join lateral (select c.key from rollcall.contacts c where c.id = (r ->> 'contact')::bigint offset 0) c
      union select k from unnest(v_strangers) k
      order by 1) k
    cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0 for update) c) x;
  perform 1 from (select unnest(v_contacts) as id order by 1) x cross join lateral (
    select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.id offset 0 for update) s;
  v_contacts := array(select x from unnest(v_contacts) x where not rollcall.is_moving(p_destination, x, v_since));

  -- No request follows: they have left there already. It raises no version, so it goes before what does.
  select array_agg(jsonb_build_object('contact', r ->> 'contact', 'places', coalesce(r -> 'places', '[]'))) into v_left
    from jsonb_array_elements(p_repairs) r
    cross join lateral (select from rollcall.desired s where s.destination_id = p_destination
      and s.contact_id = (r ->> 'contact')::bigint and s.version = (r ->> 'version')::bigint offset 0) s
   where r ->> 'kind' = 'opted_out' and (r ->> 'contact')::bigint = any(v_contacts);
  perform rollcall.tell_leaving(p_destination, to_jsonb(v_left));

  with item as (
    select (r ->> 'contact')::bigint as contact, r ->> 'kind' as kind, coalesce((r ->> 'forget_id')::boolean, false) as forget_id,
           s.version, s.action, s.hash, s.remote_address, s.remote_id, s.delivered_version,
           coalesce(s.counted_at <= v_now - interval '1 hour', true) as uncounted,
           nullif(array(select a from unnest(s.leftovers) a
             union select a.address from (select ${normalAddress('j.written')} as address
               from jsonb_array_elements_text(coalesce(r -> 'leftovers', '[]')) as j(written)) a
              where a.address is distinct from s.address and ${free('a.address', 's.contact_id')}), '{}') as leftovers
      from jsonb_array_elements(p_repairs) r
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination
        and s.contact_id = (r ->> 'contact')::bigint and s.version = (r ->> 'version')::bigint offset 0) s
     where r ->> 'kind' in ('anew', 'resend') and (r ->> 'contact')::bigint = any(v_contacts)
  ), written as (
    -- Each row is there and locked: an insert that conflicts is an update by key.
    insert into rollcall.desired as s (destination_id, contact_id, action, hash, version, remote_address, remote_id, leftovers, counted_at)
    select p_destination, i.contact, i.action, i.hash, i.version + 1,
           case when i.kind <> 'anew' then i.remote_address end,
           case when i.kind <> 'anew' and not i.forget_id then i.remote_id end, i.leftovers,
           case when i.kind = 'resend' then v_now end
      from item i
    on conflict (contact_id, destination_id) do update
       set version = excluded.version, remote_address = excluded.remote_address, remote_id = excluded.remote_id,
           leftovers = excluded.leftovers, counted_at = coalesce(excluded.counted_at, s.counted_at)
    returning s.contact_id)
  select array_agg(i.contact) filter (where i.kind = 'anew'), array_agg(i.contact) filter (where i.kind = 'resend'),
         array_agg(i.contact) filter (where i.kind = 'resend' and i.uncounted)
    into v_anew, v_resend, v_changes from item i where i.contact in (select w.contact_id from written w);

  -- Nothing of somebody who is back, and nothing at an address that is taken by now.
  with item as (
    select distinct on (c.id) c.id as contact, x.address, r ->> 'id' as remote_id, s.version, s.reason
      from jsonb_array_elements(p_repairs) r
      cross join lateral (select ${normalAddress("r ->> 'address'")} as address) x
      cross join lateral (select c.id from rollcall.contacts c where c.id = (r ->> 'contact')::bigint
        or r ->> 'contact' is null and c.key = 'email:' || x.address offset 0) c
      left join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = c.id offset 0) s on true
     where r ->> 'kind' = 'remove' and c.id = any(v_contacts) and ${free('x.address', 'c.id')}
       and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = r ->> 'id' offset 0)
       and (s.contact_id is null or s.action = 'none' and coalesce(s.remote_address, s.remote_id) is null
         and (r ->> 'version' is null or s.version = (r ->> 'version')::bigint))
     order by c.id, (r ->> 'id')
  ), written as (
    insert into rollcall.desired as s (destination_id, contact_id, action, reason, hash, version, remote_address, remote_id)
    select p_destination, i.contact, 'delete', coalesce(i.reason, 'gone'), '', coalesce(i.version, 0) + 1, i.address, i.remote_id from item i
    on conflict (contact_id, destination_id) do update
       set action = excluded.action, version = excluded.version, remote_address = excluded.remote_address, remote_id = excluded.remote_id
    returning s.contact_id)
  select array_agg(w.contact_id) into v_remove from written w;

  insert into rollcall.due as d (destination_id, contact_id, lane, due_at)
    select p_destination, x, 1, v_now from unnest(v_anew || v_resend || v_remove) x
    on conflict do nothing;
  if v_remove is not null then perform rollcall.obey_brake(p_destination, 'deletes', v_remove, v_remove, v_now); end if;
  if v_resend is not null then perform rollcall.obey_brake(p_destination, 'changes', v_resend, v_changes, v_now); end if;
  return jsonb_build_object('anew', coalesce(cardinality(v_anew), 0), 'resend', coalesce(cardinality(v_resend), 0),
    'opted_out', coalesce(cardinality(v_left), 0), 'remove', coalesce(cardinality(v_remove), 0));
end $body$;
`;
