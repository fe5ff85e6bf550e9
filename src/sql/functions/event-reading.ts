import { LONGEST_PAYLOAD } from '../compile/users.ts';
import { DEFAULT_ABBREVIATIONS, QUICK_SESSION, SESSION } from './mapping.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** Most held rows that one call reads. */
const HELD_ROWS = 1_000;

const ACTIVE = `rollcall.event_maps m cross join lateral (
  select s.pause_code, s.relation from rollcall.sources s where s.name = m.source and s.enabled offset 0) s`;

/** Making events of what was captured; see ARCHITECTURE.md. */
export const eventReading: string = /* sql */ `
-- Whether rows were held that can be read now.
create or replace function rollcall.events_held() returns boolean language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select exists (select from ${ACTIVE}
    where s.pause_code is null and exists (select from rollcall.held_events h where h.source = m.source offset 0))
$body$;

-- Held rows of sources that the config no longer names are nobody's.
create or replace function rollcall.discard_held() returns void language sql set search_path = '' ${KEYS_FIRST} as $body$
  delete from rollcall.held_events h where h.source = any(array(
    -- From one source to the next by the index: there may be many rows of each.
    with recursive held(source) as (
      (select x.source from rollcall.held_events x order by x.source limit 1)
      union all
      select n.source from held, lateral (
        select x.source from rollcall.held_events x where x.source > held.source order by x.source limit 1) n
    )
    select held.source from held where not exists (select from ${ACTIVE} where m.source = held.source)))
$body$;

-- What the log has of one source. An update in the transaction that inserted its row before is marked as fresh; what was read from the
-- WAL ("x") is marked already, as its log rows are of several transactions.
create or replace function rollcall.captured_events(p_source text, p_changes rollcall.change[]) returns rollcall.captured_event[]
language sql stable set search_path = '' as $body$
  select array_agg(row(x.log_id, x.xid, x.place, null, x.turn,
           case when x.fresh then x.event || '{"fresh": true}' else x.event end)::rollcall.captured_event order by x.turn, x.place)
    from (select c.log_id, c.xid, c.turn, e.place, e.event,
                 e.event ->> 'o' = 'update' and not e.event ? 'x' and bool_or(e.event ->> 'o' = 'insert')
                   over (partition by c.xid, e.event ->> 'k' order by c.turn, e.place rows unbounded preceding) as fresh
            from unnest(p_changes) with ordinality as c(log_id, xid, source, events, turn)
            cross join lateral unnest(c.events) with ordinality as e(event, place)
           where c.source = p_source) x
$body$;

-- Which rows of a source a transaction had inserted before some place in the log: that place may be in a later piece.
create or replace function rollcall.inserted_before(p_source text, p_xid xid8, p_log_id bigint, p_keys text[]) returns text[]
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select coalesce(array_agg(distinct e.event ->> 'k'), '{}')
    from (${[0, 1, 2].map((n) => `select c.source, c.events from rollcall.changes_${n} c where c.xid = p_xid and c.id < p_log_id`).join('\n      union all ')}) c
    cross join lateral unnest(c.events) as e(event)
   -- A log row is of one statement's one operation.
   where c.source = p_source and c.events[1] ->> 'o' = 'insert' and not e.event ? 'x' and e.event ->> 'k' = any(p_keys)
$body$;

-- A row that was taken whole, under the names that its columns have now.
create or replace function rollcall.as_named(p_relation text, p_event jsonb) returns jsonb language sql stable set search_path = '' as $body$
  select p_event || jsonb_object_agg(x.part, (
           select coalesce(jsonb_object_agg(coalesce(a.attname, e.key), e.value), '{}')
             from jsonb_each(p_event -> x.part) e
             left join pg_catalog.pg_attribute a
               on a.attrelid = to_regclass(p_relation) and a.attnum = (p_event -> 'n' ->> e.key)::int and not a.attisdropped))
    from unnest(array['r', 'p']) as x(part) where jsonb_typeof(p_event -> x.part) = 'object'
$body$;

-- Keeps captured rows of a paused source as they are.
create or replace function rollcall.hold_events(p_source text, p_rows rollcall.captured_event[], p_changes rollcall.change[]) returns void
language plpgsql set search_path = '' as $body$
declare
  v_inserted text[];
begin
  if cardinality(p_rows) > 0 then
    v_inserted := rollcall.inserted_before(p_source, p_changes[1].xid, p_changes[1].log_id, array(
      select r.event ->> 'k' from unnest(p_rows) r where r.xid = p_changes[1].xid and r.event ->> 'o' = 'update'));
    insert into rollcall.held_events (source, log_id, place, event)
      select p_source, r.log_id, r.place,
             case when r.xid = p_changes[1].xid and r.event ->> 'o' = 'update' and r.event ->> 'k' = any(v_inserted)
               then r.event || '{"fresh": true}' else r.event end
        from unnest(p_rows) r order by r.turn, r.place;
  end if;
end $body$;

-- An event's id says where it comes from: the same log row has the same events each time it is read.
create or replace function rollcall.event_id(p_install uuid, p_source text, p_key text, p_operation text, p_log_id bigint, p_place int,
  p_type int) returns uuid language sql stable set search_path = '' as $body$
  -- A UUID of version 8, variant 10 (RFC 9562).
  select encode(set_byte(set_byte(h, 6, get_byte(h, 6) & 15 | 128), 8, get_byte(h, 8) & 63 | 128), 'hex')::uuid
    from (select substr(sha256(convert_to(
      jsonb_build_array(p_install, p_source, p_key, p_operation, p_log_id, p_place, p_type)::text, 'UTF8')), 1, 16) as h) x
$body$;

-- Raises RC003, with the SQLSTATE as its detail, when the events of a source cannot be made of any row.
create or replace function rollcall.check_events(p_source text) returns void language sql set search_path = '' ${SESSION} as $body$
  select rollcall.try_events(m.function, '{}', 1) from rollcall.event_maps m where m.source = p_source
$body$;

-- The events of log rows, given in the order of the log, and of rows that were held. Those of a source that is paused, or that
-- turns out not to be what its function was made for, are held; of one that the config no longer names they are nobody's. What the app
-- told by itself is there already.
create or replace function rollcall.read_events(p_changes rollcall.change[]) returns rollcall.read_event[]
language plpgsql set search_path = '' ${QUICK_SESSION} as $body$
declare
  v_install uuid := (select i.id from rollcall.install i);
  v_source record;
  v_left int := ${HELD_ROWS};
  v_held rollcall.captured_event[];
  v_new rollcall.captured_event[];
  v_rows rollcall.captured_event[];
  v_mapped rollcall.mapped_event[];
  v_doubtful text[];
  v_read rollcall.read_event[];
  v_told rollcall.read_event[];
  v_all rollcall.read_turn[] := '{}';
  v_code text;
  v_message text;
begin
  ${DEFAULT_ABBREVIATIONS}
  perform rollcall.discard_held();
  for v_source in select m.source, m.function, s.relation, s.pause_code is not null as paused from ${ACTIVE} order by m.source loop
    v_new := rollcall.captured_events(v_source.source, p_changes);
    v_held := '{}';
    if not v_source.paused then
      select coalesce(array_agg(row(h.log_id, null, h.place, h.id, h.id, h.event)::rollcall.captured_event order by h.id), '{}') into v_held
        from (select * from rollcall.held_events h where h.source = v_source.source order by h.id limit v_left) h;
      v_left := v_left - cardinality(v_held);
    end if;
    -- Nothing goes before what is held.
    if v_source.paused or exists (select from rollcall.held_events h
        where h.source = v_source.source and h.id > coalesce(v_held[cardinality(v_held)].held_id, 0) offset 0) then
      perform rollcall.hold_events(v_source.source, v_new, p_changes);
      v_new := '{}';
    end if;
    v_rows := v_held || v_new;
    continue when coalesce(cardinality(v_rows), 0) = 0;
    begin
      v_mapped := rollcall.map_events(v_source.function, array(
        select case when r.event ? 'raw' then rollcall.as_named(v_source.relation, r.event) else r.event end
          from unnest(v_rows) r order by r.held_id, r.turn, r.place), 1);
    exception when sqlstate 'RC003' then
      get stacked diagnostics v_code = pg_exception_detail, v_message = message_text;
      perform rollcall.pause_source(v_source.source, v_code, v_message);
      perform rollcall.hold_events(v_source.source, v_new, p_changes);
      continue;
    end;
    delete from rollcall.held_events h where h.id = any(array(select r.held_id from unnest(v_held) r));
    v_doubtful := array(select v_rows[m.place].event ->> 'k' from unnest(v_mapped) m
      where m.verdict = 'unless_inserted' and v_rows[m.place].xid is not distinct from p_changes[1].xid);
    if cardinality(v_doubtful) > 0 then
      v_doubtful := rollcall.inserted_before(v_source.source, p_changes[1].xid, p_changes[1].log_id, v_doubtful);
    end if;
    v_all := v_all || array(
      select row(m, v_source.source, v_rows[m.place])::rollcall.read_turn from unnest(v_mapped) m
       where not (m.verdict = 'unless_inserted' and v_rows[m.place].xid is not distinct from p_changes[1].xid and v_rows[m.place].event ->> 'k' = any(v_doubtful)));
  end loop;
  select array_agg(row(
           rollcall.event_id(v_install, a.source, (a.captured).event ->> 'k', (a.captured).event ->> 'o', (a.captured).log_id,
             (a.captured).place, (a.mapped).type_no),
           a.source, (a.mapped).key, coalesce((a.mapped).name, a.source), case when x.code is null then (a.mapped).properties end,
           coalesce((a.mapped).happened_at, clock_timestamp()), x.code, x.message)::rollcall.read_event
           order by (a.mapped).happened_at, (a.captured).held_id, (a.captured).turn, (a.captured).place, (a.mapped).type_no)
    into v_read
    from unnest(v_all) a
    cross join lateral (select pg_column_size((a.mapped).properties) as bytes offset 0) b
    cross join lateral (select
      case when (a.mapped).verdict = 'failed' then (a.mapped).properties ->> 'code' when b.bytes > ${LONGEST_PAYLOAD} then 'too_large' end as code,
      case when (a.mapped).verdict = 'failed' then (a.mapped).message when b.bytes > ${LONGEST_PAYLOAD}
        then format('The properties of this event take %s bytes, and at most ${LONGEST_PAYLOAD} are sent.', b.bytes) end as message) x;
  v_told := rollcall.told_events(v_install, p_changes);
  -- Whoever it is of may not be there yet: from now on a user is folded with whoever is known by their address.
  if v_told is not null then update rollcall.install i set by_address = true where not i.by_address; end if;
  return v_read || v_told;
end $body$;
`;
