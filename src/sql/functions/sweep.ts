/** The plain sweep: every user's key is compared, and only what differs goes through the fold. */
export const sweep: string = /* sql */ `
create or replace function rollcall.sweep_page(p_after text, p_limit int)
returns table (last_key text, scanned int, folded int) language plpgsql set row_security = off as $body$
#variable_conflict use_column
declare
  v_keys text[];
  v_stale text[] := '{}';
  v_destination record;
begin
  select array_agg(x.id::text order by x.id), count(*) into v_keys, scanned from (
    select u.id from auth.users u where p_after is null or u.id > p_after::uuid order by u.id limit p_limit) x;
  last_key := v_keys[cardinality(v_keys)];
  folded := 0;
  if v_keys is null then return next; return; end if;
  select array_agg(k) into v_stale from unnest(v_keys) k where not exists (select from rollcall.contacts c where c.key = k);
  for v_destination in select d.id, d.map_function from rollcall.destinations d where d.enabled loop
    v_stale := v_stale || (
      select array_agg(w.key)
        from unnest(rollcall.wanted_rows(v_destination.map_function, v_keys)) w
        left join rollcall.desired s on s.destination_id = v_destination.id and s.contact_id = w.contact_id
       where case
         when w.verdict = 'failed' then not exists (select from rollcall.dead_letters l
           where l.destination_id = v_destination.id and l.contact_id = w.contact_id and l.stage = 'map')
         when s.contact_id is null then true
         when w.verdict = 'ok' then s.hash is distinct from w.hash and s.waiting_for is distinct from w.address
         else s.action = 'upsert' or s.reason is distinct from w.verdict end);
  end loop;
  if cardinality(v_stale) > 0 then
    select f.changed into folded from rollcall.fold_keys(v_stale, 1::smallint) f;
  end if;
  return next;
end $body$;

-- Keys we still have as contacts and that the source no longer has. Each is checked by itself again when it is folded.
create or replace function rollcall.absent_page(p_after bigint, p_limit int)
returns table (last_id bigint, scanned int, keys text[]) language plpgsql set row_security = off as $body$
begin
  select max(x.id), count(*)::int, array_agg(x.key) filter (where not exists (select from auth.users u where u.id = x.key::uuid))
    into last_id, scanned, keys
    from (select c.id, c.key from rollcall.contacts c
           where c.id > p_after and exists (select from rollcall.desired s where s.contact_id = c.id and s.action = 'upsert'
             and s.destination_id in (select d.id from rollcall.destinations d))
           order by c.id limit p_limit) x;
  return next;
end $body$;

create or replace function rollcall.uncaptured_count() returns bigint language sql as $body$
  select case when is_called then last_value + 1 else 0 end from rollcall.uncaptured
$body$;
`;
