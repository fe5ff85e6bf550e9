import { unfolded } from './unfolded.ts';

/** Most rows of each table of the log that are counted. */
const MOST_UNFOLDED = 10_000;

/**
 * How things stand, for metrics and alerts: see src/core/gauges.ts. Asked every few seconds, so it reads the queue once and neither
 * the state of all contacts nor the log of attempts. With a million contacts waiting it takes a third of a second.
 */
export const gauges: string = /* sql */ `
-- By the index of those that wait: there may be many times as many that are over.
create or replace function rollcall.pending_events() returns table (destination_id smallint, n bigint) language sql
set search_path = '' set enable_seqscan = off as $body$
  select e.destination_id, count(*) from rollcall.events e where e.state = 'pending' group by e.destination_id
$body$;

create or replace function rollcall.gauges() returns jsonb language sql set search_path = '' set row_security = off as $body$
  with unfolded as materialized (select u.at from ${unfolded(['at'], MOST_UNFOLDED)} u),
  queued as materialized (
    select q.destination_id, q.lane, count(*) as pending, min(q.since) as since,
           count(*) filter (where q.token is not null and q.due_at > clock_timestamp()) as in_flight
      from rollcall.due q group by 1, 2),
  dead as materialized (
    select l.destination_id, sum(l.n) as n, sum(l.recent) as recent, (array_agg(l.code order by l.recent desc, l.code))[1] as code
      from (select d.destination_id, d.code, count(*) as n, count(*) filter (where d.at > clock_timestamp() - interval '1 hour') as recent
              from rollcall.dead_letters d group by 1, 2) l
     group by 1)
  select jsonb_build_object(
    'unfolded', (select count(*) from unfolded),
    'unfolded_s', (select coalesce(extract(epoch from clock_timestamp() - min(u.at)), 0)::float8 from unfolded u),
    'uncaptured', rollcall.uncaptured_count(),
    'sweep_wanted', rollcall.uncaptured_count() <> i.uncaptured_seen,
    'events_lost', (select case when l.is_called then l.last_value + 1 else 0 end from rollcall.lost_events l),
    'swept_s', extract(epoch from clock_timestamp() - i.swept_at)::float8,
    'sweep', case when i.sweep_report is not null then jsonb_build_object(
      'found', (select coalesce(sum(f.value::bigint), 0) from jsonb_each_text(i.sweep_report -> 'found') f),
      'causes', (select coalesce(jsonb_agg(distinct w ->> 'cause'), '[]') from jsonb_array_elements(i.sweep_report -> 'why') w)) end,
    'write_backs', (select count(*) from rollcall.write_backs w where w.due_at is not null),
    'wal', rollcall.wal_status(),
    'backfilling', exists (select from rollcall.backfills b where b.ended_at is null),
    'sources_paused', (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'code', s.pause_code) order by s.name), '[]')
        from rollcall.sources s where s.enabled and s.pause_code is not null),
    'destinations', (select coalesce(jsonb_agg(jsonb_build_object(
        'name', d.name,
        'lanes', (select jsonb_object_agg(case n.lane when 0 then 'live' else 'backfill' end, jsonb_build_object(
            'pending', coalesce(q.pending, 0), 'in_flight', coalesce(q.in_flight, 0),
            'oldest_s', coalesce(extract(epoch from clock_timestamp() - q.since), 0)::float8))
            from generate_series(0, 1) n(lane) left join queued q on q.destination_id = d.id and q.lane = n.lane),
        'held', jsonb_build_object(
          'deletes', (select coalesce(sum(q.pending), 0) from queued q where q.destination_id = d.id and q.lane = 2),
          'changes', (select coalesce(sum(q.pending), 0) from queued q where q.destination_id = d.id and q.lane = 3)),
        'pause_code', d.pause_code,
        'dead_letters', coalesce(l.n, 0), 'dead_letters_hour', coalesce(l.recent, 0),
        'dead_letters_code', case when l.recent > 0 then l.code end,
        'events_pending', coalesce(e.n, 0),
        'jobs', (select count(*) from rollcall.jobs j where j.destination_id = d.id)) order by d.id), '[]')
      from rollcall.destinations d left join dead l on l.destination_id = d.id
        left join rollcall.pending_events() e on e.destination_id = d.id where d.enabled))
    from rollcall.install i
$body$;
`;
