import { keyUser, normalAddress, UUID } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Rows of a table about one contact, as a JSON array, each with the name of its destination where it has one. */
function rowsOf(table: string, order: string, where = 'x.contact_id = c.id'): string {
  return `coalesce((select jsonb_agg(to_jsonb(x) - 'contact_id' - 'destination_id' - 'hash' - 'queue'
             || coalesce((select jsonb_build_object('destination', d.name) from rollcall.destinations d
                  where d.id = (to_jsonb(x) ->> 'destination_id')::smallint), '{}') order by ${order})
           from rollcall.${table} x where ${where}), '[]')`;
}

/** Everything that is held about one person. See docs/consent.md, "What is held about somebody". */
export const exportPerson: string = /* sql */ `
-- p_who: the id of a user, or an address; null when nothing is held. Of an address: whoever has it now, and what is known of it alone.
create or replace function rollcall.export_person(p_who text) returns jsonb
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  with asked as materialized (
    select case when p_who ~ ${UUID} then lower(p_who) end as person,
           case when p_who like '%@%' then ${normalAddress('p_who')} end as address
  ), keys as materialized (
    select a.person as key from asked a where a.person is not null
    union select 'email:' || a.address from asked a where a.address is not null
    union select c.key from asked a
      cross join lateral (select s.contact_id from rollcall.desired s where s.address = a.address
        union select s.contact_id from rollcall.desired s where s.waiting_for = a.address) s
      cross join lateral (select c.key from rollcall.contacts c where c.id = s.contact_id offset 0) c
  ), people as materialized (
    select c.id, c.key from keys k cross join lateral (select c.id, c.key from rollcall.contacts c where c.key = k.key offset 0) c
  ), addresses as materialized (
    select a.address from asked a where a.address is not null
    union select x.address from people c cross join lateral (
      select s.address from rollcall.desired s where s.contact_id = c.id and s.address is not null) x
  ), held as (
    select (select jsonb_agg(jsonb_build_object(
              'contact', c.id, 'user', ${keyUser('c.key')}, 'key', c.key,
              'past_addresses', ${rowsOf('past_addresses', 'x.id')},
              'destinations', ${rowsOf('desired', 'x.destination_id')},
              'queue', ${rowsOf('due', 'x.destination_id')},
              'given', ${rowsOf('given', 'x.function')},
              'answers', ${rowsOf('answers', 'x.contact_id')},
              'write_backs', ${rowsOf('write_backs', 'x.contact_id')},
              'events', ${rowsOf('events', 'x.seq')},
              'attempts', ${rowsOf('attempts', 'x.id')},
              'dead_letters', ${rowsOf('dead_letters', 'x.destination_id')},
              'jobs', coalesce((select jsonb_agg(jsonb_build_object('begun_at', j.begun_at, 'state', j.state) order by j.begun_at)
                 from rollcall.jobs j where c.id = any(j.contacts)), '[]')) order by c.id) from people c) as contacts,
           (select jsonb_agg(to_jsonb(f) order by f.received_at, f.id) from rollcall.consent f
             where f.person in (select k.key from keys k) or f.address in (select a.address from addresses a)) as consent,
           (select jsonb_agg(h.event order by h.id) from rollcall.held_events h
             where exists (select from keys k where position(split_part(k.key, 'email:', 2) in h.event::text) > 0 and k.key like 'email:%'
                             or position(k.key in h.event::text) > 0)) as unread_events,
           (select jsonb_agg(to_jsonb(r) - 'destination_id' order by r.place) from rollcall.remote_contacts r
             where r.address in (select a.address from addresses a)) as being_compared
  )
  select jsonb_strip_nulls(jsonb_build_object('contacts', h.contacts, 'consent', h.consent, 'unread_events', h.unread_events,
           'being_compared', h.being_compared)) from held h
   where coalesce(h.contacts, h.consent, h.unread_events, h.being_compared) is not null
$body$;
`;
