import { DEFAULT_ABBREVIATIONS, QUICK_SESSION } from './mapping.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** What was read from the WAL into the log, with the position, in one transaction: read again after a crash, it is known by that. */
export const walTaking: string = /* sql */ `
-- Captured rows as a trigger has them, of rows as {"l": commit, "k": primary key, "n": new values, "p": former ones, "t": when}. Values come
-- as text, of the types that the columns had: columns are [name, type, modifier] each. A type that is gone leaves them texts.
create or replace function rollcall.wal_events(p_operation text, p_raw jsonb, p_columns jsonb, p_rows jsonb) returns jsonb[]
language plpgsql set search_path = '' ${QUICK_SESSION} as $body$
declare
  v_typed text;
  v_events jsonb[];
begin
  ${DEFAULT_ABBREVIATIONS}
  foreach v_typed in array array['typed', 'text'] loop
    begin
      execute format($query$
        select array_agg(jsonb_build_object('o', $1, 'k', x.row -> 'k', 'r', to_jsonb(rollcall_n), 't', x.row -> 't', 'x', x.row -> 'l') || $2
                 %s || case when x.row ? 'f' then '{"fresh": true}' else '{}'::jsonb end order by x.n)
          from jsonb_array_elements($3) with ordinality as x("row", n)
          cross join lateral (select %s) as rollcall_n
          cross join lateral (select %s) as rollcall_p$query$,
        case when p_operation = 'update' then $p$|| jsonb_build_object('p', case when jsonb_typeof(x.row -> 'p') = 'array' then to_jsonb(rollcall_p) end)$p$ else '' end,
        (select coalesce(string_agg(format('(x.row -> ''n'' ->> %s)::%s as %I', n - 1, case v_typed when 'typed' then format_type((c ->> 1)::oid, (c ->> 2)::int) else 'text' end, c ->> 0), ', ' order by n), 'null as rollcall_none') from jsonb_array_elements(p_columns) with ordinality as y(c, n)),
        (select coalesce(string_agg(format('(x.row -> ''p'' ->> %s)::%s as %I', n - 1, case v_typed when 'typed' then format_type((c ->> 1)::oid, (c ->> 2)::int) else 'text' end, c ->> 0), ', ' order by n), 'null as rollcall_none') from jsonb_array_elements(p_columns) with ordinality as y(c, n)))
        into v_events using p_operation, p_raw, p_rows;
      return v_events;
    exception when others then
      if v_typed = 'text' then raise; end if;
    end;
  end loop;
end $body$;

-- What makes whole rows readable when their columns have other names by then: see rollcall.as_named. The WAL has names and no numbers:
-- where as many columns are there, each with the same name or the same type, they are those, else the ones of the same names.
create or replace function rollcall.wal_raw(p_relation text, p_columns jsonb) returns jsonb language sql stable set search_path = '' as $body$
  with now as (
    select a.attname::text as name, a.attnum, a.atttypid::bigint as type, row_number() over (order by a.attnum) as place from pg_catalog.pg_attribute a
     where a.attrelid = to_regclass(p_relation) and a.attnum > 0 and not a.attisdropped
       and (a.attgenerated = '' or current_setting('server_version_num')::int >= 180000 and a.attgenerated = 's')
  ), pairs as (
    select c ->> 0 as name, n.attnum, coalesce(n.name = c ->> 0 or n.type = (c ->> 1)::bigint, false) as same
      from jsonb_array_elements(p_columns) with ordinality as y(c, place) left join now n using (place)
  )
  select jsonb_build_object('raw', true, 'n', coalesce(
    (select jsonb_object_agg(p.name, p.attnum) from pairs p having bool_and(p.same) and count(*) = (select count(*) from now)),
    (select jsonb_object_agg(n.name, n.attnum) from now n), '{}'))
$body$;

-- The keys of one role: as they are, or made by its function. What fails is for a sweep.
create or replace function rollcall.wal_keys(p_function name, p_rows jsonb) returns text[] language plpgsql set search_path = '' as $body$
declare
  v_keys text[];
begin
  if p_function is null then return array(select jsonb_array_elements_text(p_rows)); end if;
  execute format('select rollcall.%I($1)', p_function) into v_keys using p_rows;
  return v_keys;
exception when undefined_function or data_exception then
  perform nextval('rollcall.uncaptured');
  return null;
end $body$;

-- Whether every one of these transactions can be seen by now. The WAL has the lower half of their ids: the other is that of the latest, or one less.
create or replace function rollcall.all_seen(p_xids bigint[]) returns boolean language plpgsql set search_path = '' as $body$
declare
  v_now pg_snapshot := pg_current_snapshot();
  v_next bigint := pg_snapshot_xmax(v_now)::text::bigint;
begin
  return not exists (
    select from unnest(p_xids) as x(low) cross join lateral (select ((v_next >> 32) << 32) + x.low as id) y
     where not pg_visible_in_snapshot((case when y.id > v_next then y.id - (1::bigint << 32) else y.id end)::text::xid8, v_now));
end $body$;

-- p_from, p_from_place: the position that what comes follows on; p_at, p_place, p_t: the one after it. p_keys: [{log, function, rows}]. p_events:
-- [{source, o, raw, columns, rows}] in the order of the WAL. p_truncated: tables. p_missed: tables of which a row said too little, with
-- whether an event is lost by it. p_since: the first of the commits it is of; p_xids: their transactions. False, and nothing is done, while
-- not all of them can be seen: a commit is in the WAL before it is in snapshots, and with synchronous replication long before.
drop function if exists rollcall.take_wal(text, pg_lsn, bigint, pg_lsn, bigint, timestamptz, jsonb, jsonb, text[], jsonb);
create or replace function rollcall.take_wal(p_version text, p_from pg_lsn, p_from_place bigint, p_at pg_lsn, p_place bigint, p_t timestamptz,
  p_since timestamptz, p_xids bigint[], p_keys jsonb, p_events jsonb, p_truncated text[], p_missed jsonb) returns boolean language plpgsql set search_path = '' as $body$
declare
  v_at rollcall.wal_position;
  v_keys text[];
  v_part record;
begin
  if not rollcall.all_seen(p_xids) then return false; end if;
  perform pg_advisory_xact_lock(721740022, 7);
  select * into v_at from rollcall.wal_position p order by p.id desc limit 1;
  if (v_at.at, v_at.place) is distinct from (p_from, p_from_place) then
    raise exception 'the WAL is read by somebody else' using errcode = 'RC007', detail = 'position';
  end if;
  if rollcall.wal_version() <> p_version then
    raise exception 'another config was applied' using errcode = 'RC007', detail = 'version';
  end if;
  -- Nobody waits for the disk: the server is told that it may forget what we have once that is there. A crash undoes the position too.
  perform set_config('synchronous_commit', 'off', true);
  insert into rollcall.wal_position (at, place, t) values (p_at, p_place, p_t);
  delete from rollcall.wal_position p where p.id <= v_at.id;
  for v_part in select x ->> 'log' as log, x ->> 'function' as function, x -> 'rows' as rows from jsonb_array_elements(p_keys) x loop
    v_keys := rollcall.wal_keys(v_part.function, v_part.rows);
    if cardinality(v_keys) > 0 then perform rollcall.capture(v_keys, v_part.log); end if;
  end loop;
  for v_part in
    select s.name, s.relation, s.wal, x ->> 'o' as o, (x -> 'raw')::boolean as raw, x -> 'columns' as columns, r.rows
      from jsonb_array_elements(p_events) with ordinality as e(x, n)
      join rollcall.sources s on s.name = x ->> 'source' and s.enabled
      -- Those that are the triggers' are not ours: see wal_take_over.
      cross join lateral (select jsonb_agg(y.r order by y.n) as rows from jsonb_array_elements(x -> 'rows') with ordinality as y(r, n)
        where (y.r ->> 'l')::pg_lsn >= s.wal_from and (s.wal_until is null or (y.r ->> 'l')::pg_lsn < s.wal_until)) r
     where r.rows is not null order by e.n
  loop
    if (v_part.wal -> 'events' -> 'fresh')::boolean then v_part.rows := rollcall.wal_fresh(v_part.name, v_part.o, v_part.rows); end if;
    perform rollcall.capture('{}', v_part.name, rollcall.wal_events(v_part.o,
      case when v_part.raw then rollcall.wal_raw(v_part.relation, v_part.columns) else '{}' end, v_part.columns, v_part.rows));
  end loop;
  if p_keys <> '[]' or p_events <> '[]' then perform rollcall.date_changes(p_since); end if;
  delete from rollcall.wal_inserted i where i.at < p_at or p_place = 0;
  if cardinality(p_truncated) > 0 then
    perform nextval('rollcall.uncaptured'), nextval('rollcall.truncated') from unnest(p_truncated);
    insert into rollcall.sweep_causes (cause, source, bumps) select 'truncate', x, 0 from unnest(p_truncated) x;
  end if;
  if p_missed <> '{}' then
    perform nextval('rollcall.uncaptured'), case when m.value::boolean then nextval('rollcall.lost_events') end from jsonb_each(p_missed) m;
  end if;
  return true;
end $body$;

-- Takes what came to contacts, and folds it at once instead of by way of the log. Where that cannot be it is in the log, "changed" is null, and
-- the fold finds out why.
create or replace function rollcall.fold_wal(p_config_hash text, p_version text, p_from pg_lsn, p_from_place bigint, p_at pg_lsn, p_place bigint,
  p_t timestamptz, p_since timestamptz, p_xids bigint[], p_keys jsonb, out taken boolean, out changed int, out failed int)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_keys text[] := '{}';
  v_found text[];
  v_part record;
begin
  begin
    taken := rollcall.take_wal(p_version, p_from, p_from_place, p_at, p_place, p_t, p_since, p_xids, '[]', '[]', '{}', '{}');
    if not taken then return; end if;
    -- As the fold does: two at a time would each see the other's contacts as they were.
    perform pg_advisory_xact_lock(721740022, 1);
    perform rollcall.check_config(p_config_hash);
    perform rollcall.check_erasure_key();
    perform rollcall.watch_sources();
    if exists (select from rollcall.sources s where s.enabled and s.pause_code is not null) then
      raise exception 'a source is paused' using errcode = 'RC003';
    end if;
    for v_part in select x ->> 'log' as log, x ->> 'function' as function, x -> 'rows' as rows from jsonb_array_elements(p_keys) x loop
      v_found := coalesce(rollcall.wal_keys(v_part.function, v_part.rows), '{}');
      v_keys := v_keys || case when v_part.log is null then v_found else rollcall.resolve_keys(v_part.log, v_found) end;
    end loop;
    select f.changed, f.failed into changed, failed from rollcall.fold_keys(v_keys, 0::smallint, p_since) f;
  exception
  when sqlstate 'RC007' then
    raise;
  when others then
    changed := null;
    taken := rollcall.take_wal(p_version, p_from, p_from_place, p_at, p_place, p_t, p_since, p_xids, p_keys, '[]', '{}', '{}');
  end;
end $body$;

-- Marks updates in the transaction that inserted the row, also where that is read in several pieces.
create or replace function rollcall.wal_fresh(p_source text, p_operation text, p_rows jsonb) returns jsonb language plpgsql set search_path = '' as $body$
begin
  if p_operation = 'insert' then
    insert into rollcall.wal_inserted as i (source, k, at) select distinct on (r ->> 'k') p_source, r ->> 'k', (r ->> 'l')::pg_lsn
        from jsonb_array_elements(p_rows) with ordinality as x(r, n) order by r ->> 'k', n desc
      on conflict (source, k) do update set at = excluded.at;
  elsif p_operation = 'update' then
    return (select jsonb_agg(case when exists (select from rollcall.wal_inserted i where i.source = p_source and i.k = r ->> 'k' and i.at = (r ->> 'l')::pg_lsn)
      then r || '{"f": true}' else r end order by n) from jsonb_array_elements(p_rows) with ordinality as x(r, n));
  end if;
  return p_rows;
end $body$;
`;
