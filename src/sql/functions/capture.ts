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
  v_from int := 1;
begin
  while v_from <= cardinality(p_keys) loop
    if v_log = 0 then
      insert into rollcall.changes_0 (source, keys) values (p_source, p_keys[v_from : v_from + 999]);
    elsif v_log = 1 then
      insert into rollcall.changes_1 (source, keys) values (p_source, p_keys[v_from : v_from + 999]);
    else
      insert into rollcall.changes_2 (source, keys) values (p_source, p_keys[v_from : v_from + 999]);
    end if;
    v_from := v_from + 1000;
  end loop;
  -- NOTIFY takes a database-wide lock at commit, so only an idle worker that armed itself is told.
  if (select last_value from rollcall.armed_until) > extract(epoch from clock_timestamp()) then
    perform pg_notify('rollcall', '');
  end if;
end $body$;
`;
