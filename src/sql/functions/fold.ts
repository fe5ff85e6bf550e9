import { KEYS_FIRST } from './plan-settings.ts';

/** One log table's share of a window: what came after \`lo\`, and what was still running then; each by index, never by filter. */
function window(table: number): string {
  const columns = 'c.xid, c.id, coalesce(c.since, c.at) as at, c.source, c.keys, c.events';
  const rest = `and (p_hi is null or pg_visible_in_snapshot(c.xid, p_hi))
        and (p_last_xid is null or (c.xid, c.id) > (p_last_xid, p_last_id)) order by c.xid, c.id limit p_limit`;
  return `(select ${columns} from rollcall.changes_${table} c where c.xid >= greatest(pg_snapshot_xmax(p_lo), p_last_xid)
        and c.xid <= coalesce(pg_snapshot_xmax(p_hi), '18446744073709551615') ${rest})
      union all
      (select ${columns} from rollcall.changes_${table} c where c.xid = any(v_running) ${rest})`;
}

/** Taking changes from the log and folding them into desired state. See ARCHITECTURE.md, "Reasons". */
export const fold: string = /* sql */ `
-- Owner rows first, in key order; only then the sources are read. Callers: the fold, the sweep, the backfill. p_from: nothing that is
-- folded here has changed before.
create or replace function rollcall.fold_keys(p_keys text[], p_lane smallint, p_from timestamptz default null)
returns table (changed int, failed int) language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_keys text[] := rollcall.kin(p_keys);
  v_known text[];
  v_new text[];
  v_living text[];            -- of the new ones, those who are not erased
  v_locked int;
  v_first boolean := true;
  v_destination record;
  v_part record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'rollcall.fold_keys needs READ COMMITTED' using errcode = 'RC004';
  end if;
  changed := 0; failed := 0;
  select array_agg(k order by k) into v_keys from (select distinct k collate "C" as k from unnest(v_keys) k) x;
  if v_keys is null then return next; return; end if;
  select array_agg(x.key) into v_known from (select x.key from unnest(v_keys) as x(key) cross join lateral (
    select from rollcall.contacts c where c.key = x.key offset 0 for update) c) x;
  if v_known is null or cardinality(v_known) < cardinality(v_keys) then
    v_new := array(select k collate "C" from unnest(v_keys) k except all select k from unnest(v_known) k order by 1);
    v_living := rollcall.living_keys(v_new);
    if cardinality(v_living) < cardinality(v_new) then
      v_keys := array(select k collate "C" from unnest(v_known || v_living) k order by 1);
      v_new := v_living;
      if p_lane = 0 then perform rollcall.want_rotation(); end if;
      if cardinality(v_keys) = 0 then return next; return; end if;
    end if;
    -- A plain insert costs a third less than one that expects a conflict, which only another fold in this moment could make.
    begin
      insert into rollcall.contacts (key) select k from unnest(v_new) k;
    exception when unique_violation then
      insert into rollcall.contacts (key) select k from unnest(v_new) k on conflict (key) do nothing;
      perform 1 from unnest(v_new) as x(key) cross join lateral (
        select from rollcall.contacts c where c.key = x.key offset 0 for update) c;
      get diagnostics v_locked = row_count;
      -- One was forgotten while we waited for it: done again, it is made anew.
      if v_locked < cardinality(v_new) then
        raise exception 'a contact was forgotten while it was folded' using errcode = 'serialization_failure';
      end if;
    end;
    if cardinality(rollcall.living_keys(v_new)) < cardinality(v_new) then
      raise exception 'a contact was erased while it was folded' using errcode = 'serialization_failure';
    end if;
  end if;
  if (select i.erase_deleted from rollcall.install i) then perform rollcall.erase_deleted(v_keys); end if;
  for v_destination in select d.id, d.map_function from rollcall.destinations d where d.enabled order by d.id loop
    select * into v_part from rollcall.fold_destination(
      v_destination.id, rollcall.wanted_rows(v_destination.id, v_destination.map_function, v_keys, v_first, p_from), p_lane);
    v_first := false;
    changed := changed + v_part.changed; failed := failed + v_part.failed;
  end loop;
  return next;
end $body$;

-- The next piece of the log, about p_limit keys of it. Snapshot and rows come from one statement, so no commit can fall between.
-- Reads are bounded by the window, also while a transaction stays open for hours.
create or replace function rollcall.take_changes(p_lo pg_snapshot, p_hi pg_snapshot, p_last_xid xid8, p_last_id bigint, p_limit int,
  out hi pg_snapshot, out taken int, out seen int, out last_xid xid8, out last_id bigint, out first_at timestamptz, out keys text[],
  out via_sources text[], out via_keys text[], out changes rollcall.change[])
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_running xid8[] := array(select x from pg_snapshot_xip(p_lo) x where p_last_xid is null or x >= p_last_xid);
begin
  with rows as (
    select x.*, sum(x.size) over (order by x.xid, x.id) - x.size as before from (select x.*, cardinality(x.keys) + coalesce(cardinality(x.events), 0) as size from (
      ${[0, 1, 2].map(window).join('\n      union all\n      ')}
      order by 1, 2 limit p_limit) x) x
  ), piece as (select * from rows where before < p_limit)
  select coalesce(p_hi, pg_current_snapshot()), count(*), (select count(*) from rows),
         (array_agg(p.xid order by p.xid desc, p.id desc))[1], (array_agg(p.id order by p.xid desc, p.id desc))[1], min(p.at),
         (select array_agg(k) from piece q, unnest(q.keys) k where q.source is null),
         (select array_agg(q.source) from piece q, unnest(q.keys) k where q.source is not null),
         (select array_agg(k) from piece q, unnest(q.keys) k where q.source is not null),
         (select array_agg(row(q.id, q.xid, q.source, q.events)::rollcall.change order by q.xid, q.id) from piece q where q.events is not null)
    into hi, taken, seen, last_xid, last_id, first_at, keys, via_sources, via_keys, changes from piece p;
end $body$;

-- Takes the next changes and folds them. One leader at a time; busy when another one is at work.
-- More: the window is not yet through.
drop function if exists rollcall.fold(text, int);
do $drop$ begin
  -- What a function returns cannot be changed in place.
  if exists (select from pg_proc p where p.pronamespace = 'rollcall'::regnamespace and p.proname = 'fold'
      and not 'more' = any(p.proargnames)) then
    drop function rollcall.fold(text, int, pg_lsn, timestamptz);
  end if;
end $drop$;
-- p_seen, p_bound: see is_set_back. Looked at here too, as what is folded soon takes a restored database past the old position.
create or replace function rollcall.fold(p_config_hash text, p_limit int, p_seen pg_lsn default null, p_bound timestamptz default null)
returns table (busy boolean, taken int, changed int, failed int, more boolean) language plpgsql set search_path = '' as $body$
declare
  v_at rollcall.fold_position;
  v_piece record;
  v_part record;
  v_keys text[];
  v_events rollcall.read_event[];
  v_complete boolean;
begin
  busy := false; taken := 0; changed := 0; failed := 0; more := false;
  perform rollcall.check_config(p_config_hash);
  if p_seen is not null and rollcall.is_set_back(p_seen, p_bound) then
    raise exception 'this database was set back' using errcode = 'RC002', detail = 'position';
  end if;
  if not pg_try_advisory_xact_lock(721740022, 1) then busy := true; return next; return; end if;
  select * into v_at from rollcall.fold_position order by id desc limit 1;
  select * into v_piece from rollcall.take_changes(v_at.lo, v_at.hi, v_at.last_xid, v_at.last_id, p_limit);
  taken := v_piece.taken;
  v_complete := v_piece.seen < p_limit and v_piece.seen = taken;
  if taken = 0 and v_at.hi is null and not rollcall.events_held() then return next; return; end if;
  -- A fold that a crash undoes is done again, and whoever claims what it made due waits for the disk, for both.
  perform set_config('synchronous_commit', 'off', true);
  perform rollcall.check_erasure_key();
  perform rollcall.watch_sources();
  more := not v_complete;
  if v_complete then
    insert into rollcall.fold_position (lo) values (v_piece.hi);
  else
    insert into rollcall.fold_position (lo, hi, last_xid, last_id) values (v_at.lo, v_piece.hi, v_piece.last_xid, v_piece.last_id);
  end if;
  delete from rollcall.fold_position where id <= v_at.id;
  v_keys := v_piece.keys;
  if v_piece.via_keys is not null then
    select v_keys || array_agg(k) into v_keys
      from (select v.source, array_agg(distinct v.key) as keys from unnest(v_piece.via_sources, v_piece.via_keys) as v(source, key) group by v.source) x
      cross join lateral unnest(rollcall.resolve_keys(x.source, x.keys)) k;
  end if;
  v_events := rollcall.read_events(v_piece.changes);
  if v_events is not null then
    taken := greatest(taken, cardinality(v_events));  -- Those that were held are work too.
    v_keys := v_keys || array(select e.key from unnest(v_events) e where e.key is not null);
  end if;
  select * into v_part from rollcall.fold_keys(v_keys, 0::smallint, v_piece.first_at);
  changed := v_part.changed; failed := v_part.failed;
  v_events := rollcall.living_events(v_events);
  -- Events of one row are in the order of time only once the whole window is there.
  if v_events is not null then perform rollcall.write_events(v_events, v_complete and v_at.hi is null); end if;
  if v_complete and v_at.hi is not null then perform rollcall.release_events(); end if;
  return next;
end $body$;
`;
