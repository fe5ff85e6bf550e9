/**
 * The inner half of capture: appends keys to the log and wakes an armed worker. The generated trigger function calls it
 * inside an exception block, so nothing here can fail the app's statement. Runs with the trigger function's rights,
 * search_path and lock_timeout.
 */
export const capture: string = /* sql */ `
create or replace function rollcall.capture(p_source smallint, p_keys text[]) returns void
language plpgsql as $body$
declare
  v_log int := (select last_value from rollcall.current_log);
begin
  if cardinality(p_keys) <= 1000 then
    ${toCurrentLog('values (p_source, p_keys)')}
  else
    ${toCurrentLog(`select p_source, array_agg(k) from unnest(p_keys) with ordinality as x(k, n) group by (n - 1) / 1000`)}
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
    .map(
      (n) => `${n === 0 ? 'if' : 'elsif'} v_log = ${n} then insert into rollcall.changes_${n} (source, keys) ${rows};`,
    )
    .concat('end if;')
    .join('\n    ');
}
