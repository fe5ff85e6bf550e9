/** Guards around an install: which config it was made for, and which database it is. */
export const install: string = /* sql */ `
create or replace function rollcall.check_config(p_config_hash text) returns void language plpgsql as $body$
declare
  v_hash text := (select config_hash from rollcall.install);
begin
  if v_hash is distinct from p_config_hash then
    raise exception 'the installed config is not this one' using errcode = 'RC001',
      detail = format('installed %s, running %s', left(coalesce(v_hash, 'none'), 12), left(p_config_hash, 12));
  end if;
end $body$;

-- What tells this database from every copy of it. The timeline comes from the write position: a control file shows a new one late.
create or replace function rollcall.identity() returns jsonb language sql as $body$
  select jsonb_build_object(
    'system_identifier', (select system_identifier::text from pg_control_system()),
    'timeline', left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
    'database', current_database(),
    'oids', (select jsonb_agg(c.oid::bigint order by c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where n.nspname = 'rollcall' and c.relname in ('contacts', 'desired', 'due')))
$body$;

-- p_seen, p_bound: the latest write position that the caller has seen here, and when this install was bound then. A restore in
-- place leaves nothing else that tells: a position ahead of ours, or a binding later than ours, was seen in a future that is gone.
create or replace function rollcall.is_set_back(p_seen pg_lsn, p_bound timestamptz) returns boolean language sql stable as $body$
  select coalesce(i.bound_at < p_bound or p_seen > pg_current_wal_insert_lsn() and i.bound_at <= p_bound, false) from rollcall.install i
$body$;

-- Who calls notes a position that went back for all others (rollcall.note_set_back), in a transaction of its own as this one is
-- rolled back.
drop function if exists rollcall.check_identity(text, text);
create or replace function rollcall.check_identity(p_ref text, p_environment text, p_seen pg_lsn default null,
  p_bound timestamptz default null) returns void language plpgsql as $body$
declare
  v_install rollcall.install;
  v_now jsonb := rollcall.identity();
  v_differs text;
begin
  select * into v_install from rollcall.install;
  if v_install.identity is null then
    raise exception 'this install is not bound to a database yet' using errcode = 'RC002', detail = 'unbound';
  end if;
  -- No clone: a copy has them all.
  if jsonb_array_length(v_now -> 'oids') < 3 then
    raise exception 'rollcall.contacts, rollcall.desired or rollcall.due is missing' using errcode = 'undefined_table';
  end if;
  select string_agg(x.what, ', ') into v_differs from (values
    ('system identifier', v_install.identity ->> 'system_identifier' is distinct from v_now ->> 'system_identifier'),
    ('timeline', v_install.identity ->> 'timeline' is distinct from v_now ->> 'timeline'),
    ('database name', v_install.identity ->> 'database' is distinct from v_now ->> 'database'),
    ('table identifiers', v_install.identity -> 'oids' is distinct from v_now -> 'oids'),
    ('position', v_install.set_back_at is not null or rollcall.is_set_back(p_seen, p_bound)),
    ('project', v_install.project_ref is distinct from p_ref),
    ('environment', v_install.environment is distinct from p_environment)) as x(what, differs)
   where x.differs;
  if v_differs is not null then
    raise exception 'this database is not the one Rollcall was bound to' using errcode = 'RC002', detail = v_differs;
  end if;
end $body$;

-- Somebody has seen a later position than this database has: nobody sends until rollcall recover.
create or replace function rollcall.note_set_back() returns void language sql as $body$
  update rollcall.install set set_back_at = now() where set_back_at is null
$body$;

-- A position in another cluster's transaction ids means nothing here, and neither does one in a future that is gone, so the log
-- starts anew and everybody is looked at. What is left of a window that was being folded is not read any more, so the events that
-- were taken from it are in order as they are.
create or replace function rollcall.begin_anew() returns void language plpgsql as $body$
begin
  truncate rollcall.changes_0, rollcall.changes_1, rollcall.changes_2;
  delete from rollcall.fold_position;
  insert into rollcall.fold_position (lo) values (pg_current_snapshot());
  perform rollcall.want_sweep('bound', null);
  perform rollcall.release_events();
end $body$;

-- Later than the last binding, also by the clock of a standby that is behind: see is_set_back.
create or replace function rollcall.bind_here(p_ref text, p_environment text) returns void language sql as $body$
  update rollcall.install set identity = rollcall.identity(), project_ref = p_ref, environment = p_environment,
         bound_at = greatest(clock_timestamp(), bound_at + interval '1 microsecond'), set_back_at = null
$body$;

-- Binds to the database as it is: leases of workers elsewhere end, and everybody is sent again, as the destinations may have seen
-- newer states than this copy knows of.
create or replace function rollcall.bind(p_ref text, p_environment text) returns void language plpgsql as $body$
declare
  v_install rollcall.install;
begin
  select * into v_install from rollcall.install;
  if v_install.identity is distinct from rollcall.identity() and v_install.identity is not null then perform rollcall.begin_anew(); end if;
  if v_install.identity is not null and (v_install.set_back_at is not null
      or (v_install.identity, v_install.project_ref, v_install.environment) is distinct from (rollcall.identity(), p_ref, p_environment)) then
    perform rollcall.send_again(d.id, false) from rollcall.destinations d;
  end if;
  perform rollcall.bind_here(p_ref, p_environment);
end $body$;
`;
