import { unfolded } from './unfolded.ts';

/** What `rollcall status` shows, as one document. */
export const status: string = /* sql */ `
create or replace function rollcall.status() returns jsonb language sql set search_path = '' set row_security = off as $body$
  with brakes as materialized (select * from rollcall.brake_states()), unfolded as (
    select u.at, cardinality(u.keys) + coalesce(cardinality(u.events), 0) as size from ${unfolded(['at', 'keys', 'events'])} u
  ), shall as materialized (
    -- One reading of what everybody shall be, for all destinations and numbers.
    select s.destination_id, case when s.action <> 'upsert' and s.reason <> 'gone' then s.reason end as reason, count(*) as n,
           count(*) filter (where s.action = 'upsert' and s.delivered_version = s.version) as delivered
      from rollcall.desired s group by 1, 2)
  select jsonb_build_object(
    'environment', i.environment,
    'project', i.project_ref,
    'bound', i.identity is not null,
    'config_hash', i.config_hash,
    'swept_at', i.swept_at,
    'homes', rollcall.home_states(),
    'backfill', (select jsonb_build_object('resource', b.resource, 'scanned', b.scanned, 'expected', b.expected, 'walked', b.walked_at is not null,
        'held', b.held_until > clock_timestamp()) from rollcall.backfills b where b.ended_at is null),
    'sweep_report', i.sweep_report,
    'unwatched_s', extract(epoch from clock_timestamp() - coalesce(i.swept_at, i.bound_at)),
    -- Changes that no worker has folded yet.
    'unfolded', (select coalesce(sum(u.size), 0) from unfolded u),
    'oldest_unfolded_s', (select extract(epoch from clock_timestamp() - min(u.at)) from unfolded u),
    'events_lost', (select case when l.is_called then l.last_value + 1 else 0 end from rollcall.lost_events l),
    'sweep_wanted', rollcall.uncaptured_count() <> i.uncaptured_seen,
    'triggers_missing', (select coalesce(jsonb_agg(m.table_name || ': ' || m.trigger_name order by m.table_name, m.trigger_name), '[]')
        from rollcall.missing_triggers() m),
    'wal', rollcall.wal_status(),
    -- What people have said, and is not written where the app sees it yet.
    'write_backs', (select jsonb_build_object('due', count(*), 'failing', count(*) filter (where w.code is not null),
        'codes', coalesce(jsonb_agg(distinct w.code) filter (where w.code is not null), '[]')) from rollcall.write_backs w where w.due_at is not null),
    'sources', (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'pause_code', s.pause_code,
        'pause_message', s.pause_message, 'paused_at', s.paused_at,
        'held', (select count(*) from rollcall.held_events h where h.source = s.name)) order by s.name), '[]')
        from rollcall.sources s where s.enabled),
    'destinations', (select coalesce(jsonb_agg(jsonb_build_object(
        'name', d.name, 'type', d.type,
        -- Those that a brake holds wait for a person: they are counted there.
        'pending', (select count(*) from rollcall.due q where q.destination_id = d.id and q.lane < 2),
        'oldest_pending_s', (select extract(epoch from clock_timestamp() - min(q.since)) from rollcall.due q
            where q.destination_id = d.id and q.lane < 2),
        'brakes', (select coalesce(jsonb_agg(jsonb_build_object('kind', b.kind, 'held', b.held, 'stopped_at', b.stopped_at,
            'share', b.share, 'least', b.at_least)), '[]') from brakes b where b.destination_id = d.id and b.held > 0),
        -- Who was delivered, without those who are sent once more.
        'in_step', (select coalesce(sum(s.delivered), 0) from shall s where s.destination_id = d.id)
            - (select count(*) from rollcall.due q join rollcall.desired s on s.contact_id = q.contact_id and s.destination_id = q.destination_id
                where q.destination_id = d.id and s.action = 'upsert' and s.delivered_version = s.version),
        'skipped', (select coalesce(jsonb_object_agg(s.reason, s.n), '{}') from shall s where s.destination_id = d.id and s.reason is not null),
        'failed', (select count(*) from rollcall.dead_letters l where l.destination_id = d.id and l.dropped_at is null),
        'causes', (select coalesce(jsonb_agg(jsonb_build_object('stage', c.stage, 'code', c.code, 'field', c.field, 'count', c.n) order by c.n desc), '[]')
            from (select l.stage, l.code, l.field, count(*) as n from rollcall.dead_letters l
                   where l.destination_id = d.id and l.dropped_at is null group by l.stage, l.code, l.field order by n desc limit 5) c),
        'events', (select coalesce(jsonb_object_agg(e.state || coalesce(' ' || e.reason, ''), e.n), '{}') from (
            select e.state, case when e.state <> 'delivered' then e.reason end as reason, count(*) as n from rollcall.events e
             where e.destination_id = d.id group by 1, 2) e),
        'pause_code', d.pause_code, 'pause_message', d.pause_message, 'paused_until', d.paused_until, 'paused_since', d.paused_since,
        'pauses', d.pauses) order by d.id), '[]')
      from rollcall.destinations d where d.enabled))
    || coalesce((select jsonb_build_object('erasing', jsonb_build_object('count', count(*),
          'oldest_s', extract(epoch from clock_timestamp() - min(r.requested_at))))
        from rollcall.erasures r where r.finished_at is null having count(*) > 0), '{}')
    from rollcall.install i
$body$;
`;
