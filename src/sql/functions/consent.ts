import { normalAddress } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Microseconds since 1970 as a time, in SQL; exact, as an interval of them is. */
function moment(sql: string): string {
  return `timestamptz 'epoch' + ${sql} * interval '1 microsecond'`;
}

/** The ledger of consent: adding facts, and what follows from them. The rules are those of `src/core/consent/standing.ts`. */
export const consent: string = /* sql */ `
-- What the facts say of somebody: whether a yes or a no holds (null: nothing was said) and since when, and whether mail to the address
-- bounces. p_origin: what other destinations have told does not count.
create or replace function rollcall.standing(p_person text, p_address text, p_topic text default null, p_origin text default null,
  out said text, out since timestamptz, out bounces boolean)
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  with own as materialized (
    select f.kind, f.topic, case when f.address is null then p_address is null else f.address = any(x.addresses) end as here,
           least(f.at, f.received_at) as at
      -- As they are, and as the hashes that stand in the place of the erased.
      from (select rollcall.hashed_forms(p_person) as people, rollcall.hashed_forms(p_address) as addresses offset 0) x
      cross join lateral (
        select f.* from unnest(x.people) as p(form)
          cross join lateral (select * from rollcall.consent f where f.person = p.form and f.kind <> 'bounce' offset 0) f
        union all
        select f.* from unnest(x.addresses) as a(form)
          cross join lateral (select * from rollcall.consent f where f.address = a.form offset 0) f
         where (f.kind = 'bounce' or coalesce(f.person <> all(x.people), true))
           and (f.kind <> 'opt_in' or f.person is null or p_person is null)) f
     where (f.kind <> 'opt_in' or f.at is not null)
       and (p_origin is null or f.origin = p_origin or f.origin not like 'destination:%')
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
         case when not l.particular then l.particular_at
              when not l.general and not coalesce(l.particular and l.particular_at > l.general_at, false) then l.general_at
              else greatest(l.general_at, l.particular_at) end,
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

-- Adds facts: [{id, kind, person, address, topic, at, received_at, proof}], times in microseconds since 1970. Id and kind, and one of
-- person and address, must be there. One that is there already keeps the earliest time at which it came. Gives back the contacts
-- whose standing may be another now.
create or replace function rollcall.add_facts(p_origin text, p_facts jsonb) returns text[]
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_now timestamptz := clock_timestamp();
  v_keys text[];
  v_erased text[];
begin
  -- Whoever is erased meanwhile is erased before, or after: then with these.
  perform pg_advisory_xact_lock_shared(721740022, 6);
  v_erased := rollcall.erased_addresses(array(
    select distinct ${normalAddress('f.address')} from jsonb_to_recordset(p_facts) as f(person text, address text)
     where f.person is null and f.address is not null));
  with given as materialized (
    -- An id may hold an address, and tells nothing.
    select encode(sha256(convert_to(p_origin || ' ' || f.id, 'UTF8')), 'hex') as id,
           f.kind, f.person, ${normalAddress('f.address')} as address, f.topic, ${moment('f.at')} as at,
           coalesce(${moment('f.received_at')}, v_now) as received_at, f.proof
      from jsonb_to_recordset(p_facts) as f(id text, kind text, person text, address text, topic text, at bigint, received_at bigint,
        proof jsonb)
     where cardinality(v_erased) = 0 or f.person is not null or (${normalAddress('f.address')} = any(v_erased)) is not true
    union all
    -- Of an address that nobody has since its owner was erased.
    select rollcall.hashed_fact(encode(sha256(convert_to(p_origin || ' ' || f.id, 'UTF8')), 'hex')),
           f.kind, null, rollcall.hashed(${normalAddress('f.address')}), f.topic, ${moment('f.at')},
           coalesce(${moment('f.received_at')}, v_now), '{}'
      from jsonb_to_recordset(p_facts) as f(id text, kind text, person text, address text, topic text, at bigint, received_at bigint)
     where cardinality(v_erased) > 0 and f.person is null and ${normalAddress('f.address')} = any(v_erased)
  ), once as materialized (
    select distinct on (g.id) g.* from given g order by g.id, g.received_at
  ), added as (
    insert into rollcall.consent as c (id, kind, person, address, topic, origin, at, received_at, proof)
    select o.id, o.kind,
           coalesce(o.person, case when o.id not like '#%' then rollcall.person_at(o.address, least(o.at, o.received_at)) end), o.address, o.topic, p_origin, o.at,
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

-- What a destination tells of people: added, and whoever it concerns is folded again. It has done there what it tells, so that is no
-- change there: who has opted out is opted out here too, without a request. But whom we have told it to take in again may have left
-- before it heard that: of them it is told once more. p_read_at: when the reading there began; of none that is not said, the last pull did.
create or replace function rollcall.receive_facts(p_destination text, p_facts jsonb, p_read_at timestamptz default null) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_destination smallint := (select d.id from rollcall.destinations d where d.name = p_destination);
  v_topic text := (select h.topic from rollcall.heeds(v_destination) h);
  v_keys text[] := rollcall.add_facts('destination:' || p_destination, (
    select jsonb_agg(f || case when v_topic is null then '{}' else jsonb_build_object('topic', coalesce(f ->> 'topic', v_topic)) end
        || case when o.opted_in_at is null then '{}' else jsonb_build_object('id', concat_ws(' ', f ->> 'id', o.opted_in_at)) end)
      from jsonb_array_elements(p_facts) f
      -- A no without a date that is read after the destination was told of a yes is another no.
      left join lateral (select s.opted_in_at from rollcall.desired s
        where s.destination_id = v_destination and s.address = ${normalAddress("f ->> 'address'")} and f ->> 'at' is null
          and s.opted_in_at < coalesce(p_read_at, (select p.begun_at from rollcall.pulls p where p.destination_id = v_destination))
        offset 0) o on true
     -- Whoever never said yes is unsubscribed there by us: read back, that is nobody's no.
     where not (f ->> 'id' like 'pulled %' and f ->> 'kind' = 'opt_out' and exists (select from rollcall.desired s
       where s.destination_id = v_destination and s.address = ${normalAddress("f ->> 'address'")} and s.consent = 'none'
         and (s.delivered_version is not null or exists (select from rollcall.due q where q.contact_id = s.contact_id
           and q.destination_id = s.destination_id and (q.token is not null or q.tries > 0 or q.unknown_until is not null) offset 0)) offset 0))));
begin
  if cardinality(v_keys) = 0 then return; end if;
  -- Owner rows first, in the order of their keys, as the fold does.
  perform 1 from (select k collate "C" as key from unnest(v_keys) k order by 1) k cross join lateral (
    select from rollcall.contacts c where c.key = k.key offset 0 for update) c;
  update rollcall.desired s
     set consent = 'opted_out', hash = rollcall.fingerprint_of(s.address, 'opted_out', s.payload)
    from unnest(v_keys) k
    cross join lateral (select c.id from rollcall.contacts c where c.key = k offset 0) c
    cross join lateral (select s.contact_id, s.address from rollcall.desired s
      where s.destination_id = v_destination and s.contact_id = c.id and s.action = 'upsert'
        and s.consent not in ('opted_out', 'opted_in') and s.opted_in_at is null offset 0) o
    cross join lateral rollcall.heeds(v_destination) h
    cross join lateral rollcall.standing(rollcall.person_of(k), o.address, h.topic, h.origin) t
   where s.destination_id = v_destination and s.contact_id = o.contact_id and t.said = 'opted_out';
  -- From this moment no request begins that would take them in again.
  with withdrawn as (
    update rollcall.desired s
       set consent = 'opted_out', hash = rollcall.fingerprint_of(s.address, 'opted_out', s.payload), version = s.version + 1
      from unnest(v_keys) k
      cross join lateral (select c.id from rollcall.contacts c where c.key = k offset 0) c
      cross join lateral (select s.contact_id, s.destination_id, s.address from rollcall.desired s
        where s.contact_id = c.id and s.action = 'upsert' and s.consent = 'opted_in' offset 0) o
      cross join lateral rollcall.heeds(o.destination_id) h
      cross join lateral rollcall.standing(rollcall.person_of(k), o.address, h.topic, h.origin) t
     where s.destination_id = o.destination_id and s.contact_id = o.contact_id and t.said = 'opted_out'
    returning s.destination_id, s.contact_id)
  insert into rollcall.due (destination_id, contact_id, due_at)
    select w.destination_id, w.contact_id, clock_timestamp() from withdrawn w order by 2, 1
  on conflict (contact_id, destination_id) do nothing;
  perform rollcall.capture(v_keys);
end $body$;

-- The person a contact's key names; null for somebody who is known by an address alone.
create or replace function rollcall.person_of(p_key text) returns text language sql immutable as $body$
  select case when p_key not like 'email:%' then p_key end
$body$;

`;
