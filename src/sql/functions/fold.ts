/** Taking changes from the log and folding them into desired state. See SPEC.md, "Fold". */
export const fold: string = /* sql */ `
do $types$ begin
  if to_regtype('rollcall.mapped') is null then
    create type rollcall.mapped as (key text, verdict text, address text, consent text, payload jsonb);
    create type rollcall.wanted as (contact_id bigint, key text, verdict text, address text, consent text, payload jsonb, hash bytea);
  end if;
end $types$;

-- Runs a generated mapping; a row that cannot be mapped (a bad cast, say) is found by halving and reported by itself.
create or replace function rollcall.map_rows(p_function name, p_keys text[]) returns rollcall.mapped[]
language plpgsql as $body$
declare
  v_rows rollcall.mapped[];
  v_half int := cardinality(p_keys) / 2;
begin
  begin
    execute format('select array_agg(m) from rollcall.%I($1) m', p_function) into v_rows using p_keys;
    return coalesce(v_rows, '{}');
  exception when data_exception or program_limit_exceeded or cardinality_violation or raise_exception then
    if v_half = 0 then
      return array[row(p_keys[1], 'failed', null, 'none', jsonb_build_object('code', sqlstate, 'message', sqlerrm))::rollcall.mapped];
    end if;
  when syntax_error_or_access_rule_violation or invalid_schema_name then
    -- Not a row: the table or its rights are no longer what the mapping was made for.
    raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
  end;
  return rollcall.map_rows(p_function, p_keys[1 : v_half]) || rollcall.map_rows(p_function, p_keys[v_half + 1 :]);
end $body$;

-- What each contact shall be at a destination, read from the source now.
create or replace function rollcall.wanted_rows(p_function name, p_keys text[]) returns rollcall.wanted[]
language sql as $body$
  select array_agg(row(c.id, c.key, m.verdict, m.address, m.consent, m.payload,
           case when m.verdict = 'ok'
             then sha256(convert_to(concat_ws(E'\\n', m.address, m.consent, m.payload::text), 'UTF8'))
             else ''::bytea end)::rollcall.wanted order by c.id)
    from unnest(rollcall.map_rows(p_function, p_keys)) m
    join rollcall.contacts c on c.key = m.key
$body$;

-- Writes desired and due for one destination. The owner rows of all contacts in p_wanted are locked by the caller.
create or replace function rollcall.fold_destination(p_destination smallint, p_wanted rollcall.wanted[], p_lane smallint)
returns table (changed int, failed int) language plpgsql as $body$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_released text[];
  v_changed bigint[];
  v_blocked bigint[];
  v_taken text[];
  v_busy jsonb := '{}';       -- address -> when a request that touches it may still be in flight
begin
  perform 1 from rollcall.desired s
    where s.destination_id = p_destination and s.contact_id in (select w.contact_id from unnest(p_wanted) w)
    order by s.contact_id for update;
  v_now := clock_timestamp();

  -- Release all addresses that are given up, before any is taken: a unique index is checked row by row.
  with giving as (
    select s.contact_id, s.address,
           d.token is not null or d.tries > 0 or d.unknown_until is not null as attempted
      from unnest(p_wanted) w
      join rollcall.desired s on s.destination_id = p_destination and s.contact_id = w.contact_id
      left join rollcall.due d on d.destination_id = p_destination and d.contact_id = w.contact_id
     where s.address is not null and w.verdict <> 'failed' and (w.verdict <> 'ok' or w.address is distinct from s.address)
  ), gone as (
    update rollcall.desired s
       set address = null,
           remote_address = case when s.remote_address is null and g.attempted then g.address else s.remote_address end,
           leftovers = case when s.remote_address <> g.address and g.attempted then array_append(s.leftovers, g.address) else s.leftovers end
      from giving g where s.destination_id = p_destination and s.contact_id = g.contact_id
  )
  select array_agg(address) into v_released from giving;

  -- A living owner keeps its address; of several newcomers the oldest contact gets it.
  select array_agg(x.contact_id) filter (where x.turn > 1 or x.held),
         array_agg(x.address) filter (where x.turn = 1 and not x.held and x.fresh)
    into v_blocked, v_taken
    from (
      select w.contact_id, w.address,
             row_number() over (partition by w.address order by s.address is not null desc, w.contact_id) as turn,
             s.address is distinct from w.address as fresh,
             exists (select from rollcall.desired o where o.destination_id = p_destination
                       and o.address = w.address and o.contact_id <> w.contact_id) as held
        from unnest(p_wanted) w
        left join rollcall.desired s on s.destination_id = p_destination and s.contact_id = w.contact_id
       where w.verdict = 'ok'
    ) x;

  -- Whoever may still exist at a taken address loses that claim: a delete waiting there is void.
  if v_taken is not null then
    update rollcall.desired s
       set leftovers = (select array_agg(a) from unnest(s.leftovers) a where a <> all(v_taken))
     where s.destination_id = p_destination and s.leftovers is not null and s.leftovers && v_taken;
    with void as (
      select s.contact_id, s.remote_address, s.action,
             greatest(case when d.token is not null then d.due_at end, d.unknown_until) as busy
        from rollcall.desired s
        left join rollcall.due d on d.destination_id = p_destination and d.contact_id = s.contact_id
       where s.destination_id = p_destination and s.remote_address = any(v_taken)
         and not exists (select from unnest(p_wanted) w
                          where w.contact_id = s.contact_id and w.verdict = 'ok' and w.address = s.remote_address)
    ), voided as (
      update rollcall.desired s
         set remote_address = null, remote_id = null,
             carry_from = case when v.action = 'delete' then null else v.remote_address end,
             action = case when v.action = 'delete' then 'none' else s.action end,
             delivered_version = case when v.action = 'delete' then s.version else s.delivered_version end
        from void v where s.destination_id = p_destination and s.contact_id = v.contact_id
    ), undue as (
      delete from rollcall.due d using void v
       where d.destination_id = p_destination and d.contact_id = v.contact_id and v.action = 'delete' and d.token is null
    )
    select coalesce(jsonb_object_agg(remote_address, busy), '{}') into v_busy from void;
  end if;

  with written as (
    insert into rollcall.desired as s
      (destination_id, contact_id, action, reason, address, waiting_for, payload, consent, hash, version, takeover)
    select p_destination, t.contact_id, t.action, t.reason,
           case when t.action = 'upsert' then t.address end,
           case when t.reason = 'address_taken' then t.address end,
           case when t.action = 'upsert' then t.payload else '{}' end,
           t.consent,
           case when t.action = 'upsert' then t.hash else ''::bytea end,
           1, t.verdict = 'ok' and v_busy ? t.address
      from (
        select w.*,
               case when w.verdict = 'ok' and not w.contact_id = any(coalesce(v_blocked, '{}')) then 'upsert'
                    when coalesce(s.remote_address, s.remote_id) is not null or s.leftovers is not null then 'delete'
                    else 'none' end as action,
               case when w.verdict <> 'ok' then w.verdict
                    when w.contact_id = any(coalesce(v_blocked, '{}')) then 'address_taken' end as reason
          from unnest(p_wanted) w
          left join rollcall.desired s on s.destination_id = p_destination and s.contact_id = w.contact_id
         where w.verdict <> 'failed'
      ) t order by t.contact_id
    on conflict (destination_id, contact_id) do update
       set action = excluded.action, reason = excluded.reason, address = excluded.address,
           waiting_for = excluded.waiting_for, payload = excluded.payload, consent = excluded.consent,
           hash = excluded.hash, version = s.version + 1, takeover = s.takeover or excluded.takeover
     where (s.action, s.reason, s.address, s.waiting_for, s.hash)
           is distinct from (excluded.action, excluded.reason, excluded.address, excluded.waiting_for, excluded.hash)
    returning s.contact_id, s.action, s.address
  ), queued as (
    insert into rollcall.due as d (destination_id, contact_id, lane, due_at, since, unknown_until)
    select p_destination, w.contact_id, p_lane,
           greatest(v_now, (v_busy ->> w.address)::timestamptz), v_now, (v_busy ->> w.address)::timestamptz
      from written w where w.action <> 'none'
    on conflict (destination_id, contact_id) do update
       set lane = least(d.lane, excluded.lane),
           due_at = case when d.token is null then excluded.due_at else d.due_at end,
           unknown_until = greatest(d.unknown_until, excluded.unknown_until),
           tries = 0
  ), dropped as (
    delete from rollcall.due d using written w
     where d.destination_id = p_destination and d.contact_id = w.contact_id and w.action = 'none' and d.token is null
  )
  select array_agg(w.contact_id) into v_changed from written w;
  changed := coalesce(cardinality(v_changed), 0);

  select count(*) into failed from unnest(p_wanted) w where w.verdict = 'failed';
  if exists (select from rollcall.dead_letters l where l.destination_id = p_destination) then
    delete from rollcall.dead_letters l where l.destination_id = p_destination
      and (l.contact_id = any(v_changed) or l.stage = 'map' and l.contact_id in
            (select w.contact_id from unnest(p_wanted) w where w.verdict <> 'failed'));
  end if;
  if failed > 0 then
    insert into rollcall.dead_letters as l (destination_id, contact_id, stage, code, message)
    select p_destination, w.contact_id, 'map', w.payload ->> 'code', w.payload ->> 'message'
      from unnest(p_wanted) w where w.verdict = 'failed'
    on conflict (destination_id, contact_id) do update
       set stage = excluded.stage, version = null, code = excluded.code, field = null, message = excluded.message, at = excluded.at
     where (l.stage, l.code, l.message) is distinct from (excluded.stage, excluded.code, excluded.message);
  end if;

  -- Contacts that waited for a released address are looked at again.
  if v_released is not null then
    perform rollcall.capture(1::smallint, array_agg(c.key))
       from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id
      where s.destination_id = p_destination and s.waiting_for = any(v_released)
     having count(*) > 0;
  end if;
  return next;
end $body$;

-- Owner rows first, in key order; only then the sources are read. Callers: the fold, the sweep, later the backfill.
create or replace function rollcall.fold_keys(p_keys text[], p_lane smallint)
returns table (changed int, failed int) language plpgsql as $body$
declare
  v_keys text[];
  v_destination record;
  v_part record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'rollcall.fold_keys needs READ COMMITTED' using errcode = 'RC004';
  end if;
  changed := 0; failed := 0;
  select array_agg(k order by k) into v_keys from (select distinct k collate "C" as k from unnest(p_keys) k) x;
  if v_keys is null then return next; return; end if;
  insert into rollcall.contacts (key)
    select k from unnest(v_keys) k where not exists (select from rollcall.contacts c where c.key = k) order by k
    on conflict do nothing;
  perform 1 from rollcall.contacts c where c.key = any(v_keys) order by c.key for update;
  for v_destination in select d.id, d.map_function from rollcall.destinations d where d.enabled order by d.id loop
    select * into v_part from rollcall.fold_destination(
      v_destination.id, rollcall.wanted_rows(v_destination.map_function, v_keys), p_lane);
    changed := changed + v_part.changed; failed := failed + v_part.failed;
  end loop;
  return next;
end $body$;

-- Takes the next changes by snapshot and folds them. One leader at a time; busy when another one is at work.
create or replace function rollcall.fold(p_config_hash text, p_limit int)
returns table (busy boolean, taken int, changed int, failed int) language plpgsql as $body$
declare
  v_at rollcall.fold_position;
  v_hi pg_snapshot;
  v_keys text[];
  v_rows int;
  v_last_xid xid8;
  v_last_id bigint;
  v_part record;
begin
  busy := false; taken := 0; changed := 0; failed := 0;
  perform rollcall.check_config(p_config_hash);
  if not pg_try_advisory_xact_lock(721740022, 1) then busy := true; return next; return; end if;
  select * into v_at from rollcall.fold_position order by id desc limit 1;
  -- Snapshot and rows come from one statement, so no commit can fall between them.
  with rows as (
    select x.xid, x.id, x.keys, sum(cardinality(x.keys)) over (order by x.xid, x.id) - cardinality(x.keys) as before
      from (
        select * from (
          (select c.xid, c.id, c.keys from rollcall.changes_0 c where c.xid >= greatest(pg_snapshot_xmin(v_at.lo), v_at.last_xid)
            and (v_at.hi is null or (c.xid < pg_snapshot_xmax(v_at.hi) and (c.xid, c.id) > (v_at.last_xid, v_at.last_id)))
            and not pg_visible_in_snapshot(c.xid, v_at.lo) and (v_at.hi is null or pg_visible_in_snapshot(c.xid, v_at.hi))
            order by c.xid, c.id limit p_limit)
          union all
          (select c.xid, c.id, c.keys from rollcall.changes_1 c where c.xid >= greatest(pg_snapshot_xmin(v_at.lo), v_at.last_xid)
            and (v_at.hi is null or (c.xid < pg_snapshot_xmax(v_at.hi) and (c.xid, c.id) > (v_at.last_xid, v_at.last_id)))
            and not pg_visible_in_snapshot(c.xid, v_at.lo) and (v_at.hi is null or pg_visible_in_snapshot(c.xid, v_at.hi))
            order by c.xid, c.id limit p_limit)
          union all
          (select c.xid, c.id, c.keys from rollcall.changes_2 c where c.xid >= greatest(pg_snapshot_xmin(v_at.lo), v_at.last_xid)
            and (v_at.hi is null or (c.xid < pg_snapshot_xmax(v_at.hi) and (c.xid, c.id) > (v_at.last_xid, v_at.last_id)))
            and not pg_visible_in_snapshot(c.xid, v_at.lo) and (v_at.hi is null or pg_visible_in_snapshot(c.xid, v_at.hi))
            order by c.xid, c.id limit p_limit)
        ) u order by u.xid, u.id limit p_limit
      ) x
  ), piece as (select * from rows where before < p_limit)
  select coalesce(v_at.hi, pg_current_snapshot()), count(*), (array_agg(p.xid order by p.xid desc, p.id desc))[1],
         (array_agg(p.id order by p.xid desc, p.id desc))[1],
         (select array_agg(k) from piece q, unnest(q.keys) k),
         (select count(*) from rows)
    into v_hi, taken, v_last_xid, v_last_id, v_keys, v_rows
    from piece p;
  if v_rows < p_limit and v_rows = taken then
    if taken = 0 and v_at.hi is null then return next; return; end if;
    insert into rollcall.fold_position (lo) values (v_hi);
  else
    insert into rollcall.fold_position (lo, hi, last_xid, last_id) values (v_at.lo, v_hi, v_last_xid, v_last_id);
  end if;
  delete from rollcall.fold_position where id <= v_at.id;
  select * into v_part from rollcall.fold_keys(v_keys, 0::smallint);
  changed := v_part.changed; failed := v_part.failed;
  return next;
end $body$;

-- Empties the oldest log table and makes it the current one. Never queues for the lock: writers behind it would lose captures.
create or replace function rollcall.rotate_log() returns boolean language plpgsql as $body$
declare
  v_current int := (select last_value from rollcall.current_log);
  v_next int := (v_current + 1) % 3;
  v_lo pg_snapshot;
  v_unfolded boolean;
begin
  begin
    execute format('lock table rollcall.changes_%s in access exclusive mode nowait', v_next);
  exception when lock_not_available then return false;
  end;
  select p.lo into v_lo from rollcall.fold_position p order by p.id desc limit 1;
  execute format('select exists (select from rollcall.changes_%s c where not pg_visible_in_snapshot(c.xid, $1))', v_next)
    into v_unfolded using v_lo;
  if v_unfolded then return false; end if;
  execute format('truncate rollcall.changes_%s', v_next);
  perform setval('rollcall.current_log', v_next);
  return true;
end $body$;
`;
