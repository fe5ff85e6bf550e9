import { HELD_LANE } from './brakes.ts';

/** Letting out what a brake holds, and what is to be seen of it. See SPEC.md, "Brakes". */
export const release: string = /* sql */ `
-- Lets out the p_count oldest of what is held of a kind (null: all). What is left of the number passes uncounted for an hour, once
-- nothing is held any more; then the brake is off too. Queue rows are locked before the brake, as a fold does.
create or replace function rollcall.release_held(p_destination smallint, p_kind text, p_count bigint,
  out released bigint, out held bigint, out allowance bigint, out allowance_until timestamptz)
language plpgsql set search_path = '' as $body$
declare
  v_now timestamptz;
  v_contacts bigint[];
  v_brake rollcall.brakes;
begin
  v_contacts := array(select x.contact_id from (
    select d.contact_id from rollcall.due d where d.queue = p_destination * 4 + ${HELD_LANE}
     order by d.since, d.contact_id limit p_count) x order by 1);
  perform 1 from unnest(v_contacts) as x(id) cross join lateral (
    select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d;
  v_brake := rollcall.take_brake(p_destination, p_kind);
  v_now := clock_timestamp();
  -- As due as can be: workers look from a lower bound on.
  update rollcall.due d set lane = 1, released = ${HELD_LANE},
         due_at = case when d.token is null then greatest(v_now, d.not_before) else d.due_at end
   where d.destination_id = p_destination and d.contact_id = any(v_contacts) and d.lane = ${HELD_LANE};
  get diagnostics released = row_count;
  held := (select count(*) from rollcall.due d where d.queue = p_destination * 4 + ${HELD_LANE});
  if held = 0 then
    if v_brake.stopped_at is not null then perform rollcall.end_brake(p_destination, p_kind); end if;
    if p_count > released then perform rollcall.allow(p_destination, p_kind, p_count - released); end if;
  end if;
  select case when b.allowance_until > v_now then b.allowance else 0 end, case when b.allowance_until > v_now and b.allowance > 0 then b.allowance_until end
    into allowance, allowance_until from rollcall.brakes b where b.destination_id = p_destination and b.kind = p_kind;
end $body$;

-- As many pass uncounted within an hour, also while the brake is stopped: they were announced, and somebody said yes.
create or replace function rollcall.allow(p_destination smallint, p_kind text, p_count bigint) returns void
language plpgsql set search_path = '' as $body$
declare
  v_brake rollcall.brakes := rollcall.take_brake(p_destination, p_kind);
begin
  update rollcall.brakes b
     set allowance = p_count + case when b.allowance_until > clock_timestamp() then b.allowance else 0 end,
         allowance_until = clock_timestamp() + interval '1 hour'
   where b.destination_id = p_destination and b.kind = p_kind;
end $body$;

-- The brake is off and counts from nothing. It is locked by the caller.
create or replace function rollcall.end_brake(p_destination smallint, p_kind text) returns void language sql set search_path = '' as $body$
  update rollcall.brakes b set stopped_at = null where b.destination_id = p_destination and b.kind = p_kind;
  delete from rollcall.brake_counts c where c.destination_id = p_destination and c.kind = p_kind;
$body$;

-- Whoever was held may have come back, or have been forgotten: a brake that holds nobody is off. A minute is left to a sweep that
-- stopped it before the first fold. Of what passed more than an hour ago the last sum is enough.
create or replace function rollcall.tidy_brakes() returns void language plpgsql set search_path = '' as $body$
declare
  v_brake rollcall.brakes;
begin
  for v_brake in select * from rollcall.brakes b order by b.destination_id, b.kind desc for update skip locked loop
    -- What became void under a lease that was then lost: it is claimed and settled as that.
    if v_brake.stopped_at is not null then
      update rollcall.due d set lane = 0
       where d.queue = v_brake.destination_id * 4 + case v_brake.kind when 'deletes' then 2 else 3 end
         and d.token is not null and d.due_at < clock_timestamp()
         and exists (select from rollcall.desired s
           where s.destination_id = d.destination_id and s.contact_id = d.contact_id and s.action = 'none' offset 0);
    end if;
    if v_brake.stopped_at < clock_timestamp() - interval '1 minute' and not exists (select from rollcall.due d
         where d.queue = v_brake.destination_id * 4 + case v_brake.kind when 'deletes' then 2 else 3 end) then
      perform rollcall.end_brake(v_brake.destination_id, v_brake.kind);
    else
      delete from rollcall.brake_counts c
       where c.destination_id = v_brake.destination_id and c.kind = v_brake.kind and (c.at, c.total) < (
         select c.at, c.total from rollcall.brake_counts c
          where c.destination_id = v_brake.destination_id and c.kind = v_brake.kind and c.at <= clock_timestamp() - interval '1 hour'
          order by c.at desc, c.total desc limit 1);
    end if;
  end loop;
end $body$;

-- What the config says, at each apply. A brake that is switched off lets out what it holds.
create or replace function rollcall.set_brake(p_kind text, p_share numeric, p_least int) returns void
language plpgsql set search_path = '' as $body$
begin
  insert into rollcall.brake_limits as l (kind, share, at_least) values (p_kind, p_share, p_least)
    on conflict (kind) do update set share = excluded.share, at_least = excluded.at_least
    where (l.share, l.at_least) is distinct from (excluded.share, excluded.at_least);
  if p_share is null then
    perform rollcall.release_held(b.destination_id, b.kind, null)
       from (select b.destination_id, b.kind from rollcall.brakes b where b.kind = p_kind and b.stopped_at is not null order by 1) b;
  end if;
end $body$;

-- Every brake of every destination, as status and \`rollcall release\` show them.
create or replace function rollcall.brake_states()
returns table (destination_id smallint, destination text, kind text, share numeric, at_least int, stopped_at timestamptz, held bigint,
  passed bigint, allowance bigint, allowance_until timestamptz)
language sql set search_path = '' as $body$
  select d.id, d.name, l.kind, l.share, l.at_least, b.stopped_at,
         (select count(*) from rollcall.due q where q.queue = d.id * 4 + case l.kind when 'deletes' then 2 else 3 end),
         (rollcall.passed(d.id, l.kind, clock_timestamp())).hour,
         case when b.allowance_until > clock_timestamp() then b.allowance else 0 end,
         case when b.allowance_until > clock_timestamp() and b.allowance > 0 then b.allowance_until end
    from rollcall.destinations d
    cross join rollcall.brake_limits l
    left join rollcall.brakes b on b.destination_id = d.id and b.kind = l.kind
   where d.enabled order by d.id, l.kind desc
$body$;
`;
