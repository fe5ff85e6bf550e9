/** What is known of a delivery, as templates and tests ask for it: `src/core/opt-out.ts` and `src/sql/store/claim.ts` say the same to the worker. */
export const facts: string = /* sql */ `
create or replace function rollcall.same_address(p_one text, p_other text) returns boolean language sql immutable set search_path = '' as $body$
  select coalesce(lower(p_one) = lower(p_other) and p_one <> '', false)
$body$;

-- A number as JavaScript writes it with 36 digits.
create or replace function rollcall.base36(p_number bigint) returns text language plpgsql immutable set search_path = '' as $body$
declare
  v_left bigint := p_number;
  v_text text := '';
begin
  loop
    v_text := substr('0123456789abcdefghijklmnopqrstuvwxyz', (v_left % 36)::int + 1, 1) || v_text;
    v_left := v_left / 36;
    exit when v_left = 0;
  end loop;
  return v_text;
end $body$;

-- Ids of lists by their keys.
create or replace function rollcall.list_ids_of(p_rules jsonb, p_keys jsonb) returns jsonb language sql immutable set search_path = '' as $body$
  select coalesce(jsonb_agg(p_rules -> 'segments' -> k.key order by k.n), '[]')
    from jsonb_array_elements_text(coalesce(p_keys, '[]')) with ordinality k(key, n) where p_rules -> 'segments' ? k.key
$body$;

-- What an upsert says of lists: {joined, left_lists, changes_lists}. p_anew: the contact may be made by it. p_said: see rollcall.list_changes.
create or replace function rollcall.list_facts(p_rules jsonb, p_said jsonb, p_anew boolean) returns jsonb language sql immutable set search_path = '' as $body$
  select jsonb_build_object('joined', case when a.anew then p_rules -> 'all' else '[]' end || x.joins, 'left_lists', x.leaves,
      'changes_lists', x.joins <> '[]' or x.leaves <> '[]')
    from (select p_anew or (p_rules ->> 'keep')::boolean as anew) a
    cross join lateral (select rollcall.list_ids_of(p_rules, p_said -> case when a.anew then 'in' else 'join' end) as joins,
      rollcall.list_ids_of(p_rules, p_said -> 'leave') as leaves) x
$body$;

-- The facts that follow from others; again whenever something was read.
create or replace function rollcall.derive_facts(p_facts jsonb) returns jsonb language plpgsql immutable set search_path = '' as $body$
declare
  v_address text := p_facts ->> 'address';
  v_remote text := nullif(p_facts ->> 'remote_address', '');
  v_id text := nullif(p_facts ->> 'remote_id', '');
  v_said text := p_facts ->> 'subscription';
  v_consent text := p_facts ->> 'consent';
  v_upsert boolean := p_facts ->> 'action' = 'upsert';
  v_moves boolean := v_remote is null or not rollcall.same_address(v_remote, v_address);
  v_in boolean := v_upsert and v_consent = 'opted_in';
  -- They may stand under another address than this one.
  v_elsewhere boolean := v_remote is distinct from v_address and v_remote is not null or rollcall.is_true(p_facts -> 'leftovers');
  v_arrived boolean := not (p_facts ->> 'met')::boolean and (v_id is not null or (p_facts ->> 'imported')::boolean and not v_moves);
  v_kept text := case when v_upsert then v_address when v_id is null or p_facts ->> 'action' = 'unsubscribe' then v_remote end;
begin
  return p_facts || case when v_upsert and p_facts -> 'list_rules' <> 'null' then rollcall.list_facts(p_facts -> 'list_rules', p_facts -> 'list_changes', not v_arrived)
    else '{}' end || jsonb_build_object(
    'known_id', v_id is not null, 'known_address', v_remote is not null, 'known', v_id is not null or v_remote is not null,
    'moves', v_moves, 'left_behind', v_upsert and v_moves and v_id is not null,
    'imported_here', (p_facts ->> 'imported')::boolean and not v_moves,
    'fresh', not (p_facts ->> 'has_remote')::boolean and not (p_facts ->> 'takeover')::boolean,
    'opts_in', v_in, 'unsubscribes', p_facts ->> 'action' = 'unsubscribe',
    'stays_out', coalesce(v_said = 'unsubscribed' and not v_in, false),
    'arrived', v_arrived,
    'opts_out', v_consent = 'opted_out' or not v_in and (v_id is null or v_moves)
      and (coalesce(v_said = 'unsubscribed', false) or v_consent = 'none' and (v_id is null or v_said is distinct from 'subscribed')),
    'previous', case when not v_elsewhere then '[]' else (select coalesce(jsonb_agg(to_jsonb(x.each) order by x.n), '[]') from (
        select distinct on (o.each) o.each, o.n from (
          select v_remote as each, 0 as n where v_upsert
          union all
          select e.each, e.n::int from jsonb_array_elements_text(coalesce(nullif(p_facts -> 'leftovers', 'null'), '[]')) with ordinality e(each, n)) o
         where o.each <> '' and o.each is distinct from case when v_upsert then v_address else v_remote end
         order by o.each, o.n) x) end,
    -- Of somebody who moves by their id that contact is deleted, and not whoever has the address.
    'orphans', case when not v_elsewhere then '[]' else (select coalesce(jsonb_agg(to_jsonb(x.each) order by x.n), '[]') from (
        select distinct on (o.each) o.each, o.n from (
          select v_remote as each, 0 as n where v_upsert and v_id is null
          union all
          select e.each, e.n::int from jsonb_array_elements_text(coalesce(nullif(p_facts -> 'leftovers', 'null'), '[]')) with ordinality e(each, n)) o
         where o.each <> '' and not rollcall.same_address(o.each, v_kept)
         order by o.each, o.n) x) end);
end $body$;

-- The facts of a claimed contact. p_row: a row of rollcall.claim.
create or replace function rollcall.facts_of(p_destination smallint, p_row jsonb) returns jsonb language plpgsql stable set search_path = '' as $body$
declare
  v_send boolean := (p_row ->> 'send_state')::boolean;
  v_action text := p_row ->> 'action';
  v_delivered boolean := (p_row ->> 'delivered')::boolean;
  -- An attempt of unknown outcome at this very address tells nothing that matters: it is still a first delivery.
  v_untold boolean := v_send and v_action = 'upsert' and not v_delivered and p_row ->> 'remote_address' is not distinct from p_row ->> 'address';
  v_left boolean := coalesce(jsonb_array_length(nullif(p_row -> 'leftovers', 'null')), 0) > 0;
  v_known boolean := p_row ->> 'remote_id' is not null or v_left or p_row ->> 'remote_address' is not null and not v_untold;
  v_has boolean := not (v_action = 'none' and v_send)
    and (v_known or v_send and v_action = 'upsert' and p_row ->> 'carry_from' is not null);
  v_install record;
  v_plan jsonb := (select d.plan from rollcall.destinations d where d.id = p_destination);
begin
  select i.id, floor(extract(epoch from i.bound_at) * 1000)::bigint as epoch into v_install from rollcall.install i;
  return rollcall.derive_facts(jsonb_build_object(
    'contact_id', p_row -> 'contact_id', 'version', p_row -> 'version', 'action', case when v_action = 'none' then 'delete' else v_action end,
    'send_state', v_send, 'address', p_row -> 'address', 'consent', p_row -> 'consent', 'carry_from', p_row -> 'carry_from',
    'takeover', p_row -> 'takeover', 'again', coalesce(p_row -> 'again', 'false'), 'astray', coalesce(p_row -> 'astray', 'false'),
    'erases', coalesce(p_row -> 'erases', 'false'), 'tries', p_row -> 'tries', 'lane', p_row -> 'lane',
    'has_remote', v_has,
    'remote_address', case when v_has then p_row -> 'remote_address' end, 'remote_id', case when v_has then p_row -> 'remote_id' end,
    'leftovers', case when v_has then p_row -> 'leftovers' end,
    'imported', v_has and (p_row ->> 'imported')::boolean,
    'met', v_has and not v_delivered and p_row ->> 'remote_id' is not null,
    'attributes', coalesce((p_row ->> 'payload')::jsonb, '{}'), 'plan', v_plan,
    'list_rules', (select d.declaration -> 'lists' from rollcall.declared d where d.destination_id = p_destination),
    'list_changes', (p_row ->> 'lists')::jsonb,
    'claimed_address', case when v_has then p_row -> 'remote_address' end,
    'events_once', (select d.events_once from rollcall.destinations d where d.id = p_destination),
    'install', v_install.id || '-' || p_destination, 'epoch', v_install.epoch, 'epoch36', rollcall.base36(v_install.epoch)));
end $body$;
`;
