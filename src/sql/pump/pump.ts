/** The jobs of pg_cron that run it. */
export const PUMP_JOB = 'rollcall-pump';
export const UPKEEP_JOB = 'rollcall-upkeep';

/** The SQL home's own loop: fold, take answers, claim, post; each a transaction, so that pg_net sees what was handed over. */
export const pump: string = /* sql */ `
-- Whether this database may send: deployed with the config that is installed, bound to this database, and nobody else at it. A copy, a
-- branch and a restored database are not bound, and stay silent without a word in any log.
create or replace function rollcall.pump_may() returns text language plpgsql volatile set search_path = '' as $body$
declare
  v_install rollcall.install;
begin
  select * into v_install from rollcall.install;
  if not exists (select from rollcall.pump) then return 'not_deployed'; end if;
  if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then return 'no_pg_net'; end if;
  if (select p.config_hash from rollcall.pump p) is distinct from v_install.config_hash then return 'other_config'; end if;
  begin
    perform rollcall.check_identity(v_install.project_ref, v_install.environment);
  exception when sqlstate 'RC002' then return 'not_bound';
  end;
  return case when rollcall.others_at_work('sql') then 'others' else 'may' end;
end $body$;

-- Leases what is due of a destination and puts its work in line. p_most: contacts under way at once.
create or replace function rollcall.claim_units(p_destination smallint, p_most int) returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_destination);
  v_install rollcall.install;
  v_destination rollcall.destinations;
  v_token uuid := gen_random_uuid();
  v_under_way int := (select count(*) from rollcall.posts p where p.destination_id = p_destination and p.kind = 'unit');
  v_room int;
  v_least int := coalesce((v_declared -> 'bulk' ->> 'least')::int, 0);
  v_row record;
  v_post rollcall.posts;
  v_claimed int := 0;
begin
  select * into v_destination from rollcall.destinations d where d.id = p_destination;
  if not v_destination.enabled or v_destination.paused_until > clock_timestamp() then return 0; end if;
  if v_destination.pause_code is not null then
    if v_destination.paused_until is not null then perform rollcall.begin_probe(p_destination); end if;
    if v_destination.paused_until is not null and v_declared ? 'probe' then return 0; end if;
    -- After a pause one goes first, alone.
    p_most := 1;
  end if;
  v_room := least(p_most - v_under_way, greatest(rollcall.post_room(p_destination, 'contact'), rollcall.post_room(p_destination, 'event')));
  if v_room <= 0 or not exists (select from rollcall.due d where d.queue in (p_destination * 4, p_destination * 4 + 1) and d.due_at <= clock_timestamp()) then
    return 0;
  end if;
  select * into v_install from rollcall.install;
  for v_row in select to_jsonb(c) as row, c.contact_id, c.payload, c.events from rollcall.claim(p_destination, v_token, array[v_room, greatest(1, v_room / 2)], interval '10 minutes', v_install.grace,
      array['-infinity', '-infinity']::timestamptz[], array[v_least, v_least],
      case when v_least > 0 then array(select jsonb_array_elements_text(v_declared -> 'bulk' -> 'consents')) end, interval '0',
      v_install.config_hash, v_install.project_ref, v_install.environment, null, null, 20000000) c
  loop
    if v_row.payload is null then
      perform rollcall.release(p_destination, v_token, array[v_row.contact_id]);
      continue;
    end if;
    -- Under another lease by now: what it had under way is in doubt, and no answer to it counts.
    delete from rollcall.posts p where p.contact_id = v_row.contact_id and p.destination_id = p_destination and p.kind = 'unit';
    insert into rollcall.post_leases as l (token, destination_id, contact_id) values (v_token, p_destination, v_row.contact_id)
      on conflict (contact_id, destination_id) do update set token = excluded.token;
    v_post := null;
    v_post.destination_id := p_destination;
    v_post.token := v_token;
    v_post.contact_id := v_row.contact_id;
    v_post.traffic := 'contact';
    v_post.done := '{}';
    v_post.facts := rollcall.facts_of(p_destination, v_row.row);
    v_post.left_over := rollcall.steps_of(v_declared, v_post.facts, coalesce(v_row.events, '[]')::jsonb);
    v_post := rollcall.next_step(v_post, v_declared);
    insert into rollcall.posts (destination_id, kind, traffic, token, contact_id, facts, left_over, step, done)
      values (p_destination, 'unit', v_post.traffic, v_token, v_row.contact_id, v_post.facts, v_post.left_over, coalesce(v_post.step, 'null'), v_post.done);
    v_claimed := v_claimed + 1;
  end loop;
  return v_claimed;
end $body$;

-- Leases without anything under way are of before a crash: they end now, and whoever was sent perhaps is sent again.
create or replace function rollcall.end_lost_leases() returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_lost record;
begin
  for v_lost in select l.* from rollcall.post_leases l where not exists (
      select from rollcall.posts p where p.contact_id = l.contact_id and p.destination_id = l.destination_id and p.token = l.token) limit 5000
  loop
    update rollcall.due d set due_at = clock_timestamp()
     where d.destination_id = v_lost.destination_id and d.contact_id = v_lost.contact_id and d.token = v_lost.token and d.due_at > clock_timestamp();
    delete from rollcall.post_leases l where l.contact_id = v_lost.contact_id and l.destination_id = v_lost.destination_id and l.token = v_lost.token;
  end loop;
end $body$;

-- Requests of pg_net that one home may have under way: what two of its batches take, so that it never waits for us.
create or replace function rollcall.post_most() returns int language sql stable set search_path = '' as $body$
  select 2 * coalesce(nullif(current_setting('pg_net.batch_size', true), '')::int, 200)
$body$;

-- Claims for every destination and posts what waits. How much it did.
create or replace function rollcall.send_due() returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_destination record;
  v_most int := rollcall.post_most();
  v_done int := 0;
begin
  perform rollcall.end_lost_leases();
  for v_destination in select d.id from rollcall.destinations d join rollcall.declared x on x.destination_id = d.id where d.enabled order by d.id loop
    v_done := v_done + rollcall.begin_job(v_destination.id, 0::smallint) + rollcall.begin_job(v_destination.id, 1::smallint)
      + rollcall.claim_units(v_destination.id, v_most)
      + rollcall.post_waiting(v_destination.id, greatest(0, v_most - (select count(*)::int from rollcall.posts p where p.request_id is not null)));
  end loop;
  return v_done;
end $body$;

-- What is under way goes on while somebody else delivers: it is brought to its end, and nothing new is begun.
create or replace function rollcall.post_begun() returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_destination record;
  v_done int := 0;
begin
  for v_destination in select distinct p.destination_id as id from rollcall.posts p where p.request_id is null loop
    v_done := v_done + rollcall.post_waiting(v_destination.id, rollcall.post_most());
  end loop;
  return v_done;
end $body$;

-- Does one chore of the pump; what fails is noted, and stands in no other's way. True when there is more to do at once.
create or replace function rollcall.do_chore(p_chore text) returns boolean language plpgsql volatile set search_path = '' as $body$
declare
  v_install rollcall.install;
  v_more boolean := false;
begin
  select * into v_install from rollcall.install;
  begin
    case p_chore
      when 'fold' then v_more := (select f.taken > 0 or f.more from rollcall.fold(v_install.config_hash, 1000) f);
      when 'collect' then v_more := rollcall.collect_answers(500) > 0;
      when 'settle' then v_more := rollcall.settle_posts() > 0;
      when 'jobs' then v_more := rollcall.tend_jobs();
      when 'send' then v_more := rollcall.send_due() > 0;
      when 'post' then v_more := rollcall.post_begun() > 0;
      when 'pull' then perform rollcall.begin_pulls();
      when 'look' then perform rollcall.begin_looks();
      when 'write_back' then v_more := (select w.more and w.failed = 0 from rollcall.write_back(20) w);
      when 'erase' then perform rollcall.finish_erasures(20);
      when 'backfill' then v_more := rollcall.walk_on();
      when 'triggers' then perform rollcall.ensure_triggers();
      when 'sources' then perform rollcall.recheck_sources();
      when 'sweep' then v_more := rollcall.sweep_on();
      when 'tidy' then v_more := rollcall.tidy(interval '7 days');
      when 'prune' then perform rollcall.prune_others();
    end case;
    delete from rollcall.pump_troubles t where t.chore = p_chore;
  exception
  when query_canceled or admin_shutdown then raise;
  when others then
    insert into rollcall.pump_troubles as t (chore, code, message) values (p_chore, sqlstate, left(sqlerrm, 500))
    on conflict (chore) do update set code = excluded.code, message = excluded.message, seen_at = clock_timestamp();
    v_more := false;
  end;
  return v_more;
end $body$;

-- The pump, for so long. Scheduled by pg_cron; a second one beside it ends at once.
create or replace procedure rollcall.pump(p_for interval default '55 seconds') language plpgsql as $body$
declare
  v_until timestamptz := pg_catalog.clock_timestamp() + p_for;
  v_may text;
  v_busy boolean;
  v_chore text;
  v_open boolean;
begin
  if not pg_catalog.pg_try_advisory_lock(721740022, 32) then return; end if;
  loop
    v_may := rollcall.pump_may();
    commit;
    v_open := exists (select from rollcall.posts);
    -- Also in silence pg_cron writes down each run.
    if v_may <> 'may' and pg_catalog.random() < 0.01 then perform rollcall.do_chore('prune'); end if;
    commit;
    exit when v_may not in ('may', 'others') or v_may = 'others' and not v_open;
    if v_may = 'may' then
      perform rollcall.note_home('sql');
      update rollcall.pump set ran_at = pg_catalog.clock_timestamp() where ran_at is null or ran_at < pg_catalog.clock_timestamp() - interval '5 seconds';
      commit;
    end if;
    v_busy := false;
    foreach v_chore in array case v_may when 'may' then array['collect', 'settle', 'jobs', 'fold', 'send', 'pull', 'look', 'write_back', 'erase', 'backfill']
      else array['collect', 'settle', 'jobs', 'post'] end
    loop
      v_busy := rollcall.do_chore(v_chore) or v_busy;
      commit;
    end loop;
    exit when pg_catalog.clock_timestamp() > v_until;
    if not v_busy then
      -- For answers, or for changes.
      perform pg_catalog.pg_sleep(case when exists (select from rollcall.posts) then 0.1 else 0.5 end);
      commit;
    end if;
  end loop;
  perform pg_catalog.pg_advisory_unlock(721740022, 32);
end $body$;

-- What need not be done every second: by pg_cron each minute.
create or replace procedure rollcall.upkeep() language plpgsql as $body$
declare
  v_chore text;
begin
  if not pg_catalog.pg_try_advisory_lock(721740022, 33) then return; end if;
  if rollcall.pump_may() = 'may' then
    commit;
    foreach v_chore in array array['triggers', 'sources', 'sweep', 'tidy', 'prune'] loop
      for n in 1 .. 100000 loop
        exit when not rollcall.do_chore(v_chore);
        commit;
      end loop;
      commit;
    end loop;
  end if;
  perform pg_catalog.pg_advisory_unlock(721740022, 33);
end $body$;
`;
