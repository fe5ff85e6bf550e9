import { settledAt } from './erasure-reads.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** The end of an erasure: what they said stays as keyed hashes, all else of them goes. See SPEC.md, "Erasure". */
export const erasureFinish: string = /* sql */ `
-- What people have said of being mailed, as it outlives them: every no, and no yes. p_addresses are those they have now; p_all those
-- they had too, but what somebody living has. Nobody adds a fact meanwhile: the caller has the lock of the ledger.
create or replace function rollcall.hash_facts(p_people text[], p_contacts bigint[], p_addresses text[], p_all text[], p_by text) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_no record;
begin
  -- A no that stands by another address, by a column or by what was found at a destination holds for the address they have.
  for v_no in
    select distinct a.address, t.topic from unnest(p_addresses) as a(address)
      cross join (select null::text as topic union select f.topic from rollcall.consent f where f.person = any(p_people)
        union select f.topic from rollcall.consent f where f.address = any(p_addresses)) t
     where not exists (select from rollcall.consent f
             where f.address = a.address and f.kind in ('opt_out', 'complaint') and f.topic is not distinct from t.topic offset 0)
       and (exists (select from unnest(case when p_people = '{}' then array[null] else p_people end) as p(person)
             cross join lateral rollcall.standing(p.person, a.address, t.topic) s where s.said = 'opted_out')
       or t.topic is null and exists (select from rollcall.desired s
         where s.contact_id = any(p_contacts) and s.consent = 'opted_out'))
  loop
    insert into rollcall.consent (id, kind, address, topic, origin)
      values (rollcall.hashed(concat_ws(' ', 'erased', v_no.address, v_no.topic)), 'opt_out', rollcall.hashed(v_no.address), v_no.topic,
        case p_by when 'operator' then 'operator' else 'app' end)
      on conflict do nothing;
  end loop;
  delete from rollcall.consent f where f.kind = 'opt_in' and f.person = any(p_people);
  delete from rollcall.consent f where f.kind = 'opt_in' and f.person is null and f.address = any(p_all);
  -- Told again since somebody was erased before.
  delete from rollcall.consent f where (f.person = any(p_people) or f.address = any(p_all)) and f.id not like '#%'
    and exists (select from rollcall.consent o where o.id = rollcall.hashed_fact(f.id) offset 0);
  update rollcall.consent f
     set id = rollcall.hashed_fact(f.id), proof = '{}',
         person = case when f.person = any(p_people) then rollcall.hashed(f.person) else f.person end,
         address = case when f.address not like '#%' then rollcall.hashed(f.address) else f.address end
   where f.person = any(p_people) or f.address = any(p_all);
end $body$;

-- Takes everything out of what is left that names one of these texts: what others were answered, what has ended, what waits for a
-- paused table. Whole tables are read.
create or replace function rollcall.scrub(p_words text[]) returns void language plpgsql set search_path = '' as $body$
declare
  v_any text := (select string_agg(regexp_replace(x.word, '([]*+?^$(){}|.\\\\[])', '\\\\\\1', 'g'), '|') from (
    select distinct lower(v.form) as word from unnest(p_words) as w(word)
      -- As it stands, in JSON, and in a path.
      cross join lateral (values (w.word), (btrim(to_jsonb(w.word)::text, '"')), (replace(w.word, '@', '%40'))) as v(form)) x);
begin
  if v_any is null then return; end if;
  update rollcall.attempts a set message = null where lower(a.message) ~ v_any;
  update rollcall.dead_letters l set message = '' where lower(l.message) ~ v_any;
  delete from rollcall.events e where e.state <> 'pending' and lower(e.properties::text || coalesce(e.message, '')) ~ v_any;
  update rollcall.events e set message = null where lower(e.message) ~ v_any;
  delete from rollcall.held_events h where lower(h.event::text) ~ v_any;
  update rollcall.destinations d set pause_message = '' where lower(d.pause_message) ~ v_any;
  update rollcall.sources s set pause_message = '' where lower(s.pause_message) ~ v_any;
  update rollcall.backfills b set place = split_part(b.place, '/', 1) || '/' where lower(b.place) ~ v_any;
  delete from rollcall.alerts a where lower(a.detail::text) ~ v_any;
end $body$;

-- Finishes one erasure if nothing of it is left to be done at any destination; the texts that are to be scrubbed, or null.
create or replace function rollcall.finish_erasure(p_id uuid) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_by text := (select r.by from rollcall.erasures r where r.id = p_id and r.finished_at is null for update skip locked);
  v_contacts bigint[];
  v_keys text[];
  v_addresses text[];
  v_all text[];
  v_living text[];
  v_receipt jsonb;
begin
  if v_by is null then return null; end if;
  perform rollcall.required_pads();
  perform pg_advisory_xact_lock(721740022, 6);
  select array_agg(x.id), array_agg(x.key) into v_contacts, v_keys from (
    select c.id, c.key from (
        select c.key collate "C" as key from rollcall.erasing g
          cross join lateral (select c.key from rollcall.contacts c where c.id = g.contact_id offset 0) c
         where g.erasure_id = p_id order by 1) k
      cross join lateral (select c.id, c.key from rollcall.contacts c where c.key = k.key offset 0 for update) c) x;
  if v_contacts is null then
    delete from rollcall.erasures r where r.id = p_id;
    return null;
  end if;
  -- Whoever settles holds the state, not the owner row.
  perform 1 from unnest(v_contacts) as x(id) cross join lateral (
    select from rollcall.desired s where s.contact_id = x.id offset 0 for update) s;
  -- Something may have come of an attempt since it was looked for.
  update rollcall.erasing_at a set outcome = null, gone_at = null, read_at = null, look_at = clock_timestamp()
   where a.contact_id = any(v_contacts) and a.outcome <> 'left_out' and not ${settledAt('a.contact_id', 'a.destination_id')};
  if exists (select from rollcall.erasing_at a where a.contact_id = any(v_contacts) and a.outcome is null)
     or exists (select from rollcall.jobs j where j.contacts && v_contacts) then
    return null;
  end if;

  v_addresses := array(select distinct a from rollcall.erasing g cross join lateral unnest(g.addresses) a where g.contact_id = any(v_contacts));
  v_all := array(
    select a from unnest(v_addresses) a
    union select p.address from rollcall.past_addresses p where p.contact_id = any(v_contacts)
    union select p.place ->> 'address' from rollcall.erasing_at a cross join lateral jsonb_array_elements(a.places) as p(place)
           where a.contact_id = any(v_contacts) and p.place ->> 'address' is not null);
  v_living := array(select a from unnest(v_all) a where exists (
    select from rollcall.desired s where s.address = a and s.contact_id <> all(v_contacts) offset 0));
  v_all := array(select unnest(v_all) except select unnest(v_living));
  perform rollcall.hash_facts(array(select k from unnest(v_keys) k where k not like 'email:%'), v_contacts, v_addresses, v_all, v_by);

  select coalesce(jsonb_object_agg(x.name, jsonb_strip_nulls(jsonb_build_object(
           'deleted_at', x.gone_at, 'read_back', x.outcome, 'read_at', x.read_at, 'found_again', nullif(x.found, 0)))), '{}') into v_receipt
    from (
      select d.name, max(a.gone_at) as gone_at, max(a.read_at) as read_at, sum(a.found) as found,
             -- Of several contacts the least certain counts.
             (array_agg(a.outcome order by array_position(array['left_out', 'cannot_be_read', 'taken', 'gone', 'never_there'], a.outcome)))[1] as outcome
        from rollcall.erasing_at a join rollcall.destinations d on d.id = a.destination_id
       where a.contact_id = any(v_contacts) group by d.name) x;
  insert into rollcall.tombstones (hash, erasure_id) select h, p_id from unnest(rollcall.keyed_hashes(v_keys)) h on conflict do nothing;
  update rollcall.erasures r
     set finished_at = clock_timestamp(), hashes = rollcall.keyed_hashes(v_keys), destinations = v_receipt where r.id = p_id;

  delete from rollcall.due d where d.contact_id = any(v_contacts);
  delete from rollcall.desired s where s.contact_id = any(v_contacts);
  delete from rollcall.dead_letters l where l.contact_id = any(v_contacts);
  delete from rollcall.given g where g.contact_id = any(v_contacts);
  delete from rollcall.answers a where a.contact_id = any(v_contacts);
  delete from rollcall.write_backs w where w.contact_id = any(v_contacts);
  delete from rollcall.attempts a where a.contact_id = any(v_contacts);
  delete from rollcall.events e where e.contact_id = any(v_contacts) or e.held_by = any(v_contacts);
  delete from rollcall.past_addresses a where a.contact_id = any(v_contacts) or a.address = any(v_all);
  delete from rollcall.remote_contacts r where r.address = any(v_all);
  -- They stand nowhere any more, so nobody has to look there, or to clear up.
  update rollcall.desired s set carry_from = null where s.carry_from = any(v_all);
  update rollcall.desired s set leftovers = nullif(array(select a from unnest(s.leftovers) a where a <> all(v_all)), '{}')
   where s.leftovers && v_all;
  delete from rollcall.erasing_at a where a.contact_id = any(v_contacts);
  delete from rollcall.erasing g where g.contact_id = any(v_contacts);
  delete from rollcall.contacts c where c.id = any(v_contacts);
  -- Who is known by such an address alone, and of whom nothing is to be said.
  perform rollcall.forget_of(array(select c.id from unnest(v_all) as a(address)
    cross join lateral (select c.id from rollcall.contacts c where c.key = 'email:' || a.address offset 0 for update skip locked) c));
  perform rollcall.want_rotation();
  return v_all || array(select k from unnest(v_keys) k where k not like 'email:%');
end $body$;

-- Finishes what can be finished, some at a time. Gives back those that were, and how many are still at work.
create or replace function rollcall.finish_erasures(p_limit int, out finished uuid[], out open int) language plpgsql set search_path = '' as $body$
declare
  v_id uuid;
  v_words text[];
  v_all text[] := '{}';
begin
  finished := '{}';
  if exists (select from rollcall.erasures r where r.finished_at is null) then
    for v_id in select r.id from rollcall.erasures r
       where r.finished_at is null and not exists (
         select from rollcall.erasing g join rollcall.erasing_at a on a.contact_id = g.contact_id
          where g.erasure_id = r.id and a.outcome is null)
       order by r.requested_at limit p_limit loop
      v_words := rollcall.finish_erasure(v_id);
      continue when v_words is null;
      finished := finished || v_id;
      v_all := v_all || v_words;
    end loop;
    perform rollcall.scrub(v_all);
  end if;
  select count(*) into open from rollcall.erasures r where r.finished_at is null;
end $body$;

-- Each erasure, the last ones first: of one at work what it waits for, of a finished one the receipt.
create or replace function rollcall.erasure_list(p_id uuid default null, p_limit int default 100) returns jsonb
language sql stable set search_path = '' as $body$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'id', r.id, 'by', r.by, 'requested_at', r.requested_at, 'finished_at', r.finished_at,
      'state', case when r.finished_at is null then 'at_work' else 'finished' end,
      'hashes', (select jsonb_agg(encode(h, 'hex')) from unnest(r.hashes) h),
      'destinations', case when r.finished_at is not null then r.destinations else (
        select coalesce(jsonb_object_agg(w.name, jsonb_strip_nulls(jsonb_build_object('state', w.state, 'found_again', nullif(w.found, 0)))), '{}')
          from (
            select d.name, sum(a.found) as found,
                   (array_agg(s.state order by array_position(array['off', 'paused', 'held', 'failed', 'deleting', 'reading', 'done'], s.state)))[1] as state
              from rollcall.erasing g join rollcall.erasing_at a on a.contact_id = g.contact_id
              join rollcall.destinations d on d.id = a.destination_id
              cross join lateral (select case when a.outcome is not null then 'done' when not d.enabled then 'off'
                  when d.pause_code is not null then 'paused'
                  when exists (select from rollcall.due q where q.contact_id = g.contact_id and q.destination_id = d.id and q.lane > 1) then 'held'
                  when exists (select from rollcall.dead_letters l where l.contact_id = g.contact_id and l.destination_id = d.id and l.stage = 'deliver')
                    then 'failed'
                  when not ${settledAt('g.contact_id', 'd.id')} then 'deleting' else 'reading' end as state) s
             where g.erasure_id = r.id group by d.name) w) end)) order by r.requested_at desc), '[]')
    from (select * from rollcall.erasures x where p_id is null or x.id = p_id order by x.requested_at desc limit p_limit) r
$body$;
`;
