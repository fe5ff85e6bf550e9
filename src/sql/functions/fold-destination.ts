/**
 * Writing desired and due for one destination. Nearly everybody in a fold is as they were, or new at an address that is nobody's:
 * they are told apart here, as the way that knows every case costs several times as much.
 */
export const foldDestination: string = /* sql */ `
-- The owner rows of all contacts in p_wanted are locked by the caller, so nobody else changes what they shall be.
create or replace function rollcall.fold_destination(p_destination smallint, p_wanted rollcall.wanted[], p_lane smallint)
returns table (changed int, failed int) language plpgsql set search_path = '' as $body$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_letters boolean := exists (select from rollcall.dead_letters l where l.destination_id = p_destination);
  v_addresses text[];
  v_apart text[];       -- addresses that several of them want, or at which somebody may still exist
  v_waiting boolean := exists (select from rollcall.desired s where s.waiting_for is not null);
  v_kinds text[];
  v_others rollcall.wanted[];
  v_rest record;
begin
  -- A repair that puts strangers at addresses ends first: see rollcall.repair_contacts.
  lock table rollcall.desired in row exclusive mode;
  v_addresses := array(select w.address from unnest(p_wanted) w where w.verdict = 'ok');
  v_apart := array(select a from unnest(v_addresses) a group by a having count(*) > 1
    union all
    select unnest(o.leftovers) from rollcall.desired o where o.destination_id = p_destination and o.leftovers && v_addresses);
  select array_agg(x.kind order by v.place) into v_kinds
    from unnest(p_wanted) with ordinality as v(contact_id, key, verdict, address, consent, payload, hash, mapped, place)
    left join lateral (select s.action, s.reason, s.address, s.waiting_for, s.hash from rollcall.desired s
      where s.destination_id = p_destination and s.contact_id = v.contact_id offset 0) s on true
    cross join lateral (select case
      when v.verdict <> 'ok' then 'other'
      when v_letters and exists (select from rollcall.dead_letters l
        where l.destination_id = p_destination and l.contact_id = v.contact_id) then 'other'
      when s.action is not null then
        case when s.action = 'upsert' and s.reason is null and s.waiting_for is null and s.address = v.address and s.hash = v.hash
          then 'same' else 'other' end
      when v.address = any(v_apart)
        or exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = v.address offset 0)
        or exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_address = v.address offset 0)
        or v_waiting and exists (select from rollcall.desired o
          where o.destination_id + 0 = p_destination and o.waiting_for = v.address offset 0)
        or exists (select from rollcall.due d where d.destination_id = p_destination and d.contact_id = v.contact_id offset 0) then 'other'
      else 'new' end as kind) x;
  changed := 0; failed := 0;
  -- First, so that the events of a guest find the user who the guest turns out to be.
  if 'new' = any(v_kinds) then
    v_now := clock_timestamp();
    with written as (
      insert into rollcall.desired (destination_id, contact_id, action, address, payload, mapped, consent, hash, version)
      select p_destination, w.contact_id, 'upsert', w.address, w.payload, w.mapped,
             case w.consent when 'missing' then 'none' else w.consent end, w.hash, 1
        from rows from (unnest(p_wanted), unnest(v_kinds)) as w(contact_id, key, verdict, address, consent, payload, hash, mapped, kind)
       where w.kind = 'new' order by w.contact_id
      returning contact_id
    )
    insert into rollcall.due (destination_id, contact_id, lane, due_at, since)
      select p_destination, w.contact_id, p_lane, v_now, v_now from written w;
    get diagnostics changed = row_count;
  end if;
  if 'other' = any(v_kinds) then
    v_others := case when 'other' = all(v_kinds) then p_wanted else array(select w
      from unnest(p_wanted) with ordinality as x(contact_id, key, verdict, address, consent, payload, hash, mapped, place)
      cross join lateral (select (x.contact_id, x.key, x.verdict, x.address, x.consent, x.payload, x.hash, x.mapped)::rollcall.wanted as w) y
     where v_kinds[x.place] = 'other') end;
    select * into v_rest from rollcall.fold_careful(p_destination, v_others, p_lane);
    changed := changed + v_rest.changed; failed := v_rest.failed;
  end if;
  return next;
end $body$;
`;
