/** Handing requests to pg_net: within the limits, with secrets of Vault as they are at that moment. */
export const post: string = /* sql */ `
-- How many more requests of a kind may be handed over. A request leaves pg_net at some time between then and its answer, so whatever is not
-- answered counts, and what was answered within the window: no window can see more than that.
create or replace function rollcall.post_room(p_destination smallint, p_traffic text) returns int language sql stable set search_path = '' as $body$
  select greatest(0, coalesce(min(case
      when exists (select from rollcall.post_holds h where h.destination_id = p_destination and h.bucket = b.name and h.until > clock_timestamp()) then 0
      when exists (select from rollcall.limits l where l.destination_id = p_destination and l.bucket = b.name
        and l.next_us > (extract(epoch from clock_timestamp()) * 1000000)::bigint + b.per_ms * 1200) then 0
      else b.requests
        - (select count(*) from rollcall.posts p where p.destination_id = p_destination and p.request_id is not null and (b.of is null or b.of ? p.traffic))
        - (select coalesce(sum(s.n), 0) from rollcall.sent s where s.destination_id = p_destination and s.bucket = b.name
            and s.at > clock_timestamp() - b.per_ms * interval '1 millisecond') end), 2147483647))::int
    from rollcall.declared d
    cross join lateral jsonb_to_recordset(d.declaration -> 'limits') as b(name text, requests int, per_ms bigint, of jsonb)
   where d.destination_id = p_destination and (b.of is null or b.of ? p_traffic)
$body$;

-- Requests that were answered, or never will be: they leave the window from now on. The workers' own count learns of them too.
create or replace function rollcall.note_sent(p_destination smallint, p_traffic text, p_n int) returns void language sql set search_path = '' as $body$
  insert into rollcall.sent (destination_id, bucket, at, n)
    select p_destination, b.name, clock_timestamp(), p_n
      from rollcall.declared d cross join lateral jsonb_to_recordset(d.declaration -> 'limits') as b(name text, of jsonb)
     where d.destination_id = p_destination and (b.of is null or b.of ? p_traffic)
$body$;

-- The buckets that count a kind of request, as rollcall.take_sends wants them.
create or replace function rollcall.buckets_of(p_destination smallint, p_traffic text) returns jsonb language sql stable set search_path = '' as $body$
  select coalesce(jsonb_agg(jsonb_build_object('name', b.name, 'interval_us', b.interval_us, 'burst', b.burst)), '[]')
    from rollcall.declared d
    cross join lateral jsonb_to_recordset(d.declaration -> 'limits') as b(name text, interval_us bigint, burst int, of jsonb)
   where d.destination_id = p_destination and (b.of is null or b.of ? p_traffic)
$body$;

-- A secret put together of texts and names in Vault: null where Vault has none of them, or cannot be read. Never raises.
create or replace function rollcall.secret_of(p_parts jsonb) returns text language plpgsql volatile set search_path = '' as $body$
declare
  v_part jsonb;
  v_value text;
  v_whole text := '';
begin
  for v_part in select e from jsonb_array_elements(p_parts) e loop
    if jsonb_typeof(v_part) = 'string' then
      v_value := v_part #>> '{}';
    else
      execute 'select decrypted_secret::text from vault.decrypted_secrets where name = $1' into v_value using v_part ->> 'secret';
    end if;
    if v_value is null or v_value = '' then return null; end if;
    v_whole := v_whole || v_value;
  end loop;
  return v_whole;
exception
when query_canceled or admin_shutdown or deadlock_detected then raise;
when others then return null;
end $body$;

-- HMAC-SHA256 (RFC 2104) of the built-in sha256().
create or replace function rollcall.hmac_sha256(p_key bytea, p_data bytea) returns bytea language plpgsql immutable set search_path = '' as $body$
declare
  v_key bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
  v_inner bytea := decode(repeat('36', 64), 'hex');
  v_outer bytea := decode(repeat('5c', 64), 'hex');
begin
  for n in 0 .. length(v_key) - 1 loop
    v_inner := set_byte(v_inner, n, get_byte(v_inner, n) # get_byte(v_key, n));
    v_outer := set_byte(v_outer, n, get_byte(v_outer, n) # get_byte(v_key, n));
  end loop;
  return sha256(v_outer || sha256(v_inner || p_data));
end $body$;

-- What proves who sends: a header with a secret, or a signature over id, time and body (Standard Webhooks 1.0.0). Null without its secret.
create or replace function rollcall.auth_headers(p_auth jsonb, p_id text, p_body jsonb) returns jsonb language plpgsql volatile set search_path = '' as $body$
declare
  v_time text := extract(epoch from clock_timestamp())::bigint::text;
  v_parts jsonb;
  v_secret text;
  v_signatures text;
begin
  if p_auth ? 'header' then
    v_secret := rollcall.secret_of(p_auth -> 'parts');
    return case when v_secret is not null then jsonb_build_object(p_auth ->> 'header', v_secret) end;
  end if;
  for v_parts in select e from jsonb_array_elements(p_auth -> 'secrets') e loop
    v_secret := rollcall.secret_of(v_parts);
    if v_secret is null then return null; end if;
    v_signatures := concat_ws(' ', v_signatures, 'v1,' || encode(rollcall.hmac_sha256(
      decode(regexp_replace(v_secret, '^whsec_', ''), 'base64'), convert_to(p_id || '.' || v_time || '.' || p_body::text, 'UTF8')), 'base64'));
  end loop;
  return jsonb_build_object('webhook-timestamp', v_time, 'webhook-signature', v_signatures);
end $body$;

-- The names of the secrets that a destination needs, for messages.
create or replace function rollcall.secret_names(p_auth jsonb) returns text language sql immutable set search_path = '' as $body$
  select string_agg(distinct s #>> '{}', ', ') from jsonb_path_query(p_auth, 'strict $.**.secret') s
$body$;

-- Hands one request over to pg_net; its id, or null where a secret is missing: then the destination is paused, and nothing else happens.
create or replace function rollcall.hand_over(p_destination smallint, p_declared jsonb, p_request jsonb, p_ms int) returns bigint language plpgsql volatile set search_path = '' as $body$
declare
  v_body jsonb := p_request -> 'body';
  v_headers jsonb := coalesce(p_request -> 'headers', '{}');
  v_auth jsonb := rollcall.auth_headers(p_declared -> 'auth', v_headers ->> 'webhook-id', v_body);
  v_id bigint;
begin
  if v_auth is null then
    perform rollcall.pause_destination(p_destination, 'secret_missing', 'Vault has no ' || coalesce(rollcall.secret_names(p_declared -> 'auth'), 'secret')
      || ', or it cannot be read: select vault.create_secret(''<the value>'', ''<the name>'').', 60000);
    return null;
  end if;
  v_headers := (p_declared -> 'headers') || v_headers || v_auth;
  if p_request ->> 'method' = 'POST' then
    execute 'select net.http_post(url := $1, body := $2, headers := $3, timeout_milliseconds := $4)'
      into v_id using p_request ->> 'url', coalesce(nullif(v_body, 'null'), '{}'), v_headers, p_ms;
  elsif p_request ->> 'method' = 'DELETE' then
    execute 'select net.http_delete(url := $1, headers := $2, timeout_milliseconds := $3)' into v_id using p_request ->> 'url', v_headers, p_ms;
  else
    execute 'select net.http_get(url := $1, headers := $2, timeout_milliseconds := $3)' into v_id using p_request ->> 'url', v_headers, p_ms;
  end if;
  return v_id;
end $body$;

-- Posts what waits of a destination, the live lane and the oldest first, as far as the limits allow. p_most: of this call.
create or replace function rollcall.post_waiting(p_destination smallint, p_most int) returns int language plpgsql volatile set search_path = '' as $body$
declare
  v_declared jsonb := rollcall.declared_of(p_destination);
  v_traffic record;
  v_post rollcall.posts;
  v_room int;
  v_id bigint;
  v_last bigint;
  v_posted int := 0;
begin
  perform rollcall.notice_reset();
  for v_traffic in select p.traffic from rollcall.posts p
     where p.destination_id = p_destination and p.request_id is null and p.step ? 'request' and p.post_after <= clock_timestamp() group by p.traffic
  loop
    v_room := least(rollcall.post_room(p_destination, v_traffic.traffic), p_most - v_posted);
    continue when v_room <= 0;
    for v_post in select * from rollcall.posts p
       where p.destination_id = p_destination and p.request_id is null and p.step ? 'request' and p.post_after <= clock_timestamp() and p.traffic = v_traffic.traffic
       order by p.facts ->> 'lane', p.id limit v_room for update skip locked
    loop
      -- The destination reads a request for many before it answers.
      v_id := rollcall.hand_over(p_destination, v_declared, v_post.step -> 'request', case when v_traffic.traffic = 'bulk' then 30000 else 8000 end);
      exit when v_id is null;
      update rollcall.posts p set request_id = v_id, posted_at = clock_timestamp(), step = v_post.step - 'request' where p.id = v_post.id;
      v_last := v_id;
      v_posted := v_posted + 1;
    end loop;
  end loop;
  if v_last is not null then update rollcall.pump p set net_last = greatest(p.net_last, v_last); end if;
  return v_posted;
end $body$;

-- Whether the tables of pg_net were lost while ours were not, as when the extension is made anew: its ids start again, so no answer to what was
-- handed over before can be told from another's.
create or replace function rollcall.notice_reset() returns void language plpgsql volatile set search_path = '' as $body$
declare
  v_last bigint;
begin
  execute 'select last_value from net.http_request_queue_id_seq' into v_last;
  if v_last >= (select p.net_last from rollcall.pump p) then return; end if;
  update rollcall.posts p set request_id = -p.id, posted_at = '-infinity' where p.request_id is not null;
  update rollcall.pump p set net_last = v_last;
end $body$;
`;
