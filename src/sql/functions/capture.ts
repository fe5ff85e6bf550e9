/**
 * The inner half of capture: appends to the log and wakes an armed worker. The generated trigger functions call it inside an
 * exception block, so nothing here can fail the app's statement. Runs with the trigger function's rights, search_path and
 * lock_timeout.
 */
export const capture: string = /* sql */ `
create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null) returns void
language plpgsql as $body$
declare
  v_log int := (select last_value from rollcall.current_log);
begin
  if cardinality(p_keys) between 1 and 1000 then
    ${toCurrentLog('(source, keys) values (p_source, p_keys)')}
  elsif cardinality(p_keys) > 1000 then
    ${toCurrentLog(`(source, keys) select p_source, array_agg(k) from unnest(p_keys) with ordinality as x(k, n) group by (n - 1) / 1000`)}
  end if;
  -- Captured rows may be large, and one value of the log holds at most 1 GB.
  if cardinality(p_events) between 1 and 100 then
    ${toCurrentLog('(source, events) values (p_source, p_events)')}
  elsif cardinality(p_events) > 100 then
    ${toCurrentLog(`(source, events) select p_source, array_agg(e order by n) from unnest(p_events) with ordinality as x(e, n) group by (n - 1) / 100 order by min(n)`)}
  end if;
  -- NOTIFY takes a database-wide lock at commit, so only an idle worker that armed itself is told. A full queue would fail the
  -- app's commit.
  if (select last_value from rollcall.armed_until) > extract(epoch from clock_timestamp()) and pg_notification_queue_usage() < 0.5 then
    perform pg_notify('rollcall', '');
  end if;
end $body$;
`;

function toCurrentLog(rows: string): string {
  return [0, 1, 2]
    .map((n) => `${n === 0 ? 'if' : 'elsif'} v_log = ${n} then insert into rollcall.changes_${n} ${rows};`)
    .concat('end if;')
    .join('\n    ');
}
