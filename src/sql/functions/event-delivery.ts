import { givenUp, lastWords } from './give-up.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { LIST_SOURCE } from './told.ts';

/** The next events of a contact, at most 10. */
const NEXT = `select * from rollcall.events e
           where e.contact_id = p_contact and e.destination_id = p_destination and e.state = 'pending' and e.ready
           order by e.happened_at, e.seq limit 10`;

/** As JSON text. The alias is \`e\`. */
const AS_TEXT = `coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'name', e.name, 'properties', e.properties, 'tries', e.tries,
             'at', to_char(e.happened_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
             || case when e.source = '${LIST_SOURCE}' then jsonb_build_object('list', e.properties -> 'list') else '{}' end order by e.happened_at, e.seq), '[]')::text`;

/** The events' part of claim and settle. */
export const eventDelivery: string = /* sql */ `
-- The next events of a contact, in order: [{id, name, properties, at, tries}]; what joins a list has that too.
create or replace function rollcall.next_events(p_destination smallint, p_contact bigint) returns text
language sql stable set search_path = '' set timezone = 'UTC' ${KEYS_FIRST} as $body$
  select ${AS_TEXT}
    from (${NEXT}) e
$body$;

-- The same where an event may be sent once only: the lease remembers which they were. To join a list twice is to join it.
create or replace function rollcall.hand_out(p_destination smallint, p_contact bigint) returns text
language sql set search_path = '' set timezone = 'UTC' ${KEYS_FIRST} as $body$
  with next as materialized (${NEXT}), handed as (
    update rollcall.due d set handed = array(select n.seq from next n where n.source <> '${LIST_SOURCE}') where d.contact_id = p_contact and d.destination_id = p_destination
  )
  select ${AS_TEXT}
    from next e
$body$;

create or replace function rollcall.sent_events(p_results jsonb)
returns table (contact bigint, version bigint, action text, n bigint, id uuid, outcome text, code text, message text, latency_ms int,
  window_ms bigint)
language sql immutable set search_path = '' as $body$
  select r.contact, r.version, r.action, o.n, e.id, e.outcome, e.code, e.message, e.latency_ms, r.window_ms
    from jsonb_to_recordset(p_results) as r(contact bigint, version bigint, action text, events jsonb, window_ms bigint)
    cross join lateral jsonb_array_elements(r.events) with ordinality as o(event, n)
    cross join lateral jsonb_to_record(o.event) as e(id uuid, outcome text, code text, message text, latency_ms int)
$body$;

-- Records what became of events, whoever holds the lease by now: what was accepted was accepted. One that has failed for its window,
-- and not just a few times, is given up.
create or replace function rollcall.settle_events(p_destination smallint, p_results jsonb) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_clock timestamptz;
begin
  update rollcall.events e
     set state = case x.outcome when 'delivered' then 'delivered' else 'dead' end, reason = x.code, message = x.message,
         ended_at = clock_timestamp()
    from (select x.outcome, x.code, x.message, f.seq from rollcall.sent_events(p_results) x
            cross join lateral (select f.seq from rollcall.events f
              where f.id = x.id and f.destination_id = p_destination and f.state = 'pending' offset 0) f
           where x.outcome in ('delivered', 'reject')) x
   where e.seq = x.seq;
  if not exists (select from rollcall.sent_events(p_results) x where x.outcome in ('retry', 'unknown')) then return; end if;
  v_clock := rollcall.trying_clock(p_destination);
  update rollcall.events e
     set tries = e.tries + 1, failing_since = coalesce(e.failing_since, v_clock),
         state = case when x.over then 'dead' else e.state end,
         reason = case when x.over then 'gave_up' end,
         message = case when x.over then ${lastWords('x.code', 'x.message')} end,
         ended_at = case when x.over then clock_timestamp() end
    from (select x.code, x.message, f.seq, ${givenUp('f', 'x.window_ms', 'v_clock')} as over
            from rollcall.sent_events(p_results) x
            cross join lateral (select f.seq, f.tries, f.failing_since from rollcall.events f
              where f.id = x.id and f.destination_id = p_destination and f.state = 'pending' offset 0) f
           where x.outcome in ('retry', 'unknown')) x
   where e.seq = x.seq;
end $body$;

-- Whoever got events of these contacts while they were being sent need not wait for them any longer.
create or replace function rollcall.free_events(p_destination smallint, p_contacts bigint[]) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_freed record;
begin
  for v_freed in
    with freed as (
      update rollcall.events e set held_by = null, held_until = null
       where e.held_by = any(p_contacts) and e.destination_id = p_destination
      returning e.contact_id
    )
    select distinct f.contact_id from freed f
  loop
    update rollcall.due d
       set not_before = null, due_at = case when d.token is null then clock_timestamp() else d.due_at end
     where d.contact_id = v_freed.contact_id and d.destination_id = p_destination and d.not_before is not null;
  end loop;
end $body$;

-- Attempts at events, before or after that at the contact's state as they were made.
create or replace function rollcall.log_events(p_destination smallint, p_results jsonb, p_first boolean) returns void
language sql set search_path = '' as $body$
  insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, code, message, latency_ms)
  select p_destination, x.contact, x.version, 'event', x.outcome, x.code, x.message, x.latency_ms
    from rollcall.sent_events(p_results) x where (x.action = 'delete') = p_first order by x.contact, x.n
$body$;

-- Where an event may be sent once only, one that was handed out under a lost lease is not sent again: whether it arrived is not
-- known.
create or replace function rollcall.forsake_events(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.events e
     set state = 'dead', reason = 'unknown_not_repeated', ended_at = clock_timestamp(),
         message = 'The worker that had it was lost, so whether it was sent is not known.'
   where e.state = 'pending' and e.seq = any(array(
     select h.seq from unnest(p_contacts) as c(id)
       cross join lateral (select d.handed from rollcall.due d where d.contact_id = c.id and d.destination_id = p_destination offset 0) d
       cross join lateral unnest(d.handed) as h(seq)))
$body$;

-- Events of contacts that were deleted at the destination have nobody left to be about.
create or replace function rollcall.end_events(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.events e set state = 'dropped', reason = 'contact_deleted', ended_at = clock_timestamp()
   where e.destination_id = p_destination and e.contact_id = any(p_contacts) and e.state = 'pending'
$body$;
`;
