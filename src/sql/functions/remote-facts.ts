import { KEYS_FIRST } from './plan-settings.ts';
import { SUPPRESSED } from './remote.ts';

/** What a reading of a destination tells of consent, as facts of the ledger: the same ones as a webhook or a pull would tell. */
export const remoteFacts: string = /* sql */ `
-- As rollcall.add_facts takes them. Of an address that must not be mailed, what was told; of a contact that is unsubscribed, that, unless
-- more is told of its address: then it is not mailed for that reason. p_people: whose they are; null where only the address is known.
create or replace function rollcall.facts_at(p_places bigint[], p_people text[]) returns jsonb
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select coalesce(jsonb_agg(case when r.status = '${SUPPRESSED}'
           then jsonb_build_object('id', r.fields -> 'id', 'kind', r.fields -> 'kind', 'at', r.fields -> 'at', 'address', r.written,
             'person', p.person, 'proof', jsonb_build_object('event', r.fields -> 'event'))
           else jsonb_build_object('id', 'pulled unsubscribe  ' || r.written, 'kind', 'opt_out', 'address', r.written,
             'person', p.person, 'proof', jsonb_build_object('event', 'unsubscribe')) end), '[]')
    from (select distinct on (u.place) u.place, u.person from unnest(p_places, p_people) as u(place, person) order by u.place, u.person) p
    cross join lateral (select * from rollcall.remote_contacts r where r.place = p.place offset 0) r
   where r.status = '${SUPPRESSED}' or r.status = 'unsubscribed' and not exists (select from rollcall.remote_contacts o
     where o.destination_id + 0 = r.destination_id and o.address = r.address and o.status = '${SUPPRESSED}' offset 0)
$body$;

-- Contacts of ours that were found to have left there: [{contact, places}]. Their owner rows are locked by the caller.
create or replace function rollcall.tell_leaving(p_destination smallint, p_left jsonb) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  select rollcall.receive_facts((select d.name from rollcall.destinations d where d.id = p_destination),
           rollcall.facts_at(array_agg(x.place), array_agg(x.person)),
           (select r.began_at from rollcall.remote_readings r where r.destination_id = p_destination))
    from (select l.place::bigint as place, rollcall.person_of(c.key) as person
            from jsonb_array_elements(p_left) r
            cross join lateral (select c.key from rollcall.contacts c where c.id = (r ->> 'contact')::bigint offset 0) c
            cross join lateral jsonb_array_elements_text(r -> 'places') as l(place)) x
  having count(*) > 0
$body$;
`;
