/** The plain sweep: every user's key is compared, and only what differs goes through the fold. */
export const sweep: string = /* sql */ `
create or replace function rollcall.uncaptured_count() returns bigint language sql as $body$
  select case when is_called then last_value + 1 else 0 end from rollcall.uncaptured
$body$;

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
  update rollcall.install set sweep_until = clock_timestamp() + interval '1 minute';
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

-- Begins a sweep unless another is at work; null when there is nothing to do. Pages prolong it.
create or replace function rollcall.begin_sweep(p_every interval, p_force boolean) returns bigint language sql as $body$
  update rollcall.install set sweep_until = clock_timestamp() + interval '1 minute'
   where (sweep_until is null or sweep_until < clock_timestamp())
     and (p_force or swept_at is null or swept_at < clock_timestamp() - p_every or uncaptured_seen <> rollcall.uncaptured_count())
  returning rollcall.uncaptured_count()
$body$;

create or replace function rollcall.end_sweep(p_uncaptured bigint, p_note text) returns void language sql as $body$
  update rollcall.install set sweep_until = null, swept_at = clock_timestamp(), uncaptured_seen = p_uncaptured, sweep_note = p_note
$body$;

-- Rotates the log when the current table has grown, and prunes attempts in small bites.
create or replace function rollcall.tidy(p_attempts_older interval) returns void language plpgsql as $body$
begin
  if pg_relation_size(format('rollcall.changes_%s', (select last_value from rollcall.current_log))::regclass) > 1048576 then
    perform rollcall.rotate_log();
  end if;
  delete from rollcall.attempts where id in (
    select a.id from rollcall.attempts a where a.at < clock_timestamp() - p_attempts_older order by a.id limit 5000);
end $body$;

`;
