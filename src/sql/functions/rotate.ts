/** Backfills that ended, the last ones. */
const BACKFILLS_MOST = 100;

/** Keeping the log small without ever standing in a writer's way. See ARCHITECTURE.md, "Reasons". */
export const rotate: string = /* sql */ `
-- Two steps, in two transactions. First the oldest table is emptied: its lock is asked for without queueing, as writers behind
-- a queue would lose captures, and only once every row in it is folded. At a later call it becomes the current one; by then
-- nobody holds a lock on it. (The flag is a sequence, seen by all at once: to set it before the commit would send writers
-- into our lock.) True when it became the current one.
create or replace function rollcall.rotate_log() returns boolean language plpgsql set search_path = '' as $body$
declare
  v_next int := ((select last_value from rollcall.current_log) + 1) % 3;
  v_lo pg_snapshot;
  v_unfolded boolean;
begin
  if pg_relation_size(format('rollcall.changes_%s', v_next)::regclass) = 0 then
    perform setval('rollcall.current_log', v_next);
    return true;
  end if;
  begin
    execute format('lock table rollcall.changes_%s in access exclusive mode nowait', v_next);
  exception when lock_not_available then return false;
  end;
  select p.lo into v_lo from rollcall.fold_position p order by p.id desc limit 1;
  execute format('select exists (select from rollcall.changes_%s c where not pg_visible_in_snapshot(c.xid, $1))', v_next)
    into v_unfolded using v_lo;
  if not v_unfolded then execute format('truncate rollcall.changes_%s', v_next); end if;
  return false;
end $body$;

-- Whether the log still has what is to go soon: it is rotated, however small, until all of that is gone.
create or replace function rollcall.rotation_wanted() returns boolean language plpgsql set search_path = '' set enable_seqscan = off as $body$
declare
  v_xid xid8 := (select i.rotate_xid from rollcall.install i);
begin
  if v_xid is null then return false; end if;
  if ${[0, 1, 2].map((n) => `exists (select from rollcall.changes_${n} c where c.xid <= v_xid)`).join('\n     or ')} then return true; end if;
  update rollcall.install i set rotate_xid = null where i.rotate_xid = v_xid;
  return false;
end $body$;

do $drop$ begin
  -- What a function returns cannot be changed in place.
  if exists (select from pg_proc p where p.oid = to_regprocedure('rollcall.tidy(interval)') and p.prorettype = 'void'::regtype) then
    drop function rollcall.tidy(interval);
  end if;
end $drop$;
-- Prunes in small bites, and rotates the log when the current table has grown. True when there is more to prune: the next bite is
-- another transaction.
create or replace function rollcall.tidy(p_attempts_older interval) returns boolean language plpgsql set search_path = '' as $body$
declare
  v_most bigint := rollcall.history_most();
  v_pruned int;
  v_more boolean;
begin
  perform rollcall.note_work();
  -- Only the oldest are looked at: they are in order of their ids, more or less.
  delete from rollcall.attempts where id in (
    select x.id from (select a.id, a.at from rollcall.attempts a order by a.id limit 5000) x
     where x.at < clock_timestamp() - p_attempts_older or x.id <= (select max(a.id) from rollcall.attempts a) - v_most);
  get diagnostics v_pruned = row_count;
  v_more := v_pruned >= 5000;
  v_more := rollcall.expire_events(1000) >= 1000 or v_more;
  v_more := rollcall.forget_contacts(1000) >= 1000 or v_more;
  perform rollcall.tidy_brakes();
  perform rollcall.forget_old_remote();
  delete from rollcall.backfills b where b.ended_at is not null and b.id <= (select max(x.id) from rollcall.backfills x) - ${BACKFILLS_MOST};
  -- Last, so that its lock is held for no more than a truncation.
  if rollcall.rotation_wanted() then
    return rollcall.rotate_log() or v_more or rollcall.rotation_wanted();
  elsif pg_table_size(format('rollcall.changes_%s', (select last_value from rollcall.current_log))::regclass) > 1048576 then
    perform rollcall.rotate_log();
  end if;
  return v_more;
end $body$;
`;
