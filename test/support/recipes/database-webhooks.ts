import type { Host } from '../platform/extension.ts';

/**
 * A stand-in of Supabase's Database Webhooks over `net` (createNet): the schema, the table of requests and the function that a
 * webhook of the dashboard runs, with its arguments (url, method, headers, params, timeout) and the body it posts.
 */
const WEBHOOKS = `
create schema supabase_functions;
create table supabase_functions.hooks (id bigserial primary key, hook_table_id integer not null, hook_name text not null,
  created_at timestamptz not null default now(), request_id bigint);
create function supabase_functions.http_request() returns trigger language plpgsql security definer set search_path = supabase_functions as $$
declare
  v_request bigint;
  v_body jsonb := jsonb_build_object('old_record', case when tg_op <> 'INSERT' then to_jsonb(old) end,
    'record', case when tg_op <> 'DELETE' then to_jsonb(new) end, 'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema);
begin
  v_request := net.http_post(url := tg_argv[0], body := v_body, params := coalesce(nullif(tg_argv[3], ''), '{}')::jsonb,
    headers := coalesce(nullif(tg_argv[2], ''), '{}')::jsonb, timeout_milliseconds := coalesce(tg_argv[4], '1000')::int);
  insert into supabase_functions.hooks (hook_table_id, hook_name, request_id) values (tg_relid, tg_name, v_request);
  return new;
end $$;
grant usage on schema supabase_functions to hosted;
grant execute on function supabase_functions.http_request() to hosted;`;

export async function createWebhooks(host: Host): Promise<void> {
  await host.app.query(WEBHOOKS);
}

/** A Database Webhook as the dashboard makes it. */
export function webhook(name: string, event: string, table: string, url: string, key = ''): string {
  const headers = JSON.stringify({
    'Content-type': 'application/json',
    ...(key === '' ? {} : { Authorization: `Bearer ${key}` }),
  });
  return `create trigger ${name} after ${event} on ${table} for each row
    execute function supabase_functions.http_request('${url}', 'POST', '${headers}', '{}', '5000')`;
}
