/** Requests for many contacts in the SQL home, over the same jobs as the worker's: `src/engine/bulk*.ts`. */
export const many: string = /* sql */ `
-- The facts of a contact in a request for many. p_row: a row of rollcall.claim_job.
create or replace function rollcall.row_facts(p_declared jsonb, p_plan jsonb, p_row record) returns jsonb language plpgsql stable set search_path = '' as $body$
begin
  return rollcall.with_attributes(p_declared, rollcall.derive_facts(jsonb_build_object('contact_id', p_row.contact_id, 'version', p_row.version,
    'action', 'upsert', 'send_state', true, 'address', p_row.address, 'consent', p_row.consent, 'takeover', false,
    'has_remote', p_row.met or p_row.imported, 'remote_address', case when p_row.met or p_row.imported then p_row.address end, 'remote_id', null,
    'imported', p_row.imported and not p_row.met, 'met', p_row.met, 'leftovers', '[]'::jsonb, 'attributes', p_row.payload::jsonb, 'plan', p_plan,
    'list_rules', p_declared -> 'lists', 'list_changes', p_row.lists::jsonb)));
end $body$;

-- Begins a request for many where enough wait and as many as may are not at work; how many contacts it has.
create or replace function rollcall.begin_job(p_destination smallint, p_lane smallint) returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_destination);
  v_bulk jsonb := v_declared -> 'bulk';
  v_pump rollcall.pump;
  v_install rollcall.install;
  v_plan jsonb;
  v_token uuid := gen_random_uuid();
  v_look record;
  v_waiting int;
  v_oldest bigint;
  v_row record;
  v_facts jsonb;
  v_rows jsonb[] := '{}';
  v_alone bigint[] := '{}';
  v_joins boolean := false;
begin
  if v_bulk is null or rollcall.post_room(p_destination, 'bulk') < 1 then return 0; end if;
  select * into v_look from rollcall.look_at_jobs(p_destination, (v_bulk ->> 'most')::int, null);
  if v_look.at_work >= (v_bulk ->> 'atOnce')::int then return 0; end if;
  v_waiting := case p_lane when 0 then v_look.live else v_look.backfill end;
  v_oldest := case p_lane when 0 then v_look.live_ms else v_look.backfill_ms end;
  -- More are let come together, but not for long.
  if v_waiting < (v_bulk ->> 'least')::int or v_waiting < (v_bulk ->> 'most')::int and v_oldest < (case when p_lane = 1 and v_look.growing then 5000 else 500 end) then
    return 0;
  end if;
  select * into v_pump from rollcall.pump;
  select * into v_install from rollcall.install;
  select d.plan into v_plan from rollcall.destinations d where d.id = p_destination;
  for v_row in select * from rollcall.claim_job(p_destination, v_token, v_pump.holder, p_lane, (v_bulk ->> 'most')::int, (v_bulk ->> 'mostBytes')::bigint,
      array(select jsonb_array_elements_text(v_bulk -> 'consents')), (v_bulk ->> 'atOnce')::int, interval '1 minute', interval '1 hour',
      v_install.config_hash, v_install.project_ref, v_install.environment, null, null)
  loop
    v_facts := rollcall.row_facts(v_declared, v_plan, v_row);
    if v_facts ->> 'refused' is not null or v_bulk ? 'alone' and rollcall.test_holds(v_bulk -> 'alone', v_facts) then
      v_alone := v_alone || v_row.contact_id;
    else
      v_rows := v_rows || rollcall.fill(v_bulk -> 'row', v_facts);
      v_joins := v_joins or not (v_facts ->> 'imported')::boolean;
    end if;
  end loop;
  if cardinality(v_alone) > 0 then perform rollcall.release_part(v_token, v_pump.holder, v_alone); end if;
  if cardinality(v_rows) = 0 then
    perform rollcall.release_job(v_token, v_pump.holder, interval '0', false, false);
    return 0;
  end if;
  perform rollcall.note_job(v_token, v_pump.holder, 'sending', null, null, interval '1 minute');
  insert into rollcall.posts (destination_id, kind, traffic, token, facts, step)
    values (p_destination, 'job', 'bulk', v_token, jsonb_build_object('lane', p_lane, 'contacts', cardinality(v_rows)), jsonb_build_object('request',
      jsonb_build_object('method', 'POST', 'url', rollcall.fill(v_bulk -> 'url', '{}'),
        'body', rollcall.fill(v_bulk -> 'body', jsonb_build_object('rows', to_jsonb(v_rows), 'joins', v_joins)))));
  return cardinality(v_rows);
end $body$;

-- The rows that an answer names by their address, as rollcall.settle_part takes them.
create or replace function rollcall.named_rows(p_name text, p_bulk jsonb, p_token uuid, p_answer jsonb, p_retry jsonb) returns jsonb language sql volatile set search_path = '' as $body$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('contact', c.id, 'version', c.version, 'address', c.address, 'action', 'upsert', 'outcome', o -> 'kind',
      'code', o -> 'code', 'field', o -> 'field', 'message', o -> 'message', 'wait_ms', case when o ->> 'kind' = 'reject' then 0 else rollcall.retry_ms(p_retry, 1, null) end,
      'window_ms', p_retry -> 'windowMs'))), '[]')
    from rollcall.rows_in(p_bulk -> 'refusedRows', p_answer) r
    join (select c.* from rollcall.jobs j cross join lateral unnest(j.contacts, j.versions, j.addresses) c(id, version, address) where j.token = p_token) c
      on lower(c.address) = lower(r.address)
    cross join lateral rollcall.row_outcome(p_name, p_bulk -> 'refusedRows', r.errors) o
$body$;

create or replace function rollcall.count_of(p_value jsonb) returns int language sql immutable set search_path = '' as $body$
  select case when jsonb_typeof(p_value) = 'number' and p_value #>> '{}' ~ '^[0-9]{1,9}$' then (p_value #>> '{}')::int end
$body$;

-- How many rows an answer says it took: \`imported\`, or \`created\` and \`updated\`; null where it does not say, or names rows it did not take.
create or replace function rollcall.taken_of(p_answer jsonb) returns int language sql immutable set search_path = '' as $body$
  select coalesce(rollcall.count_of(j -> 'imported'), rollcall.count_of(j -> 'created') + coalesce(rollcall.count_of(j -> 'updated'), 0), rollcall.count_of(j -> 'updated'))
    from (select case when jsonb_typeof(b -> 'data') = 'object' then b -> 'data' else b end as j from rollcall.as_json(p_answer ->> 'body') b) x
   where jsonb_typeof(j) = 'object' and (jsonb_typeof(j -> 'errors') is distinct from 'array' or j -> 'errors' = '[]')
$body$;

-- What the answer to a request for many, or to a question about it, says.
create or replace function rollcall.job_answer(p_post rollcall.posts, p_answer jsonb) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_post.destination_id);
  v_bulk jsonb := v_declared -> 'bulk';
  v_pump rollcall.pump;
  v_post rollcall.posts := p_post;
  v_outcome jsonb;
  v_named jsonb;
begin
  select * into v_pump from rollcall.pump;
  if v_post.step ? 'work' then
    v_outcome := rollcall.read_progress(v_post, v_declared ->> 'name', p_answer);
    if v_outcome is null then
      perform rollcall.keep_post(rollcall.ask_again(v_post));
    elsif v_outcome ->> 'kind' = 'reject' then
      -- It is over, and not all of them were accepted: each is sent by itself.
      perform rollcall.release_job(v_post.token, v_pump.holder, interval '0', false, true);
      delete from rollcall.posts p where p.id = v_post.id;
    else
      perform rollcall.end_job(v_post, v_outcome);
    end if;
    return;
  end if;
  v_outcome := rollcall.read_answer(v_declared ->> 'name', v_bulk -> 'answers', p_answer,
    v_post.facts || jsonb_build_object('all_taken', rollcall.taken_of(p_answer) >= (v_post.facts ->> 'contacts')::int));
  perform rollcall.heed_outcome(v_post.destination_id, v_outcome, 'bulk', v_post.posted_at);
  if v_outcome ->> 'kind' = 'delivered' and v_bulk ? 'watch' then
    perform rollcall.note_job(v_post.token, v_pump.holder, 'running', v_outcome ->> 'remote_id', null, interval '1 minute');
    v_post.step := jsonb_build_object('work', v_outcome -> 'remote_id', 'watch', v_bulk -> 'watch', 'wait_ms', v_bulk -> 'watch' -> 'firstMs');
    perform rollcall.keep_post(rollcall.ask_again(v_post));
    return;
  end if;
  if v_outcome ->> 'kind' in ('delivered', 'unknown') then
    perform rollcall.end_job(v_post, v_outcome);
    return;
  end if;
  v_named := case when v_outcome ->> 'kind' = 'reject' and v_bulk ? 'refusedRows' then rollcall.named_rows(v_declared ->> 'name', v_bulk, v_post.token, p_answer, v_pump.settings -> 'retry') else '[]' end;
  if v_named <> '[]' then
    perform rollcall.settle_part(v_post.token, v_pump.holder, (select i.grace from rollcall.install i), v_named);
    perform rollcall.release_job(v_post.token, v_pump.holder, interval '0', false, false);
  else
    -- A refusal without a name: each is sent by itself, and whoever is at fault is told.
    perform rollcall.release_job(v_post.token, v_pump.holder,
      case when v_outcome ->> 'kind' in ('retry', 'throttle') then rollcall.retry_ms(v_pump.settings -> 'retry', 1, (v_outcome ->> 'retry_after_ms')::bigint) else 0 end
        * interval '1 millisecond',
      v_outcome ->> 'kind' = 'retry', v_outcome ->> 'kind' = 'reject', (v_pump.settings -> 'retry' ->> 'windowMs')::bigint * interval '1 millisecond',
      -- A server that says that it failed may have begun, and a job goes on by itself.
      case when v_outcome ->> 'kind' = 'retry' and p_answer ? 'status' then (select i.grace from rollcall.install i) end);
  end if;
  delete from rollcall.posts p where p.id = v_post.id;
end $body$;

create or replace function rollcall.end_job(p_post rollcall.posts, p_outcome jsonb) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_pump rollcall.pump;
begin
  select * into v_pump from rollcall.pump;
  perform rollcall.heed_outcome(p_post.destination_id, p_outcome, 'bulk', p_post.begun_at);
  perform rollcall.note_job(p_post.token, v_pump.holder, 'ended', null, jsonb_strip_nulls(jsonb_build_object('outcome', p_outcome -> 'kind', 'code', p_outcome -> 'code',
    'field', p_outcome -> 'field', 'message', p_outcome -> 'message', 'wait_ms', case when p_outcome ->> 'kind' = 'delivered' then 0
      else rollcall.retry_ms(v_pump.settings -> 'retry', 1, null) end, 'window_ms', v_pump.settings -> 'retry' -> 'windowMs',
    'latency_ms', (extract(epoch from clock_timestamp() - p_post.begun_at) * 1000)::int)), interval '1 minute');
  delete from rollcall.posts p where p.id = p_post.id;
end $body$;

-- Settles what is left of jobs that have ended, keeps those at work, and takes over those that a crash or another home has left. True
-- when there is more to settle.
create or replace function rollcall.tend_jobs() returns boolean language plpgsql volatile set search_path = '' as $body$
declare
  v_pump rollcall.pump;
  v_install rollcall.install;
  v_job record;
  v_more boolean := false;
begin
  select * into v_pump from rollcall.pump;
  select * into v_install from rollcall.install;
  for v_job in select j.token from rollcall.jobs j where j.holder = v_pump.holder and j.state = 'ended' order by j.begun_at loop
    -- Whatever works on after its answer may begin late: the grace is longer than that of a single request.
    v_more := rollcall.settle_job(v_job.token, v_pump.holder, v_install.grace * 5, 5000, interval '1 minute') > 0 or v_more;
  end loop;
  for v_job in select j.token, p.id as post from rollcall.jobs j left join rollcall.posts p on p.token = j.token
     where j.holder = v_pump.holder and j.state <> 'ended' and (p.id is null or j.held_until < clock_timestamp() + interval '40 seconds')
  loop
    if v_job.post is not null then perform rollcall.note_job(v_job.token, v_pump.holder, null, null, null, interval '1 minute');
    -- A crash has emptied what was under way.
    else update rollcall.jobs j set held_until = clock_timestamp() where j.token = v_job.token;
    end if;
  end loop;
  for v_job in select d.destination_id as destination, a.* from rollcall.declared d
    cross join lateral rollcall.adopt_job(d.destination_id, v_pump.holder, interval '1 minute', v_install.config_hash, v_install.project_ref, v_install.environment,
      null, null) a
  loop
    if v_job.state = 'claimed' then
      perform rollcall.release_job(v_job.token, v_pump.holder, interval '0', false, false);
    elsif v_job.state = 'running' and v_job.remote_id is not null and (select d.declaration -> 'bulk' ? 'watch' from rollcall.declared d where d.destination_id = v_job.destination) then
      insert into rollcall.posts (destination_id, kind, traffic, token, step, begun_at)
        select v_job.destination, 'job', 'poll', v_job.token, jsonb_build_object('work', v_job.remote_id, 'watch', d.declaration -> 'bulk' -> 'watch',
            'wait_ms', d.declaration -> 'bulk' -> 'watch' -> 'firstMs',
            'request', jsonb_build_object('method', 'GET', 'url', rollcall.fill(d.declaration -> 'bulk' -> 'watch' -> 'url', jsonb_build_object('work', v_job.remote_id)))),
          clock_timestamp() - v_job.begun_ms_ago * interval '1 millisecond'
          from rollcall.declared d where d.destination_id = v_job.destination;
    elsif v_job.state <> 'ended' then
      perform rollcall.note_job(v_job.token, v_pump.holder, 'ended', null, jsonb_build_object('outcome', 'unknown', 'code', 'no_answer',
        'message', 'Its home ended before the answer came.', 'wait_ms', 0, 'window_ms', v_pump.settings -> 'retry' -> 'windowMs', 'latency_ms', 0), interval '1 minute');
    end if;
    v_more := true;
  end loop;
  return v_more;
end $body$;
`;
