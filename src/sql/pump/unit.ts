/** One contact's work, step by step: what the worker's \`perform\` does in one go, with an answer between each two transactions. */
export const unit: string = /* sql */ `
-- The request of a step for a filled URL and body.
create or replace function rollcall.request_of(p_step jsonb, p_facts jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select jsonb_strip_nulls(jsonb_build_object('method', p_step ->> 'method', 'url', rollcall.fill(p_step -> 'url', p_facts),
      'headers', case when p_step ? 'key' then jsonb_build_object(p_step -> 'key' ->> 0, rollcall.fill(p_step -> 'key' -> 1, p_facts)) end))
    || case when p_step ? 'body' then jsonb_build_object('body', rollcall.fill(p_step -> 'body', p_facts)) else '{}' end
$body$;

create or replace function rollcall.lookup_request(p_lookup jsonb, p_id text, p_address text) returns jsonb language sql immutable set search_path = '' as $body$
  select jsonb_build_object('method', 'GET', 'url', rollcall.fill(case when p_id is not null then p_lookup -> 'byId' else p_lookup -> 'byAddress' end,
    jsonb_build_object('id', p_id, 'address', p_address)))
$body$;

-- Facts with the attributes as the destination takes them; of an event, of whoever it goes to.
create or replace function rollcall.with_attributes(p_declared jsonb, p_facts jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select p_facts || jsonb_build_object('said', a.said, 'refused', a.refused, 'says_named', a.says_named, 'has_named', a.has_named,
      'says_nothing_of', a.says_nothing_of, 'says_false', a.says_false,
      'odd_address', p_facts ->> 'address' !~* '^[\\w+-]+([.][\\w+-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$')
    from rollcall.say_attributes(p_declared -> 'attributes', p_facts -> 'attributes', p_facts -> 'plan', (p_facts ->> 'takeover')::boolean) a
$body$;

-- What is to be done for a claimed contact, in order: [{read, id, address}, {list, op, each}, {event}]; an operation by its place in the declaration.
create or replace function rollcall.steps_of(p_declared jsonb, p_facts jsonb, p_events jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_action text := p_facts ->> 'action';
  v_address text := p_facts ->> 'address';
  v_remote text := p_facts ->> 'remote_address';
  v_id text := p_facts ->> 'remote_id';
  v_carry text := p_facts ->> 'carry_from';
  v_reads jsonb := '[]';
  v_ops jsonb;
  v_events jsonb := (select coalesce(jsonb_agg(jsonb_build_object('event', e.value) order by e.n), '[]') from jsonb_array_elements(p_events) with ordinality e(value, n));
begin
  if not (p_facts ->> 'send_state')::boolean then return v_events; end if;
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('list', v_action, 'op', s.n - 1, 'each', x.each)) order by s.n, x.m), '[]') into v_ops
    from jsonb_array_elements(p_declared -> v_action) with ordinality s(step, n)
    cross join lateral (select null::jsonb as each, 0::bigint as m where not s.step ? 'each'
      union all select e.value, e.m from jsonb_array_elements(coalesce(p_facts -> (s.step ->> 'each'), '[]')) with ordinality e(value, m)) x;
  if p_declared ? 'lookup' then
    if v_action = 'delete' then
      -- Of somebody who never said yes the contact was made unsubscribed: that tells nothing.
      if (p_facts ->> 'erases')::boolean and p_facts ->> 'consent' = 'basis' and v_remote is not null then
        v_reads := jsonb_build_array(jsonb_build_object('read', 'erase', 'id', v_id, 'address', v_remote));
      end if;
      return v_reads || v_events || v_ops;
    elsif v_action = 'unsubscribe' then
      if v_remote is not null then v_reads := jsonb_build_array(jsonb_build_object('read', 'leave', 'id', v_id, 'address', v_remote)); end if;
    elsif v_address is not null then
      if p_facts ->> 'consent' not in ('opted_out', 'opted_in') then
        if v_carry is not null then v_reads := v_reads || jsonb_build_object('read', 'carry', 'address', v_carry); end if;
        if v_remote is not null and v_remote <> v_address and (v_id is not null or v_remote is distinct from v_carry) then
          v_reads := v_reads || jsonb_build_object('read', 'carry', 'id', v_id, 'address', v_remote);
        end if;
      end if;
      if (p_facts ->> 'astray')::boolean and v_id is not null then
        v_reads := v_reads || jsonb_build_object('read', 'stray', 'id', v_id, 'address', v_remote);
      end if;
      if (p_declared ->> 'looksFirst')::boolean and not exists (select from jsonb_array_elements(v_reads) r where r ->> 'id' = v_id) then
        v_reads := v_reads || case when v_id is null then jsonb_build_object('read', 'meet', 'address', v_address)
          else jsonb_build_object('read', 'state', 'id', v_id, 'address', v_address) end;
      end if;
    end if;
  elsif v_action = 'delete' then
    return v_events || v_ops;
  end if;
  -- What is left behind may follow from what is read, so operations are put together after that.
  return v_reads || case when v_reads = '[]' then v_ops else jsonb_build_array(jsonb_build_object('ops', true)) end || v_events;
end $body$;

create or replace function rollcall.stands(p_json jsonb, p_pairs jsonb) returns boolean language sql immutable set search_path = '' as $body$
  select exists (select from jsonb_array_elements(p_pairs) s where p_json #> array(select jsonb_array_elements_text(s -> 0)) = s -> 1)
$body$;

-- What a read says: {found, id, address, subscription}, or {outcome} where it says nothing. p_asked: the address that was asked for, if it was.
create or replace function rollcall.read_lookup(p_name text, p_lookup jsonb, p_answer jsonb, p_asked text) returns jsonb language plpgsql volatile set search_path = '' as $body$
declare
  v_status int := (p_answer ->> 'status')::int;
  v_json jsonb := rollcall.as_json(p_answer ->> 'body');
  v_id text := rollcall.first_at(v_json, p_lookup -> 'id', p_lookup ->> 'idType');
  v_address text := rollcall.first_at(v_json, p_lookup -> 'address', 'string');
  v_no boolean := rollcall.stands(v_json, p_lookup -> 'unsubscribed');
  v_yes boolean := not v_no and rollcall.stands(v_json, p_lookup -> 'subscribed');
begin
  if v_status is not null and (select r.rule ->> 'kind' from jsonb_array_elements(p_lookup -> 'missing') with ordinality r(rule, n)
      where rollcall.rule_fits(r.rule, v_status, p_answer ->> 'body', v_json, '{}') order by r.n limit 1) = 'delivered' then
    return '{"found": false}';
  end if;
  -- Of somebody else nothing must be read, let alone changed.
  if v_status between 200 and 299 and v_id is not null and (v_yes or v_no or not coalesce((p_lookup ->> 'mustSay')::boolean, false))
      and (p_asked is null or v_address is null or not coalesce((p_lookup ->> 'mustBeAsked')::boolean, false) or rollcall.same_address(p_asked, v_address)) then
    -- Anything but a clear "subscribed" counts as a no.
    return jsonb_build_object('found', true, 'id', v_id, 'address', v_address, 'subscription', case when v_yes then 'subscribed' else 'unsubscribed' end);
  end if;
  return jsonb_build_object('outcome', rollcall.read_answer(p_name,
    (p_lookup -> 'missing') || '[{"of": ["delivered"], "kind": "retry", "code": "malformed_answer"}]', p_answer, '{}'));
end $body$;

-- The facts after a read.
create or replace function rollcall.after_read(p_purpose text, p_facts jsonb, p_found jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_known text := p_facts ->> 'subscription';
  -- What two places say of one person: a no in either is one.
  v_together jsonb := case when v_known = 'unsubscribed' then '"unsubscribed"' else coalesce(p_found -> 'subscription', to_jsonb(v_known), 'null') end;
  v_old text := p_facts ->> 'remote_address';
  v_facts jsonb := p_facts;
begin
  case p_purpose
    when 'carry' then v_facts := v_facts || jsonb_build_object('subscription', v_together);
    when 'leave' then
      v_facts := v_facts || case when (p_found ->> 'found')::boolean then jsonb_build_object('remote_id', p_found -> 'id', 'subscription', p_found -> 'subscription')
        else '{"remote_id": null, "remote_address": null, "has_remote": false}' end;
    when 'stray' then
      -- The contact of our id, wherever an attempt in doubt may have moved it.
      if (p_found ->> 'found')::boolean and p_found ->> 'address' is not null and p_found ->> 'address' is distinct from v_old then
        v_facts := v_facts || jsonb_build_object('remote_address', p_found -> 'address', 'subscription', v_together, 'found_at', p_found -> 'address');
      end if;
    when 'state' then
      v_facts := v_facts || jsonb_build_object('subscription', v_together);
    when 'meet' then
      if (p_found ->> 'found')::boolean then
        v_facts := v_facts || jsonb_build_object(
          'leftovers', case when v_old is not null and v_old is distinct from p_facts ->> 'address' then jsonb_build_array(v_old) else '[]' end
            || coalesce(nullif(p_facts -> 'leftovers', 'null'), '[]'),
          'imported', (p_facts ->> 'imported')::boolean and (v_old is null or v_old is not distinct from p_facts ->> 'address'),
          'consent', case when v_known = 'unsubscribed' and p_facts ->> 'consent' <> 'opted_in' then '"opted_out"' else p_facts -> 'consent' end,
          'remote_id', p_found -> 'id', 'remote_address', coalesce(p_found -> 'address', p_facts -> 'address'), 'subscription', p_found -> 'subscription',
          'has_remote', true, 'met', true);
      end if;
    else null;
  end case;
  return rollcall.derive_facts(v_facts);
end $body$;

-- The facts of an operation: those of the contact, whom it is for, and whether its own id was just accepted again.
create or replace function rollcall.step_facts(p_post rollcall.posts, p_step jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select p_post.facts || jsonb_build_object('each', p_step -> 'each', 'replaced',
    coalesce(p_post.done ->> 'remote_id' = p_post.facts ->> 'remote_id', false))
$body$;

-- Makes the next of what is left the step under way; without one the work is over, and its step is null.
create or replace function rollcall.next_step(p_post rollcall.posts, p_declared jsonb) returns rollcall.posts language plpgsql volatile set search_path = '' as $body$
declare
  v_post rollcall.posts := p_post;
  v_next jsonb;
  v_facts jsonb;
  v_op jsonb;
  v_problem jsonb;
begin
  v_post.request_id := null;
  v_post.posted_at := null;
  v_post.post_after := clock_timestamp();
  loop
    v_next := v_post.left_over -> 0;
    v_post.step := null;
    if v_next is null then return v_post; end if;
    v_post.left_over := v_post.left_over - 0;
    if v_next ? 'ops' then
      -- Read as it is by now, and nothing is read again.
      v_post.left_over := rollcall.steps_of(p_declared - 'lookup', v_post.facts, '[]') || v_post.left_over;
    elsif v_next ? 'read' then
      v_post.traffic := 'read';
      v_post.step := v_next || jsonb_build_object('request', rollcall.lookup_request(p_declared -> 'lookup', v_next ->> 'id', v_next ->> 'address'));
      return v_post;
    elsif v_next ? 'event' then
      v_op := p_declared -> 'event';
      v_facts := v_post.facts || jsonb_build_object('event', v_next -> 'event' -> 'name', 'event_id', v_next -> 'event' -> 'id', 'event_at', v_next -> 'event' -> 'at',
        'properties', v_next -> 'event' -> 'properties') || rollcall.known_as(v_post);
      v_post.traffic := 'event';
      v_post.step := jsonb_build_object('event', (v_next -> 'event') - 'properties', 'kind', 'event');
      if v_op is null or v_next -> 'event' ? 'list' or not (v_facts ->> 'there')::boolean then
        v_post := rollcall.note_outcome(v_post, case when v_next -> 'event' ? 'list'
          then '{"kind": "reject", "code": "lists_not_joined", "message": "The SQL home joins no single lists: a worker or the edge home does."}'
          when v_op is null
          then '{"kind": "reject", "code": "events_not_taken", "message": "The destination takes no events."}'
          else '{"kind": "retry", "code": "contact_missing", "message": "The contact is not known at the destination.", "forget_remote": true}'::jsonb end, 0);
        continue;
      end if;
      if v_op ? 'limits' then
        v_problem := rollcall.event_problem(v_op -> 'limits', v_facts ->> 'event', v_facts -> 'properties');
        if v_problem is not null then
          v_post := rollcall.note_outcome(v_post, v_problem || '{"kind": "reject"}', 0);
          continue;
        end if;
      end if;
      v_post.step := v_post.step || jsonb_build_object('request', rollcall.request_of(v_op, v_facts));
      return v_post;
    else
      v_op := p_declared -> (v_next ->> 'list') -> (v_next ->> 'op')::int;
      v_facts := rollcall.step_facts(v_post, v_next);
      continue when not rollcall.test_holds(v_op -> 'when', v_facts);
      v_facts := v_facts || jsonb_build_object('plans_named', exists (select from jsonb_object_keys(v_facts -> 'plan') k
        where p_declared -> 'attributes' -> 'named' ? case when (p_declared -> 'attributes' ->> 'upperCase')::boolean then upper(k) else k end));
      if v_op ->> 'kind' = 'upsert' then v_facts := rollcall.with_attributes(p_declared, v_facts); end if;
      v_post.traffic := coalesce(v_op ->> 'traffic', 'contact');
      v_post.step := v_next || jsonb_build_object('kind', v_op -> 'kind');
      if v_op ? 'refuse' then
        v_post := rollcall.note_outcome(v_post, v_op -> 'refuse' || '{"kind": "reject"}', 0);
      elsif v_facts ->> 'refused' is not null then
        v_post := rollcall.note_outcome(v_post, jsonb_build_object('kind', 'reject', 'code', 'invalid_value', 'field', v_facts -> 'refused', 'message',
          'The value for ' || (v_facts ->> 'refused') || ' is not of the type that the attribute has: the destination would drop it without a word.'), 0);
      elsif v_op ? 'find' then
        v_post.traffic := 'read';
        v_post.step := v_post.step || jsonb_build_object('find', v_facts ->> (v_op ->> 'find'),
          'request', rollcall.lookup_request(p_declared -> 'lookup', null, v_facts ->> (v_op ->> 'find')));
        return v_post;
      else
        v_post.step := v_post.step || jsonb_build_object('request', rollcall.request_of(v_op, v_facts));
        return v_post;
      end if;
    end if;
  end loop;
end $body$;

-- Whoever an event goes to: as the contact is known there by now.
create or replace function rollcall.known_as(p_post rollcall.posts) returns jsonb language sql immutable set search_path = '' as $body$
  select x.known || jsonb_build_object('there', x.known ->> 'to_id' is not null or x.known ->> 'to_address' is not null, 'to_known_id', x.known ->> 'to_id' is not null,
      'to_number', coalesce(x.known ->> 'to_id' ~ '^[0-9]{1,15}$', false))
    from (select jsonb_build_object('to_id', coalesce(p_post.done -> 'remote_id', p_post.facts -> 'remote_id'),
      'to_address', case when p_post.facts ->> 'action' = 'upsert' and (p_post.facts ->> 'send_state')::boolean then p_post.facts -> 'address'
        else p_post.facts -> 'remote_address' end) as known) x
$body$;

-- Writes down what became of the step under way; what is left is dropped where nothing may follow.
create or replace function rollcall.note_outcome(p_post rollcall.posts, p_outcome jsonb, p_ms int) returns rollcall.posts language plpgsql immutable set search_path = '' as $body$
declare
  v_post rollcall.posts := p_post;
  v_kind text := p_outcome ->> 'kind';
  v_deletes boolean := p_post.facts ->> 'action' = 'delete' and (p_post.facts ->> 'send_state')::boolean;
  v_said jsonb := p_outcome;
begin
  if p_post.step ->> 'kind' = 'event' then
    if v_kind = 'unknown' and (p_post.facts ->> 'events_once')::boolean then
      v_said := p_outcome || jsonb_build_object('kind', 'reject', 'code', 'unknown_not_repeated', 'message', concat(p_outcome ->> 'message', ' (', p_outcome ->> 'code', ')'));
    end if;
    v_post.done := v_post.done || jsonb_build_object('events', coalesce(v_post.done -> 'events', '[]') || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
      'id', p_post.step -> 'event' -> 'id', 'outcome', v_said -> 'kind', 'code', v_said -> 'code', 'message', v_said -> 'message', 'latency_ms', p_ms))));
    if v_kind not in ('delivered', 'reject') and (not v_deletes or v_kind in ('config', 'throttle')) then
      v_post.done := v_post.done || jsonb_build_object('stopped', p_outcome || jsonb_build_object('tries', p_post.step -> 'event' -> 'tries', 'by', 'event'));
      if v_deletes then v_post.done := v_post.done || jsonb_build_object('outcome', p_outcome); end if;
      v_post.left_over := '[]';
    end if;
    return v_post;
  end if;
  v_post.done := v_post.done || jsonb_build_object('ms', coalesce((v_post.done ->> 'ms')::int, 0) + p_ms);
  if v_kind = 'delivered' then
    if p_post.step ->> 'kind' = 'upsert' then
      v_post.done := v_post.done || jsonb_build_object('partial', true);
    end if;
    if p_post.step ->> 'kind' = 'delete' and p_post.facts ->> 'action' = 'upsert' and not p_post.step ? 'each' then
      v_post.done := v_post.done || jsonb_build_object('removed', true);
    end if;
    if p_post.step ->> 'kind' <> 'delete' and p_outcome ? 'remote_id' then
      v_post.done := v_post.done || jsonb_build_object('remote_id', p_outcome -> 'remote_id');
    end if;
    return v_post;
  end if;
  v_post.done := v_post.done || jsonb_build_object('outcome', p_outcome, 'stopped', p_outcome || '{"by": "state"}');
  v_post.left_over := '[]';
  return v_post;
end $body$;
`;
