import { attributesOf } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { unfolded } from './unfolded.ts';

/** Walking over everybody who is there already, in pages, each in one transaction with its place. See SPEC.md, "Backfill". */
export const backfill: string = /* sql */ `
-- Begins a walk, or goes on with the same one. A backfill of something else must be over first.
create or replace function rollcall.begin_backfill(p_what text, p_resource text, p_since timestamptz, p_most bigint, p_config_hash text)
returns int language plpgsql set search_path = '' set row_security = off as $body$
declare
  v_open rollcall.backfills;
  v_id int;
begin
  perform rollcall.check_config(p_config_hash);
  if p_resource is distinct from 'users' and not exists (select from rollcall.parts p where p.source = p_resource) and p_resource is not null then
    raise exception 'nothing of % is synced as contacts', p_resource using errcode = 'RC005';
  end if;
  -- One that a worker has brought to its end, and nobody watched.
  update rollcall.backfills b set ended_at = clock_timestamp()
   where b.ended_at is null and b.walked_at is not null and not exists (
     select from rollcall.destinations d cross join lateral (select from rollcall.due q where q.queue = d.id * 4 + 1 limit 1) q where d.enabled);
  select * into v_open from rollcall.backfills b where b.ended_at is null for update;
  if found then
    if (v_open.what, v_open.resource, v_open.since, v_open.most) is distinct from (p_what, p_resource, p_since, p_most) then
      raise exception 'another backfill is not over yet' using errcode = 'RC006',
        detail = format('%s, %s rows read', v_open.what, v_open.scanned);
    end if;
    return v_open.id;
  end if;
  insert into rollcall.backfills (what, resource, since, most, expected, place)
    values (p_what, p_resource, p_since, p_most, rollcall.backfill_size(p_resource, p_since), rollcall.backfill_phase(p_resource) || '/')
  on conflict do nothing returning id into v_id;
  return coalesce(v_id, (select b.id from rollcall.backfills b where b.ended_at is null));
end $body$;

-- The phase of sweep_rows that a resource begins with. Rows of a table that lead to users are found with the users.
create or replace function rollcall.backfill_phase(p_resource text) returns int language sql stable set search_path = '' as $body$
  select coalesce((select x.n::int from (select p.source, row_number() over (order by p.function) as n from rollcall.parts p
                           where p.page_function is not null) x where x.source = p_resource), 0)
$body$;

-- About how many rows there are to read.
create or replace function rollcall.backfill_size(p_resource text, p_since timestamptz) returns bigint
language plpgsql stable set search_path = '' set row_security = off as $body$
declare
  v_rows bigint := 0;
begin
  if rollcall.backfill_phase(p_resource) = 0 then
    v_rows := case when p_since is null then (select count(*) from auth.users)
                   else (select count(*) from auth.users u where greatest(u.updated_at, u.created_at) >= p_since) end;
  end if;
  return v_rows + coalesce((select sum(greatest(c.reltuples, 0))::bigint
    from rollcall.parts p join rollcall.sources s on s.name = p.source join pg_catalog.pg_class c on c.oid = to_regclass(s.relation)
   where p.page_function is not null and (p_resource is null or p.source = p_resource)), 0);
end $body$;

-- Whoever holds it walks it: the same worker again, or another one once the first has given no sign of life for a while.
create or replace function rollcall.hold_backfill(p_holder uuid, p_hold interval) returns int language sql set search_path = '' as $body$
  update rollcall.backfills b set holder = p_holder, held_until = clock_timestamp() + p_hold
   where b.id = (select x.id from rollcall.backfills x
                  where x.walked_at is null and (x.holder = p_holder or x.held_until is null or x.held_until < clock_timestamp())
                    for update skip locked)
  returning b.id
$body$;

-- The next rows: users that changed since then, or what the sweep reads of a table.
create or replace function rollcall.backfill_rows(p_phase int, p_after text, p_limit int, p_since timestamptz) returns rollcall.sweep_keys
language plpgsql set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_page rollcall.sweep_keys;
begin
  if p_phase > 0 or p_since is null then return rollcall.sweep_rows(p_phase, p_after, p_limit); end if;
  select max(x.id::text collate "C"), count(*), array_agg(x.id::text order by x.id) into v_page from (
    select u.id from auth.users u
     where u.id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')::uuid and u.id is distinct from p_after::uuid
       and greatest(u.updated_at, u.created_at) >= p_since
     order by u.id limit p_limit) x;
  return v_page;
end $body$;

-- The page at a place (phase/cursor), and the place behind it: null after the last, which with p_one is that of its phase.
create or replace function rollcall.walk_page(p_place text, p_limit int, p_since timestamptz, p_one boolean,
  out keys text[], out scanned int, out next text) language plpgsql set search_path = '' as $body$
declare
  v_phase int := split_part(p_place, '/', 1)::int;
  v_page rollcall.sweep_keys := rollcall.backfill_rows(v_phase, nullif(substr(p_place, strpos(p_place, '/') + 1), ''), p_limit, p_since);
begin
  keys := v_page.keys;
  scanned := coalesce(v_page.scanned, 0);
  next := case when v_page.last is not null then v_phase || '/' || v_page.last
               when not p_one and v_phase < (select count(*) from rollcall.parts p where p.page_function is not null)
               then v_phase + 1 || '/' end;
end $body$;

-- Reads and folds one page, and moves the place behind it: in one transaction, so that a page is read again only when its worker
-- died in it. Null when the walk is another worker's by now.
create or replace function rollcall.backfill_page(p_id int, p_holder uuid, p_hold interval, p_limit int, p_config_hash text)
returns table (scanned int, changed int, walked boolean) language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_run rollcall.backfills;
  v_page record;
  v_fold record;
begin
  perform rollcall.check_config(p_config_hash);
  select * into v_run from rollcall.backfills b where b.id = p_id and b.holder = p_holder and b.walked_at is null for update;
  if not found then return; end if;
  perform rollcall.watch_sources();
  select * into v_page from rollcall.walk_page(v_run.place, least(p_limit, coalesce(v_run.most - v_run.scanned, p_limit))::int,
    v_run.since, v_run.resource is not null);
  scanned := v_page.scanned;
  changed := 0;
  if v_page.keys is not null then
    select * into v_fold from rollcall.fold_keys(v_page.keys, 1::smallint);
    changed := v_fold.changed;
  end if;
  walked := v_page.next is null or coalesce(v_run.scanned + scanned >= v_run.most, false);
  update rollcall.backfills b
     set place = coalesce(v_page.next, b.place), pages = b.pages + 1, scanned = b.scanned + backfill_page.scanned,
         counts = rollcall.add_counts(b.counts, rollcall.count_page(v_page.keys)),
         held_until = clock_timestamp() + p_hold,
         walked_at = case when walked then clock_timestamp() end
   where b.id = p_id;
  return next;
end $body$;

-- What the contacts of a page are to be, by destination: created, updated, unchanged, "skipped <reason>" or "failed <code>".
create or replace function rollcall.count_page(p_keys text[]) returns jsonb language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select coalesce(jsonb_object_agg(y.name, y.states), '{}') from (
    select x.name, jsonb_object_agg(x.state, x.n) as states from (
      select d.name, case when l.code is not null then 'failed ' || l.code
                          when s.action = 'upsert' then case when s.delivered_version is null then 'created'
                            when s.delivered_version = s.version then 'unchanged' else 'updated' end
                          else 'skipped ' || coalesce(s.reason, 'gone') end as state, count(*) as n
        from unnest(p_keys) as k(key)
        cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c
        cross join rollcall.destinations d
        left join lateral (select * from rollcall.desired s where s.destination_id = d.id and s.contact_id = c.id offset 0) s on true
        left join lateral (select l.code from rollcall.dead_letters l
          where l.destination_id = d.id and l.contact_id = c.id and l.stage = 'map' offset 0) l on true
       where d.enabled group by 1, 2) x
     group by x.name) y
$body$;

create or replace function rollcall.add_counts(p_one jsonb, p_other jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select coalesce(jsonb_object_agg(z.name, z.states), '{}') from (
    select y.name, jsonb_object_agg(y.state, y.n) as states from (
      select d.key as name, s.key as state, sum(s.value::bigint) as n
        from (values (p_one), (p_other)) as x(counts) cross join lateral jsonb_each(x.counts) d cross join lateral jsonb_each_text(d.value) s
       group by 1, 2) y group by y.name) z
$body$;

-- What one page of a walk would bring to a destination, and nothing is changed: the contacts that are made to find out are taken back.
create or replace function rollcall.export_page(p_destination smallint, p_place text, p_limit int, p_resource text, p_since timestamptz,
  p_consents text[], out next text, out scanned int, out left_out int, out contacts jsonb)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_page record;
begin
  select * into v_page from rollcall.walk_page(coalesce(p_place, rollcall.backfill_phase(p_resource) || '/'), p_limit, p_since,
    p_resource is not null);
  scanned := v_page.scanned; left_out := 0; contacts := '[]'; next := v_page.next;
  v_page.keys := rollcall.living_keys(v_page.keys);
  if v_page.keys is null then return; end if;
  begin
    insert into rollcall.contacts (key) select k from unnest(v_page.keys) k order by k on conflict do nothing;
    select coalesce(jsonb_agg(jsonb_build_object('address', x.address, 'payload', x.payload) order by x.contact_id) filter (where x.may), '[]'),
           count(*) filter (where not x.may)
      into contacts, left_out
      from (
        select w.contact_id, w.address, ${attributesOf('w.payload')} as payload, s.consent is distinct from 'opted_out'
                 and case when w.consent <> 'missing' then w.consent when s.consent = 'basis' then 'opted_out' else 'none' end
                   = any(p_consents) as may
          from unnest(rollcall.wanted_rows(p_destination, (select d.map_function from rollcall.destinations d where d.id = p_destination),
            v_page.keys)) w
          left join lateral (select * from rollcall.desired s
            where s.destination_id = p_destination and s.contact_id = w.contact_id offset 0) s on true
         where w.verdict = 'ok') x;
    raise exception 'taken back' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
end $body$;

-- How long the oldest change has waited in the log, in ms.
create or replace function rollcall.fold_lag_ms() returns bigint language sql stable set search_path = '' as $body$
  select coalesce((extract(epoch from clock_timestamp() - min(u.at)) * 1000)::bigint, 0) from ${unfolded(['at'])} u
$body$;
`;
