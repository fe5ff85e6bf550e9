import { KEYS_FIRST } from '../functions/plan-settings.ts';

/** What the SQL home reads at destinations: whether the key works, who must not be mailed, whether the erased are gone. */
export const reading: string = /* sql */ `
-- A paused destination is asked with care: first by its own probe.
create or replace function rollcall.begin_probe(p_destination smallint) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_destination);
begin
  if not v_declared ? 'probe' or exists (select from rollcall.posts p where p.destination_id = p_destination and p.kind = 'probe') then return; end if;
  if not coalesce(rollcall.take_probe(p_destination, 60000), false) then return; end if;
  insert into rollcall.posts (destination_id, kind, traffic, step)
    values (p_destination, 'probe', 'read', jsonb_build_object('request', jsonb_build_object('method', 'GET', 'url', v_declared -> 'probe')));
end $body$;

create or replace function rollcall.probe_answer(p_post rollcall.posts, p_answer jsonb) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_outcome jsonb := rollcall.read_answer((select d.declaration ->> 'name' from rollcall.declared d where d.destination_id = p_post.destination_id), '[]', p_answer, '{}');
begin
  delete from rollcall.posts p where p.id = p_post.id;
  if v_outcome ->> 'kind' = 'config' then
    perform rollcall.heed_outcome(p_post.destination_id, v_outcome, 'read', p_post.posted_at);
  elsif v_outcome ->> 'kind' = 'delivered' then
    -- What a probe cannot tell, a plan or the scope to write, one contact finds out.
    update rollcall.destinations d set paused_until = null, probe_until = null where d.id = p_post.destination_id and d.paused_until is distinct from 'infinity';
  else
    perform rollcall.end_probe(p_post.destination_id, 5000);
  end if;
end $body$;

-- Reads who must not be mailed, when that is due: one listing after the other, one page at a time.
create or replace function rollcall.begin_pulls() returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_each record;
begin
  for v_each in select d.destination_id, d.declaration -> 'pull' as listings from rollcall.declared d
      join rollcall.destinations x on x.id = d.destination_id and x.enabled and x.pause_code is null
     where jsonb_array_length(coalesce(d.declaration -> 'pull', '[]')) > 0
       and not exists (select from rollcall.posts p where p.destination_id = d.destination_id and p.kind = 'pull')
  loop
    continue when not rollcall.begin_pull(v_each.destination_id, ((select p.settings ->> 'pullEveryMs' from rollcall.pump p)::bigint) * interval '1 millisecond', interval '2 minutes');
    perform rollcall.pull_page(v_each.destination_id, v_each.listings, null);
  end loop;
end $body$;

create or replace function rollcall.pull_page(p_destination smallint, p_listings jsonb, p_after text) returns void language sql volatile set search_path = '' as $body$
  insert into rollcall.posts (destination_id, kind, traffic, left_over, facts, step)
    values (p_destination, 'pull', 'suppressions', p_listings - 0, jsonb_build_object('after', p_after), jsonb_build_object('listing', p_listings -> 0,
      'request', jsonb_build_object('method', 'GET', 'url', rollcall.fill(p_listings -> 0 -> 'url', jsonb_build_object('after', p_after)))))
$body$;

-- A row of a listing as a fact, with the words of src/core/suppressions.ts: the same one whoever reads it.
create or replace function rollcall.pulled_fact(p_listing jsonb, p_row jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select jsonb_build_object('id', concat_ws(' ', 'pulled', r.reason, coalesce(r.at, ''), r.address),
      'kind', case r.reason when 'complaint' then 'complaint' when 'bounce' then 'bounce' else 'opt_out' end, 'address', r.address,
      'at', r.at, 'proof', jsonb_build_object('event', r.reason))
    from (select btrim(p_row #>> array(select jsonb_array_elements_text(p_listing -> 'address'))) as address,
        coalesce(p_listing -> 'reasons' ->> (p_row #>> array(select jsonb_array_elements_text(p_listing -> 'reason'))), p_listing ->> 'otherwise') as reason,
        case when p_listing ? 'at' then p_row #>> array(select jsonb_array_elements_text(p_listing -> 'at')) end as at) r
   where r.address <> '' and (p_listing -> 'only' is null
     or coalesce(p_row #> array(select jsonb_array_elements_text(p_listing -> 'only' -> 0)), 'null') in (select o from jsonb_array_elements(p_listing -> 'only' -> 1) o))
$body$;

-- The place of the page after one; null after the last.
create or replace function rollcall.next_page(p_listing jsonb, p_after text, p_json jsonb, p_rows jsonb) returns text language plpgsql immutable set search_path = '' as $body$
declare
  v_next jsonb := p_listing -> 'next';
  v_place text;
begin
  if v_next ? 'answer' then
    if p_json #> array(select jsonb_array_elements_text(v_next -> 'unless' -> 0)) = v_next -> 'unless' -> 1 then return null; end if;
    v_place := p_json #>> array(select jsonb_array_elements_text(v_next -> 'answer'));
  elsif v_next ? 'lastRow' then
    v_place := p_rows -> -1 #>> array(select jsonb_array_elements_text(v_next -> 'lastRow'));
  elsif jsonb_array_length(p_rows) >= (v_next ->> 'offset')::int then
    v_place := (coalesce(p_after, '0')::int + (v_next ->> 'offset')::int - (v_next ->> 'overlap')::int)::text;
  end if;
  -- A page that names itself as the next one would come for ever.
  return case when v_place <> '' and v_place is distinct from p_after then v_place end;
end $body$;

create or replace function rollcall.pull_answer(p_post rollcall.posts, p_answer jsonb) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_post.destination_id);
  v_listing jsonb := p_post.step -> 'listing';
  v_json jsonb := rollcall.as_json(p_answer ->> 'body');
  v_rows jsonb;
  v_next text;
  v_facts jsonb;
begin
  delete from rollcall.posts p where p.id = p_post.id;
  v_rows := case when v_listing -> 'rows' = '[]' then case when jsonb_typeof(v_json) = 'object' then v_json -> 'data' else v_json end
    else v_json #> array(select jsonb_array_elements_text(v_listing -> 'rows')) end;
  if (p_answer ->> 'status')::int = 404 and coalesce((v_listing ->> 'optional')::boolean, false) and v_json is not null then
    v_rows := '[]';
  elsif coalesce((p_answer ->> 'status')::int, 0) not between 200 and 299 or jsonb_typeof(v_rows) is distinct from 'array' then
    -- Tried again when the hold is over: a refusal says nothing of contacts, whose own requests find that out.
    perform rollcall.heed_outcome(p_post.destination_id, o, 'suppressions', p_post.posted_at)
      from rollcall.read_answer(v_declared ->> 'name', '[]', p_answer, '{}') o where o ->> 'kind' = 'throttle';
    return;
  end if;
  select jsonb_agg(f) into v_facts from jsonb_array_elements(v_rows) r cross join lateral rollcall.pulled_fact(v_listing, r) f where f is not null;
  if v_facts is not null then
    perform rollcall.receive_facts((select d.name from rollcall.destinations d where d.id = p_post.destination_id), rollcall.last_moments(v_facts));
  end if;
  v_next := rollcall.next_page(v_listing, p_post.facts ->> 'after', v_json, v_rows);
  if v_next is not null then
    perform rollcall.pull_page(p_post.destination_id, jsonb_build_array(v_listing) || p_post.left_over, v_next);
  elsif p_post.left_over <> '[]' then
    perform rollcall.pull_page(p_post.destination_id, p_post.left_over, null);
  end if;
  perform rollcall.note_pull(p_post.destination_id, v_next is null and p_post.left_over = '[]', interval '2 minutes');
end $body$;

create or replace function rollcall.as_time(p_text text) returns timestamptz language plpgsql immutable set search_path = '' set timezone = 'UTC' as $body$
begin
  return p_text::timestamptz;
exception when others then return null;
end $body$;

-- Times in microseconds since 1970, as the ledger has them. A no that was cut to its second or millisecond counts from the end of it
-- (src/core/time.ts, lastMomentOf).
create or replace function rollcall.last_moments(p_facts jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select jsonb_agg(f || jsonb_build_object('at', x.at + case when x.at % 1000000 = 0 then 999999 when x.at % 1000 = 0 then 999 else 0 end))
    from jsonb_array_elements(p_facts) f
    cross join lateral (select (extract(epoch from rollcall.as_time(f ->> 'at')) * 1000000)::bigint as at) x
$body$;

-- Looks for somebody who was erased: one place after the other.
create or replace function rollcall.begin_looks() returns void language plpgsql volatile set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_destination record;
  v_erased record;
begin
  if not exists (select from rollcall.erasing_at) then return; end if;
  for v_destination in select d.destination_id, d.declaration from rollcall.declared d join rollcall.destinations x on x.id = d.destination_id and x.enabled loop
    continue when exists (select from rollcall.posts p where p.destination_id = v_destination.destination_id and p.kind = 'look');
    select * into v_erased from rollcall.take_erased(v_destination.destination_id, v_destination.declaration ? 'lookup', interval '1 minute');
    continue when v_erased.contact is null;
    if coalesce(jsonb_array_length(v_erased.places), 0) = 0 then
      perform rollcall.note_erased(v_destination.destination_id, v_erased.contact, null);
    else
      perform rollcall.look_at_place(v_destination.destination_id, v_erased.contact, v_erased.places, v_destination.declaration -> 'lookup');
    end if;
  end loop;
end $body$;

create or replace function rollcall.look_at_place(p_destination smallint, p_contact bigint, p_places jsonb, p_lookup jsonb) returns void language sql volatile set search_path = '' as $body$
  insert into rollcall.posts (destination_id, kind, traffic, contact_id, left_over, step)
    values (p_destination, 'look', 'read', p_contact, p_places - 0, jsonb_build_object('place', p_places -> 0,
      'request', rollcall.lookup_request(p_lookup, p_places -> 0 ->> 'id', p_places -> 0 ->> 'address')))
$body$;

create or replace function rollcall.look_answer(p_post rollcall.posts, p_answer jsonb) returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_post.destination_id);
  v_found jsonb := rollcall.read_lookup(v_declared ->> 'name', v_declared -> 'lookup', p_answer,
    case when p_post.step -> 'place' ->> 'id' is null then p_post.step -> 'place' ->> 'address' end);
begin
  delete from rollcall.posts p where p.id = p_post.id;
  if v_found ? 'outcome' then
    perform rollcall.look_again(p_post.destination_id, p_post.contact_id, interval '5 seconds');
  elsif (v_found ->> 'found')::boolean then
    perform rollcall.note_erased(p_post.destination_id, p_post.contact_id, jsonb_build_object(
      'address', coalesce(v_found -> 'address', p_post.step -> 'place' -> 'address'), 'id', v_found -> 'id'));
  elsif p_post.left_over <> '[]' then
    perform rollcall.look_at_place(p_post.destination_id, p_post.contact_id, p_post.left_over, v_declared -> 'lookup');
  else
    perform rollcall.note_erased(p_post.destination_id, p_post.contact_id, null);
  end if;
end $body$;
`;
