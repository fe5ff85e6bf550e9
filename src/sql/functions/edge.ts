import { KEYS_FIRST } from './plan-settings.ts';
import { unfolded } from './unfolded.ts';

/** The names in Vault of where the function is, and of what it knows the caller by. */
export const EDGE_URL_SECRET = 'rollcall_edge_url';
export const EDGE_KEY_SECRET = 'rollcall_edge_key';

/** The cron job looks this often, in seconds, where pg_cron knows seconds (1.5 and later). */
export const TICK_S = 5;
/** Who was at work a moment ago goes on by itself. */
const AT_WORK = `interval '4 seconds'`;
/** A lease of the engine's is no longer: see src/engine/times.ts. */
const LEASE = `interval '15 seconds'`;
/** What only the function knows of, as a pull that is due, is found out this often. */
const AT_LEAST = `interval '1 minute'`;

/**
 * What the edge home needs of the database: whether there is work, hints of Database Webhooks, and the wake-up.
 *
 * The wake-up is made by pg_cron and not by the triggers: capture does no I/O in the app's transaction, and pg_net's queue is a
 * table. It carries nothing, so losing one costs a few seconds.
 */
export const edge: string = /* sql */ `
-- In how many seconds something is to be done; null when nothing is known of. For whoever is at work what is under lease counts too: it may be
-- their own, and they would go home in the middle of it. Nobody is woken for it before the lease runs out.
create or replace function rollcall.work_in(p_at_work boolean) returns float8 language sql set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
  -- Greatest passes over nulls.
  select case when min(x.at) is not null then greatest(0, extract(epoch from min(x.at) - clock_timestamp()))::float8 end from (
    select min(u.at) as at from (select u.at from ${unfolded(['at'])} u limit 1) u
    union all
    select clock_timestamp() from rollcall.install i
     where i.sweep_until > clock_timestamp() or i.swept_at is null or i.uncaptured_seen <> rollcall.uncaptured_count()
        or i.sweep_again_at <= pg_snapshot_xmin(pg_current_snapshot())
    union all
    select greatest(q.due_at, d.paused_until) from rollcall.destinations d
      cross join generate_series(0, 1) l(lane)
      cross join lateral (select q.due_at from rollcall.due q where q.queue = d.id * 4 + l.lane order by q.due_at limit 1) q
     where d.enabled and d.paused_until is distinct from 'infinity'
    union all
    select clock_timestamp() from rollcall.destinations d
      cross join generate_series(0, 1) l(lane)
     where p_at_work and d.enabled and exists (select from rollcall.due q where q.queue = d.id * 4 + l.lane
       and q.due_at between clock_timestamp() and clock_timestamp() + ${LEASE} and q.token is not null offset 0)
    union all
    select clock_timestamp() from rollcall.jobs j join rollcall.destinations d on d.id = j.destination_id and d.enabled
    union all
    select w.due_at from rollcall.write_backs w where w.due_at is not null
    union all
    select clock_timestamp() from rollcall.backfills b where b.ended_at is null and b.walked_at is null
    union all
    select clock_timestamp() from rollcall.pulls p where p.ended_at is null
    union all
    -- They wait for what is due, and are looked at now and then meanwhile.
    select clock_timestamp() + interval '3 seconds' where exists (select from rollcall.erasures r where r.finished_at is null)
        or exists (select from rollcall.backfills b where b.ended_at is null)
    ) x
$body$;

-- Somebody says that these users may have changed: whoever is one, or was, is looked at by the next fold. How many those are.
create or replace function rollcall.hint(p_keys text[]) returns int language plpgsql
set search_path = '' set row_security = off set lock_timeout = '2s' ${KEYS_FIRST} as $body$
declare
  v_keys text[] := array(
    select distinct k.id::text from (select x::uuid as id from unnest(p_keys) x where x ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' offset 0) k
     where exists (select from auth.users u where u.id = k.id offset 0) or exists (select from rollcall.contacts c where c.key = k.id::text offset 0));
begin
  if cardinality(v_keys) > 0 then perform rollcall.capture(v_keys); end if;
  return cardinality(v_keys);
end $body$;

-- Wakes the Edge Function when there is something for it to do, and says what came of it. Never raises. A database that is no longer
-- the one that was bound, as that of a preview branch, wakes nobody.
create or replace function rollcall.wake_edge() returns text language plpgsql security definer
set search_path = '' set row_security = off as $body$
declare
  v_seen timestamptz := (select h.seen_at from rollcall.homes h where h.home = 'edge');
  v_url text;
  v_key text;
begin
  perform rollcall.forget_ticks();
  if (select i.identity is distinct from rollcall.identity() from rollcall.install i) then return 'not bound to this database'; end if;
  if v_seen > clock_timestamp() - ${AT_WORK} then return 'at work'; end if;
  if v_seen > clock_timestamp() - ${AT_LEAST} and coalesce(rollcall.work_in(false) > ${TICK_S}, true) then return 'nothing to do'; end if;
  select s.decrypted_secret into v_url from vault.decrypted_secrets s where s.name = '${EDGE_URL_SECRET}';
  select s.decrypted_secret into v_key from vault.decrypted_secrets s where s.name = '${EDGE_KEY_SECRET}';
  if coalesce(v_url, '') = '' or coalesce(v_key, '') = '' then
    return 'Vault has no ' || case when coalesce(v_url, '') = '' then '${EDGE_URL_SECRET}' else '${EDGE_KEY_SECRET}' end;
  end if;
  perform net.http_post(url := rtrim(v_url, '/') || '/tick', body := '{}'::jsonb, params := '{}'::jsonb,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', v_key), timeout_milliseconds := 5000);
  return 'asked';
exception when others then
  return 'could not ask: ' || sqlstate;
end $body$;

-- pg_cron keeps a row of each run for ever, and has no index by time: ours are removed about once an hour.
create or replace function rollcall.forget_ticks() returns void language plpgsql set search_path = '' as $body$
begin
  if random() > ${TICK_S}.0 / 3600 then return; end if;
  delete from cron.job_run_details d using cron.job j
   where j.jobid = d.jobid and j.jobname = 'rollcall-tick' and d.end_time < now() - interval '1 hour';
exception when others then
  null;
end $body$;
`;
