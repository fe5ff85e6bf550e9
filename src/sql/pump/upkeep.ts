/** What the worker's upkeep does in its process, a step at a time: walks, sweeps, and what other extensions leave behind. */
export const upkeep: string = /* sql */ `
-- One page of the backfill that is open; true when there is another.
create or replace function rollcall.walk_on() returns boolean language plpgsql volatile set search_path = '' as $body$
declare
  v_pump rollcall.pump;
  v_id int;
  v_page record;
begin
  if not exists (select from rollcall.backfills b where b.ended_at is null) then return false; end if;
  select * into v_pump from rollcall.pump;
  v_id := rollcall.hold_backfill(v_pump.holder, interval '30 seconds');
  if v_id is null then
    -- Nobody watches one that was begun here: it is over once everybody in it was sent.
    update rollcall.backfills b set ended_at = clock_timestamp()
     where b.ended_at is null and b.walked_at is not null and b.holder = v_pump.holder and not exists (
       select from rollcall.destinations d cross join lateral (select from rollcall.due q where q.queue = d.id * 4 + 1 limit 1) q where d.enabled);
    return false;
  end if;
  select * into v_page from rollcall.backfill_page(v_id, v_pump.holder, interval '30 seconds', 1000, v_pump.config_hash);
  return coalesce(not v_page.walked, false);
end $body$;

-- A page of a sweep: begun when one is due, then one page of rows or of contacts at a time, then the contacts that are gone. True while it
-- is not over.
create or replace function rollcall.sweep_on() returns boolean language plpgsql volatile set search_path = '' as $body$
declare
  v_state jsonb := (select p.sweep from rollcall.pump p);
  v_every interval := (select (p.settings ->> 'sweepEveryMs')::bigint from rollcall.pump p) * interval '1 millisecond';
  v_install rollcall.install;
  v_page record;
  v_ticket text;
  v_gone text[];
begin
  select * into v_install from rollcall.install;
  if v_state ->> 'ticket' is null or v_install.sweep_until is null or v_install.sweep_until < clock_timestamp() then
    v_ticket := rollcall.begin_sweep(v_every, false);
    perform rollcall.keep_sweep(jsonb_build_object('ticket', v_ticket, 'phase', 'rows', 'tally', '{}'::jsonb, 'gone', '[]'::jsonb));
    return v_ticket is not null;
  end if;
  perform rollcall.keep_sweeping();
  if v_state ->> 'phase' = 'rows' then
    select * into v_page from rollcall.sweep_page(v_state ->> 'after', 1000);
    v_state := v_state || jsonb_build_object('after', v_page.last_key, 'phase', case when v_page.last_key is null then 'absent' else 'rows' end, 'tally',
      rollcall.add_tally(v_state -> 'tally', jsonb_build_object('scanned', v_page.scanned, 'missing', v_page.missing, 'returned', v_page.returned, 'stale', v_page.stale, 'failed', v_page.failed)));
    if v_page.last_key is null then v_state := v_state || '{"after": "0"}'; end if;
  elsif v_state ->> 'phase' = 'absent' then
    select * into v_page from rollcall.absent_page(v_state ->> 'after', 2000);
    v_state := v_state || jsonb_build_object('after', v_page.last_key, 'gone', v_state -> 'gone' || to_jsonb(coalesce(v_page.keys, '{}')));
    if v_page.last_key is null then
      v_state := v_state || '{"phase": "gone"}';
      if jsonb_array_length(v_state -> 'gone') > 0 then perform rollcall.foresee_deletes(jsonb_array_length(v_state -> 'gone')); end if;
    end if;
  elsif jsonb_array_length(v_state -> 'gone') > 0 then
    v_gone := array(select g from jsonb_array_elements_text(v_state -> 'gone') with ordinality g(g, n) order by n limit 1000);
    select * into v_page from rollcall.fold_keys(v_gone, 1::smallint);
    v_state := v_state || jsonb_build_object('gone', coalesce((select jsonb_agg(g order by n) from jsonb_array_elements(v_state -> 'gone') with ordinality g(g, n) where n > 1000), '[]'),
      'tally', rollcall.add_tally(v_state -> 'tally', jsonb_build_object('gone', v_page.changed)));
  else
    perform rollcall.report_sweep(rollcall.compose_report(v_state -> 'tally', rollcall.sweep_facts()));
    perform rollcall.end_sweep(v_state ->> 'ticket');
    v_state := '{}';
  end if;
  perform rollcall.keep_sweep(v_state);
  return v_state ->> 'ticket' is not null;
end $body$;

create or replace function rollcall.keep_sweep(p_state jsonb) returns void language sql volatile set search_path = '' as $body$
  update rollcall.pump p set sweep = p_state
$body$;

-- The report of a sweep (src/engine/sweep-report.ts).
create or replace function rollcall.compose_report(p_tally jsonb, p_facts jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_found jsonb := jsonb_build_object('missing', coalesce(p_tally -> 'missing', '0'), 'returned', coalesce(p_tally -> 'returned', '0'),
    'stale', coalesce(p_tally -> 'stale', '0'), 'gone', coalesce(p_tally -> 'gone', '0'));
  v_total bigint := (select sum(e.value::bigint) from jsonb_each_text(v_found) e);
  v_named bigint := (select coalesce(sum((c ->> 'count')::bigint), 0) from jsonb_array_elements(p_facts -> 'causes') c where c ->> 'cause' = 'truncate');
  v_why jsonb := (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('cause', c -> 'cause', 'source', c -> 'source',
    'count', case when c ->> 'cause' = 'truncate' then c -> 'count' end)) order by n), '[]') from jsonb_array_elements(p_facts -> 'causes') with ordinality x(c, n));
begin
  -- Whoever truncates in a transaction that is rolled back leaves no name behind.
  if (p_facts ->> 'truncations')::bigint > v_named then
    v_why := v_why || jsonb_build_object('cause', 'truncate', 'count', (p_facts ->> 'truncations')::bigint - v_named);
  end if;
  if (p_facts ->> 'failures')::bigint > 0 then v_why := v_why || '{"cause": "capture_failed"}'; end if;
  if v_why = '[]' and v_total > 0 then
    v_why := jsonb_build_array(jsonb_build_object('cause', case when (p_facts ->> 'clock')::boolean
      and (v_found ->> 'missing')::bigint + (v_found ->> 'gone')::bigint = 0 then 'clock' else 'unseen' end));
  end if;
  return jsonb_build_object('seconds', round((p_facts ->> 'seconds')::numeric, 1), 'scanned', coalesce(p_tally -> 'scanned', '0'), 'found', v_found,
    'failed', coalesce(p_tally -> 'failed', '0'), 'why', v_why, 'unwatched', p_facts -> 'unwatched', 'paused', p_facts -> 'paused');
end $body$;

create or replace function rollcall.add_tally(p_tally jsonb, p_page jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select p_tally || coalesce(jsonb_object_agg(e.key, coalesce((p_tally ->> e.key)::bigint, 0) + coalesce(e.value::text::bigint, 0)), '{}')
    from jsonb_each(jsonb_strip_nulls(p_page)) e
$body$;

-- What pg_cron and pg_net leave behind: runs of our own jobs after a day, and old counts of ours. Answers of ours are deleted as they are read.
create or replace function rollcall.prune_others() returns void language plpgsql volatile set search_path = '' as $body$
begin
  delete from rollcall.sent s where s.at < clock_timestamp() - interval '61 minutes';
  delete from rollcall.post_holds h where h.until < clock_timestamp();
  if to_regclass('cron.job_run_details') is not null then
    execute $cron$ delete from cron.job_run_details r where r.end_time < now() - interval '1 day'
      and r.jobid in (select j.jobid from cron.job j where j.jobname like 'rollcall-%') $cron$;
  end if;
end $body$;
`;
