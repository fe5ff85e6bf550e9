import { KEYS_FIRST } from './plan-settings.ts';

/** Whether an event's reason is that it could not be mapped: then there is nothing to be sent. As SQL over \`e\`. */
const UNMAPPED = `(e.reason ~ '^[0-9A-Z]{5}$' or e.reason = 'RC_EVENT_COLUMN')`;

/** The dead letters of contacts that are meant, as SQL over `l`. Whom a person has dropped is meant only when named. */
const MEANT = `l.destination_id = p_destination and (p_code is null or l.code = p_code) and (p_field is null or l.field = p_field)
       and case when p_contact is null then l.dropped_at is null else l.contact_id = p_contact end`;

/** The same of events, as SQL over `e`. */
const EVENTS_MEANT = `e.destination_id = p_destination and e.state = 'dead' and (p_code is null or e.reason = p_code) and p_field is null
       and (p_contact is null or e.contact_id = p_contact)`;

/** What failed, by cause, and what a person wants done about it. See docs/operations.md, "Failures". */
export const failures: string = /* sql */ `
-- Every dead letter that nobody has dropped. An event's stage is 'event'.
create or replace function rollcall.all_failures() returns table (destination_id smallint, stage text, code text, field text,
  contact_id bigint, event_id uuid, event_name text, properties jsonb, message text, at timestamptz)
language sql stable set search_path = '' as $body$
  select l.destination_id, l.stage, l.code, l.field, l.contact_id, null::uuid, null::text, null::jsonb, l.message, l.at
    from rollcall.dead_letters l where l.dropped_at is null
  union all
  select e.destination_id, 'event', e.reason, null, e.contact_id, e.id, e.name, e.properties, coalesce(e.message, ''), e.ended_at
    from rollcall.events e where e.state = 'dead'
$body$;

-- By cause, the most frequent first: how many, since when, the newest of them, and what its words may repeat of the person.
create or replace function rollcall.failure_causes() returns table (destination text, type text, stage text, code text, field text,
  count bigint, oldest_at timestamptz, newest_at timestamptz, contact_id bigint, event_id uuid, event_name text, message text, key text, address text,
  payload jsonb)
language sql stable set search_path = '' as $body$
  with newest as (
    select distinct on (f.destination_id, f.stage, f.code, f.field) f.*,
           count(*) over w as n, min(f.at) over w as oldest_at
      from rollcall.all_failures() f
    window w as (partition by f.destination_id, f.stage, f.code, f.field)
     order by f.destination_id, f.stage, f.code, f.field, f.at desc
  )
  select d.name, d.type, f.stage, f.code, f.field, f.n, f.oldest_at, f.at, f.contact_id, f.event_id, f.event_name, f.message, c.key,
         s.address, jsonb_build_array(s.payload, f.properties)
    from newest f
    join rollcall.destinations d on d.id = f.destination_id and d.enabled
    left join rollcall.contacts c on c.id = f.contact_id
    left join rollcall.desired s on s.contact_id = f.contact_id and s.destination_id = f.destination_id
   order by d.id, f.n desc, f.stage, f.code, f.field
$body$;

-- The newest of one code, with their contacts.
create or replace function rollcall.failures_of(p_destination smallint, p_code text, p_field text, p_limit int)
returns table (stage text, code text, field text, contact_id bigint, key text, address text, payload jsonb, event_id uuid, event_name text,
  message text, at timestamptz)
language sql stable set search_path = '' as $body$
  select f.stage, f.code, f.field, f.contact_id, c.key, s.address, jsonb_build_array(s.payload, f.properties), f.event_id, f.event_name, f.message, f.at
    from rollcall.all_failures() f
    left join rollcall.contacts c on c.id = f.contact_id
    left join rollcall.desired s on s.contact_id = f.contact_id and s.destination_id = f.destination_id
   where f.destination_id = p_destination and f.code = p_code and (p_field is null or f.field = p_field)
   order by f.at desc, f.contact_id limit p_limit
$body$;

-- Contacts that a destination refused, or that were given up, are sent once more as they are now, in the backfill lane. Locked in the
-- order of all writers. How many they were.
create or replace function rollcall.resend_refused(p_destination smallint, p_contacts bigint[]) returns int
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_closed bigint[];
  v_doubts timestamptz[];
  v_was jsonb[];
begin
  perform 1 from (select distinct c as id from unnest(p_contacts) c order by 1) x cross join lateral (
    select from rollcall.desired s where s.destination_id = p_destination and s.contact_id = x.id offset 0 for update) s;
  perform 1 from (select distinct c as id from unnest(p_contacts) c order by 1) x cross join lateral (
    select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d;
  with closed as (
    delete from rollcall.dead_letters l
     where l.destination_id = p_destination and l.stage = 'deliver' and l.contact_id = any(p_contacts)
    returning l.contact_id, l.unknown_until, l.was
  )
  select array_agg(c.contact_id), array_agg(c.unknown_until), array_agg(c.was) into v_closed, v_doubts, v_was from closed c;
  if v_closed is null then return 0; end if;
  insert into rollcall.due as d (destination_id, contact_id, lane, due_at, unknown_until, was)
    select p_destination, c.id, 1, clock_timestamp(), case when c.doubt > clock_timestamp() then c.doubt end, c.was
      from unnest(v_closed, v_doubts, v_was) as c(id, doubt, was) order by c.id
    on conflict (contact_id, destination_id) do update
       set tries = 0, failing_since = null, unknown_until = greatest(d.unknown_until, excluded.unknown_until),
           due_at = case when d.token is null then greatest(excluded.due_at, d.not_before) else d.due_at end;
  return cardinality(v_closed);
end $body$;

-- The mapping or the destination is another one now, so whoever failed is tried again, but for those whom a person has dropped.
create or replace function rollcall.try_again(p_destination smallint) returns void language plpgsql set search_path = '' as $body$
begin
  perform rollcall.resend_refused(p_destination, array(select l.contact_id from rollcall.dead_letters l
     where l.destination_id = p_destination and l.stage = 'deliver' and l.dropped_at is null));
  perform rollcall.capture(array_agg(c.key order by c.id))
     from rollcall.dead_letters l join rollcall.contacts c on c.id = l.contact_id
    where l.destination_id = p_destination and l.stage = 'map' having count(*) > 0;
end $body$;

-- A person wants them tried again: contacts are sent as they are now, rows that could not be mapped are read again, and events are
-- sent after those that wait. An event that could not be mapped is nothing that could be sent.
create or replace function rollcall.retry_failures(p_destination smallint, p_code text, p_field text, p_contact bigint,
  out contacts int, out read_again int, out events int, out unmapped int)
language plpgsql set search_path = '' as $body$
declare
  v_keys text[];
  v_seqs bigint[];
  v_of bigint[];
begin
  contacts := rollcall.resend_refused(p_destination, array(
    select l.contact_id from rollcall.dead_letters l where l.stage = 'deliver' and ${MEANT}));
  update rollcall.dead_letters l set dropped_at = null where l.stage = 'map' and ${MEANT} and l.dropped_at is not null;
  v_keys := array(select c.key from rollcall.dead_letters l join rollcall.contacts c on c.id = l.contact_id
                   where l.stage = 'map' and ${MEANT} order by c.id);
  read_again := cardinality(v_keys);
  if read_again > 0 then perform rollcall.capture(v_keys); end if;
  select array_agg(e.seq), array_agg(distinct e.contact_id) into v_seqs, v_of
    from rollcall.events e where ${EVENTS_MEANT} and e.contact_id is not null and not ${UNMAPPED};
  unmapped := (select count(*) from rollcall.events e where ${EVENTS_MEANT} and ${UNMAPPED});
  -- Queue rows before events, as settle has it.
  perform 1 from (select c from unnest(v_of) c order by 1) x(id) cross join lateral (
    select from rollcall.due d where d.destination_id = p_destination and d.contact_id = x.id offset 0 for update) d;
  update rollcall.events e
     set state = 'pending', ready = true, reason = null, message = null, ended_at = null, tries = 0, failing_since = null,
         wait_until = clock_timestamp() + interval '72 hours'
   where e.seq = any(v_seqs) and e.state = 'dead';
  get diagnostics events = row_count;
  insert into rollcall.due (destination_id, contact_id, lane, due_at)
    select p_destination, x.id, 1, clock_timestamp() from unnest(v_of) as x(id)
     where exists (select from rollcall.desired s where s.contact_id = x.id and s.destination_id = p_destination
                     and coalesce(s.remote_address, s.remote_id) is not null offset 0)
     order by x.id
    on conflict (contact_id, destination_id) do nothing;
end $body$;

-- A person wants to hear no more of them: contacts until they change, events for ever, with what they held.
create or replace function rollcall.drop_failures(p_destination smallint, p_code text, p_field text, p_contact bigint,
  out contacts int, out events int)
language plpgsql set search_path = '' as $body$
begin
  update rollcall.dead_letters l set dropped_at = clock_timestamp() where ${MEANT} and l.dropped_at is null;
  get diagnostics contacts = row_count;
  update rollcall.events e set state = 'dropped', reason = 'given_up', properties = '{}', message = null where ${EVENTS_MEANT};
  get diagnostics events = row_count;
end $body$;
`;
