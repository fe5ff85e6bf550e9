/** For the SQL editor: what the commands of the CLI do, where there is none. Only the owner of the schema may call them. */
export const editor: string = /* sql */ `
-- What failed, by cause, the most frequent first.
create or replace function rollcall.failures() returns table (destination text, stage text, code text, field text, contacts bigint, since timestamptz,
  latest timestamptz, message text)
language sql stable set search_path = '' set row_security = off as $body$
  select f.destination, f.stage, f.code, f.field, f.count, f.oldest_at, f.newest_at, f.message from rollcall.failure_causes() f
$body$;

-- Tries what failed again: all of it, or of one destination and one code. How many.
create or replace function rollcall.retry(p_destination text default null, p_code text default null) returns bigint language plpgsql volatile set search_path = '' as $body$
declare
  v_destination record;
  v_all bigint := 0;
  v_n bigint;
begin
  for v_destination in select d.id from rollcall.destinations d where d.enabled and (p_destination is null or d.name = p_destination) loop
    select r.contacts + r.events into v_n from rollcall.retry_failures(v_destination.id, p_code, null, null) r;
    perform rollcall.end_pauses(true, v_destination.id);
    v_all := v_all + coalesce(v_n, 0);
  end loop;
  if p_destination is not null and not exists (select from rollcall.destinations d where d.enabled and d.name = p_destination) then
    raise exception 'There is no destination named %.', p_destination using errcode = 'RC070',
      hint = 'There are: ' || coalesce((select string_agg(d.name, ', ') from rollcall.destinations d where d.enabled), 'none') || '.';
  end if;
  return v_all;
end $body$;

-- Brings in everybody who is there already, of one resource ('users' or a table) or of all. The pump walks it; rollcall.status() shows how far it is.
create or replace function rollcall.backfill(p_resource text default null) returns text language plpgsql volatile set search_path = '' as $body$
declare
  v_id int := rollcall.begin_backfill('full', p_resource, null, null, (select i.config_hash from rollcall.install i));
begin
  return (select format('Backfill %s of about %s rows: select rollcall.status() -> ''backfill'' shows how far it is.', b.id, b.expected) from rollcall.backfills b where b.id = v_id);
end $body$;

-- Whether all that the SQL home needs is there, a line for each: and what to do where it is not.
create or replace function rollcall.test() returns table (ok boolean, what text, fix text) language plpgsql volatile set search_path = '' as $body$
declare
  v_may text := rollcall.pump_may();
  v_up boolean;
  v_each record;
begin
  return query select v_may <> 'not_deployed', 'the SQL home is deployed', case when v_may = 'not_deployed' then 'Run rollcall deploy sql and push the migration.' end;
  return query select to_regproc('net.http_post') is not null, 'pg_net is installed', case when to_regproc('net.http_post') is null then 'create extension pg_net;' end;
  begin
    execute 'select net.check_worker_is_up() is not null' into v_up;
    return query select true, 'the worker of pg_net is up', null::text;
  exception when others then
    return query select false, 'the worker of pg_net is up', 'select net.worker_restart(); or restart the project.'::text;
  end;
  return query select v_may <> 'not_bound', 'the install is bound to this database', case when v_may = 'not_bound'
    then 'select rollcall.bind(''<project ref>'', ''<environment>''); or rollcall rebind. A copy of another database stays silent until then.' end;
  return query select v_may <> 'other_config', 'the deployed config is the one that is installed', case when v_may = 'other_config' then 'Run rollcall deploy sql again and push the migration.' end;
  begin
    execute 'select exists (select from cron.job j where j.jobname = ''rollcall-pump'' and j.active)' into v_up;
  exception when others then v_up := false;
  end;
  return query select v_up, 'pg_cron runs the pump', case when not v_up then 'create extension pg_cron; then push the migration of rollcall deploy sql again.' end;
  return query select coalesce(p.ran_at > clock_timestamp() - interval '2 minutes', false), 'the pump has run within two minutes', case when coalesce(p.ran_at < clock_timestamp() - interval '2 minutes', true)
    then case when v_may = 'others' then 'Another home delivers, so it stands aside.' else 'See rollcall.pump_troubles and cron.job_run_details.' end end from rollcall.pump p;
  for v_each in select x.name, d.declaration -> 'auth' as auth, x.pause_code, x.pause_message from rollcall.declared d join rollcall.destinations x on x.id = d.destination_id and x.enabled loop
    return query select rollcall.auth_headers(v_each.auth, 'test', '{}') is not null, 'Vault has the secret of ' || v_each.name,
      case when rollcall.auth_headers(v_each.auth, 'test', '{}') is null
        then 'select vault.create_secret(''<the value>'', ''' || coalesce(split_part(rollcall.secret_names(v_each.auth), ', ', 1), '') || ''');' end;
    return query select v_each.pause_code is null, v_each.name || ' takes what is sent', case when v_each.pause_code is not null then v_each.pause_code || ': ' || v_each.pause_message end;
  end loop;
  return query select false, 'chore ' || t.chore || ' fails', t.code || ': ' || t.message from rollcall.pump_troubles t;
end $body$;
`;
