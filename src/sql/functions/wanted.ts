import { BY_HASH, KEYS_FIRST } from './plan-settings.ts';

/** What contacts shall be: what the users function says, and what each table adds to it. */
export const wanted: string = /* sql */ `
-- Who has an address at a destination, and who waits for it; the first of them first.
create or replace function rollcall.holders(p_destination smallint, p_address text)
returns table (contact_id bigint, key text, waits boolean) language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select o.contact_id, c.key, o.waits
    from (select o.contact_id, false as waits from rollcall.desired o where o.destination_id + 0 = p_destination and o.address = p_address
          union all
          select o.contact_id, true from rollcall.desired o where o.destination_id + 0 = p_destination and o.waiting_for = p_address) o
    join rollcall.contacts c on c.id = o.contact_id
   order by o.waits, o.contact_id
$body$;

-- Remembers what a table gave, for the time when it cannot be read. The owner rows are locked by the caller.
create or replace function rollcall.keep_given(p_function name, p_rows rollcall.mapped[]) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  insert into rollcall.given as g (contact_id, function, present, consent, payload)
    select c.id, p_function, m.verdict = 'ok', m.consent, m.payload
      from unnest(p_rows) m cross join lateral (select c.id from rollcall.contacts c where c.key = m.key offset 0) c
     where m.verdict in ('ok', 'gone') order by c.id
  on conflict (contact_id, function) do update
     set present = excluded.present, consent = excluded.consent, payload = excluded.payload
   where (g.present, g.consent, g.payload) is distinct from (excluded.present, excluded.consent, excluded.payload)
$body$;

-- What a table gave before it was paused: to the contact, or to whoever was known by its address alone. Where that is not known
-- a contact keeps what it has, and none is made of which the table would say whether they may be mailed.
create or replace function rollcall.given_rows(p_part rollcall.parts, p_destination smallint, p_keys text[], p_addresses text[])
returns rollcall.mapped[] language sql set search_path = '' ${KEYS_FIRST} as $body$
  select array_agg(row(k.key,
           case when g.function is not null then case when g.present then 'ok' else 'gone' end
                when s.action is null and p_part.gives_consent then 'unread'
                when s.action = 'upsert' then 'ok' else 'gone' end,
           null,
           coalesce(g.consent, case when p_part.gives_consent and s.consent <> 'none' then s.consent end, 'missing'),
           coalesce(g.payload,
             (select jsonb_object_agg(e.key, e.value) from jsonb_each(coalesce(s.mapped, s.payload)) e where e.key = any(p_part.attributes)), '{}'),
           '{}')::rollcall.mapped)
    from unnest(p_keys, p_addresses) as k(key, address)
    left join lateral (
      select g.* from (values (k.key, 1), ('email:' || k.address, 2)) as x(key, turn)
        cross join lateral (select c.id from rollcall.contacts c where c.key = x.key offset 0) c
        cross join lateral (select * from rollcall.given g where g.contact_id = c.id and g.function = p_part.function offset 0) g
       order by not g.present, x.turn limit 1) g on true
    left join lateral (
      select s.action, s.consent, s.payload, s.mapped from rollcall.contacts c join rollcall.desired s on s.contact_id = c.id
       where c.key = k.key and s.destination_id = p_destination offset 0) s on true
$body$;

-- What a table adds; p_keep to remember it.
create or replace function rollcall.part_rows(p_part rollcall.parts, p_destination smallint, p_keys text[], p_addresses text[],
  p_keep boolean) returns rollcall.mapped[] language plpgsql set search_path = '' set lock_timeout = '2s' as $body$
declare
  v_rows rollcall.mapped[];
  v_code text;
  v_message text;
begin
  if not exists (select from rollcall.sources s where s.name = p_part.source and s.pause_code is not null) then
    begin
      v_rows := rollcall.map_rows(p_part.function, p_keys, p_addresses);
      if p_keep then perform rollcall.keep_given(p_part.function, v_rows); end if;
      return v_rows;
    exception
    when sqlstate 'RC003' then
      get stacked diagnostics v_code = pg_exception_detail, v_message = message_text;
      perform rollcall.pause_source(p_part.source, v_code, v_message);
    when lock_not_available then
      perform rollcall.pause_locked(p_part.source);
    end;
  end if;
  return rollcall.given_rows(p_part, p_destination, p_keys, p_addresses);
end $body$;

-- A failed row fails the contact. A row of a table of contacts makes one of whom nothing else does.
create or replace function rollcall.add_part(p_part rollcall.parts, p_rows rollcall.mapped[], p_added rollcall.mapped[])
returns rollcall.mapped[] language sql set search_path = '' ${BY_HASH} as $body$
  select array_agg(row(m.key,
           case when a.verdict = 'failed' then 'failed'
                when a.verdict = 'unread' and m.verdict <> 'failed' then 'source_paused'
                when a.verdict = 'ok' and p_part.makes_contacts and m.verdict in ('email', 'unlisted') then 'ok'
                else m.verdict end,
           m.address,
           case when p_part.gives_consent and a.consent <> 'missing' then a.consent else m.consent end,
           case when a.verdict = 'failed' then a.payload when m.verdict = 'failed' or a.key is null then m.payload
                else m.payload || a.payload end,
           case when a.key is null then m.cleared else m.cleared || a.cleared end)::rollcall.mapped)
    from unnest(p_rows) m left join unnest(p_added) a on a.key = m.key
$body$;

-- Whoever is known by an address alone gives way to the user who has it: here in this fold, or since an earlier one.
create or replace function rollcall.merged_rows(p_destination smallint, p_rows rollcall.mapped[]) returns rollcall.mapped[]
language sql set search_path = '' ${BY_HASH} as $body$
  with here as materialized (
    select u.key, u.address, u.verdict from unnest(p_rows) u where u.key not like 'email:%'
  ), emails as materialized (
    select m.key, substr(m.key, 7) as address from unnest(p_rows) m where m.key like 'email:%' and m.verdict in ('ok', 'failed')
  ), held as materialized (
    select e.key, h.key as holder from emails e cross join lateral rollcall.holders(p_destination, e.address) h
     where h.key not like 'email:%'
  ), merged as (
    select e.key from emails e join here u on u.address = e.address and u.verdict = 'ok'
    union select h.key from held h left join here u on u.key = h.holder where u.key is null
  )
  select array_agg(case when x.key is null then m else row(m.key, 'merged', null, 'none', '{}'::jsonb, '{}'::jsonb)::rollcall.mapped end)
    from unnest(p_rows) m left join merged x on x.key = m.key
$body$;

-- What each contact shall be at a destination, read from the sources now. p_keep: what was read, and what was answered since p_from, is
-- remembered.
create or replace function rollcall.wanted_rows(p_destination smallint, p_function name, p_keys text[], p_keep boolean default false,
  p_from timestamptz default null)
returns rollcall.wanted[] language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
declare
  v_rows rollcall.mapped[] := rollcall.map_rows(p_function, p_keys, null);
  v_part rollcall.parts;
  v_keys text[];
  v_addresses text[];
  v_adjustment name := (select a.function from rollcall.adjustments a where a.destination_id = p_destination);
  v_mapped rollcall.mapped[];  -- what the rows are before this destination makes something else of them
begin
  if exists (select from rollcall.parts) then
    select array_agg(m.key), array_agg(m.address) into v_keys, v_addresses
      from unnest(v_rows) m where m.verdict in ('ok', 'email', 'unlisted');
    if v_keys is not null then
      for v_part in select * from rollcall.parts p order by p.rank desc, p.function loop
        v_rows := rollcall.add_part(v_part, v_rows, rollcall.part_rows(v_part, p_destination, v_keys, v_addresses, p_keep));
      end loop;
      -- Precedence is for values: a null that clears is under all of them.
      select array_agg(row(m.key, m.verdict, m.address, m.consent,
               case when m.verdict = 'failed' then m.payload else m.cleared || m.payload end, m.cleared)::rollcall.mapped)
        into v_rows from unnest(v_rows) m;
      v_rows := rollcall.merged_rows(p_destination, v_rows);
    end if;
  end if;
  if exists (select from rollcall.install i where i.consent_source is not null) then
    -- What is put in the place of a table that cannot be read is nobody's answer.
    if p_keep and not exists (select from rollcall.parts p join rollcall.sources s on s.name = p.source
      where p.gives_consent and s.pause_code is not null) then
      perform rollcall.note_answers(v_rows, p_from);
    end if;
    select array_agg(row(m.key, m.verdict, m.address, split_part(m.consent, ' ', 1), m.payload, m.cleared)::rollcall.mapped order by m.place)
      into v_rows from unnest(v_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, place);
  end if;
  if v_adjustment is not null then
    v_mapped := v_rows;
    v_rows := rollcall.adjusted_rows(p_destination, v_adjustment, v_rows);
  end if;
  if exists (select from rollcall.consent) then
    if p_keep then perform rollcall.note_write_backs(v_rows); end if;
    v_rows := rollcall.with_consent(p_destination, v_rows);
  end if;
  if exists (select from rollcall.erasing e where e.bypass) then v_rows := rollcall.erased_rows(v_rows); end if;
  -- An address without a contact is kept where a row of a table could make one of it.
  return (
    select array_agg(row(c.id, c.key, v.verdict,
             case when v.verdict in ('ok', 'not_synced', 'failed', 'source_paused', 'filtered') then m.address end, m.consent,
             case when v.verdict in ('ok', 'failed') then m.payload else '{}' end,
             case when v.verdict = 'ok' then rollcall.fingerprint_of(m.address, m.consent, m.payload) else ''::bytea end,
             case when v.verdict = 'ok' then m.mapped end)::rollcall.wanted order by c.id)
      from rows from (unnest(v_rows), unnest(v_mapped))
        as m(key, verdict, address, consent, payload, cleared, key_before, verdict_before, address_before, consent_before, mapped, cleared_before)
      cross join lateral (select case m.verdict when 'email' then 'gone' when 'unlisted' then 'not_synced' else m.verdict end as verdict) v
      cross join lateral (select c.id, c.key from rollcall.contacts c where c.key = m.key offset 0) c);
end $body$;
`;
