import { type Host, registerExtension } from './extension.ts';

/** The version that is stood in for; it is also in the user agent. */
export const NET_VERSION = '0.20.4';

/** `net.worker_restart()` and `net.wake()` reach the worker (net-worker.ts) over this channel, with their name. */
export const NET_CHANNEL = 'net_worker';

const TABLES = `
create schema net;
create domain net.http_method as text check (lower(value) in ('get', 'post', 'delete'));
create unlogged table net.http_request_queue (
  id bigserial, method net.http_method not null, url text not null, headers jsonb, body bytea, timeout_milliseconds int not null);
create unlogged table net._http_response (
  id bigint, status_code int, content_type text, headers jsonb, content text, timed_out bool, error_msg text,
  created timestamptz not null default now());
create index on net._http_response (created);
grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;`;

/** Bytes outside RFC 3986's unreserved set are escaped; a URL without a path gets one, as curl's parser does it. */
const URLS = `
create function net._urlencode_string(string varchar) returns text language sql immutable as $$
  select coalesce(string_agg(case when chr(b) ~ '[A-Za-z0-9._~-]' and b < 128 then chr(b) else '%' || upper(lpad(to_hex(b), 2, '0')) end, '' order by i), '')
    from (select i, get_byte(convert_to(string, 'utf8'), i) as b from generate_series(0, octet_length(convert_to(string, 'utf8')) - 1) i) bytes $$;
create function net._encode_url_with_params_array(url text, params_array text[]) returns text language plpgsql immutable as $$
declare bare text := split_part(url, '#', 1); query text := array_to_string(params_array, '&');
begin
  if url !~ '^[A-Za-z][A-Za-z0-9+.-]*:' then raise exception 'invalid URL "%": Bad scheme', url; end if;
  bare := regexp_replace(bare, '^([A-Za-z]+://[^/?]+)($|\\?)', '\\1/\\2');
  return bare || case when query = '' then '' when bare like '%?%' then '&' else '?' end || query;
end $$;`;

const WORKER = `
create function net.check_worker_is_up() returns void language plpgsql as $$
begin
  if not exists (select from pg_stat_activity where application_name ilike 'pg_net%' and datname = current_database()) then
    raise exception 'the pg_net background worker is not up';
  end if;
end $$;
create function net.worker_restart() returns bool language sql as $$ select pg_notify('${NET_CHANNEL}', 'restart') is not null $$;
create function net.wait_until_running() returns void language plpgsql as $$
begin
  while not exists (select from pg_stat_activity where application_name ilike 'pg_net%' and datname = current_database()) loop
    perform pg_sleep(0.02), pg_stat_clear_snapshot();
  end loop;
end $$;
create function net.wake() returns void language sql as $$ select pg_notify('${NET_CHANNEL}', 'wake') $$;`;

const REQUESTS = `
create function net._ask(method text, url text, params jsonb, headers jsonb, body jsonb, timeout int) returns bigint language sql as $$
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  select method, net._encode_url_with_params_array(url, coalesce(
           (select array_agg(net._urlencode_string(p.key) || '=' || net._urlencode_string(p.value)) from jsonb_each_text(params) p), '{}')),
         headers, convert_to(body::text, 'utf8'), timeout
  returning id $$;
create function net.http_get(url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000)
returns bigint language plpgsql as $$
begin return net._ask('GET', url, params, headers, null, timeout_milliseconds); end $$;
create function net.http_delete(url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000, body jsonb default null)
returns bigint language plpgsql as $$
begin return net._ask('DELETE', url, params, headers, body, timeout_milliseconds); end $$;
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds int default 5000)
returns bigint language plpgsql as $$
declare kind text := (select h.value from jsonb_each_text(coalesce(headers, '{}')) h where lower(h.key) = 'content-type' limit 1);
begin
  if kind <> 'application/json' then raise exception 'Content-Type header must be "application/json"'; end if;
  if kind is null then headers := headers || '{"Content-Type": "application/json"}'; end if;
  return net._ask('POST', url, params, headers, body, timeout_milliseconds);
end $$;`;

/**
 * A stand-in of pg_net 0.20.4 inside a test's database: its functions, tables and grants. Nothing is sent until a worker is
 * started (net-worker.ts).
 * @throws when the database has it
 */
export async function createNet(host: Host): Promise<void> {
  await host.app.query(TABLES + URLS + WORKER + REQUESTS);
  await registerExtension(host, 'pg_net', 'net', NET_VERSION);
}
