/** The held lane of a kind, as SQL. */
export const HELD_LANE = `(case p_kind when 'deletes' then 2 else 3 end)::smallint`;

/**
 * Whether what waits for a contact is of a kind, as SQL. Somebody who is merged into another contact has not left, whoever is
 * erased leaves because somebody has said so, and an opt-out is never held. @param s alias of `rollcall.desired`
 */
function isOfKind(s: string): string {
  return `case p_kind when 'deletes' then ${s}.action in ('delete', 'unsubscribe') and ${s}.reason not in ('merged', 'erased') is not false
             else ${s}.action = 'upsert' and ${s}.consent <> 'opted_out' and ${s}.counted_at > p_now - interval '1 hour' end
         and ${s}.delivered_version is distinct from ${s}.version`;
}

/** What passed in the hour before p_now, where the sum stands, and since when. A fold reads it without a call, as each costs. */
const PASSED = `
  select coalesce(l.total, 0) - coalesce((
           select c.total from rollcall.brake_counts c
            where c.destination_id = p_destination and c.kind = p_kind and c.at <= p_now - interval '1 hour'
            order by c.at desc, c.total desc limit 1), 0) as hour, coalesce(l.total, 0) as total, coalesce(l.at, '-infinity') as at
    from (select) x
    left join lateral (
      select c.total, c.at from rollcall.brake_counts c where c.destination_id = p_destination and c.kind = p_kind
       order by c.at desc, c.total desc limit 1) l on true`;

/** The brakes on deletions and changes, asked by the fold. See SPEC.md, "Brakes". */
export const brakes: string = /* sql */ `
-- Those who are contacts at a destination now. The fold switches off what this needs.
create or replace function rollcall.living_contacts(p_destination smallint) returns bigint language sql
set search_path = '' set enable_seqscan = on set enable_bitmapscan = on as $body$
  -- Who is a contact has an address, and nobody else: its index is the smallest.
  select count(*) from rollcall.desired s where s.address is not null and s.destination_id = p_destination
$body$;

-- How many passed in the hour before, and where the sum stands.
create or replace function rollcall.passed(p_destination smallint, p_kind text, p_now timestamptz,
  out hour bigint, out total bigint, out at timestamptz) language sql set search_path = '' as $body$${PASSED}
$body$;

-- The row of a brake, locked.
create or replace function rollcall.take_brake(p_destination smallint, p_kind text) returns rollcall.brakes
language plpgsql set search_path = '' as $body$
declare
  v_brake rollcall.brakes;
begin
  select * into v_brake from rollcall.brakes b where b.destination_id = p_destination and b.kind = p_kind for update;
  if not found then
    insert into rollcall.brakes (destination_id, kind) values (p_destination, p_kind) on conflict do nothing;
    select * into v_brake from rollcall.brakes b where b.destination_id = p_destination and b.kind = p_kind for update;
  end if;
  return v_brake;
end $body$;

-- Whether p_sum in an hour are too many. Contacts are counted again before anything stops, else at most once a minute and only when
-- it comes near. Who left in this hour was a contact at its start. The brake is locked by the caller.
create or replace function rollcall.too_many(p_brake rollcall.brakes, p_limit rollcall.brake_limits, p_sum bigint, p_now timestamptz)
returns boolean language plpgsql set search_path = '' as $body$
declare
  v_contacts bigint := p_brake.contacts;
begin
  if v_contacts is null or p_sum > p_limit.share * v_contacts
     or p_brake.contacts_at < p_now - interval '1 minute' and p_sum * 2 > p_limit.share * v_contacts
     or p_brake.contacts_at < p_now - interval '1 day' then
    v_contacts := rollcall.living_contacts(p_brake.destination_id) + case p_brake.kind when 'deletes' then p_sum else 0 end;
    update rollcall.brakes b set contacts = v_contacts, contacts_at = p_now
     where b.destination_id = p_brake.destination_id and b.kind = p_brake.kind;
  end if;
  return p_sum > p_limit.share * v_contacts;
end $body$;

-- Stops a brake: what waits of that kind goes no further. What is in flight, or just being claimed or settled, was counted before.
create or replace function rollcall.stop_brake(p_destination smallint, p_kind text, p_now timestamptz) returns void
language plpgsql set search_path = '' as $body$
begin
  update rollcall.brakes b set stopped_at = p_now where b.destination_id = p_destination and b.kind = p_kind;
  update rollcall.due d set lane = ${HELD_LANE} where d.destination_id = p_destination and d.contact_id = any(array(
    select d.contact_id from rollcall.due d
      cross join lateral (select from rollcall.desired s
        where s.destination_id = p_destination and s.contact_id = d.contact_id and ${isOfKind('s')} offset 0) s
     where d.queue in (p_destination * 4, p_destination * 4 + 1) and d.token is null and d.released is distinct from ${HELD_LANE}
       for update of d skip locked));
end $body$;

-- Of contacts that were held and are due as what they are now: whoever has come back, left or opted out is held no longer.
create or replace function rollcall.let_go(p_destination smallint, p_contacts bigint[], p_lane smallint) returns void
language sql set search_path = '' as $body$
  update rollcall.due d set lane = p_lane, released = null
   where d.destination_id = p_destination and d.contact_id = any(array(
     select d.contact_id from unnest(p_contacts) as x(id)
       cross join lateral (select d.contact_id, d.lane from rollcall.due d
         where d.destination_id = p_destination and d.contact_id = x.id offset 0) d
       cross join lateral (select from rollcall.desired s
         where s.destination_id = p_destination and s.contact_id = x.id and not case d.lane
           when 2 then s.action in ('delete', 'unsubscribe') and s.reason not in ('merged', 'erased') is not false
           when 3 then s.action = 'upsert' and s.consent <> 'opted_out'
           else true end offset 0) s))
$body$;

-- Asked by a fold that has made due: p_contacts, which are of that kind, and among them p_new, not counted yet. Holds what may not
-- pass; nobody can have claimed it, as the fold has not committed.
create or replace function rollcall.obey_brake(p_destination smallint, p_kind text, p_contacts bigint[], p_new bigint[], p_now timestamptz)
returns void language plpgsql set search_path = '' as $body$
declare
  v_limit rollcall.brake_limits;
  v_brake rollcall.brakes;
  v_left bigint[] := coalesce(p_new, '{}');
  v_allowed int;
  v_passed record;
  v_sum bigint;
begin
  select * into v_limit from rollcall.brake_limits l where l.kind = p_kind;
  if v_limit.share is null then return; end if;
  -- Nothing to count, as with a contact that changes again: only whether it is stopped matters.
  if p_new is null and not exists (select from rollcall.brakes b
       where b.destination_id = p_destination and b.kind = p_kind and b.stopped_at is not null) then
    return;
  end if;
  select * into v_brake from rollcall.brakes b where b.destination_id = p_destination and b.kind = p_kind for update;
  if not found then v_brake := rollcall.take_brake(p_destination, p_kind); end if;
  if v_brake.allowance > 0 and v_brake.allowance_until > p_now and p_new is not null then
    v_allowed := least(v_brake.allowance, cardinality(p_new));
    update rollcall.brakes b set allowance = b.allowance - v_allowed where b.destination_id = p_destination and b.kind = p_kind;
    update rollcall.due d set released = ${HELD_LANE}
     where d.destination_id = p_destination and d.contact_id = any(p_new[1:v_allowed]);
    v_left := p_new[v_allowed + 1:];
  end if;
  if v_brake.stopped_at is null then
    if cardinality(v_left) = 0 then return; end if;
    -- In a statement of its own: whoever had the brake before us has committed.
    select * into v_passed from (${PASSED}) p;
    v_sum := v_passed.hour + cardinality(v_left);
    if v_sum < v_limit.at_least or not rollcall.too_many(v_brake, v_limit, v_sum, p_now) then
      insert into rollcall.brake_counts (destination_id, kind, at, total)
        values (p_destination, p_kind, greatest(p_now, v_passed.at), v_passed.total + cardinality(v_left));
      return;
    end if;
    perform rollcall.stop_brake(p_destination, p_kind, p_now);
  end if;
  update rollcall.due d set lane = ${HELD_LANE}, released = null
   where d.destination_id = p_destination and d.contact_id = any(p_contacts)
     and (d.contact_id = any(v_left) or d.released is distinct from ${HELD_LANE});
end $body$;
`;
