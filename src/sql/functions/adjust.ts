import { EMAIL_KEY } from '../compile/link.ts';
import { SESSION } from './mapping.ts';
import { PASSING } from './passing.ts';
import { BY_HASH } from './plan-settings.ts';

/** What one destination makes of contacts: see `compile/adjustment.ts`. */
export const adjust: string = /* sql */ `
-- Whether each contact is one there, and with which payload; in the same order. A contact for which that cannot be told has
-- nothing in holds and {code, message} as its payload, and is found by dividing. What fails for a contact without any attribute fails
-- for all of them.
create or replace function rollcall.adjust_part(p_function name, p_addresses text[], p_payloads jsonb[]) returns rollcall.adjusted[]
language plpgsql as $body$
declare
  v_rows rollcall.adjusted[];
  v_all rollcall.adjusted[] := '{}';
  v_count int := cardinality(p_payloads);
  v_step int;
  v_from int := 1;
  v_failed jsonb;
  v_alone boolean := v_count = 1;
begin
  begin
    execute format('select array_agg(a order by a.n) from rollcall.%I($1, $2) a', p_function) into v_rows using p_addresses, p_payloads;
    return coalesce(v_rows, '{}');
  exception
  when ${PASSING} then
    raise;
  when others or assert_failure then
    v_failed := jsonb_build_object('code', sqlstate, 'message', sqlerrm);
  end;
  if not v_alone then
    begin
      execute format('select from rollcall.%I($1, $2)', p_function) using array['nobody@rollcall.invalid'], array['{}'::jsonb];
    exception
    when ${PASSING} then
      raise;
    when others or assert_failure then
      v_alone := true;
    end;
  end if;
  if v_alone then return array(select row(n, null, v_failed)::rollcall.adjusted from generate_series(1, v_count) n); end if;
  v_step := greatest(1, v_count / 16);
  while v_from <= v_count loop
    v_all := v_all || rollcall.adjust_part(p_function, p_addresses[v_from : v_from + v_step - 1], p_payloads[v_from : v_from + v_step - 1]);
    v_from := v_from + v_step;
  end loop;
  return v_all;
end $body$;

-- The same under the settings of all mappings.
create or replace function rollcall.adjust_contacts(p_function name, p_addresses text[], p_payloads jsonb[]) returns rollcall.adjusted[]
language sql set search_path = '' ${SESSION} as $body$
  select rollcall.adjust_part(p_function, p_addresses, p_payloads)
$body$;

-- Somebody known by an address alone, who has given way to a user, leaves as the policy says when that user is no contact here. Whether
-- one is that is not among p_rows was said by an earlier fold.
create or replace function rollcall.left_out_along(p_destination smallint, p_rows rollcall.mapped[]) returns rollcall.mapped[]
language sql set search_path = '' ${BY_HASH} as $body$
  select array_agg(case when m.verdict = 'merged' and coalesce(u.left_out,
           (select s.reason = 'filtered' from rollcall.holders(p_destination, substr(m.key, ${EMAIL_KEY.length + 1})) h
              cross join lateral (select s.reason from rollcall.desired s
                where s.destination_id = p_destination and s.contact_id = h.contact_id offset 0) s
             where h.key not like '${EMAIL_KEY}%' order by h.waits, h.contact_id limit 1))
         then row(m.key, 'filtered', m.address, m.consent, m.payload, m.cleared)::rollcall.mapped
         else row(m.key, m.verdict, m.address, m.consent, m.payload, m.cleared)::rollcall.mapped end order by m.n)
    from unnest(p_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, n)
    left join (select x.address, bool_and(x.verdict = 'filtered') as left_out from unnest(p_rows) x
                where x.verdict in ('ok', 'filtered') and x.key not like '${EMAIL_KEY}%' group by x.address) u
      on u.address = substr(m.key, ${EMAIL_KEY.length + 1}) and m.key like '${EMAIL_KEY}%'
$body$;

-- What a destination makes of p_rows, in the same order. A user who is no contact there keeps the address, where there may be somebody
-- known by it alone: who is the same person, and no contact either.
create or replace function rollcall.adjusted_rows(p_destination smallint, p_function name, p_rows rollcall.mapped[])
returns rollcall.mapped[] language plpgsql set search_path = '' ${BY_HASH} as $body$
declare
  v_by_address boolean := (select i.by_address from rollcall.install i);
  v_places bigint[];
  v_addresses text[];
  v_payloads jsonb[];
  v_adjusted rollcall.adjusted[];
  v_rows rollcall.mapped[];
begin
  select array_agg(m.n order by m.n), array_agg(m.address order by m.n), array_agg(m.payload order by m.n)
    into v_places, v_addresses, v_payloads
    from unnest(p_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, n) where m.verdict = 'ok';
  v_rows := p_rows;
  if v_places is not null then
    v_adjusted := rollcall.adjust_contacts(p_function, v_addresses, v_payloads);
    select array_agg(row(m.key,
             case when a.place is null then m.verdict when a.holds is null then 'failed' when a.holds then 'ok' else 'filtered' end,
             case when a.holds is not false or v_by_address and m.key not like '${EMAIL_KEY}%' then m.address end,
             m.consent, case when a.place is null then m.payload else a.payload end, m.cleared)::rollcall.mapped order by m.n)
      into v_rows
      from unnest(p_rows) with ordinality as m(key, verdict, address, consent, payload, cleared, n)
      left join unnest(v_places, v_adjusted) as a(place, n, holds, payload) on a.place = m.n;
  end if;
  if v_by_address then v_rows := rollcall.left_out_along(p_destination, v_rows); end if;
  return v_rows;
end $body$;
`;
