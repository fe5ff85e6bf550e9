import { normalAddress } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Most characters of a fact's id; a longer one is kept as its hash. */
const LONGEST_ID = 200;

/** The ledger of consent: adding facts, and what follows from them. The rules are those of \`src/core/consent/standing.ts\`. */
export const consent: string = /* sql */ `
-- What the facts say of somebody: whether a yes or a no holds (null: nothing was said), and whether mail to the address bounces.
create or replace function rollcall.standing(p_person text, p_address text, p_topic text default null, out said text, out bounces boolean)
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  with own as materialized (
    select f.kind, f.topic, f.address is not distinct from p_address as here, least(f.at, f.received_at) as at
      from (
        select f.* from rollcall.consent f where f.person = p_person and f.kind <> 'bounce'
        union all
        select f.* from rollcall.consent f
         where f.address = p_address and (f.kind = 'bounce' or p_person is null or f.person is distinct from p_person)
           and (f.kind <> 'opt_in' or f.person is null or p_person is null)) f
     where f.kind <> 'opt_in' or f.at is not null
  ), last as (
    select (select o.kind = 'opt_in' from own o where o.topic is null and o.kind <> 'bounce' order by o.at desc, o.kind = 'opt_in' limit 1) as general,
           (select o.at from own o where o.topic is null and o.kind <> 'bounce' order by o.at desc limit 1) as general_at,
           (select o.kind = 'opt_in' from own o where o.topic = p_topic and o.kind <> 'bounce' order by o.at desc, o.kind = 'opt_in' limit 1) as particular,
           (select o.at from own o where o.topic = p_topic and o.kind <> 'bounce' order by o.at desc limit 1) as particular_at,
           (select max(o.at) from own o where o.kind = 'bounce') as bounced_at,
           (select max(o.at) from own o where o.kind = 'opt_in' and o.here) as proved_at
  )
  select case when not l.particular then 'opted_out'
              when not l.general then case when l.particular and l.particular_at > l.general_at then 'opted_in' else 'opted_out' end
              when l.general or l.particular then 'opted_in' end,
         l.bounced_at is not null and coalesce(l.proved_at <= l.bounced_at, true)
    from last l
$body$;

-- Who had an address at a moment: as far as is known, the user who has it now or the last one who gave it up after that.
create or replace function rollcall.person_at(p_address text, p_at timestamptz) returns text
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select x.key from (
    (select c.key, 1 as turn, p.until from rollcall.past_addresses p
       cross join lateral (select c.key from rollcall.contacts c where c.id = p.contact_id offset 0) c
      where p.address = p_address and p.until > p_at)
    union all
    (select c.key, 2, null from rollcall.desired s
       cross join lateral (select c.key from rollcall.contacts c where c.id = s.contact_id offset 0) c
      where s.address = p_address)
    union all
    -- Nobody has it now: the last who had it.
    (select c.key, 3, p.until from rollcall.past_addresses p
       cross join lateral (select c.key from rollcall.contacts c where c.id = p.contact_id offset 0) c
      where p.address = p_address)) x
   where x.key not like 'email:%'
   order by x.turn, case when x.turn = 1 then x.until end, x.until desc nulls last
   limit 1
$body$;

-- Adds facts: [{id, kind, person, address, topic, at, received_at, proof}], of which id and kind, and one of person and address, must be
-- there. One that is there already keeps the earliest time at which it came. Gives back the contacts whose standing may be another now.
create or replace function rollcall.add_facts(p_origin text, p_facts jsonb) returns text[]
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_now timestamptz := clock_timestamp();
  v_keys text[];
begin
  with given as materialized (
    select case when length(f.id) > ${LONGEST_ID} then encode(sha256(convert_to(f.id, 'UTF8')), 'hex') else f.id end as id,
           f.kind, f.person, ${normalAddress('f.address')} as address, f.topic, f.at, coalesce(f.received_at, v_now) as received_at, f.proof
      from jsonb_to_recordset(p_facts) as f(id text, kind text, person text, address text, topic text, at timestamptz,
        received_at timestamptz, proof jsonb)
  ), once as materialized (
    select distinct on (g.id) g.* from given g order by g.id, g.received_at
  ), added as (
    insert into rollcall.consent as c (id, kind, person, address, topic, origin, at, received_at, proof)
    select p_origin || '/' || o.id, o.kind,
           coalesce(o.person, rollcall.person_at(o.address, least(o.at, o.received_at))), o.address, o.topic, p_origin, o.at,
           o.received_at, coalesce(o.proof, '{}')
      from once o order by o.id
    on conflict (id) do update set received_at = excluded.received_at where excluded.received_at < c.received_at
    returning c.person, c.address
  )
  select array_agg(distinct k.key) into v_keys
    from added a
    cross join lateral (
      select a.person as key where a.person is not null
      union
      select c.key from (select s.contact_id from rollcall.desired s where s.address = a.address
        union select s.contact_id from rollcall.desired s where s.waiting_for = a.address) s
        cross join lateral (select c.key from rollcall.contacts c where c.id = s.contact_id offset 0) c) k;
  return coalesce(v_keys, '{}');
end $body$;
`;
