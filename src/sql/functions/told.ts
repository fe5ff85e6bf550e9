import { LONGEST_ADDRESS } from '../../core/address.ts';
import { EMAIL_KEY, normalAddress } from '../compile/link.ts';

/** The source, in the log and of events, of what the app tells by itself: `events.track` of the library. */
export const APP_SOURCE = 'rollcall.app';
/** The source of what is no event, but joins a list: `lists.addContacts` of the library. */
export const LIST_SOURCE = 'rollcall.lists';

/** What the app tells without a table: into the log like a capture, and from there into the events of contacts. */
export const told: string = /* sql */ `
-- Appends to the log: [{id, address, name, properties, at}], and of a list to be joined {id, address, name, destination, list}. The same
-- id is taken once, whenever it comes. What cannot be read is refused here, where whoever tells it is told so: it must not stop the fold.
create or replace function rollcall.tell(p_told jsonb) returns int language plpgsql set search_path = '' as $body$
declare
  v_events jsonb[] := array(
    select jsonb_build_object('k', t.id, 'a', a.address, 'n', t.name, 't', coalesce(t.at, clock_timestamp()),
             'p', case when t.list is null then coalesce(t.properties, '{}')
               else jsonb_build_object('destination', t.destination, 'list', t.list) end, 'l', t.list is not null)
      from jsonb_array_elements(p_told) with ordinality as x(value, n)
      cross join lateral jsonb_to_record(x.value) as t(id text, address text, name text, properties jsonb, at timestamptz, destination text, list jsonb)
      cross join lateral (select ${normalAddress('t.address')} as address) a
     where a.address <> '' and length(a.address) <= ${LONGEST_ADDRESS} and t.id is not null and t.name is not null
     order by x.n);
begin
  if cardinality(v_events) > 0 then perform rollcall.capture('{}', '${APP_SOURCE}', v_events); end if;
  return cardinality(v_events);
end $body$;

-- The events of what was told, in the order of the log.
create or replace function rollcall.told_events(p_install uuid, p_changes rollcall.change[]) returns rollcall.read_event[]
language sql stable set search_path = '' as $body$
  select array_agg(row(
           rollcall.event_id(p_install, '${APP_SOURCE}', e.event ->> 'k', 'told', 0, 0, 0),
           case when (e.event ->> 'l')::boolean then '${LIST_SOURCE}' else '${APP_SOURCE}' end, '${EMAIL_KEY}' || (e.event ->> 'a'),
           e.event ->> 'n', e.event -> 'p', (e.event ->> 't')::timestamptz, null, null)::rollcall.read_event order by c.turn, e.place)
    from unnest(p_changes) with ordinality as c(log_id, xid, source, events, turn)
    cross join lateral unnest(c.events) with ordinality as e(event, place)
   where c.source = '${APP_SOURCE}'
$body$;
`;
