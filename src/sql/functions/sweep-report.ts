/** What is known of why a sweep was wanted, and what it found. Counts and names of tables, nobody's data. */
export const sweepReport: string = /* sql */ `
create or replace function rollcall.truncated_count() returns bigint language sql set search_path = '' as $body$
  select case when is_called then last_value + 1 else 0 end from rollcall.truncated
$body$;

-- For begin_sweep. What comes later is for the next sweep to tell, as this one may have passed by already.
create or replace function rollcall.sweep_beginning() returns jsonb language sql set search_path = '' as $body$
  select jsonb_build_object('at', clock_timestamp(), 'uncaptured', rollcall.uncaptured_count(), 'truncated', rollcall.truncated_count(),
    'cause', (select coalesce(max(c.id), 0) from rollcall.sweep_causes c))
$body$;

-- Everything that bumps "uncaptured" but a failure says so: the rest are failures. Partitions that are truncated count each.
create or replace function rollcall.sweep_facts() returns jsonb language sql set search_path = '' as $body$
  select jsonb_build_object(
    'seconds', extract(epoch from clock_timestamp() - (i.sweep_began ->> 'at')::timestamptz)::float8,
    'failures', greatest(0, (i.sweep_began ->> 'uncaptured')::bigint - i.uncaptured_seen - t.truncations - coalesce(c.known, 0)),
    'truncations', t.truncations,
    'causes', coalesce(c.causes, '[]'),
    'unwatched', (select coalesce(jsonb_agg(distinct m.table_name), '[]') from rollcall.missing_triggers() m),
    'paused', (select coalesce(jsonb_agg(s.name order by s.name), '[]') from rollcall.sources s where s.enabled and s.pause_code is not null),
    'clock', i.reevaluate is not null)
    from rollcall.install i
    cross join lateral (select greatest(0, (i.sweep_began ->> 'truncated')::bigint - i.truncated_seen) as truncations) t
    cross join lateral (select sum(x.bumps) as known,
        jsonb_agg(jsonb_build_object('cause', x.cause, 'source', x.source, 'count', x.n) order by x.cause, x.source) as causes
      from (select c.cause, c.source, count(*) as n, sum(c.bumps) as bumps from rollcall.sweep_causes c
             where c.id <= (i.sweep_began ->> 'cause')::bigint group by c.cause, c.source) x) c
$body$;

-- Keeps the report of a sweep that has come to its end; what it tells of is told.
create or replace function rollcall.report_sweep(p_report jsonb) returns void language plpgsql set search_path = '' as $body$
declare
  v_began jsonb := (select i.sweep_began from rollcall.install i);
begin
  delete from rollcall.sweep_causes c where c.id <= (v_began ->> 'cause')::bigint;
  update rollcall.install set sweep_report = p_report || jsonb_build_object('at', clock_timestamp()),
    truncated_seen = (v_began ->> 'truncated')::bigint;
end $body$;
`;
