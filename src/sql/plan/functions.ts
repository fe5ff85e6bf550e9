import { KEYS_FIRST } from '../functions/plan-settings.ts';

/** Beside what is mapped, whatever somebody is asked to do for a contact: see `PlannedRow`. */
const COLUMNS = `contact_id bigint, key text, state text, reason text, n bigint, fields text[], payload_before text, address_before text, version bigint, action text,
  address text, remote_address text, remote_id text, payload text, consent text, carry_from text, takeover boolean, leftovers text[],
  delivered boolean, imported boolean, again boolean, astray boolean, opted_out boolean`;

/** The names of what differs between two states of a contact, as SQL. @param before alias of a row of `desired` */
function differences(before: string, payload: string, address: string, consent: string): string {
  return `array(
      select 'email' where ${before}.remote_address is not null and ${before}.remote_address is distinct from ${address}
      union all
      (select e.key from jsonb_each(${before}.payload || ${payload}) e where (${before}.payload -> e.key) is distinct from (${payload} -> e.key) order by e.key)
      union all select 'consent' where ${before}.consent is distinct from ${consent})`;
}

/** Who left before, and is gone still, is not looked at again, whatever is said now of those who leave. */
function leftBefore(verdict: string, action: string, reason: string): string {
  return `coalesce(${verdict} = 'gone' and ${action} <> 'upsert' and ${reason} = 'gone', false)`;
}

/** What an update is to somebody who is not known there. */
const UPSERT = (row: string): string =>
  `case when ${row}.remote_address is null and ${row}.remote_id is null then 'create' else 'update' end`;

/** The functions of a plan. They are made for its transaction alone. */
export const planFunctions: string = /* sql */ `
create type rollcall.plan_row as (${COLUMNS});
-- Destinations that everybody, or whoever was refused, is sent to again.
create table rollcall.plan_again (destination_id smallint primary key, forgotten boolean not null, refused boolean not null);
-- Everybody whose rows lead to a contact, and the address that a user has now.
create table rollcall.plan_people (n bigint generated always as identity, key text collate "C" not null, address text);
create table rollcall.plan_emails (n bigint generated always as identity, key text collate "C" primary key);
-- Those of whom anything may be the case: see docs/plan.md.
create table rollcall.plan_careful (contact_id bigint primary key);

-- What people have said since, as their rows answer otherwise than was heard: in place of rollcall.note_answers, for one page.
create table rollcall.plan_facts (like rollcall.consent including all);
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

-- One page of the users; where it ended, null after the last.
create function rollcall.plan_take_users(p_after uuid, p_limit int, out last uuid, out taken int)
language plpgsql set search_path = '' as $body$
declare
  v_page record;
begin
  select * into v_page from rollcall.plan_users(p_after, p_limit);
  taken := coalesce(cardinality(v_page.ids), 0);
  last := case when taken = p_limit then v_page.ids[taken] end;
  insert into rollcall.plan_people (key, address) select * from unnest(v_page.ids::text[], v_page.addresses);
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
  insert into rollcall.plan_emails (key) select k from unnest(v_page.keys) k on conflict do nothing;
end $body$;

-- A contact for everybody: those that are kept under their numbers, whoever is new behind them, as a fold would make them.
create function rollcall.plan_make_contacts(p_installed boolean, out contacts bigint, out erased bigint) language plpgsql
set search_path = '' set jit = off set work_mem = '256MB' set enable_nestloop = off as $body$
declare
  v_new text[];
begin
  erased := 0;
  if p_installed then
    insert into rollcall.contacts (id, key) overriding system value select k.id, k.key from rollcall_kept.contacts k order by k.id;
    perform setval(pg_get_serial_sequence('rollcall.contacts', 'id'), (select coalesce(max(c.id), 0) + 1 from rollcall.contacts c), false);
    if exists (select from rollcall.tombstones) then
      v_new := array(select x.key from (select p.key, 0 as turn, p.n from rollcall.plan_people p union all select e.key, 1, e.n from rollcall.plan_emails e) x
        where not exists (select from rollcall.contacts c where c.key = x.key) order by x.turn, x.n);
      insert into rollcall.contacts (key) select k from unnest(rollcall.living_keys(v_new)) with ordinality as x(k, n) order by n;
      erased := cardinality(v_new) - (select count(*) from unnest(rollcall.living_keys(v_new)));
    else
      insert into rollcall.contacts (key)
        select x.key from (select p.key, 0 as turn, p.n from rollcall.plan_people p union all select e.key, 1, e.n from rollcall.plan_emails e) x
         where not exists (select from rollcall.contacts c where c.key = x.key) order by x.turn, x.n;
    end if;
  else
    insert into rollcall.contacts (key)
      select x.key from (select p.key, 0 as turn, p.n from rollcall.plan_people p union all select e.key, 1, e.n from rollcall.plan_emails e) x
       order by x.turn, x.n;
  end if;
  analyze rollcall.contacts;
  select count(*) into contacts from rollcall.contacts;
end $body$;

-- Whoever shares an address with somebody, now or as it was last sent, and whoever something may be in flight for.
create function rollcall.plan_find_careful() returns bigint language plpgsql
set search_path = '' set jit = off set work_mem = '256MB' set enable_nestloop = off as $body$
begin
  create temporary table rollcall_claims on commit drop as
    select c.id, p.address from rollcall.plan_people p join rollcall.contacts c on c.key = p.key where p.address is not null
    union all select c.id, substr(c.key, 7) from rollcall.contacts c where c.key like 'email:%'
    union all select s.contact_id, a.address from rollcall.desired s cross join lateral (
      select s.address union select s.remote_address union select s.waiting_for union select unnest(s.leftovers)) a where a.address is not null;
  insert into rollcall.plan_careful (contact_id)
    select c.id from pg_temp.rollcall_claims c
      join (select x.address from pg_temp.rollcall_claims x group by x.address having min(x.id) <> max(x.id)) y on y.address = c.address
    union select s.contact_id from rollcall.desired s
     where s.waiting_for is not null or s.leftovers is not null or s.carry_from is not null or s.takeover
    union select d.contact_id from rollcall.due d
     where d.token is not null or d.tries > 0 or d.unknown_until is not null or d.not_before is not null
    union select l.contact_id from rollcall.dead_letters l where l.unknown_until is not null
    union select e.contact_id from rollcall.erasing e;
  analyze rollcall.plan_careful;
  return (select count(*) from rollcall.plan_careful);
end $body$;

-- What is the case with each of p_contacts at a destination, where nobody else has to do with it. Of whoever is in step, left out or
-- waits only the number.
create function rollcall.plan_plain(p_destination smallint, p_function name, p_policy text, p_keys text[])
returns setof rollcall.plan_row language sql set search_path = '' ${KEYS_FIRST} as $body$
  with x as materialized (
    select w.contact_id, w.key, w.verdict, w.address as to_address, w.payload as to_payload, w.consent as said, w.hash as to_hash,
           s.contact_id is not null as known, s.action as was, s.reason as was_reason, s.address as was_address, s.waiting_for, s.hash,
           s.version, s.delivered_version, s.remote_address, s.remote_id, s.carry_from, s.leftovers, coalesce(s.takeover, false) as takeover,
           coalesce(s.imported, false) as imported, s.consent, s.payload, d.lane, l.stage, l.version as refused_version, l.code,
           exists (select from rollcall.plan_again g where g.destination_id = p_destination and g.refused) as again
      from unnest(rollcall.wanted_rows(p_destination, p_function, p_keys, true)) w
      left join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s on true
      left join lateral (select * from rollcall.due d where d.destination_id = p_destination and d.contact_id = w.contact_id offset 0) d on true
      left join lateral (select * from rollcall.dead_letters l where l.destination_id = p_destination and l.contact_id = w.contact_id offset 0) l on true
     where w.verdict not in ('gone', 'erased') or s.contact_id is not null
  ), y as materialized (
    select x.*, case
             when x.verdict = 'failed' or ${leftBefore('x.verdict', 'x.was', 'x.was_reason')} then coalesce(x.was, 'none')
             when x.verdict = 'ok' then 'upsert'
             when x.remote_address is null and x.remote_id is null then 'none'
             when x.verdict in ('merged', 'erased') then 'delete'
             when x.verdict = 'source_paused' or p_policy = 'keep' then 'none'
             else p_policy end as action,
           case when x.verdict = 'failed' then case when x.known then x.was_reason else 'unmapped' end
                when x.verdict <> 'ok' then x.verdict end as reason,
           case when x.verdict = 'failed' or ${leftBefore('x.verdict', 'x.was', 'x.was_reason')} then false else
             (x.was, x.was_reason, x.was_address, x.waiting_for, x.hash) is distinct from (
              case when x.verdict = 'ok' then 'upsert' when x.remote_address is null and x.remote_id is null then 'none'
                   when x.verdict in ('merged', 'erased') then 'delete' when x.verdict = 'source_paused' or p_policy = 'keep' then 'none'
                   else p_policy end,
              case when x.verdict <> 'ok' then x.verdict end,
              case when x.verdict = 'ok' then x.to_address end,
              case when x.verdict in ('not_synced', 'source_paused', 'filtered') then x.to_address end,
              case when x.verdict = 'ok' then x.to_hash else ''::bytea end) end as changed
      from x
  ), z as materialized (
    select y.*, case
             when y.action = 'none' then case when y.remote_address is not null or y.remote_id is not null then 'left_there' else 'skipped' end
             when not y.changed and y.delivered_version is not distinct from y.version then 'unchanged'
             when not y.changed and y.stage = 'deliver' and y.refused_version = y.version then 'refused'
             when not y.changed and y.lane >= 2 then 'held'
             when y.action = 'upsert' then ${UPSERT('y')}
             else y.action end as state,
           case when y.verdict <> 'ok' then coalesce(y.consent, 'none') when y.said <> 'missing' then y.said
                when y.consent in ('basis', 'opted_out') then 'opted_out' else 'none' end as to_consent
      from y
  )
  select z.contact_id, z.key, z.state, z.reason, 1, case when z.state = 'update' and z.changed and z.was = 'upsert' then ${differences('z', 'z.to_payload', 'z.to_address', 'z.to_consent')} end,
         case when z.state = 'update' then z.payload::text end, z.remote_address, coalesce(z.version, 0) + z.changed::int, z.action,
         case when z.action = 'upsert' then case when z.changed then z.to_address else z.was_address end end,
         z.remote_address, z.remote_id,
         case when z.action <> 'upsert' then '{}' when z.changed then z.to_payload::text else z.payload::text end,
         case when z.changed then z.to_consent else coalesce(z.consent, 'none') end, z.carry_from, z.takeover, z.leftovers,
         z.delivered_version is not null, z.imported, false, false, z.consent = 'opted_out'
    from z where z.state in ('create', 'update', 'delete', 'unsubscribe')
  union all
  select null, null, z.state, case z.state when 'refused' then z.code when 'unchanged' then null else z.reason end, count(*),
         null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from z where z.state not in ('create', 'update', 'delete', 'unsubscribe') group by 3, 4
$body$;

-- The same of all contacts from one number to another, but those of whom anything may be the case. Whatever the reading has locked is
-- given back at once.
create function rollcall.plan_rows(p_destination smallint, p_function name, p_policy text, p_after bigint, p_last bigint)
returns setof rollcall.plan_row language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_keys text[] := array(select c.key from rollcall.contacts c
    where c.id > p_after and c.id <= p_last and not exists (select from rollcall.plan_careful p where p.contact_id = c.id) order by c.id);
  v_rows rollcall.plan_row[];
begin
  if cardinality(v_keys) = 0 then return; end if;
  begin
    v_rows := array(select p from rollcall.plan_plain(p_destination, p_function, p_policy, v_keys) p);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  return query select * from unnest(v_rows);
end $body$;

-- Where pages of so many contacts end.
create function rollcall.plan_pages(p_size int) returns bigint[] language sql set search_path = '' as $body$
  select coalesce(array_agg(x.id order by x.id) filter (where x.n % p_size = 0 or x.n = x.of), '{}')
    from (select c.id, row_number() over (order by c.id) as n, count(*) over () as of from rollcall.contacts c) x
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
  v_wanted rollcall.wanted[];
begin
  if cardinality(v_keys) = 0 then return 0; end if;
  begin
    v_wanted := array(select w from unnest(rollcall.wanted_rows(p_destination, p_function, v_keys, true)) w
      left join rollcall.desired s on s.contact_id = w.contact_id and s.destination_id = p_destination
      where not ${leftBefore('w.verdict', 's.action', 's.reason')} order by w.contact_id);
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
             when x.action = 'upsert' then ${UPSERT('x')}
             else x.action end as state
      from x
  )
  select z.contact_id, z.key::text, z.state, z.reason, 1::bigint,
         case when z.state = 'update' and z.action_was = 'upsert' then array(
      select 'email' where z.remote_was is not null and z.remote_was is distinct from z.address
      union all
      (select e.key from jsonb_each(z.payload_was || z.payload) e where (z.payload_was -> e.key) is distinct from (z.payload -> e.key) order by e.key)
      union all select 'consent' where z.consent_was is distinct from z.consent) end,
         case when z.state = 'update' then z.payload_was::text end, z.remote_was, z.version, z.action, z.address, z.remote_address, z.remote_id, z.payload::text, z.consent,
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

-- Some of the users, and about how many there are; all of them where they are few.
create function rollcall.plan_sample_users(p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' set row_security = off as $body$
declare
  v_share float8;
begin
  begin
    select greatest(c.reltuples, 0)::bigint into people from pg_catalog.pg_class c where c.oid = 'auth.users'::regclass;
    if people < p_most * 10 then select count(*) into people from auth.users; end if;
    v_share := case when people <= p_most then 100 else least(100, 300.0 * p_most / people) end;
    keys := array(select x.id::text from (select u.id from auth.users u tablesample system (v_share) order by random() limit p_most) x order by x.id);
    if cardinality(keys) < least(p_most, people) then
      -- Few rows in few pages: what a sample of pages can miss altogether.
      keys := array(select x.id::text from (select u.id from auth.users u tablesample bernoulli (v_share) order by random() limit p_most) x order by x.id);
    end if;
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
end $body$;

-- Some of the kept contacts whose rows are gone, and about how many there are.
create function rollcall.plan_sample_gone(p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' set row_security = off as $body$
declare
  v_all bigint := (select greatest(c.reltuples, 0)::bigint from pg_catalog.pg_class c where c.oid = 'rollcall_kept.contacts'::regclass);
  v_some text[];
begin
  if v_all < p_most * 10 then select count(*) into v_all from rollcall_kept.contacts; end if;
  v_some := array(select k.key from rollcall_kept.contacts k
    tablesample system (case when v_all <= p_most then 100 else least(100, 300.0 * p_most / v_all) end) order by random() limit p_most);
  begin
    keys := array(select k from unnest(v_some) k where case when k like 'email:%' then true
      else not exists (select from auth.users u where u.id = k::uuid) end);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  people := case when cardinality(v_some) = 0 then 0 else v_all * cardinality(keys) / cardinality(v_some) end;
end $body$;

-- The first of those whom a table makes contacts of and who are none yet, and about how many there are.
create function rollcall.plan_sample_rows(p_phase int, p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' as $body$
declare
  v_page rollcall.sweep_keys;
begin
  begin
    v_page := rollcall.sweep_rows(p_phase, null, p_most);
    select greatest(c.reltuples, v_page.scanned)::bigint into people
      from rollcall.parts p join rollcall.sources s on s.name = p.source join pg_catalog.pg_class c on c.oid = to_regclass(s.relation)
     where p.page_function is not null order by p.function offset p_phase - 1 limit 1;
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  if v_page.scanned < p_most then people := v_page.scanned; end if;
  keys := v_page.keys;
  if to_regclass('rollcall_kept.contacts') is not null then
    keys := array(select k from unnest(v_page.keys) k where not exists (select from rollcall_kept.contacts c where c.key = k));
  end if;
  people := case when coalesce(v_page.scanned, 0) = 0 then 0 else people * cardinality(keys) / v_page.scanned end;
end $body$;

-- Contacts for some of them.
create function rollcall.plan_sample_contacts(p_installed boolean, p_keys text[]) returns text[] language plpgsql
set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_living text[] := rollcall.living_keys(p_keys);
begin
  if p_installed then
    perform setval(pg_get_serial_sequence('rollcall.contacts', 'id'),
      (select greatest(coalesce(max(k.id), 0), coalesce((select max(c.id) from rollcall.contacts c), 0)) + 1 from rollcall_kept.contacts k), false);
    insert into rollcall.contacts (id, key) overriding system value
      select k.id, k.key from unnest(p_keys) as x(key) cross join lateral (select * from rollcall_kept.contacts k where k.key = x.key offset 0) k
    on conflict do nothing;
  end if;
  insert into rollcall.contacts (key) select k from unnest(v_living) k on conflict (key) do nothing;
  return p_keys;
end $body$;
`;
