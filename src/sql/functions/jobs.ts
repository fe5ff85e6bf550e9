import { KEYS_FIRST } from './plan-settings.ts';
import { attributesOf, LISTS } from './lists.ts';
import { REFUSED } from './refused.ts';

/** Whether an attempt in doubt may have moved the contact of this id to an address it had. As SQL over `s`, its row of desired. */
export const MAY_STRAY = `s.remote_id is not null and exists (select from rollcall.past_addresses p
         where p.contact_id = s.contact_id and p.destination_id = s.destination_id offset 0)`;

/**
 * Whether a contact was there before we sent anything to it, and is known by its id: this is a first delivery still. As SQL over
 * `s`, its row of desired.
 */
const MET = '(s.remote_id is not null and s.delivered_version is null)';

/**
 * Whether one request can say, for many at once, all that has to be said of a contact. As SQL over `s`, its row of desired, and
 * `d`, its row of due. Not what the address or a leftover needs, nor an opt-out, where the request has no place for it;
 * nor somebody in doubt whose id may stand at another address; nor somebody who was there before us and has not said yes here, as a
 * request by address would be that of somebody new.
 */
export function fitsMany(consents: string): string {
  return `s.action = 'upsert' and not d.single and coalesce(s.remote_address, s.address) = s.address
       and s.carry_from is null and s.leftovers is null and not s.takeover and s.consent = any(${consents})
       and not (d.unknown_until is not null and ${MAY_STRAY})
       and (s.consent = 'basis' or not ${MET})
       and (d.unknown_until is not null or s.delivered_version is distinct from s.version and not ${REFUSED})`;
}

/** Requests for many contacts: claimed, started, watched and settled as one. See SPEC.md, "States of a job". */
export const jobs: string = /* sql */ `
-- How many wait in a lane, counted up to p_most, and for how long the first of them has.
-- p_from: a lower bound on when they were due, so that no dead rows are walked over.
drop function if exists rollcall.backlog(smallint, smallint, int);
create or replace function rollcall.backlog(p_destination smallint, p_lane smallint, p_most int, p_from timestamptz,
  out waiting int, out oldest_ms bigint)
language sql set search_path = '' ${KEYS_FIRST} as $body$
  select count(*)::int, coalesce((extract(epoch from clock_timestamp() - min(x.due_at)) * 1000)::bigint, 0)
    from (select d.due_at from rollcall.due d
           where d.queue = p_destination * 4 + p_lane and d.due_at >= p_from and d.due_at <= clock_timestamp() and d.token is null limit p_most) x
$body$;

-- What there is to be done about requests for many: the backlog of both lanes, how many are at work, whether a walk is still adding
-- to the backfill, and whether there is one whose worker is gone. p_back: how far back the backlog is looked for; null for all of it.
drop function if exists rollcall.look_at_jobs(smallint, int);
create or replace function rollcall.look_at_jobs(p_destination smallint, p_most int, p_back interval,
  out live int, out live_ms bigint, out backfill int, out backfill_ms bigint, out at_work int, out growing boolean, out orphan boolean)
language sql set search_path = '' ${KEYS_FIRST} as $body$
  select l.waiting, l.oldest_ms, b.waiting, b.oldest_ms,
         (select count(*)::int from rollcall.jobs j where j.destination_id = p_destination and j.state <> 'ended'),
         exists (select from rollcall.backfills f where f.walked_at is null),
         exists (select from rollcall.jobs j where j.destination_id = p_destination and j.held_until < clock_timestamp())
    from (select coalesce(clock_timestamp() - p_back, '-infinity') as since) f
    cross join lateral rollcall.backlog(p_destination, 0::smallint, p_most, f.since) l
    cross join lateral rollcall.backlog(p_destination, 1::smallint, p_most, f.since) b
$body$;

-- Leases those due contacts of a lane that one request can carry; none while as many jobs as may are at work there. imported: it has
-- arrived there. met: it was there before us, and this is a first delivery.
do $drop$ begin
  -- What a function returns cannot be changed in place.
  if exists (select from pg_proc p where p.pronamespace = 'rollcall'::regnamespace and p.proname = 'claim_job'
      and not 'lists' = any(p.proargnames)) then
    drop function rollcall.claim_job(smallint, uuid, uuid, smallint, int, bigint, text[], int, interval, interval, text, text, text, pg_lsn,
      timestamptz);
  end if;
end $drop$;
create or replace function rollcall.claim_job(p_destination smallint, p_token uuid, p_holder uuid, p_lane smallint, p_most int,
  p_bytes bigint, p_consents text[], p_at_once int, p_hold interval, p_lease interval, p_config_hash text, p_ref text, p_environment text,
  p_seen pg_lsn, p_bound timestamptz)
returns table (contact_id bigint, version bigint, address text, payload text, consent text, imported boolean, met boolean, lists text)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_picked bigint[];
  v_contacts bigint[];
  v_versions bigint[];
  v_addresses text[];
  v_payloads text[];
  v_consents text[];
  v_imported boolean[];
  v_met boolean[];
  v_keeps text[] := (select d.lists from rollcall.destinations d where d.id = p_destination);
  v_lists text[];
begin
  perform rollcall.check_config(p_config_hash);
  perform rollcall.check_identity(p_ref, p_environment, p_seen, p_bound);
  -- One at a time, so that no more are begun than may be.
  perform pg_advisory_xact_lock(721740022, 16 + p_destination);
  if (select count(*) from rollcall.jobs j where j.destination_id = p_destination and j.state <> 'ended') >= p_at_once then return; end if;
  v_now := clock_timestamp();
  select array_agg(x.contact_id) into v_picked from (
    select d.contact_id from rollcall.due d
     where d.queue = p_destination * 4 + p_lane and d.due_at <= v_now and d.token is null and not d.single
       and (d.not_before is null or d.not_before <= v_now)
     order by d.due_at limit p_most for update skip locked) x;
  if v_picked is null then return; end if;
  -- In a statement of its own: a fold that locked the queue row before us has committed by now, and its state is read.
  select array_agg(y.id order by y.id), array_agg(y.version order by y.id), array_agg(y.address order by y.id),
         array_agg(y.payload order by y.id), array_agg(y.consent order by y.id), array_agg(y.imported order by y.id),
         array_agg(y.met order by y.id), array_agg(y.lists order by y.id)
    into v_contacts, v_versions, v_addresses, v_payloads, v_consents, v_imported, v_met, v_lists
    from (
      select x.*, sum(x.size) over (order by x.n) as so_far from (
        select p.id, p.n, s.version, s.address, s.payload, s.consent, octet_length(s.payload) + octet_length(s.address) + 32 as size,
               coalesce(s.remote_address = s.address and (s.remote_id is not null and not ${MET} or s.imported), false) as imported,
               ${MET} as met, s.lists
          from unnest(v_picked) with ordinality as p(id, n)
          cross join lateral (select d.single, d.unknown_until from rollcall.due d
            where d.destination_id = p_destination and d.contact_id = p.id offset 0) d
          cross join lateral (select s.destination_id, s.contact_id, s.action, s.version, s.delivered_version, s.address, s.remote_address,
                   s.remote_id, s.imported, s.carry_from, s.leftovers, s.takeover, s.consent, (${attributesOf('s.payload')})::text as payload,
                   case when v_keeps is not null then rollcall.list_changes(v_keeps, s.payload, s.members, s.takeover)::text end as lists
              from rollcall.desired s where s.destination_id = p_destination and s.contact_id = p.id offset 0) s
         where ${fitsMany('p_consents')}) x) y
   where y.so_far <= p_bytes or y.so_far = y.size;
  if v_contacts is null then return; end if;
  update rollcall.due d set token = p_token, due_at = v_now + p_lease
   where d.destination_id = p_destination and d.contact_id = any(v_contacts);
  insert into rollcall.jobs (token, destination_id, state, contacts, versions, addresses, holder, held_until, gives_up_at)
    values (p_token, p_destination, 'claimed', v_contacts, v_versions, v_addresses, p_holder, v_now + p_hold, v_now + p_lease);
  return query
    select x.* from unnest(v_contacts, v_versions, v_addresses, v_payloads, v_consents, v_imported, v_met, v_lists)
      as x(contact_id, version, address, payload, consent, imported, met, lists);
end $body$;

-- What its holder learned of a job, or that it is still at it. False when another worker has taken it over.
create or replace function rollcall.note_job(p_token uuid, p_holder uuid, p_state text, p_remote_id text, p_result jsonb, p_hold interval)
returns boolean language sql set search_path = '' as $body$
  update rollcall.jobs
     set state = coalesce(p_state, state), remote_id = coalesce(p_remote_id, remote_id), result = coalesce(p_result, result),
         held_until = clock_timestamp() + p_hold
   where token = p_token and holder = p_holder
  returning true
$body$;

-- Takes over a job whose worker is gone.
create or replace function rollcall.adopt_job(p_destination smallint, p_holder uuid, p_hold interval, p_config_hash text, p_ref text,
  p_environment text, p_seen pg_lsn, p_bound timestamptz)
returns table (token uuid, state text, remote_id text, contacts int, gives_up_in_ms bigint, begun_ms_ago bigint)
language plpgsql set search_path = '' as $body$
#variable_conflict use_column
begin
  if not exists (select from rollcall.jobs j where j.destination_id = p_destination and j.held_until < clock_timestamp()) then return; end if;
  perform rollcall.check_config(p_config_hash);
  perform rollcall.check_identity(p_ref, p_environment, p_seen, p_bound);
  return query
    update rollcall.jobs j set holder = p_holder, held_until = clock_timestamp() + p_hold
     where j.token = (select x.token from rollcall.jobs x
         where x.destination_id = p_destination and x.held_until < clock_timestamp() order by x.begun_at limit 1 for update skip locked)
    returning j.token, j.state, j.remote_id, cardinality(j.contacts),
      (extract(epoch from j.gives_up_at - clock_timestamp()) * 1000)::bigint,
      (extract(epoch from clock_timestamp() - j.begun_at) * 1000)::bigint;
end $body$;

-- Ends a job that failed or was not begun: its contacts are due again, after a wait. Who has failed for p_window goes alone, so that
-- it is known of each whether to give it up. p_grace: it may be at work there all the same, so whoever was in it may exist there, and
-- is sent once more after that time.
drop function if exists rollcall.release_job(uuid, uuid, interval, boolean, boolean, interval);
create or replace function rollcall.release_job(p_token uuid, p_holder uuid, p_wait interval, p_failed boolean, p_single boolean,
  p_window interval default null, p_grace interval default null) returns void language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_job rollcall.jobs;
  v_now timestamptz := clock_timestamp();
  v_clock timestamptz;
begin
  select * into v_job from rollcall.jobs j where j.token = p_token and j.holder = p_holder for update;
  if not found then return; end if;
  v_clock := rollcall.trying_clock(v_job.destination_id);
  -- The state of each before its place in the queue: the order of all writers.
  if p_grace is not null then
    update rollcall.desired s set remote_address = s.address
     where s.destination_id = v_job.destination_id and s.remote_address is null and s.contact_id = any(array(
       select x.id from unnest(v_job.contacts[v_job.settled + 1 :], v_job.addresses[v_job.settled + 1 :]) as x(id, address)
         cross join lateral (select from rollcall.desired s where s.destination_id = v_job.destination_id and s.contact_id = x.id
           and s.address = x.address and s.remote_address is null offset 0 for update) s));
  end if;
  perform 1 from unnest(v_job.contacts[v_job.settled + 1 :]) as x(id) cross join lateral (
    select from rollcall.due d where d.destination_id = v_job.destination_id and d.contact_id = x.id offset 0 for update) d;
  update rollcall.due d
     set token = null, due_at = greatest(v_now + greatest(p_wait, interval '0'), d.not_before),
         tries = d.tries + p_failed::int, unknown_until = greatest(d.unknown_until, v_now + p_grace),
         failing_since = case when p_failed then coalesce(d.failing_since, v_clock) else d.failing_since end,
         single = d.single or p_single or p_failed and coalesce(d.failing_since <= v_clock - p_window, false)
   where d.destination_id = v_job.destination_id and d.contact_id = any(v_job.contacts[v_job.settled + 1 :]) and d.token = p_token;
  delete from rollcall.jobs j where j.token = p_token;
end $body$;

-- A job without these contacts. The caller holds the job's row.
create or replace function rollcall.leave_job(p_token uuid, p_contacts bigint[]) returns void language sql set search_path = '' as $body$
  update rollcall.jobs j
     set (contacts, versions, addresses) = (
           select coalesce(array_agg(x.id order by x.n), '{}'), coalesce(array_agg(x.version order by x.n), '{}'),
                  coalesce(array_agg(x.address order by x.n), '{}')
             from unnest(j.contacts, j.versions, j.addresses) with ordinality as x(id, version, address, n)
            where x.id <> all(p_contacts))
   where j.token = p_token
$body$;

-- Takes contacts out of a job before it is sent: each is due again at once, by itself.
create or replace function rollcall.release_part(p_token uuid, p_holder uuid, p_contacts bigint[]) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_job rollcall.jobs;
begin
  select * into v_job from rollcall.jobs j where j.token = p_token and j.holder = p_holder for update;
  if not found then return; end if;
  perform 1 from unnest(v_job.contacts) as x(id) cross join lateral (
    select from rollcall.due d where d.destination_id = v_job.destination_id and d.contact_id = x.id offset 0 for update) d
   where x.id = any(p_contacts);
  update rollcall.due d
     set token = null, due_at = greatest(clock_timestamp(), d.not_before), single = true
   where d.destination_id = v_job.destination_id and d.contact_id = any(p_contacts) and d.token = p_token;
  perform rollcall.leave_job(p_token, p_contacts);
end $body$;

-- Takes contacts out of a job before it runs: what became of them is known already. Results as in rollcall.settle.
create or replace function rollcall.settle_part(p_token uuid, p_holder uuid, p_grace interval, p_results jsonb) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_job rollcall.jobs;
  v_out bigint[] := array(select x.contact from jsonb_to_recordset(p_results) as x(contact bigint));
begin
  select * into v_job from rollcall.jobs j where j.token = p_token and j.holder = p_holder for update;
  if not found then return; end if;
  perform rollcall.settle(v_job.destination_id, p_token, p_grace, (
    select jsonb_agg(r || jsonb_build_object('claimed_at', v_job.begun_at)) from jsonb_array_elements(p_results) r));
  perform rollcall.leave_job(p_token, v_out);
end $body$;

-- Settles the next p_limit contacts of a job that has ended, and says how many are left. Most were accepted as they still are:
-- those are written in bulk, and all others one by one, as any delivery.
create or replace function rollcall.settle_job(p_token uuid, p_holder uuid, p_grace interval, p_limit int, p_hold interval) returns int
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_job rollcall.jobs;
  v_destination smallint;
  v_contacts bigint[];
  v_versions bigint[];
  v_addresses text[];
  v_same boolean[];
  v_plain bigint[];
  v_others jsonb;
  v_waiting boolean := exists (select from rollcall.events e where e.state = 'pending');
  v_left int;
begin
  select * into v_job from rollcall.jobs j where j.token = p_token and j.holder = p_holder for update;
  if not found then return 0; end if;
  v_destination := v_job.destination_id;
  v_contacts := v_job.contacts[v_job.settled + 1 : v_job.settled + p_limit];
  v_versions := v_job.versions[v_job.settled + 1 : v_job.settled + p_limit];
  v_addresses := v_job.addresses[v_job.settled + 1 : v_job.settled + p_limit];
  v_left := cardinality(v_job.contacts) - v_job.settled - cardinality(v_contacts);
  -- Locked in the order of all writers: first the state of each, then its place in the queue.
  select array_agg(coalesce(s.version = x.version and s.action = 'upsert' and s.carry_from is null and s.leftovers is null, false) order by x.n)
    into v_same
    from unnest(v_contacts, v_versions) with ordinality as x(id, version, n)
    left join lateral (select s.version, s.action, s.carry_from, s.leftovers from rollcall.desired s
      where s.destination_id = v_destination and s.contact_id = x.id offset 0 for update) s on true;
  select coalesce(array_agg(y.id) filter (where y.plain), '{}'),
         jsonb_agg(v_job.result || jsonb_build_object('contact', y.id, 'claimed_at', v_job.begun_at, 'version', y.version, 'action', 'upsert', 'address', y.address))
           filter (where not y.plain)
    into v_plain, v_others
    from (
      select x.*, v_job.result ->> 'outcome' = 'delivered' and x.same and coalesce(d.token = p_token, false)
               and coalesce(d.unknown_until <= v_job.begun_at, true)
               and not (v_waiting and exists (select from rollcall.events e
                 where e.contact_id = x.id and e.destination_id = v_destination and e.state = 'pending' and e.ready offset 0)) as plain
        from unnest(v_contacts, v_versions, v_addresses, v_same) as x(id, version, address, same)
        left join lateral (select d.token, d.unknown_until from rollcall.due d
          where d.destination_id = v_destination and d.contact_id = x.id offset 0 for update) d on true) y;
  if cardinality(v_plain) > 0 then
    with done as (
      update rollcall.desired s
         set delivered_version = s.version, remote_address = s.address, takeover = false, imported = s.remote_id is null,
             members = s.payload -> ${LISTS}
       where s.destination_id = v_destination and s.contact_id = any(v_plain)
      returning s.contact_id, s.version
    )
    insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, latency_ms)
      select v_destination, d.contact_id, d.version, 'upsert', 'delivered', (v_job.result ->> 'latency_ms')::int from done d;
    delete from rollcall.due d where d.destination_id = v_destination and d.contact_id = any(v_plain);
  end if;
  if v_others is not null then
    perform rollcall.settle(v_destination, p_token, p_grace, v_others);
  end if;
  if v_left > 0 then
    update rollcall.jobs j set settled = v_job.settled + p_limit, held_until = clock_timestamp() + p_hold where j.token = p_token;
  else
    delete from rollcall.jobs j where j.token = p_token;
  end if;
  return v_left;
end $body$;
`;
