import { normalAddress } from '../compile/link.ts';
import { attributesOf } from './lists.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Reasons for which somebody without a contact may come back by no act of theirs: what stands there is not to be removed. */
const NOT_GONE = `('source_paused', 'unmapped', 'address_taken')`;

/** The status of a row that is no contact: an address that must not be mailed, as the destination says beside its export. */
export const SUPPRESSED = 'suppressed';

/** Most bytes of payloads in a page of contacts, but for the last of them. */
const PAGE_BYTES = 16 * 2 ** 20;

/** What a destination has: read, kept while it is compared, and compared. See docs/operations.md, "Audit". */
export const remote: string = /* sql */ `
create or replace function rollcall.forget_remote(p_destination smallint) returns void language plpgsql set search_path = '' as $body$
begin
  delete from rollcall.remote_readings r where r.destination_id = p_destination;
  -- To empty the table leaves no dead rows behind; nobody else is there to wait for.
  if not exists (select from rollcall.remote_readings) then truncate rollcall.remote_contacts;
  else delete from rollcall.remote_contacts c where c.destination_id = p_destination; end if;
end $body$;

-- Of readings that nobody has ended.
create or replace function rollcall.forget_old_remote() returns void language sql set search_path = '' as $body$
  select rollcall.forget_remote(r.destination_id) from rollcall.remote_readings r
   where r.began_at < clock_timestamp() - interval '1 day' and r.until < clock_timestamp()
$body$;

create or replace function rollcall.open_remote(p_destination smallint) returns uuid language plpgsql set search_path = '' as $body$
declare
  v_run uuid := gen_random_uuid();
begin
  perform pg_advisory_xact_lock(721740022, 5);
  if exists (select from rollcall.remote_readings r where r.destination_id = p_destination and r.until > clock_timestamp()) then
    raise exception 'another process reads this destination' using errcode = 'RC051';
  end if;
  perform rollcall.forget_remote(p_destination);
  insert into rollcall.remote_readings (destination_id, run, began_at, until)
    values (p_destination, v_run, clock_timestamp(), clock_timestamp() + interval '1 minute');
  return v_run;
end $body$;

-- The reading, which is kept alive by this. Its rows must still be there: they are gone after a crash of the database, and what
-- is not there would count as missing.
create or replace function rollcall.use_remote(p_destination smallint, p_run uuid) returns rollcall.remote_readings
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_reading rollcall.remote_readings;
begin
  update rollcall.remote_readings r set until = clock_timestamp() + interval '1 minute'
   where r.destination_id = p_destination and r.run = p_run returning * into v_reading;
  if not found or v_reading.found > 0 and not exists (
    select from rollcall.remote_contacts c where c.destination_id = p_destination) then
    raise exception 'what was read of this destination is gone' using errcode = 'RC052';
  end if;
  return v_reading;
end $body$;

-- p_rows: [{address, id, status, fields}].
create or replace function rollcall.add_remote(p_destination smallint, p_run uuid, p_rows jsonb) returns void
language plpgsql set search_path = '' as $body$
begin
  perform rollcall.use_remote(p_destination, p_run);
  insert into rollcall.remote_contacts (destination_id, address, written, remote_id, status, fields)
    select p_destination, ${normalAddress('r.address')}, r.address, r.id, r.status, r.fields
      from jsonb_to_recordset(p_rows) as r(address text, id text, status text, fields jsonb);
end $body$;

create or replace function rollcall.complete_remote(p_destination smallint, p_run uuid, p_found bigint) returns void
language plpgsql set search_path = '' as $body$
begin
  perform rollcall.use_remote(p_destination, p_run);
  if (select count(*) from rollcall.remote_contacts c where c.destination_id = p_destination) <> p_found then
    raise exception 'what was read of this destination is gone' using errcode = 'RC052';
  end if;
  update rollcall.remote_readings r set found = p_found where r.destination_id = p_destination;
end $body$;

create or replace function rollcall.close_remote(p_destination smallint, p_run uuid) returns void language sql set search_path = '' as $body$
  select rollcall.forget_remote(r.destination_id) from rollcall.remote_readings r
   where r.destination_id = p_destination and r.run = p_run
$body$;

-- Whether what is there may differ for no other reason than that a request is under way, or was since the reading began.
create or replace function rollcall.is_moving(p_destination smallint, p_contact bigint, p_since timestamptz) returns boolean
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select exists (select from rollcall.due d where d.destination_id = p_destination and d.contact_id = p_contact offset 0)
      or exists (select from rollcall.attempts a where a.contact_id = p_contact and a.destination_id = p_destination and a.at >= p_since offset 0)
$body$;

-- A page of our contacts with what was found of each, the first of them alone where its payload has more bytes than a page: under its address; under its id or an address that it had, unless
-- that is somebody else's now.
create or replace function rollcall.compare_remote(p_destination smallint, p_run uuid, p_after bigint, p_limit int)
returns table (contact_id bigint, version bigint, action text, address text, remote_address text, remote_id text, consent text,
  payload text, progress text, found text)
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
#variable_conflict use_column
declare
  v_since timestamptz := (rollcall.use_remote(p_destination, p_run)).began_at;
begin
  return query
  select s.contact_id, s.version, s.action, s.address, s.remote_address, s.remote_id, s.consent, (${attributesOf('s.payload')})::text,
         case when rollcall.is_moving(p_destination, s.contact_id, v_since) then 'moving'
              when s.action <> 'none' and s.delivered_version is distinct from s.version then 'refused'
              else 'in_step' end,
         coalesce(f.found, '[]')::text
    from (select x.*, coalesce(sum(octet_length(x.payload::text)) over (order by x.contact_id
                   rows between unbounded preceding and 1 preceding), 0) as before
            from (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id > p_after
                   order by s.contact_id limit p_limit) x) s
    cross join lateral (
      select jsonb_agg(jsonb_build_object('place', r.place::text, 'address', r.written, 'plainAddress', r.address, 'id', r.remote_id,
               'status', r.status, 'fields', r.fields) order by r.place) as found
        from (select r.place from rollcall.remote_contacts r where r.destination_id + 0 = p_destination and r.address = s.address
              union select r.place from rollcall.remote_contacts r where r.destination_id + 0 = p_destination and r.remote_id = s.remote_id
              union select r.place from rollcall.remote_contacts r where r.destination_id + 0 = p_destination and r.address = s.remote_address
              union select r.place from unnest(s.leftovers) l cross join lateral (
                select r.place from rollcall.remote_contacts r where r.destination_id + 0 = p_destination and r.address = l offset 0) r
              union select r.place from (select a.address from rollcall.past_addresses a
                       where a.contact_id = s.contact_id and a.destination_id = p_destination offset 0) a
                cross join lateral (
                select r.place from rollcall.remote_contacts r where r.destination_id + 0 = p_destination and r.address = a.address offset 0) r) x
        cross join lateral (select * from rollcall.remote_contacts r where r.place = x.place offset 0) r
       where r.address is not distinct from s.address
          or not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = r.address
                            and o.contact_id <> s.contact_id offset 0)
         and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = r.remote_id
                            and o.contact_id <> s.contact_id offset 0)) f
   where s.before < ${PAGE_BYTES}
   order by s.contact_id;
end $body$;

-- A page of what was read, reduced to those that are no living contact of ours. Somebody who stands for the address but is not
-- sent for now (their table cannot be read, say) makes it a moving one.
create or replace function rollcall.stray_remote(p_destination smallint, p_run uuid, p_after bigint, p_limit int)
returns table (last_place bigint, strays text) language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_since timestamptz := (rollcall.use_remote(p_destination, p_run)).began_at;
  v_places bigint[];
begin
  v_places := array(select r.place from rollcall.remote_contacts r where r.destination_id = p_destination and r.place > p_after
                     order by r.place limit p_limit);
  last_place := case when cardinality(v_places) = p_limit then v_places[p_limit] end;
  select coalesce(jsonb_agg(jsonb_build_object('place', r.place::text, 'address', r.written, 'id', r.remote_id, 'status', r.status,
           'leftBy', case when l.left then l.contact_id::text end, 'version', case when l.left then l.version::text end,
           'moving', coalesce(l.moving, false) or w.waits) order by r.place), '[]')::text into strays
    from unnest(v_places) as p(place)
    cross join lateral (select * from rollcall.remote_contacts r where r.place = p.place offset 0) r
    -- Who had the address last.
    left join lateral (
      select s.contact_id, s.version, s.action,
             s.action = 'none' and s.reason not in ${NOT_GONE}
               and (s.reason = 'merged' or (select d.on_delete from rollcall.destinations d where d.id = p_destination) = 'delete') as left,
             rollcall.is_moving(p_destination, s.contact_id, v_since) or s.action = 'delete' as moving
        from (select a.contact_id from rollcall.past_addresses a where a.address = r.address and a.destination_id = p_destination
               order by a.id desc limit 1) a
        cross join lateral (select * from rollcall.desired s where s.destination_id = p_destination and s.contact_id = a.contact_id offset 0) s
      offset 0) l on true
    cross join lateral (select exists (select from rollcall.desired o
       where o.destination_id + 0 = p_destination and o.waiting_for = r.address offset 0) as waits) w
   where r.status <> '${SUPPRESSED}'
     and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = r.address offset 0)
     and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_address = r.address offset 0)
     and not exists (select from rollcall.desired o where o.destination_id + 0 = p_destination and o.remote_id = r.remote_id offset 0)
     and not exists (select from rollcall.desired o where o.destination_id = p_destination and o.leftovers && array[r.address] offset 0)
     -- Theirs, and found with them.
     and l.action is distinct from 'upsert' and l.action is distinct from 'unsubscribe';
  return next;
end $body$;
`;
