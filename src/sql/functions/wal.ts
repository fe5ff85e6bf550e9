import { identityOf } from '../wal/identity.ts';

/** Where the slot and the publication are, who captures which table, and the hand-over between triggers and the WAL. */
export const wal: string = /* sql */ `
-- Slots are the server's: each database has its own.
create or replace function rollcall.wal_slot_name() returns name language sql stable set search_path = '' as $body$
  select ('rollcall_' || d.oid)::name from pg_catalog.pg_database d where d.datname = current_database()
$body$;

create or replace function rollcall.wal_version() returns text language sql stable set search_path = '' as $body$
  select md5(coalesce(string_agg(s.name || s.wal::text, ' ' order by s.name), '')) from rollcall.sources s where s.enabled and s.wal is not null
$body$;

-- Why rows of a table cannot be read from the WAL as it is now; null when they can.
create or replace function rollcall.wal_misfit(p_relation text, p_plan jsonb) returns text language sql stable set search_path = '' as $body$
  ${identityOf('p_relation', `array(select jsonb_array_elements_text(p_plan -> 'identity'))`, `(p_plan ->> 'full')::boolean`)}
$body$;

create or replace function rollcall.wal_timeline() returns text language sql stable as $body$
  select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
$body$;

-- How it stands, for whoever reads the WAL: see src/sources/wal/state.ts. The slot is looked at before the position: what is
-- acknowledged was written down first.
create or replace function rollcall.wal_state() returns jsonb language plpgsql set search_path = '' as $body$
declare
  v_wal rollcall.wal;
  v_slot record;
  v_at rollcall.wal_position;
  v_sources jsonb;
  v_capture text := (select i.capture from rollcall.install i);
begin
  select * into v_wal from rollcall.wal;
  -- A copy keeps its hands off the original's slot, and after a failover this database has to be taken into use first.
  if v_wal.slot is null and (v_capture = 'triggers' or v_wal.given_up is not null)
      or (select i.identity is distinct from rollcall.identity() from rollcall.install i) then
    return jsonb_build_object('wanted', false, 'slot', null);
  end if;
  select s.active, s.wal_status, s.confirmed_flush_lsn, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::float8 as kept into v_slot
    from pg_catalog.pg_replication_slots s where s.slot_name = v_wal.slot and s.database = current_database();
  select * into v_at from rollcall.wal_position p order by p.id desc limit 1;
  select jsonb_agg(jsonb_build_object('name', s.name, 'relation', s.relation, 'oid', to_regclass(s.relation)::oid::bigint, 'plan', s.wal,
           'owned', s.wal_from is not null and s.wal_until is null, 'until', s.wal_until,
           'misfit', rollcall.wal_misfit(s.relation, s.wal)) order by s.name)
    into v_sources from rollcall.sources s where s.enabled and s.wal is not null;
  return jsonb_build_object(
    'wanted', v_capture = 'wal' and v_wal.given_up is null and v_sources is not null,
    'slot', v_wal.slot, 'made_at', v_wal.made_at,
    'trouble', case when v_wal.slot is null then null when v_slot.active is null then 'missing'
      when v_slot.wal_status = 'lost' then 'lost'
      when v_wal.timeline is distinct from rollcall.wal_timeline() then 'timeline'
      when v_at.at is null or not v_slot.active and v_slot.confirmed_flush_lsn > v_at.at then 'position' end,
    'given_up', v_wal.given_up is not null, 'busy', coalesce(v_slot.active, false),
    'kept', coalesce(v_slot.kept, 0),
    'at', v_at.at, 'place', v_at.place, 'us', ((extract(epoch from v_at.t) - 946684800) * 1000000)::bigint::text,
    'version', rollcall.wal_version(),
    'sources', coalesce(v_sources, '[]'));
end $body$;

-- Makes the slot, and remembers it in the same moment. It waits for transactions that are open now; triggers capture meanwhile.
-- False when somebody else is at it.
create or replace function rollcall.wal_make() returns boolean language plpgsql set search_path = '' as $body$
declare
  v_name name := rollcall.wal_slot_name();
  v_from pg_lsn;
begin
  if not pg_try_advisory_xact_lock(721740022, 7) or (select w.slot is not null from rollcall.wal w) then return false; end if;
  -- One that nobody remembers: whoever made it died.
  perform pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s where s.slot_name = v_name and s.database = current_database();
  select s.lsn into v_from from pg_create_logical_replication_slot(v_name, 'pgoutput') s;
  update rollcall.wal set slot = v_name, timeline = rollcall.wal_timeline(), made_at = clock_timestamp();
  delete from rollcall.wal_position;
  delete from rollcall.wal_inserted;
  insert into rollcall.wal_position (at, place, t) values (v_from, 0, '2000-01-01 00:00:00+00');
  return true;
end $body$;

-- The slot is gone, or what it has is not what follows on what we know: the tables have their triggers again, those that somebody
-- is writing to a little later (ensure_triggers), and a sweep compares everybody. Events since are lost, and counted.
create or replace function rollcall.wal_lost(p_made_at timestamptz) returns boolean language plpgsql
set search_path = '' set lock_timeout = '20ms' as $body$
declare
  v_name name := (select w.slot from rollcall.wal w);
  v_trigger record;
begin
  if not pg_try_advisory_xact_lock(721740022, 7) then return false; end if;
  if (select w.made_at is distinct from p_made_at from rollcall.wal w) or v_name is null then return false; end if;
  perform pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s where s.slot_name = v_name and s.database = current_database();
  for v_trigger in
    select x ->> 'table' as on_table, x ->> 'function' as function from rollcall.sources s cross join lateral jsonb_array_elements(s.triggers) x
     where s.enabled and s.wal_from is not null and s.wal_until is null and to_regclass(x ->> 'table') is not null
  loop
    begin
      perform rollcall.make_triggers(v_trigger.on_table, v_trigger.function);
    exception when others then
      null; -- Missing, as status says.
    end;
  end loop;
  perform rollcall.want_sweep('slot_lost', s.name), case when s.wal -> 'events' <> 'null' then nextval('rollcall.lost_events') end
     from rollcall.sources s where s.enabled and s.wal_from is not null and s.wal_until is null;
  perform rollcall.wal_forget();
  return true;
end $body$;

create or replace function rollcall.wal_forget() returns void language plpgsql set search_path = '' as $body$
begin
  update rollcall.sources set wal_from = null, wal_until = null where wal_from is not null;
  update rollcall.wal set slot = null, timeline = null, made_at = null;
  delete from rollcall.wal_position;
  delete from rollcall.wal_inserted;
end $body$;

-- The publication has the tables of the config, whole: a list of columns would make the app's DROP COLUMN fail. True when it was changed.
create or replace function rollcall.wal_publish() returns boolean language plpgsql set search_path = '' as $body$
declare
  v_tables text;
  v_want oid[];
  v_have oid[];
begin
  select string_agg(case when c.relkind = 'p' then '' else 'only ' end || s.relation, ', ' order by s.relation), array_agg(c.oid order by c.oid)
    into v_tables, v_want
    from rollcall.sources s join pg_catalog.pg_class c on c.oid = to_regclass(s.relation)
   where s.enabled and s.wal is not null
     and (not rollcall.wants_triggers(s.name) or rollcall.wal_misfit(s.relation, s.wal) is null);
  if v_tables is null then return false; end if;
  if not exists (select from pg_catalog.pg_publication p where p.pubname = 'rollcall') then
    -- With a replica identity of all columns, Postgres 18 refuses the app's UPDATE and DELETE where a generated one is not published.
    execute 'create publication rollcall for table ' || v_tables || ' with (publish_via_partition_root = true'
      || case when current_setting('server_version_num')::int >= 180000 then ', publish_generated_columns = stored)' else ')' end;
    return true;
  end if;
  select array_agg(r.prrelid order by r.prrelid) into v_have
    from pg_catalog.pg_publication p join pg_catalog.pg_publication_rel r on r.prpubid = p.oid where p.pubname = 'rollcall';
  if v_have is not distinct from v_want then return false; end if;
  execute 'alter publication rollcall set table ' || v_tables;
  return true;
end $body$;

-- From the triggers of a table to the WAL. Under the lock that the end of the triggers takes nobody is in the middle of writing: whatever
-- commits from here on was written without them, and whatever committed before with them. False when it cannot be yet.
create or replace function rollcall.wal_take_over(p_source text, p_read pg_lsn) returns boolean language plpgsql
set search_path = '' set lock_timeout = '20ms' set client_min_messages = 'warning' as $body$
declare
  v_source rollcall.sources;
  v_name text;
  v_made text;
begin
  select * into v_source from rollcall.sources s where s.name = p_source and s.enabled for update;
  if v_source.wal is null or v_source.wal_from is not null and (v_source.wal_until is null or v_source.wal_until > p_read)
      or rollcall.wal_misfit(v_source.relation, v_source.wal) is not null
      or not exists (select from pg_catalog.pg_publication p join pg_catalog.pg_publication_rel r on r.prpubid = p.oid
           where p.pubname = 'rollcall' and r.prrelid = to_regclass(v_source.relation)) then
    return false;
  end if;
  for v_name in select distinct format('rollcall.%I()', x ->> 'function') from jsonb_array_elements(v_source.triggers) x loop
    -- Whoever does not own the table can drop its triggers by their function alone.
    v_made := pg_get_functiondef(v_name::regprocedure);
    execute format('drop function %s cascade', v_name);
    execute v_made;
    execute format('revoke all on function %s from public', v_name);
  end loop;
  update rollcall.sources s set wal_from = pg_current_wal_insert_lsn(), wal_until = null where s.name = p_source;
  return true;
end $body$;

-- And back: a trigger is made once nobody is in the middle of writing, so the same cut holds.
create or replace function rollcall.wal_hand_back(p_source text) returns boolean language plpgsql
set search_path = '' set lock_timeout = '20ms' as $body$
declare
  v_source rollcall.sources;
begin
  select * into v_source from rollcall.sources s where s.name = p_source and s.wal_from is not null and s.wal_until is null for update;
  if v_source.name is null then return false; end if;
  if to_regclass(v_source.relation) is not null then
    perform rollcall.make_triggers(x ->> 'table', x ->> 'function') from jsonb_array_elements(v_source.triggers) x;
  end if;
  update rollcall.sources s set wal_until = pg_current_wal_insert_lsn() where s.name = p_source;
  return true;
end $body$;

-- For apply, when all triggers are there: those that it made have held their locks since.
create or replace function rollcall.wal_settings(p_capture text) returns void language plpgsql set search_path = '' as $body$
begin
  update rollcall.install set capture = p_capture where capture <> p_capture;
  update rollcall.wal set given_up = null, given_up_at = null where given_up is not null;
  update rollcall.sources set wal_from = null, wal_until = null where wal_from is not null and (not enabled or wal is null);
  if p_capture = 'triggers' then
    update rollcall.sources set wal_until = pg_current_wal_insert_lsn() where wal_from is not null and wal_until is null;
  else
    perform rollcall.wal_publish();
  end if;
end $body$;

-- Triggers of a table are to be there: the WAL has it not, or is not wanted any more.
create or replace function rollcall.wants_triggers(p_source text) returns boolean language sql stable set search_path = '' as $body$
  select not exists (select from rollcall.sources s where s.name = p_source and s.wal_from is not null and s.wal_until is null)
$body$;

create or replace function rollcall.wal_give_up(p_why text) returns boolean language plpgsql set search_path = '' as $body$
begin
  update rollcall.wal set given_up = p_why, given_up_at = clock_timestamp() where given_up is null and slot is not null;
  return found;
end $body$;

-- Ends what keeps the WAL at once, read or not. Whoever reads is cut off, and gone a moment later.
create or replace function rollcall.wal_drop() returns void language plpgsql set search_path = '' as $body$
begin
  perform pg_terminate_backend(s.active_pid) from pg_catalog.pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name where s.active and s.database = current_database();
  perform pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name where not s.active and s.database = current_database();
end $body$;

-- All tables have their triggers and everything before them is read: nothing of the WAL is left. False when that is not so.
create or replace function rollcall.wal_end(p_read pg_lsn) returns boolean language plpgsql set search_path = '' as $body$
begin
  perform pg_advisory_xact_lock(721740022, 7);
  if (select i.capture = 'wal' and w.given_up is null from rollcall.install i, rollcall.wal w)
      or exists (select from rollcall.sources s where s.enabled and s.wal_from is not null and (s.wal_until is null or s.wal_until > p_read)) then
    return false;
  end if;
  perform pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name
   where s.database = current_database();
  perform rollcall.wal_forget();
  if exists (select from pg_catalog.pg_publication p where p.pubname = 'rollcall') then drop publication rollcall; end if;
  return true;
end $body$;

-- For status and metrics; null where the WAL has no part in it.
create or replace function rollcall.wal_status() returns jsonb language sql stable set search_path = '' as $body$
  select jsonb_build_object('slot', w.slot, 'given_up', w.given_up, 'reading', coalesce(l.active, false), 'status', l.wal_status,
           'kept', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), l.restart_lsn), 0)::float8,
           'wanted', i.capture = 'wal',
           'by_wal', (select count(*) from rollcall.sources s where s.enabled and s.wal_from is not null and s.wal_until is null),
           'by_triggers', (select coalesce(jsonb_agg(s.name || coalesce(': ' || rollcall.wal_misfit(s.relation, s.wal), '') order by s.name), '[]')
              from rollcall.sources s where s.enabled and s.wal is not null and (s.wal_from is null or s.wal_until is not null)))
    from rollcall.wal w cross join rollcall.install i
    left join pg_catalog.pg_replication_slots l on l.slot_name = w.slot and l.database = current_database()
   where i.capture = 'wal' or w.slot is not null
$body$;
`;
