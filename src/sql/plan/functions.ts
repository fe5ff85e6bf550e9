import { PASSING } from '../functions/passing.ts';
import { KEYS_FIRST } from '../functions/plan-settings.ts';

/** What is told of a contact: see `PlannedRow`. */
const COLUMNS = `contact_id bigint, key text, state text, reason text, n bigint, payload_before text, address_before text, consent_before text, version bigint,
  action text, address text, remote_address text, remote_id text, payload text, consent text, carry_from text, takeover boolean, leftovers text[],
  delivered boolean, imported boolean, again boolean, astray boolean, opted_out boolean`;

/**
 * Who left before, and is gone still, is not looked at again, whatever is said now of those who leave; but who is to be at another
 * destination yet, also at one that is no more in use, is: see rollcall.held_keys.
 * @param was alias of the row of `desired` that is kept, with `contact_id`, `action` and `reason`
 * @param kept the table or view of such rows
 */
export function leftBefore(verdict: string, was: string, kept: string): string {
  return `coalesce(${verdict} = 'gone' and ${was}.action <> 'upsert' and ${was}.reason = 'gone'
    and not exists (select from ${kept} o where o.contact_id = ${was}.contact_id and o.action = 'upsert'), false)`;
}

/** What an update is to somebody who is not known there. */
export const upsertState = (row: string): string =>
  `case when ${row}.remote_address is null and ${row}.remote_id is null then 'create' else 'update' end`;

/** The functions of a plan. They are made for its transaction alone. */
export const planFunctions: string = /* sql */ `
create type rollcall.plan_row as (${COLUMNS});
-- Destinations that everybody, or whoever was refused, is sent to again.
create unlogged table rollcall.plan_again (destination_id smallint primary key, forgotten boolean not null, refused boolean not null);
-- Addresses that people have, or are known by, as hashes: two that are the same by chance only make somebody careful.
create unlogged table rollcall.plan_claims (contact_id bigint not null, address bigint not null);
create unlogged table rollcall.plan_erased (key text collate "C" primary key);
-- Those of whom anything may be the case: see docs/plan.md.
create unlogged table rollcall.plan_careful (contact_id bigint primary key);


-- What people have said since, as their rows answer otherwise than was heard: in place of rollcall.note_answers, for one page.
create unlogged table rollcall.plan_facts (like rollcall.consent including all);
create or replace function rollcall.note_answers(p_rows rollcall.mapped[], p_from timestamptz) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  delete from rollcall.plan_facts;
  insert into rollcall.plan_facts (id, kind, person, address, origin, at)
    select 'plan ' || m.key, k.kind, rollcall.person_of(m.key), m.address, 'app',
           case when x.answer = 'basis' and x.at is not null then to_timestamp(x.at / 1000000.0) else clock_timestamp() end
      from unnest(p_rows) m
      cross join lateral (select split_part(m.consent, ' ', 1) as answer, nullif(split_part(m.consent, ' ', 2), '')::bigint as at) x
      cross join lateral (select c.id from rollcall.contacts c where c.key = m.key offset 0) c
      left join lateral (select a.* from rollcall.answers a where a.contact_id = c.id offset 0) a on true
      cross join lateral (select case
        when x.answer = 'opted_out' and a.answer is distinct from 'opted_out' or x.answer = 'missing' and a.answer = 'basis' then 'opt_out'
        when x.answer = 'basis' and (x.at is not null or a.answer <> 'basis') then 'opt_in' end as kind) k
     where m.verdict = 'ok' and k.kind is not null and (a.answer, a.at) is distinct from (x.answer, x.at);
end $body$;
-- Nothing of what is read is kept.
create or replace function rollcall.keep_given(p_function name, p_rows rollcall.mapped[]) returns void language sql as $body$ $body$;
create or replace function rollcall.note_write_backs(p_rows rollcall.mapped[]) returns void language plpgsql as $body$ begin end $body$;

-- A contact for whoever of p_keys has none and was not erased, in the order in which a fold would make them, and the addresses that all of
-- them have. p_new: nobody has one yet.
create function rollcall.plan_make_contacts(p_keys text[], p_addresses text[], p_new boolean) returns void language plpgsql
set search_path = '' set jit = off set enable_seqscan = off set enable_nestloop = off as $body$
declare
  v_new text[] := p_keys;
  v_living text[];
begin
  if not p_new then
    with found as materialized (
      select k.key, k.address, k.n, c.id from unnest(p_keys, p_addresses) with ordinality as k(key, address, n)
        left join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c on true
    ), known as (
      insert into rollcall.plan_claims (contact_id, address)
        select f.id, hashtextextended(f.address, 0) from found f where f.id is not null and f.address is not null)
    select array_agg(f.key order by f.n) into v_new from found f where f.id is null;
  end if;
  if cardinality(v_new) > 0 is not true then return; end if;
  v_living := rollcall.living_keys(v_new);
  with made as (
    insert into rollcall.own_contacts (key) select k.key from unnest(v_living) with ordinality as k(key, n) order by k.n returning id, key)
  insert into rollcall.plan_claims (contact_id, address)
    select m.id, hashtextextended(k.address, 0) from made m join unnest(p_keys, p_addresses) as k(key, address) on k.key = m.key where k.address is not null;
  if cardinality(v_living) < cardinality(v_new) then
    insert into rollcall.plan_erased (key) select k from unnest(v_new) k except select k from unnest(v_living) k on conflict do nothing;
  end if;
end $body$;

-- One page of the users; where it ended, null after the last.
create function rollcall.plan_take_users(p_installed boolean, p_after uuid, p_limit int, out last uuid, out taken int)
language plpgsql set search_path = '' as $body$
declare
  v_page record;
begin
  select * into v_page from rollcall.plan_users(p_after, p_limit);
  taken := coalesce(cardinality(v_page.ids), 0);
  last := case when taken = p_limit then v_page.ids[taken] end;
  perform rollcall.plan_make_contacts(v_page.ids::text[], v_page.addresses, not p_installed);
end $body$;

-- One page of a table whose rows make contacts by an address: see rollcall.sweep_rows.
create function rollcall.plan_take_rows(p_phase int, p_after text, p_limit int, out last text, out taken int)
language plpgsql set search_path = '' as $body$
declare
  v_page rollcall.sweep_keys;
begin
  begin
    v_page := rollcall.sweep_rows(p_phase, p_after, p_limit);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  last := v_page.last;
  taken := coalesce(v_page.scanned, 0);
  -- Each of them once, at the first of their rows. Their addresses are in their keys.
  v_page.keys := array(select x.key from (select k.key, min(k.n) as n from unnest(v_page.keys) with ordinality as k(key, n) group by k.key) x order by x.n);
  perform rollcall.plan_make_contacts(v_page.keys, array_fill(null::text, array[cardinality(v_page.keys)]), false);
end $body$;

-- Whoever shares an address with somebody, now or as it was last sent, and whoever something may be in flight for.
create function rollcall.plan_find_careful() returns bigint language plpgsql
set search_path = '' set jit = off set work_mem = '256MB' set enable_nestloop = off as $body$
begin
  insert into rollcall.plan_careful (contact_id)
    with claims as materialized (
      select c.contact_id, c.address from rollcall.plan_claims c
      union all select c.id, hashtextextended(substr(c.key, 7), 0) from rollcall.contacts c where c.key like 'email:%'
      union all select s.contact_id, hashtextextended(s.address, 0) from rollcall.desired s where s.address is not null
      union all select s.contact_id, hashtextextended(s.remote_address, 0) from rollcall.desired s where s.remote_address <> coalesce(s.address, '')
      union all select s.contact_id, hashtextextended(s.waiting_for, 0) from rollcall.desired s where s.waiting_for is not null
      union all select s.contact_id, hashtextextended(l, 0) from rollcall.desired s cross join unnest(s.leftovers) l where s.leftovers is not null
    )
    select c.contact_id from claims c
     where c.address in (select x.address from claims x group by x.address having min(x.contact_id) <> max(x.contact_id))
    union select s.contact_id from rollcall.desired s
     where s.waiting_for is not null or s.leftovers is not null or s.carry_from is not null or s.takeover
    union select d.contact_id from rollcall.due d
     where d.token is not null or d.tries > 0 or d.unknown_until is not null or d.not_before is not null
    union select l.contact_id from rollcall.dead_letters l where l.unknown_until is not null
    union select e.contact_id from rollcall.erasing e;
  return (select count(*) from rollcall.plan_careful);
end $body$;

-- What all contacts from one number to another shall be, but those of whom anything may be the case: by p_at_once, where nothing but
-- auth.users says it. Whatever the reading has locked is given back at once.
create function rollcall.plan_wanted(p_destination smallint, p_function name, p_at_once name, p_after bigint, p_last bigint)
returns rollcall.wanted[] language plpgsql set search_path = '' set jit = off ${KEYS_FIRST} as $body$
declare
  v_keys text[];
  v_wanted rollcall.wanted[];
begin
  if p_at_once is not null then
    begin
      execute format('select rollcall.%I($1, $2)', p_at_once) into v_wanted using p_after, p_last;
      raise exception 'read' using errcode = 'RC000';
    exception
    when sqlstate 'RC000' then
      return v_wanted;
    when ${PASSING} then
      raise;
    when others or assert_failure then
      -- A row that cannot be mapped: the way of all folds tells which.
    end;
  end if;
  v_keys := array(select c.key from rollcall.contacts c
    where c.id > p_after and c.id <= p_last and not exists (select from rollcall.plan_careful p where p.contact_id = c.id) order by c.id);
  if cardinality(v_keys) = 0 then return null; end if;
  begin
    v_wanted := rollcall.wanted_rows(p_destination, p_function, v_keys, true);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  return v_wanted;
end $body$;

-- Whether nothing but auth.users, and what a destination makes of it, says what contacts shall be.
create function rollcall.plan_users_alone() returns boolean language sql set search_path = '' as $body$
  select i.consent_source is null and not i.by_address and not exists (select from rollcall.parts) and not exists (select from rollcall.consent)
     and not exists (select from rollcall.erasing e where e.bypass)
    from rollcall.install i
$body$;

-- Where pages of so many contacts end, and how many contacts there are.
create function rollcall.plan_pages(p_size int, out ends text[], out contacts bigint) language sql set search_path = '' set jit = off as $body$
  select array_agg(x.id::text order by x.id) filter (where x.n % p_size = 0) || max(x.id)::text, count(*)
    from (select c.id, row_number() over (order by c.id) as n from rollcall.contacts c) x
$body$;

-- Gives those of whom anything may be the case to tables in which they can be folded.
create function rollcall.plan_begin_careful(p_installed boolean) returns void language plpgsql set search_path = '' as $body$
declare
  v_table text;
  v_columns text;
begin
  if not p_installed then return; end if;
  foreach v_table in array array['desired', 'due', 'dead_letters'] loop
    select string_agg(quote_ident(a.attname), ', ') into v_columns from pg_catalog.pg_attribute a
     where a.attrelid = to_regclass('rollcall.' || v_table) and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
    execute format('insert into rollcall.%1$I (%2$s) select %2$s from rollcall.%3$I k where k.contact_id = any(array(select p.contact_id from rollcall.plan_careful p))',
      v_table, v_columns, 'kept_' || v_table);
  end loop;
  -- Held by a brake or refused before: as plan_plain has it.
  insert into rollcall.due (destination_id, contact_id, lane, due_at)
    select s.destination_id, s.contact_id, 1, clock_timestamp() from rollcall.desired s join rollcall.plan_again g on g.destination_id = s.destination_id
     where s.action <> 'none' and s.delivered_version is distinct from s.version
  on conflict do nothing;
end $body$;

-- Folds them as a sync would: how many changed. Who gives way to another one is told by folding once more.
create function rollcall.plan_fold_careful(p_destination smallint, p_function name) returns int language plpgsql set search_path = '' as $body$
declare
  v_keys text[] := array(select c.key from rollcall.plan_careful p join rollcall.contacts c on c.id = p.contact_id order by c.key collate "C");
  -- Known by an address alone, which a user has: they are looked at with that user.
  v_met text[] := array(select k from unnest(v_keys) k where k like 'email:%' and (
    hashtextextended(substr(k, 7), 0) in (select c.address from rollcall.plan_claims c)
    or exists (select from rollcall.kept_desired s where s.address = substr(k, 7) offset 0)
    or exists (select from rollcall.kept_desired s where s.waiting_for = substr(k, 7) offset 0)));
  v_wanted rollcall.wanted[];
begin
  if cardinality(v_keys) = 0 then return 0; end if;
  begin
    v_wanted := array(select w from unnest(rollcall.wanted_rows(p_destination, p_function, v_keys, true)) w
      left join rollcall.kept_desired s on s.contact_id = w.contact_id and s.destination_id = p_destination
      where not ${leftBefore('w.verdict', 's', 'rollcall.kept_desired')} or w.key = any(v_met) order by w.contact_id);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  return (select f.changed from rollcall.fold_destination(p_destination, v_wanted, 1::smallint) f);
end $body$;

-- What became of them.
create function rollcall.plan_careful_rows(p_destination smallint) returns setof rollcall.plan_row language plpgsql set search_path = '' as $body$
begin
  return query with x as materialized (
    select s.*, b.payload as payload_was, b.consent as consent_was, b.remote_address as remote_was, b.action as action_was, c.key, d.lane, l.stage, l.version as refused_version, l.code,
           d.token is not null or d.unknown_until is not null as doubt
      from rollcall.plan_careful p
      join rollcall.desired s on s.contact_id = p.contact_id and s.destination_id = p_destination
      join rollcall.contacts c on c.id = p.contact_id
      left join rollcall.kept_desired b on b.contact_id = s.contact_id and b.destination_id = s.destination_id
      left join rollcall.due d on d.contact_id = s.contact_id and d.destination_id = s.destination_id
      left join rollcall.dead_letters l on l.contact_id = s.contact_id and l.destination_id = s.destination_id
  ), z as materialized (
    select x.*, case
             when x.action = 'none' then case when x.reason = 'gone' and x.remote_address is null and x.remote_id is null then 'nobody'
               when x.remote_address is not null or x.remote_id is not null then 'left_there' else 'skipped' end
             when x.delivered_version is not distinct from x.version and not coalesce(x.doubt, false) then 'unchanged'
             when x.stage = 'deliver' and x.refused_version = x.version and not coalesce(x.doubt, false) then 'refused'
             when x.lane >= 2 then 'held'
             when x.action = 'upsert' then ${upsertState('x')}
             else x.action end as state
      from x
  )
  select z.contact_id, z.key::text, z.state, z.reason, 1::bigint,
         case when z.state = 'update' then z.payload_was::text end, z.remote_was, case when z.state = 'update' and z.action_was = 'upsert' then z.consent_was end, z.version, z.action, z.address, z.remote_address, z.remote_id, z.payload::text, z.consent,
         z.carry_from, z.takeover, z.leftovers, z.delivered_version is not null, z.imported,
         z.delivered_version is not distinct from z.version,
         coalesce(z.doubt, false) and z.remote_id is not null and exists (select from rollcall.past_addresses a
           where a.contact_id = z.contact_id and a.destination_id = z.destination_id),
         coalesce(z.consent_was = 'opted_out', false)
    from z where z.state in ('create', 'update', 'delete', 'unsubscribe')
  union all
  select null, null, z.state, case z.state when 'refused' then z.code when 'unchanged' then null else z.reason end, count(*),
         null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from z where z.state not in ('create', 'update', 'delete', 'unsubscribe', 'nobody') group by 3, 4;
end $body$;
`;
