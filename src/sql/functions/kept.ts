import { KEYS_FIRST } from './plan-settings.ts';

/** What outlives a restore: tombstones and every explicit no, as keyed hashes alone. See docs/consent.md, "What outlives a restore". */
export const kept: string = /* sql */ `
-- Whether the caller, and nobody else for p_hold, writes it down: once in p_every at most, and where something is new. What commits
-- a little late is new for two minutes.
create or replace function rollcall.begin_kept(p_every interval, p_hold interval, p_force boolean) returns boolean
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  perform rollcall.settle_key();
  update rollcall.kept k set begun_at = clock_timestamp(), until = clock_timestamp() + p_hold
   where p_force or k.until < clock_timestamp() and k.begun_at < clock_timestamp() - p_every and (
     k.written_at = '-infinity'
     or exists (select from rollcall.consent f where f.received_at > k.written_at - interval '2 minutes')
     or exists (select from rollcall.tombstones t where t.erased_at > k.written_at - interval '2 minutes'));
  return found;
end $body$;

create or replace function rollcall.end_kept() returns void language sql set search_path = '' as $body$
  update rollcall.kept k set written_at = k.begun_at, until = '-infinity'
$body$;

-- It could not be written: somebody tries again.
create or replace function rollcall.leave_kept() returns void language sql set search_path = '' as $body$
  update rollcall.kept k set until = '-infinity'
$body$;

create or replace function rollcall.kept_check() returns text language sql stable set search_path = '' as $body$
  select encode(rollcall.check_value(rollcall.required_pads()), 'hex')
$body$;

-- A page of it: p_after is "t" or "f", and the last id. Null after the last.
create or replace function rollcall.kept_page(p_after text, p_limit int, out lines jsonb, out next text)
language plpgsql stable set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_last text := substr(p_after, 2);
begin
  if p_after is null or p_after like 't%' then
    select coalesce(jsonb_agg(jsonb_build_object('tombstone', encode(x.hash, 'hex'), 'at', x.erased_at) order by x.hash), '[]'),
           't' || encode((array_agg(x.hash order by x.hash desc))[1], 'hex')
      into lines, next
      from (select t.hash, t.erased_at from rollcall.tombstones t where t.hash > coalesce(decode(v_last, 'hex'), '') order by t.hash limit p_limit) x;
    next := coalesce(next, 'f');
    return;
  end if;
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('fact', rollcall.hashed_fact(x.id), 'kind', x.kind,
           'person', case when x.person like '#%' then x.person else rollcall.hashed(x.person) end,
           'address', case when x.address like '#%' then x.address else rollcall.hashed(x.address) end,
           'topic', x.topic, 'origin', x.origin, 'at', x.at, 'received_at', x.received_at)) order by x.id), '[]'),
         'f' || (array_agg(x.id order by x.id desc))[1]
    into lines, next
    from (select f.* from rollcall.consent f where f.id > v_last and f.kind <> 'opt_in' order by f.id limit p_limit) x;
end $body$;

-- Takes what is missing. A person has to be known by the same key.
create or replace function rollcall.read_kept(p_check text, p_lines jsonb) returns void language plpgsql set search_path = '' as $body$
begin
  perform rollcall.settle_key();
  if rollcall.kept_check() <> p_check then
    raise exception 'what was kept was hashed with another key' using errcode = 'RC062';
  end if;
  perform pg_advisory_xact_lock_shared(721740022, 6);
  insert into rollcall.tombstones (hash, erased_at)
    select decode(l ->> 'tombstone', 'hex'), (l ->> 'at')::timestamptz from jsonb_array_elements(p_lines) l where l ? 'tombstone'
    on conflict do nothing;
  insert into rollcall.consent (id, kind, person, address, topic, origin, at, received_at)
    select l ->> 'fact', l ->> 'kind', l ->> 'person', l ->> 'address', l ->> 'topic', l ->> 'origin', (l ->> 'at')::timestamptz,
           (l ->> 'received_at')::timestamptz
      from jsonb_array_elements(p_lines) l where l ? 'fact'
    on conflict do nothing;
end $body$;

-- Those facts that are here in clear are here once.
create or replace function rollcall.end_reading_kept() returns void language sql set search_path = '' as $body$
  delete from rollcall.consent h where h.id in (select rollcall.hashed_fact(f.id) from rollcall.consent f where f.id not like '#%')
$body$;

-- Makes it true of a page of contacts, before anything is sent: the erased who are back are erased again, and whoever has said no
-- since is opted out. Gives back the last id; null after the last page.
create or replace function rollcall.obey_kept(p_after bigint, p_limit int) returns bigint
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_last bigint;
  v_keys text[];
  v_erased text[];
  v_said text[];
begin
  select max(x.id), array_agg(x.key) into v_last, v_keys
    from (select c.id, c.key from rollcall.contacts c where c.id > p_after order by c.id limit p_limit) x;
  if v_last is null then return null; end if;
  v_erased := array(select k from unnest(v_keys) k except select unnest(rollcall.living_keys(v_keys)));
  if cardinality(v_erased) > 0 then perform rollcall.erase_keys(v_erased, 'recover'); end if;
  v_said := array(
    select k from unnest(v_keys) k where k <> all(v_erased) and (
      exists (select from rollcall.consent f where f.person = rollcall.hashed(k) offset 0)
      or exists (select from rollcall.contacts c
        cross join lateral (select s.address from rollcall.desired s where s.contact_id = c.id and s.address is not null offset 0) s
        cross join lateral (select from rollcall.consent f where f.address = rollcall.hashed(s.address) offset 0) f
       where c.key = k)));
  if cardinality(v_said) > 0 then perform rollcall.fold_keys(v_said, 1::smallint); end if;
  return v_last;
end $body$;
`;
