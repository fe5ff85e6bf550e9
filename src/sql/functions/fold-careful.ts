import { LISTS } from './lists.ts';

/** So long a deletion waits for a look at who has the address: that may have left unseen. */
const LOOK = `interval '2 seconds'`;

/** Writing desired and due of contacts of whom anything may be the case. See SPEC.md, "Invariants", 3 and 6. */
export const foldCareful: string = /* sql */ `
-- The end of two doubts, of a contact's own and of whoever had its address before. A little later than either, so that the end of
-- the one (see rollcall.settle) is not taken for the end of both.
create or replace function rollcall.doubts(p_one timestamptz, p_other timestamptz) returns timestamptz language sql immutable as $body$
  select case when p_one is null or p_other is null then coalesce(p_one, p_other)
         else greatest(p_one, p_other) + interval '1 microsecond' end
$body$;

-- The owner rows of all contacts in p_wanted are locked by the caller.
create or replace function rollcall.fold_careful(p_destination smallint, p_wanted rollcall.wanted[], p_lane smallint)
returns table (changed int, failed int) language plpgsql set search_path = '' as $body$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_grace interval := (select i.grace from rollcall.install i);
  v_leave text := (select d.on_delete from rollcall.destinations d where d.id = p_destination);
  v_fresh text[];             -- addresses that are new to whoever wants them
  v_touched bigint[];
  v_released text[];
  v_changed bigint[];
  v_blocked bigint[];
  v_newly bigint[];           -- blocked since this fold
  v_unseen bigint[];          -- of these, by somebody who is not in this fold
  v_holders text[];
  v_taken text[];
  v_takers bigint[];
  v_free jsonb := '{}';       -- taken address -> end of the lease under which a request touches it; null when there is none
  v_unknown jsonb := '{}';    -- taken address -> until when such a request may still arrive
  v_leaving bigint[];         -- of those that changed, whom a brake on deletions is about, and who of them is not counted yet
  v_left bigint[];
  v_changing bigint[];        -- the same for the brake on changes
  v_altered bigint[];
  v_held bigint[];            -- those that a brake has held so far
  v_clock text[] := (select d.clock_attributes from rollcall.destinations d where d.id = p_destination);
  v_erasing bigint[];         -- whoever is being erased is deleted, whatever the policy says
begin
  if exists (select from rollcall.erasing) then
    v_erasing := array(select w.contact_id from unnest(p_wanted) w
      where exists (select from rollcall.erasing e where e.contact_id = w.contact_id offset 0));
  end if;
  select array_agg(distinct w.address) into v_fresh
    from unnest(p_wanted) w
    left join lateral (select * from rollcall.desired s
      where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s on true
   where w.verdict = 'ok' and s.address is distinct from w.address;

  -- Every state row this may read or write, in one order: the contacts' own, and those of whoever holds or held an address
  -- they want. Then their queue rows, so that none is claimed between our look at it and our commit.
  select array_agg(s.contact_id) into v_touched
    from (
      select w.contact_id from unnest(p_wanted) w
      union select o.contact_id from unnest(v_fresh) as f(address) cross join lateral (select o.contact_id from rollcall.desired o
        where o.destination_id + 0 = p_destination and o.address = f.address offset 0) o
      union select o.contact_id from unnest(v_fresh) as f(address) cross join lateral (select o.contact_id from rollcall.desired o
        where o.destination_id + 0 = p_destination and o.remote_address = f.address offset 0) o
      union select o.contact_id from rollcall.desired o where o.destination_id = p_destination and o.leftovers && v_fresh
      order by 1) x
    cross join lateral (
      select s.contact_id from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.contact_id
      offset 0 for update) s;
  if v_touched is not null then
    perform 1 from unnest(v_touched) as x(id) cross join lateral (
      select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d;
  end if;
  v_now := clock_timestamp();

  -- Release all addresses that are given up, before any is taken: a unique index is checked row by row.
  with giving as materialized (
    select s.*, d.token is not null or d.tries > 0 or d.unknown_until is not null as attempted
      from unnest(p_wanted) w
      cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s
      left join lateral (select * from rollcall.due d
        where d.destination_id = p_destination and d.contact_id = w.contact_id offset 0) d on true
     where s.address is not null and w.verdict <> 'failed' and (w.verdict <> 'ok' or w.address is distinct from s.address)
  ), gone as (
    insert into rollcall.desired as s (destination_id, contact_id, action, hash, version, remote_address, leftovers)
    select g.destination_id, g.contact_id, g.action, g.hash, g.version,
           case when g.remote_address is null and g.attempted then g.address else g.remote_address end,
           case when g.remote_address <> g.address and g.attempted and g.address <> all(coalesce(g.leftovers, '{}'))
                then array_append(g.leftovers, g.address) else g.leftovers end
      from giving g order by g.contact_id
    on conflict (contact_id, destination_id) do update
       set address = null, remote_address = excluded.remote_address, leftovers = excluded.leftovers
  ), history as (
    insert into rollcall.past_addresses (contact_id, destination_id, address)
    select g.contact_id, p_destination, g.address from giving g order by g.contact_id
  )
  select array_agg(address) into v_released from giving;

  -- A living owner keeps its address; of several newcomers the oldest contact gets it.
  select array_agg(x.contact_id) filter (where x.turn > 1 or x.held),
         array_agg(x.contact_id) filter (where (x.turn > 1 or x.held) and x.waited_for is distinct from x.address),
         array_agg(x.address order by x.contact_id) filter (where x.turn = 1 and not x.held and x.fresh),
         array_agg(x.contact_id order by x.contact_id) filter (where x.turn = 1 and not x.held and x.fresh)
    into v_blocked, v_newly, v_taken, v_takers
    from (
      select w.contact_id, w.address, s.waiting_for as waited_for,
             row_number() over (partition by w.address order by s.address is not null desc, w.contact_id) as turn,
             s.address is distinct from w.address as fresh,
             s.address is distinct from w.address and exists (select from rollcall.desired o
               where o.destination_id + 0 = p_destination and o.address = w.address and o.contact_id <> w.contact_id offset 0) as held
        from unnest(p_wanted) w
        left join lateral (select * from rollcall.desired s
      where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s on true
       where w.verdict = 'ok'
    ) x;

  -- Who has it may have left or moved without our having seen it: they are looked at, and nobody is removed before that.
  if v_newly is not null then
    select array_agg(distinct w.contact_id), array_agg(distinct h.key) into v_unseen, v_holders
      from unnest(p_wanted) w cross join lateral rollcall.holders(p_destination, w.address) h
     where w.contact_id = any(v_newly) and not h.waits and h.key <> all(array(select p.key from unnest(p_wanted) p));
  end if;

  -- Whoever may still exist at a taken address loses that claim: a delete waiting there is void.
  if v_taken is not null then
    with touched as (
      select o.contact_id from unnest(v_taken) as t(address) cross join lateral (select o.contact_id from rollcall.desired o
        where o.destination_id + 0 = p_destination and o.remote_address = t.address offset 0) o
      union select o.contact_id from rollcall.desired o where o.destination_id = p_destination and o.leftovers && v_taken
    ), lost as materialized (
      select s.*, t.address as taken, t.address is not distinct from s.remote_address as remote,
             -- Who waits for it themselves hands on until when.
             greatest(case when d.token is not null then d.due_at end, d.not_before) as free,
             greatest(case when d.token is not null then d.due_at + v_grace end, d.unknown_until, l.unknown_until) as unknown
        from touched x
        cross join lateral (
          select s.contact_id, s.action, s.hash, s.version, s.delivered_version, s.remote_address, s.remote_id, s.carry_from, s.leftovers
            from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.contact_id offset 0) s
        join unnest(v_taken, v_takers) as t(address, contact_id)
          on t.contact_id <> s.contact_id and (t.address = s.remote_address or t.address = any(s.leftovers))
        left join lateral (select * from rollcall.due d
          where d.destination_id = p_destination and d.contact_id = s.contact_id offset 0) d on true
        -- What was given up, or refused after an attempt of unknown outcome, may still arrive.
        left join lateral (select l.unknown_until from rollcall.dead_letters l
          where l.destination_id = p_destination and l.contact_id = s.contact_id and l.unknown_until > v_now offset 0) l on true
    ), kept as (
      select k.*, k.action in ('delete', 'unsubscribe') and k.remote_lost and k.leftovers_kept is null as void from (
        select l.contact_id, l.action, l.hash, l.version, l.delivered_version, l.remote_address, l.remote_id, l.carry_from,
               bool_or(l.remote) as remote_lost,
               (select array_agg(a) from unnest(l.leftovers) a where a <> all(array_agg(l.taken))) as leftovers_kept
          from lost l
         group by l.contact_id, l.action, l.hash, l.version, l.delivered_version, l.remote_address, l.remote_id, l.carry_from, l.leftovers) k
    ), voided as (
      insert into rollcall.desired as s
        (destination_id, contact_id, action, hash, version, delivered_version, remote_address, remote_id, carry_from, leftovers)
      select p_destination, k.contact_id, case when k.void then 'none' else k.action end, k.hash, k.version,
             case when k.void then k.version else k.delivered_version end,
             case when not k.remote_lost then k.remote_address end,
             case when not k.remote_lost then k.remote_id end,
             case when not k.remote_lost then k.carry_from when k.action not in ('delete', 'unsubscribe') then k.remote_address end,
             k.leftovers_kept
        from kept k
      on conflict (contact_id, destination_id) do update
         set remote_address = excluded.remote_address, remote_id = excluded.remote_id, leftovers = excluded.leftovers,
             carry_from = excluded.carry_from, action = excluded.action, delivered_version = excluded.delivered_version,
             imported = s.imported and excluded.remote_address is not null,
             members = case when excluded.remote_address is not null then s.members end
      returning s.contact_id, s.action
    ), undue as (
      delete from rollcall.due d
       where d.destination_id = p_destination and d.contact_id = any(array(select v.contact_id from voided v where v.action = 'none'))
         and d.token is null
    ), unrefused as (
      delete from rollcall.dead_letters l
       where l.destination_id = p_destination and l.contact_id = any(array(select v.contact_id from voided v where v.action = 'none'))
         and l.stage = 'deliver'
    )
    select coalesce(jsonb_object_agg(l.taken, l.free), '{}'), coalesce(jsonb_object_agg(l.taken, l.unknown), '{}')
      into v_free, v_unknown
      from (select taken, max(free) as free, max(unknown) as unknown from lost group by taken) l;
  end if;

  with written as (
    insert into rollcall.desired as s
      (destination_id, contact_id, action, reason, address, waiting_for, payload, mapped, consent, hash, version, takeover, remote_address)
    select p_destination, t.contact_id, t.action, t.reason,
           case when t.action = 'upsert' then t.address end,
           case when t.reason in ('address_taken', 'not_synced', 'source_paused', 'unmapped', 'filtered') then t.address end,
           case when t.action = 'upsert' then t.payload else '{}' end,
           case when t.action = 'upsert' then t.mapped end,
           -- A column that said yes or no and says nothing any more is a no: consent was taken back.
           -- Of somebody who is no contact for now, what they said is kept.
           case when t.verdict <> 'ok' then coalesce(t.before, 'none')
                when t.consent <> 'missing' then t.consent when t.before in ('basis', 'opted_out') then 'opted_out' else 'none' end,
           case when t.action = 'upsert' then t.hash else ''::bytea end,
           1, t.action = 'upsert' and v_free ? t.address,
           -- Somebody else's contact stands there, and is theirs to remove should they leave before it is sent.
           case when t.action = 'upsert' and v_free ? t.address then t.address end
      from (
        select w.*, s.consent as before,
               case when w.verdict = 'ok' and not w.contact_id = any(coalesce(v_blocked, '{}')) then 'upsert'
                    when coalesce(s.remote_address, s.remote_id) is null and s.leftovers is null then 'none'
                    -- Not gone, but known as another contact: nothing of this one may stay.
                    when w.verdict in ('ok', 'merged', 'erased') or w.verdict = 'gone' and w.contact_id = any(v_erasing) then 'delete'
                    -- Nothing is known against them.
                    when w.verdict = 'source_paused' then 'none'
                    when v_leave = 'keep' then 'none'
                    else v_leave end as action,
               case when w.verdict = 'failed' then 'unmapped' when w.verdict <> 'ok' then w.verdict
                    when w.contact_id = any(coalesce(v_blocked, '{}')) then 'address_taken' end as reason
          from unnest(p_wanted) w
          left join lateral (select * from rollcall.desired s
      where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s on true
         -- One who cannot be mapped keeps what it has; at first, its address is all that is known.
         where not (w.verdict = 'failed' and (s.contact_id is not null or w.address is null))
           and not (w.verdict in ('gone', 'erased') and s.contact_id is null)
      ) t order by t.contact_id
    on conflict (contact_id, destination_id) do update
       set action = excluded.action, reason = excluded.reason, address = excluded.address,
           waiting_for = excluded.waiting_for, payload = excluded.payload, mapped = excluded.mapped, consent = excluded.consent,
           hash = excluded.hash, version = s.version + 1, takeover = s.takeover or excluded.takeover,
           remote_address = coalesce(s.remote_address, excluded.remote_address),
           members = case when excluded.action = 'upsert' and s.payload -> ${LISTS} is distinct from excluded.payload -> ${LISTS}
                     then rollcall.members_after(s.members, s.payload, excluded.payload, exists (select from rollcall.due d
                       where d.destination_id = s.destination_id and d.contact_id = s.contact_id
                         and (d.token is not null or d.unknown_until is not null) offset 0))
                     else s.members end,
           leftovers = case when s.remote_address <> excluded.remote_address
                         and excluded.remote_address <> all(coalesce(s.leftovers, '{}'))
                       then array_append(s.leftovers, excluded.remote_address) else s.leftovers end,
           -- What the brakes count: whoever leaves (not whoever is merged into another contact), and whoever is delivered and
           -- changes, once an hour. An opt-out is nothing to be stopped, and somebody who comes back begins anew.
           counted_at = case
             when excluded.action in ('delete', 'unsubscribe') then
               case when s.action in ('delete', excluded.action) or excluded.reason in ('merged', 'erased') then s.counted_at else v_now end
             when excluded.action = 'upsert' and s.action = 'upsert' then
               case when s.hash <> excluded.hash and excluded.consent <> 'opted_out' and s.delivered_version is not null
                      and coalesce(s.remote_address, s.remote_id) is not null and coalesce(s.counted_at <= v_now - interval '1 hour', true)
                      and (v_clock is null or (s.address, s.consent, s.payload - v_clock)
                        is distinct from (excluded.address, excluded.consent, excluded.payload - v_clock))
                    then v_now else s.counted_at end
           end
     where (s.action, s.reason, s.address, s.waiting_for, s.hash)
           is distinct from (excluded.action, excluded.reason, excluded.address, excluded.waiting_for, excluded.hash)
    returning s.contact_id, s.action, s.address, s.reason, s.consent, s.counted_at
  ), queued as (
    -- A request for the address may be in flight under another's lease: that is waited out, and what may arrive after it is
    -- answered by sending once more.
    insert into rollcall.due as d (destination_id, contact_id, lane, due_at, since, unknown_until, not_before, was)
    select p_destination, w.contact_id, p_lane,
           greatest(v_now + case when w.contact_id = any(v_unseen) then ${LOOK} else interval '0' end, (v_free ->> w.address)::timestamptz),
           v_now, (v_unknown ->> w.address)::timestamptz,
           (v_free ->> w.address)::timestamptz,
           -- As it is before this statement. Not where many are read at once: the queue is to stay small.
           case when p_lane = 0 then coalesce((select jsonb_build_object('version', o.version, 'consent', o.consent, 'attributes', o.payload)
             from rollcall.desired o where o.destination_id = p_destination and o.contact_id = w.contact_id
              and o.action = 'upsert' and o.delivered_version = o.version offset 0), (select l.was from rollcall.dead_letters l
             where l.destination_id = p_destination and l.contact_id = w.contact_id offset 0)) end
      from written w where w.action <> 'none'
    on conflict (contact_id, destination_id) do update
       set lane = case when d.lane < 2 then least(d.lane, excluded.lane) else d.lane end,
           not_before = greatest(d.not_before, excluded.not_before),
           due_at = case when d.token is null then greatest(excluded.due_at, d.not_before) else d.due_at end,
           unknown_until = rollcall.doubts(d.unknown_until, excluded.unknown_until),
           tries = 0, failing_since = null, was = coalesce(d.was, excluded.was)
    returning d.contact_id, d.lane
  ), dropped as (
    delete from rollcall.due d
     where d.destination_id = p_destination and d.contact_id = any(array(select w.contact_id from written w where w.action = 'none'))
       and d.token is null
  )
  select array_agg(w.contact_id),
         array_agg(w.contact_id) filter (where x.leaves), array_agg(w.contact_id) filter (where x.leaves and w.counted_at = v_now),
         array_agg(w.contact_id) filter (where x.changes), array_agg(w.contact_id) filter (where x.changes and w.counted_at = v_now),
         (select array_agg(q.contact_id) from queued q where q.lane >= 2)
    into v_changed, v_leaving, v_left, v_changing, v_altered, v_held
    from written w
    cross join lateral (select w.action in ('delete', 'unsubscribe') and w.reason not in ('merged', 'erased') is not false as leaves,
      w.action = 'upsert' and w.consent <> 'opted_out' and w.counted_at > v_now - interval '1 hour' as changes) x;
  changed := coalesce(cardinality(v_changed), 0);
  if v_held is not null then perform rollcall.let_go(p_destination, v_held, p_lane); end if;
  if v_leaving is not null then perform rollcall.obey_brake(p_destination, 'deletes', v_leaving, v_left, v_now); end if;
  if v_changing is not null then perform rollcall.obey_brake(p_destination, 'changes', v_changing, v_altered, v_now); end if;

  select count(*) into failed from unnest(p_wanted) w where w.verdict = 'failed';
  if exists (select from rollcall.dead_letters l where l.destination_id = p_destination) then
    -- What was given up may still arrive: then what is sent now is sent once more after that. Who was refused, could not be mapped
    -- then and is now what was refused is sent again: nobody remembers the refusal.
    with closed as materialized (
      delete from rollcall.dead_letters l where l.destination_id = p_destination and l.contact_id = any(array(
        select w.contact_id from unnest(p_wanted) w where w.verdict <> 'failed'))
        and (l.stage = 'map' or l.contact_id = any(v_changed))
      returning l.contact_id, case when l.unknown_until > v_now then l.unknown_until end as doubt
    )
    insert into rollcall.due as d (destination_id, contact_id, lane, due_at, unknown_until)
    select p_destination, c.contact_id, p_lane, v_now, c.doubt
      from closed c
      cross join lateral (select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = c.contact_id
        and s.action <> 'none' and s.delivered_version is distinct from s.version offset 0) s
     order by c.contact_id
    on conflict (contact_id, destination_id) do update set unknown_until = greatest(d.unknown_until, excluded.unknown_until)
     where excluded.unknown_until is not null;
  end if;
  if failed > 0 then
    insert into rollcall.dead_letters as l (destination_id, contact_id, stage, code, message)
    select p_destination, w.contact_id, 'map', w.payload ->> 'code', w.payload ->> 'message'
      from unnest(p_wanted) w where w.verdict = 'failed'
    on conflict (contact_id, destination_id) do update
       set stage = excluded.stage, version = null, code = excluded.code, field = null, message = excluded.message, at = excluded.at,
           unknown_until = l.unknown_until, dropped_at = null
     where (l.stage, l.code, l.message) is distinct from (excluded.stage, excluded.code, excluded.message);
  end if;

  if v_holders is not null then perform rollcall.capture(v_holders); end if;
  -- Contacts that waited for a released address are looked at again.
  if v_released is not null then
    perform rollcall.forget_past_addresses(p_destination, array(select w.contact_id from unnest(p_wanted) w));
    perform rollcall.capture(array_agg(c.key))
       from unnest(v_released) as r(address)
       cross join lateral (select s.contact_id from rollcall.desired s
         where s.destination_id + 0 = p_destination and s.waiting_for = r.address offset 0) s
       cross join lateral (select c.key from rollcall.contacts c where c.id = s.contact_id offset 0) c
     having count(*) > 0;
  end if;
  -- A user goes before somebody who is known by the address alone: that one is looked at again, with the user, and gives way.
  if v_newly is not null then
    perform rollcall.capture(array_agg(distinct h.key))
       from unnest(p_wanted) w cross join lateral rollcall.holders(p_destination, w.address) h
      where w.contact_id = any(v_newly) and w.key not like 'email:%' and h.key like 'email:%'
     having count(*) > 0;
  end if;
  perform rollcall.fold_events_along(p_destination, p_wanted);
  return next;
end $body$;
`;
