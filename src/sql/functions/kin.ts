import { KEYS_FIRST } from './plan-settings.ts';

/** Who has to be folded together. */
export const kin: string = /* sql */ `
-- Whom a change concerns too, so that an address changes hands in one fold: in two, a deletion could go out in between.
-- With a user: whoever is known alone by an address the user has, had or waits for. With such a one: the users who have that
-- address or wait for it. With anybody: who waits for an address they have. Read before the owner rows are locked, so that
-- these are among them.
create or replace function rollcall.kin(p_keys text[]) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_by_address boolean := (select i.by_address from rollcall.install i);
  v_users text[] := array(select k from unnest(p_keys) k where k not like 'email:%');
  v_now text[];
  v_kin text[];
begin
  if not v_by_address and not exists (select from rollcall.desired s where s.waiting_for is not null) then return p_keys; end if;
  if v_by_address then
    begin
      v_now := array(select rollcall.user_addresses(v_users));
    exception when syntax_error_or_access_rule_violation or invalid_schema_name then
      raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
    end;
  end if;
  with held as materialized (
    select distinct a.address, a.has
      from unnest(p_keys) as k(key)
      cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c
      cross join lateral (select s.address, s.waiting_for from rollcall.desired s where s.contact_id = c.id offset 0) s
      cross join lateral (values (s.address, true), (s.waiting_for, false)) as a(address, has)
     where a.address is not null
  ), addresses as materialized (
    select h.address from held h
    union select a from unnest(v_now) a
    union select substr(k, 7) from unnest(p_keys) k where k like 'email:%'
  )
  select array_agg(x.key) into v_kin from (
    select k as key from unnest(p_keys) k
    -- Its rows may not have been folded yet, or belong to a user until this very change.
    union select 'email:' || h.address from held h where v_by_address and h.has and h.address <> all(v_now)
    union select c.key from addresses a
      cross join lateral (select c.key from rollcall.contacts c where v_by_address and c.key = 'email:' || a.address offset 0) c
    union select h.key from addresses a cross join rollcall.destinations d cross join lateral rollcall.holders(d.id, a.address) h
     where d.enabled) x;
  return v_kin;
end $body$;
`;
