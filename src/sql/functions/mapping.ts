import { PASSING } from './passing.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/**
 * All of `SESSION` but what is dear: each time that setting is set the server reads its file of abbreviations, a tenth of a fold of one
 * contact. With `DEFAULT_ABBREVIATIONS` as the first statement these are the same.
 */
export const QUICK_SESSION: string = `set row_security = off set timezone = 'UTC' set datestyle = 'ISO, YMD'
  set intervalstyle = 'iso_8601' set extra_float_digits = 1 set bytea_output = 'hex'
  set standard_conforming_strings = on set transform_null_equals = off set array_nulls = on
  set lc_monetary = 'C' set lc_numeric = 'C' set lc_time = 'C' set xmloption = 'content' set xmlbinary = 'base64'
  ${KEYS_FIRST}`;

/** Holds until the transaction ends, and only where a role or a database has others. */
export const DEFAULT_ABBREVIATIONS = `if current_setting('timezone_abbreviations') <> 'Default' then
    perform set_config('timezone_abbreviations', 'Default', true);
  end if;`;

/** Mapping must not depend on the session: the same row has the same hash for every worker, cron job and psql. */
export const SESSION: string = `${QUICK_SESSION} set timezone_abbreviations = 'Default'`;

/** Running the generated mappings, with every row that cannot be mapped set aside. */
export const mapping: string = /* sql */ `
do $types$ begin
  if to_regtype('rollcall.mapped') is null then
    create type rollcall.mapped as (key text, verdict text, address text, consent text, payload jsonb, cleared jsonb);
    create type rollcall.wanted as (contact_id bigint, key text, verdict text, address text, consent text, payload jsonb, hash bytea, mapped jsonb);
  end if;
  if to_regtype('rollcall.fingerprint') is null then
    create type rollcall.fingerprint as (key text, verdict text, hash bytea);
  end if;
  if to_regtype('rollcall.adjusted') is null then
    create type rollcall.adjusted as (n bigint, holds boolean, payload jsonb);
  end if;
end $types$;

-- What tells one state of a contact from another. Inlined, so it has no settings; everything in it is named with its schema.
create or replace function rollcall.fingerprint_of(p_address text, p_consent text, p_payload jsonb) returns bytea
language sql stable as $body$
  select pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(E'\\n', p_address, p_consent, p_payload::text), 'UTF8'))
$body$;

-- Rows that cannot be mapped (a bad cast, say) are found by dividing, and reported one by one.
create or replace function rollcall.map_part(p_function name, p_keys text[], p_addresses text[]) returns rollcall.mapped[]
language plpgsql as $body$
declare
  v_rows rollcall.mapped[];
  v_all rollcall.mapped[] := '{}';
  v_count int := cardinality(p_keys);
  v_step int;
  v_from int := 1;
  v_code text;
  v_message text;
  v_nobody text;
begin
  begin
    execute format('select array_agg(m) from rollcall.%I($1, $2) m', p_function) into v_rows using p_keys, p_addresses;
    return coalesce(v_rows, '{}');
  exception
  when ${PASSING} then
    raise;
  when others or assert_failure then
    -- A row's value can raise any of the others: a pattern in a text is a syntax error, a function of the project has codes of
    -- its own. What fails for a contact without any row is the table, its rights, or a row that no reader of a view gets past.
    v_code := sqlstate; v_message := sqlerrm;
    begin
      v_nobody := gen_random_uuid();
      execute format('select from rollcall.%I($1, $2)', p_function) using array[v_nobody], array[v_nobody || '@rollcall.invalid'];
    exception
    when ${PASSING} then
      raise;
    when others or assert_failure then
      raise exception '%', v_message using errcode = 'RC003', detail = v_code;
    end;
    if v_count = 1 then
      return array[row(p_keys[1], 'failed', null, 'none', jsonb_build_object('code', v_code, 'message', v_message), '{}')::rollcall.mapped];
    end if;
  end;
  -- Few parts, so that few rows are mapped again and again: one bad row in a hundred is the case to be quick in.
  v_step := greatest(1, v_count / 16);
  while v_from <= v_count loop
    v_all := v_all || rollcall.map_part(p_function, p_keys[v_from : v_from + v_step - 1], p_addresses[v_from : v_from + v_step - 1]);
    v_from := v_from + v_step;
  end loop;
  return v_all;
end $body$;

-- Runs a generated mapping under fixed settings. Keys and their addresses are in the same order.
create or replace function rollcall.map_rows(p_function name, p_keys text[], p_addresses text[]) returns rollcall.mapped[]
language plpgsql set search_path = '' ${QUICK_SESSION} as $body$
begin
  ${DEFAULT_ABBREVIATIONS}
  return rollcall.map_part(p_function, p_keys, p_addresses);
end $body$;

-- Raises RC003, with the SQLSTATE as its detail, when a mapping fails whoever it is for.
create or replace function rollcall.map_nobody(p_function name) returns void language sql set search_path = '' as $body$
  select rollcall.map_rows(p_function, array[x.key], array[x.key || '@rollcall.invalid']) from (select gen_random_uuid()::text as key offset 0) x
$body$;
`;
