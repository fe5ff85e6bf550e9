import { type Host, registerExtension } from './extension.ts';

const TABLES = `
create schema cron;
create sequence cron.jobid_seq;
create sequence cron.runid_seq;
create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'), schedule text not null, command text not null,
  nodename text not null default 'localhost', nodeport int not null default inet_server_port(),
  database text not null default current_database(), username text not null default current_user,
  active bool not null default true, jobname text, constraint jobname_username_uniq unique (jobname, username));
create table cron.job_run_details (
  jobid bigint, runid bigint primary key default nextval('cron.runid_seq'), job_pid int, database text, username text, command text,
  status text, return_message text, start_time timestamptz, end_time timestamptz);
alter table cron.job enable row level security;
alter table cron.job_run_details enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
grant select on cron.job, cron.job_run_details to public;
grant delete on cron.job_run_details to public;
grant select on sequence cron.jobid_seq, cron.runid_seq to public;`;

/** The role that calls is handed on by functions that run as it: a definer's own \`current_user\` is the definer. */
const FUNCTIONS = `
create function cron._put(owner name, job_name text, schedule text, command text) returns bigint
language plpgsql security definer set search_path = '' as $$
declare id bigint;
begin
  if schedule is null then raise exception 'schedule can not be NULL'; end if;
  if command is null then raise exception 'command can not be NULL'; end if;
  if schedule !~* '^\\s*([1-9]|[1-5][0-9])\\s+seconds?\\s*$' and schedule !~* '^\\s*@(yearly|annually|monthly|weekly|daily|midnight|hourly)\\s*$'
     and schedule !~* '^\\s*([0-9*/,$-]+\\s+){3}[0-9a-z*/,-]+\\s+[0-9a-z*/,-]+\\s*$' then
    raise exception using errcode = '22023', message = 'invalid schedule: ' || schedule,
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
  insert into cron.job (jobname, schedule, command, username) values (job_name, schedule, command, owner)
  on conflict on constraint jobname_username_uniq do update set schedule = excluded.schedule, command = excluded.command
  returning jobid into id;
  return id;
end $$;
create function cron._drop(owner name, id bigint, name text) returns bool language plpgsql security definer set search_path = '' as $$
begin
  delete from cron.job j where j.username = owner and (j.jobid = id or j.jobname = name);
  if not found then raise exception 'could not find valid entry for job %', coalesce(id::text, quote_literal(name)); end if;
  return true;
end $$;
create function cron.schedule(schedule text, command text) returns bigint language sql strict as
  'select cron._put(current_user, null, schedule, command)';
create function cron.schedule(job_name text, schedule text, command text) returns bigint language plpgsql as $$
begin
  if job_name is null then raise exception 'job_name can not be NULL'; end if;
  return cron._put(current_user, job_name, schedule, command);
end $$;
create function cron.unschedule(job_id bigint) returns bool language sql strict as 'select cron._drop(current_user, job_id, null)';
create function cron.unschedule(job_name text) returns bool language sql strict as 'select cron._drop(current_user, null, job_name)';
create function cron.alter_job(job_id bigint, schedule text default null, command text default null, database text default null,
  username text default null, active bool default null) returns void language sql security definer set search_path = '' as $$
  update cron.job j set schedule = coalesce(alter_job.schedule, j.schedule), command = coalesce(alter_job.command, j.command),
    database = coalesce(alter_job.database, j.database), username = coalesce(alter_job.username, j.username),
    active = coalesce(alter_job.active, j.active) where j.jobid = job_id $$;
revoke all on function cron.alter_job from public;`;

/**
 * A stand-in of pg_cron 1.6 inside a test's database: its functions, tables, policies and grants. Nothing runs until a scheduler is
 * started (cron-scheduler.ts).
 * @param granted whether the role of a hosted project gets what Supabase gives it
 * @throws when the database has it
 */
export async function createCron(host: Host, granted = true): Promise<void> {
  await host.app.query(TABLES + FUNCTIONS);
  if (granted) {
    await host.app.query(`grant usage on schema cron to hosted; grant execute on function cron.alter_job to hosted`);
  }
  await registerExtension(host, 'pg_cron', 'pg_catalog', '1.6.4');
}
