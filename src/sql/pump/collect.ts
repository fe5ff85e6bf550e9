/** What pg_net answered: each answer moves the work it belongs to by a step; what is over is settled. */
export const collect: string = /* sql */ `
-- How long until the next attempt, in ms (src/core/retry.ts).
create or replace function rollcall.retry_ms(p_retry jsonb, p_tries int, p_asked bigint) returns bigint language sql volatile set search_path = '' as $body$
  select greatest(least((p_retry ->> 'retryAfterMostMs')::bigint, coalesce(p_asked, 0)),
    (random() * least((p_retry ->> 'longestMs')::float8, (p_retry ->> 'firstMs')::float8 * (p_retry ->> 'factor')::float8 ^ least(greatest(0, p_tries - 1), 60)))::bigint)
$body$;

create or replace function rollcall.throttle_ms(p_retry jsonb, p_asked bigint) returns bigint language sql immutable set search_path = '' as $body$
  select least((p_retry ->> 'retryAfterMostMs')::bigint, greatest(coalesce(p_asked, 5000), 0))
$body$;

-- Does what an outcome says of the destination as a whole: pause, hold, resume (src/engine/note.ts).
create or replace function rollcall.heed_outcome(p_destination smallint, p_outcome jsonb, p_traffic text, p_posted_at timestamptz) returns void
language plpgsql volatile set search_path = '' as $body$
declare
  v_settings jsonb := (select p.settings from rollcall.pump p);
  v_destination rollcall.destinations;
  v_ms bigint;
begin
  select * into v_destination from rollcall.destinations d where d.id = p_destination;
  case p_outcome ->> 'kind'
    when 'config' then
      -- One pause for all that were under way together.
      if v_destination.pauses > 0 and p_posted_at < coalesce(v_destination.paused_since, '-infinity') then return; end if;
      v_ms := case when not coalesce((p_outcome ->> 'until_apply')::boolean, false) then
        least((v_settings -> 'breaker' ->> 'longestPauseMs')::bigint, (v_settings -> 'breaker' ->> 'firstPauseMs')::bigint * 2 ^ least(v_destination.pauses, 20)) end;
      perform rollcall.pause_destination(p_destination, p_outcome ->> 'code', p_outcome ->> 'message', v_ms);
    when 'throttle' then
      v_ms := rollcall.throttle_ms(v_settings -> 'retry', (p_outcome ->> 'retry_after_ms')::bigint);
      perform rollcall.hold_sends(p_destination, rollcall.buckets_of(p_destination, p_traffic), v_ms);
      insert into rollcall.post_holds as h (destination_id, bucket, until)
        select p_destination, b ->> 'name', clock_timestamp() + v_ms * interval '1 millisecond' from jsonb_array_elements(rollcall.buckets_of(p_destination, p_traffic)) b
      on conflict (destination_id, bucket) do update set until = greatest(h.until, excluded.until);
    when 'delivered', 'reject' then
      if v_destination.pause_code is not null and p_posted_at > coalesce(v_destination.paused_since, '-infinity') and p_traffic <> 'read' then
        perform rollcall.resume_destination(p_destination);
      end if;
    else null;
  end case;
end $body$;

-- The result of work that is over, as rollcall.settle takes it.
create or replace function rollcall.result_of(p_post rollcall.posts) returns jsonb language plpgsql volatile set search_path = '' as $body$
declare
  v_settings jsonb := (select p.settings from rollcall.pump p);
  v_stopped jsonb := p_post.done -> 'stopped';
  v_outcome jsonb := coalesce(p_post.done -> 'outcome', '{"kind": "delivered"}');
  v_send boolean := (p_post.facts ->> 'send_state')::boolean;
  v_tries int := coalesce(case v_stopped ->> 'by' when 'event' then (v_stopped ->> 'tries')::int else (p_post.facts ->> 'tries')::int end, 0);
  v_asked bigint := (v_stopped ->> 'retry_after_ms')::bigint;
  v_wait bigint := 0;
begin
  if v_stopped ->> 'kind' = 'throttle' then
    v_wait := rollcall.throttle_ms(v_settings -> 'retry', v_asked) * case when v_asked is null then 0.5 + random() else 1 end;
  elsif v_stopped ->> 'kind' = 'retry' or v_stopped ->> 'kind' = 'unknown' and (v_stopped ->> 'by' = 'event' or v_tries > 0) then
    v_wait := rollcall.retry_ms(v_settings -> 'retry', v_tries + 1, v_asked);
  end if;
  return jsonb_strip_nulls(jsonb_build_object('contact', p_post.facts -> 'contact_id', 'token', p_post.token, 'version', p_post.facts -> 'version',
    'claimed_at', p_post.begun_at, 'action', case when v_send then p_post.facts ->> 'action' else 'events' end,
    'outcome', case when v_send then v_outcome ->> 'kind' end,
    'address', case when v_send then p_post.facts -> 'address' end, 'touched', p_post.facts -> 'claimed_address', 'found_at', p_post.facts -> 'found_at',
    'remote_id', p_post.done -> 'remote_id', 'partial', v_outcome ->> 'kind' <> 'delivered' and coalesce((p_post.done ->> 'partial')::boolean, false),
    'code', v_outcome -> 'code', 'field', v_outcome -> 'field', 'message', v_outcome -> 'message', 'wait_ms', v_wait,
    'window_ms', v_settings -> 'retry' -> 'windowMs', 'latency_ms', coalesce(p_post.done -> 'ms', '0'),
    -- Its own contact was deleted: the id of before is nobody's, where no answer told another.
    'forget_remote', case when p_post.done ? 'removed' and not p_post.done ? 'remote_id' then true
      else (v_outcome ->> 'forget_remote')::boolean end,
    'events', coalesce(p_post.done -> 'events', '[]')));
end $body$;

-- One step further. p_answer: {status, headers, body}, or {error, sent} where there is none.
create or replace function rollcall.take_answer(p_post rollcall.posts, p_declared jsonb, p_answer jsonb) returns rollcall.posts language plpgsql volatile set search_path = '' as $body$
declare
  v_post rollcall.posts := p_post;
  v_found jsonb;
  v_outcome jsonb;
  v_op jsonb := case when p_post.step ? 'list' then p_declared -> (p_post.step ->> 'list') -> (p_post.step ->> 'op')::int else p_declared -> 'event' end;
  v_facts jsonb := rollcall.step_facts(p_post, p_post.step);
  v_ms int := case when p_post.posted_at > '-infinity' then (extract(epoch from clock_timestamp() - p_post.posted_at) * 1000)::int else 0 end;
begin
  if v_post.step ? 'read' or v_post.step ? 'find' then
    v_found := rollcall.read_lookup(p_declared ->> 'name', p_declared -> 'lookup', p_answer,
      case when v_post.step ? 'find' then v_post.step ->> 'find' when v_post.step ->> 'id' is null then v_post.step ->> 'address' end);
    if v_found ? 'outcome' then
      v_outcome := v_found -> 'outcome';
      -- A read has changed nothing, whatever became of it.
      if v_outcome ->> 'kind' = 'unknown' then v_outcome := v_outcome || '{"kind": "retry"}'; end if;
      perform rollcall.heed_outcome(v_post.destination_id, v_outcome, 'read', v_post.posted_at);
      return rollcall.next_step(rollcall.note_outcome(v_post, v_outcome, v_ms), p_declared);
    end if;
    if v_post.step ? 'read' then
      if v_post.step ->> 'read' = 'erase' and v_found ->> 'subscription' = 'unsubscribed' then
        perform rollcall.receive_facts((select d.name from rollcall.destinations d where d.id = p_post.destination_id), jsonb_build_array(jsonb_build_object('id', 'found before it was erased ' || (v_post.step ->> 'address'),
          'kind', 'opt_out', 'address', v_post.step -> 'address', 'at', null, 'proof', '{"event": "unsubscribe"}'::jsonb)));
      end if;
      v_post.facts := rollcall.after_read(v_post.step ->> 'read', v_post.facts, v_found);
      return rollcall.next_step(v_post, p_declared);
    end if;
    if not (v_found ->> 'found')::boolean then
      return rollcall.next_step(rollcall.note_outcome(v_post, case when v_op ->> 'kind' in ('delete', 'unsubscribe') then '{"kind": "delivered"}'::jsonb
        else '{"kind": "retry", "code": "contact_vanished", "message": "The contact was not found at the destination.", "forget_remote": true}' end, v_ms), p_declared);
    end if;
    -- The contact that was just accepted under the new address: it has moved there, and nothing is left behind.
    if v_op ->> 'kind' = 'delete' and v_found ->> 'id' is not distinct from v_post.done ->> 'remote_id' then return rollcall.next_step(v_post, p_declared); end if;
    v_post.request_id := null;
    v_post.posted_at := null;
    v_post.traffic := coalesce(v_op ->> 'traffic', 'contact');
    v_post.step := (v_post.step - 'find') || jsonb_build_object('request',
      rollcall.request_of(v_op, v_facts || jsonb_build_object('found_id', v_found -> 'id')));
    return v_post;
  end if;
  if v_post.step ? 'work' then return rollcall.watch_on(v_post, p_declared, p_answer); end if;
  v_outcome := rollcall.read_step(p_declared ->> 'name', v_op, p_answer, v_facts);
  perform rollcall.heed_outcome(v_post.destination_id, v_outcome, v_post.traffic, v_post.posted_at);
  if v_outcome ->> 'kind' = 'delivered' and v_op ? 'watch' then
    v_post.step := v_post.step || jsonb_build_object('work', v_outcome -> 'remote_id', 'watch', v_op -> 'watch', 'wait_ms', v_op -> 'watch' -> 'firstMs');
    return rollcall.ask_again(v_post);
  end if;
  return rollcall.next_step(rollcall.note_outcome(v_post, v_outcome, v_ms), p_declared);
end $body$;

-- Asks about work at the destination after a wait, which grows.
create or replace function rollcall.ask_again(p_post rollcall.posts) returns rollcall.posts language plpgsql volatile set search_path = '' as $body$
declare
  v_post rollcall.posts := p_post;
  v_ms float8 := (p_post.step ->> 'wait_ms')::float8;
begin
  v_post.request_id := null;
  v_post.posted_at := null;
  v_post.traffic := 'poll';
  v_post.post_after := clock_timestamp() + v_ms * interval '1 millisecond';
  v_post.step := v_post.step || jsonb_build_object('wait_ms', least(v_ms * 1.5, (p_post.step -> 'watch' ->> 'mostMs')::float8),
    'request', jsonb_build_object('method', 'GET', 'url', rollcall.fill(p_post.step -> 'watch' -> 'url', jsonb_build_object('work', p_post.step -> 'work'))));
  return v_post;
end $body$;

-- How far work at the destination has come, of one contact.
create or replace function rollcall.watch_on(p_post rollcall.posts, p_declared jsonb, p_answer jsonb) returns rollcall.posts language plpgsql volatile set search_path = '' as $body$
declare
  v_outcome jsonb := rollcall.read_progress(p_post, p_declared ->> 'name', p_answer);
begin
  if v_outcome is null then return rollcall.ask_again(p_post); end if;
  return rollcall.next_step(rollcall.note_outcome(p_post, v_outcome, (extract(epoch from clock_timestamp() - p_post.begun_at) * 1000)::int), p_declared);
end $body$;

-- What became of work at the destination; null while it goes on or nobody could tell.
create or replace function rollcall.read_progress(p_post rollcall.posts, p_name text, p_answer jsonb) returns jsonb language plpgsql volatile set search_path = '' as $body$
declare
  v_outcome jsonb := rollcall.read_answer(p_name, p_post.step -> 'watch' -> 'answers', p_answer, '{}');
begin
  if p_post.begun_at < clock_timestamp() - interval '1 hour' then
    return '{"kind": "unknown", "code": "job_endless", "message": "It had not ended after the time it may take."}';
  end if;
  if p_answer ->> 'status' is null or v_outcome ->> 'kind' = 'retry' then return null; end if;
  -- A refusal to tell says nothing of the work.
  if (p_answer ->> 'status')::int not between 200 and 299 and v_outcome ->> 'kind' <> 'unknown' then
    perform rollcall.heed_outcome(p_post.destination_id, v_outcome, 'poll', p_post.posted_at);
    return null;
  end if;
  -- Known by no id of the contact's own.
  return v_outcome - 'remote_id';
end $body$;

-- Takes the answers there are, and gives up what will have none: up to p_most. How many it took.
create or replace function rollcall.collect_answers(p_most int) returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_each record;
  v_post rollcall.posts;
  v_answers bigint[];
  v_taken int := 0;
  v_of smallint;
  v_declared jsonb;
  v_answered bigint[] := '{}';
  v_counts jsonb := '{}';
begin
  perform rollcall.notice_reset();
  for v_each in
    select p.id, r.answer from rollcall.posts p
      join rollcall.answers_of(array(select x.request_id from rollcall.posts x where x.request_id is not null order by x.posted_at limit p_most)) r
        on r.request_id = p.request_id
     order by p.destination_id, p.id
  loop
    select * into v_post from rollcall.posts p where p.id = v_each.id for update skip locked;
    continue when not found or v_post.request_id is null;
    if v_of is distinct from v_post.destination_id then
      v_of := v_post.destination_id;
      v_declared := rollcall.declared_of(v_of);
    end if;
    v_answered := v_answered || v_post.request_id;
    v_counts := v_counts || jsonb_build_object(v_of || ' ' || v_post.traffic, coalesce((v_counts ->> (v_of || ' ' || v_post.traffic))::int, 0) + 1);
    case v_post.kind
      when 'unit' then perform rollcall.keep_post(rollcall.take_answer(v_post, v_declared, v_each.answer));
      when 'job' then perform rollcall.job_answer(v_post, v_each.answer);
      when 'pull' then perform rollcall.pull_answer(v_post, v_each.answer);
      when 'look' then perform rollcall.look_answer(v_post, v_each.answer);
      else perform rollcall.probe_answer(v_post, v_each.answer);
    end case;
    v_taken := v_taken + 1;
  end loop;
  perform rollcall.note_sent(split_part(c.key, ' ', 1)::smallint, split_part(c.key, ' ', 2), c.value::int) from jsonb_each_text(v_counts) c;
  if v_taken > 0 then perform rollcall.drop_answers(v_answered); end if;
  return v_taken;
end $body$;

-- The answers of pg_net to some requests: {status, headers, body}, {error, sent} where none came, and the same for whatever was posted so long
-- ago that none will come. What never left the queue is taken out of it, so that nothing old is sent after something newer.
create or replace function rollcall.answers_of(p_requests bigint[]) returns table (request_id bigint, answer jsonb) language plpgsql volatile set search_path = '' as $body$
#variable_conflict use_column
declare
  v_late record;
  v_id bigint;
  v_before timestamptz := clock_timestamp() - rollcall.answer_within();
begin
  return query execute $net$
    select r.id, case when r.status_code is not null then jsonb_build_object('status', r.status_code, 'headers', coalesce(r.headers, '{}'), 'body', left(r.content, 1048576))
        else jsonb_build_object('error', coalesce(r.error_msg, 'no answer'),
          'sent', not coalesce(r.error_msg ~* 'resolve|connect to|refused|unreachable|bad url|malformed', false)) end
      from net._http_response r where r.id = any($1)$net$ using p_requests;
  for v_late in select p.request_id, p.posted_at from rollcall.posts p
     where p.request_id = any(p_requests) and p.posted_at < v_before
  loop
    v_id := null;
    execute 'select q.id from net.http_request_queue q where q.id = $1 for update skip locked' into v_id using v_late.request_id;
    if v_id is not null then
      execute 'delete from net.http_request_queue q where q.id = $1' using v_id;
      request_id := v_late.request_id;
      answer := '{"error": "pg_net has not sent it: is its worker running?", "sent": false}';
      return next;
      continue;
    end if;
    execute 'select q.id from net.http_request_queue q where q.id = $1' into v_id using v_late.request_id;
    if v_id is not null then continue; end if;       -- pg_net is at it
    execute 'select r.id from net._http_response r where r.id = $1' into v_id using v_late.request_id;
    if v_id is not null then continue; end if;
    request_id := v_late.request_id;
    answer := '{"error": "pg_net has no answer to it", "sent": true}';
    return next;
  end loop;
end $body$;

-- From the hand-over on: the queue before it, a request of the longest, and the pauses of pg_net's worker.
create or replace function rollcall.answer_within() returns interval language sql stable set search_path = '' as $body$
  select coalesce((p.settings ->> 'answerWithinMs')::int, 30000) * interval '1 millisecond' from rollcall.pump p
$body$;

create or replace function rollcall.drop_answers(p_requests bigint[]) returns void language plpgsql volatile set search_path = '' as $body$
begin
  execute 'delete from net._http_response r where r.id = any($1)' using p_requests;
end $body$;

-- Writes down a post after a step; one that is over is settled at the end of the chore.
create or replace function rollcall.keep_post(p_post rollcall.posts) returns void language plpgsql volatile set search_path = '' as $body$
begin
  update rollcall.posts p
     set traffic = p_post.traffic, facts = p_post.facts, left_over = p_post.left_over, step = coalesce(p_post.step, 'null'), done = p_post.done,
         post_after = p_post.post_after, request_id = p_post.request_id, posted_at = p_post.posted_at
   where p.id = p_post.id;
end $body$;

-- Settles the units that are over. How many.
create or replace function rollcall.settle_posts() returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_batch record;
  v_settled int := 0;
begin
  for v_batch in
    select x.destination_id, jsonb_agg(x.result order by x.id) as results, array_agg(x.id) as ids, (array_agg(x.token))[1] as token, array_agg(x.contact_id) as contacts from (
      select p.id, p.destination_id, p.token, p.contact_id, rollcall.result_of(p) as result from rollcall.posts p
       where p.kind = 'unit' and p.request_id is null and p.step = 'null' order by p.id limit 500) x
     group by x.destination_id
  loop
    perform rollcall.settle(v_batch.destination_id, v_batch.token, (select i.grace from rollcall.install i), v_batch.results);
    delete from rollcall.post_leases l where l.destination_id = v_batch.destination_id and l.contact_id = any(v_batch.contacts);
    delete from rollcall.posts p where p.id = any(v_batch.ids);
    v_settled := v_settled + cardinality(v_batch.ids);
  end loop;
  return v_settled;
end $body$;
`;
