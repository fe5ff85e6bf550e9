import { KEYS_FIRST } from './plan-settings.ts';

/** What the ledger makes of contacts: see SPEC.md, "Invariants", 4. */
export const heedConsent: string = /* sql */ `
-- Which facts a destination goes by: those of its own and the app's alone, those about its topic, or all there are.
create or replace function rollcall.heeds(p_destination smallint, out origin text, out topic text)
language sql stable set search_path = '' as $body$
  select case i.consent_policy when 'per_destination' then 'destination:' || d.name end,
         case i.consent_policy when 'per_topic' then d.topic end
    from rollcall.install i cross join rollcall.destinations d where d.id = p_destination
$body$;

-- What the facts say goes before what the rows say: nobody who has said no is taken in again by a column, and who said yes after
-- that may be mailed. A destination that was told of a no, or of nobody's yes, is told of that yes, once.
create or replace function rollcall.with_consent(p_destination smallint, p_rows rollcall.mapped[]) returns rollcall.mapped[]
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select array_agg(row(m.key, m.verdict, m.address,
           case when t.said = 'opted_out' then 'opted_out'
                when t.said = 'opted_in' and s.consent in ('opted_out', 'none', 'opted_in') then 'opted_in'
                when t.said = 'opted_in' then 'basis' else m.consent end,
           m.payload, m.cleared)::rollcall.mapped order by m.place)
    from rollcall.heeds(p_destination) h
    cross join unnest(p_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, place)
    cross join (select rollcall.has_hashed() as hashed offset 0) e
    cross join lateral (select m.verdict = 'ok' and (
      exists (select from rollcall.consent f where f.person = rollcall.person_of(m.key) offset 0)
      or exists (select from rollcall.consent f where f.address = m.address offset 0)
      or e.hashed and (exists (select from rollcall.consent f where f.person = rollcall.hashed(rollcall.person_of(m.key)) offset 0)
        or exists (select from rollcall.consent f where f.address = rollcall.hashed(m.address) offset 0))) as known) k
    left join lateral (select s.said from rollcall.standing(rollcall.person_of(m.key), m.address, h.topic, h.origin) s
      where k.known offset 0) t on true
    left join lateral (select s.consent from rollcall.contacts c
      cross join lateral (select s.consent from rollcall.desired s where s.destination_id = p_destination and s.contact_id = c.id offset 0) s
      where c.key = m.key and t.said = 'opted_in' offset 0) s on true
$body$;

-- They were told of an opt-in. From now on nothing is said of it, so that nothing undoes a no that has not come to us yet. No new
-- version: it is what they have.
create or replace function rollcall.told_opt_in(p_destination smallint, p_contacts bigint[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.desired s
     set consent = 'basis', hash = rollcall.fingerprint_of(s.address, 'basis', s.payload), opted_in_at = clock_timestamp()
   where s.destination_id = p_destination and s.contact_id = any(p_contacts)
$body$;
`;
