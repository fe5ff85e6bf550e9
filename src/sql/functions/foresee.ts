import { KEYS_FIRST } from './plan-settings.ts';

/** What is about to happen: to contacts under a mapping that is not applied yet, and by a sweep that is to delete. */
export const foresee: string = /* sql */ `
-- Compares the next contacts with what they shall be, and writes nothing: how many would leave and how many would change, as the
-- brakes count them. p_destinations: name of a destination to {on_delete, clock}, its attributes that read the clock; others are
-- left out. No rows at the end.
create or replace function rollcall.foresee_page(p_after bigint, p_limit int, p_destinations jsonb)
returns table (last_id bigint, destination text, leaving int, changing int) language plpgsql
set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_keys text[];
  v_destination record;
  v_policy text;
  v_clock text[];
begin
  select max(x.id), array_agg(x.key order by x.id) into last_id, v_keys
    from (select c.id, c.key from rollcall.contacts c where c.id > p_after order by c.id limit p_limit) x;
  if v_keys is null then return; end if;
  for v_destination in select d.id, d.name, d.map_function from rollcall.destinations d where d.enabled and p_destinations ? d.name order by d.id loop
    destination := v_destination.name;
    v_policy := p_destinations -> destination ->> 'on_delete';
    v_clock := array(select jsonb_array_elements_text(p_destinations -> destination -> 'clock'));
    select count(*) filter (where x.leaves), count(*) filter (where x.changes) into leaving, changing
      from unnest(rollcall.wanted_rows(v_destination.id, v_destination.map_function, v_keys)) w
      cross join lateral (select * from rollcall.desired s
        where s.destination_id = v_destination.id and s.contact_id = w.contact_id and s.action = 'upsert'
          and coalesce(s.remote_address, s.remote_id) is not null offset 0) s
      cross join lateral (select
        w.verdict not in ('ok', 'failed', 'merged', 'source_paused') and v_policy <> 'keep' as leaves,
        w.verdict = 'ok' and s.hash <> w.hash and (s.address <> w.address or s.consent <> w.consent or s.payload - v_clock <> w.payload - v_clock) and s.delivered_version is not null
          and not (w.consent = 'opted_out' or w.consent = 'missing' and s.consent in ('basis', 'opted_out')) as changes) x;
    return next;
  end loop;
end $body$;

-- A sweep knows how many have vanished before the first of them is folded: too many stop at once, and none of them leaves.
create or replace function rollcall.foresee_deletes(p_count bigint) returns void language plpgsql set search_path = '' as $body$
declare
  v_limit rollcall.brake_limits := (select l from rollcall.brake_limits l where l.kind = 'deletes');
  v_brake rollcall.brakes;
  v_destination smallint;
  v_count bigint;
  v_living bigint;
begin
  if v_limit.share is null or p_count < 1 then return; end if;
  for v_destination in select d.id from rollcall.destinations d where d.enabled and d.on_delete <> 'keep' order by d.id loop
    v_brake := rollcall.take_brake(v_destination, 'deletes');
    -- They are contacts still, and counted as such; not all of them need be known at this destination.
    v_living := rollcall.living_contacts(v_destination);
    v_count := least(p_count, v_living) - case when v_brake.allowance_until > clock_timestamp() then v_brake.allowance else 0 end;
    continue when v_brake.stopped_at is not null or v_count < 1;
    v_count := v_count + (rollcall.passed(v_destination, 'deletes', clock_timestamp())).hour;
    if v_count >= v_limit.at_least and v_count > v_limit.share * v_living then
      perform rollcall.stop_brake(v_destination, 'deletes', clock_timestamp());
    end if;
  end loop;
end $body$;
`;
