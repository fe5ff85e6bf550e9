import { KEYS_FIRST } from './plan-settings.ts';

/** What contacts shall be: what the users function says, and what each table adds to it. */
export const wanted: string = /* sql */ `
-- Who has an address at a destination, and who waits for it.
create or replace function rollcall.holders(p_destination smallint, p_address text) returns table (contact_id bigint, key text)
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select o.contact_id, c.key
    from (select o.contact_id from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = p_address
          union all
          select o.contact_id from rollcall.desired o where o.destination_id + 0 = p_destination and o.waiting_for = p_address) o
    join rollcall.contacts c on c.id = o.contact_id
$body$;

-- What a table adds. While it is paused, what it gave before stays.
create or replace function rollcall.part_rows(p_part rollcall.parts, p_destination smallint, p_keys text[], p_addresses text[])
returns rollcall.mapped[] language plpgsql set search_path = '' as $body$
declare
  v_code text;
  v_message text;
begin
  if not exists (select from rollcall.sources s where s.name = p_part.source and s.pause_code is not null) then
    begin
      return rollcall.map_rows(p_part.function, p_keys, p_addresses);
    exception when sqlstate 'RC003' then
      get stacked diagnostics v_code = pg_exception_detail, v_message = message_text;
      perform rollcall.pause_source(p_part.source, v_code, v_message);
    end;
  end if;
  return (
    select array_agg(row(k.key, case when s.action = 'upsert' then 'ok' else 'gone' end, null,
             case when p_part.gives_consent and s.consent <> 'none' then s.consent else 'missing' end,
             coalesce((select jsonb_object_agg(e.key, e.value) from jsonb_each(s.payload) e where e.key = any(p_part.attributes)), '{}'),
             '{}')::rollcall.mapped)
      from unnest(p_keys) as k(key)
      left join lateral (
        select s.action, s.consent, s.payload from rollcall.contacts c join rollcall.desired s on s.contact_id = c.id
         where c.key = k.key and s.destination_id = p_destination offset 0) s on true);
end $body$;

-- Whoever is known by an address alone gives way to the user who has it: here in this fold, or since an earlier one.
create or replace function rollcall.merged_rows(p_destination smallint, p_rows rollcall.mapped[]) returns rollcall.mapped[]
language sql set search_path = '' ${KEYS_FIRST} as $body$
  select array_agg(case when x.merged
      then row((x.m).key, 'merged', null, 'none', '{}'::jsonb, '{}'::jsonb)::rollcall.mapped else x.m end)
    from (
      select m, m.key like 'email:%' and m.verdict = 'ok' and (
               exists (select from unnest(p_rows) u where u.address = m.address and u.verdict = 'ok' and u.key not like 'email:%')
               or exists (select from rollcall.holders(p_destination, m.address) h
                           where h.key not like 'email:%' and not exists (select from unnest(p_rows) u where u.key = h.key))) as merged
        from unnest(p_rows) m) x
$body$;

-- What each contact shall be at a destination, read from the sources now.
create or replace function rollcall.wanted_rows(p_destination smallint, p_function name, p_keys text[]) returns rollcall.wanted[]
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_rows rollcall.mapped[] := rollcall.map_rows(p_function, p_keys, null);
  v_part rollcall.parts;
  v_added rollcall.mapped[];
  v_keys text[];
  v_addresses text[];
begin
  if exists (select from rollcall.parts) then
    select array_agg(m.key), array_agg(m.address) into v_keys, v_addresses
      from unnest(v_rows) m where m.verdict in ('ok', 'email', 'unlisted');
    if v_keys is not null then
      for v_part in select * from rollcall.parts p order by p.rank desc, p.function loop
        v_added := rollcall.part_rows(v_part, p_destination, v_keys, v_addresses);
        -- A failed row fails the contact. A row of a table of contacts makes one of whom nothing else does.
        select array_agg(row(m.key,
                 case when a.verdict = 'failed' then 'failed'
                      when a.verdict = 'ok' and v_part.makes_contacts and m.verdict in ('email', 'unlisted') then 'ok'
                      else m.verdict end,
                 m.address,
                 case when v_part.gives_consent and a.consent <> 'missing' then a.consent else m.consent end,
                 case when a.verdict = 'failed' then a.payload when m.verdict = 'failed' or a.key is null then m.payload
                      else m.payload || a.payload end,
                 case when a.key is null then m.cleared else m.cleared || a.cleared end)::rollcall.mapped)
          into v_rows
          from unnest(v_rows) m left join unnest(v_added) a on a.key = m.key;
      end loop;
      -- Precedence is for values: a null that clears is under all of them.
      select array_agg(row(m.key, case m.verdict when 'email' then 'gone' when 'unlisted' then 'not_synced' else m.verdict end,
               m.address, m.consent,
               case when m.verdict = 'failed' then m.payload else m.cleared || m.payload end, m.cleared)::rollcall.mapped)
        into v_rows from unnest(v_rows) m;
      v_rows := rollcall.merged_rows(p_destination, v_rows);
    end if;
  end if;
  return (
    select array_agg(row(c.id, c.key, m.verdict, case when m.verdict = 'ok' then m.address end, m.consent,
             case when m.verdict in ('ok', 'failed') then m.payload else '{}' end,
             case when m.verdict = 'ok'
               then sha256(convert_to(concat_ws(E'\\n', m.address, m.consent, m.payload::text), 'UTF8'))
               else ''::bytea end)::rollcall.wanted order by c.id)
      from unnest(v_rows) m
      cross join lateral (select c.id, c.key from rollcall.contacts c where c.key = m.key offset 0) c);
end $body$;

-- Whom a change concerns too: with a user, whoever is known by an address the user has, had or waits for; with such a one, the
-- users who have that address or wait for it. Read before the owner rows are locked, so that these are among them.
create or replace function rollcall.kin(p_keys text[]) returns text[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_users text[] := array(select k from unnest(p_keys) k where k not like 'email:%');
  v_emails text[] := array(select substr(k, 7) from unnest(p_keys) k where k like 'email:%');
  v_addresses text[];
  v_kin text[];
begin
  if not exists (select from rollcall.install i where i.by_address) then return p_keys; end if;
  begin
    v_addresses := array(
      select rollcall.user_addresses(v_users)
      union select a.address from unnest(v_users) as k(key)
        cross join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c
        cross join lateral (select s.address, s.waiting_for from rollcall.desired s where s.contact_id = c.id offset 0) s
        cross join lateral (values (s.address), (s.waiting_for)) as a(address)
       where a.address is not null);
  exception when syntax_error_or_access_rule_violation or invalid_schema_name then
    raise exception '%', sqlerrm using errcode = 'RC003', detail = sqlstate;
  end;
  select array_agg(x.key) into v_kin from (
    select k as key from unnest(p_keys) k
    union select c.key from unnest(v_addresses) as a(address)
      cross join lateral (select c.key from rollcall.contacts c where c.key = 'email:' || a.address offset 0) c
    union select h.key from unnest(v_emails) as a(address) cross join rollcall.destinations d
      cross join lateral rollcall.holders(d.id, a.address) h
     where d.enabled) x;
  return v_kin;
end $body$;
`;
