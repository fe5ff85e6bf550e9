import { EMAIL_KEY, keyUser, normalAddress, UUID } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';
import { unfolded } from './unfolded.ts';

/** Most attempts and events that are told of, the newest. */
const NEWEST = 5;

/** One person's story, for `rollcall why` and for the SQL editor. */
export const why: string = /* sql */ `
-- Keys of whoever is meant by the id of a user, or by an address that they have, had, or wait for; of an address also whoever is known
-- by it alone. Where no index knows the address, the users are read one by one.
create or replace function rollcall.whose(p_who text) returns text[] language plpgsql stable
set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_address text := case when p_who like '%@%' then ${normalAddress('p_who')} end;
  v_keys text[];
begin
  if p_who ~ ${UUID} then return array[lower(p_who)]; end if;
  if v_address is null then return '{}'; end if;
  v_keys := array(
    select '${EMAIL_KEY}' || v_address
    union select c.key from (
      select s.contact_id from rollcall.desired s where s.address = v_address
      union select s.contact_id from rollcall.desired s where s.remote_address = v_address
      union select s.contact_id from rollcall.desired s where s.waiting_for = v_address
      union select s.contact_id from rollcall.past_addresses s where s.address = v_address) s
     cross join lateral (select c.key from rollcall.contacts c where c.id = s.contact_id offset 0) c
    union select u.id::text from auth.users u where u.email = v_address and u.is_sso_user = false);
  if cardinality(v_keys) = 1 and not exists (select from rollcall.contacts c where c.key = any(v_keys)) then
    v_keys := v_keys || array(select u.id::text from auth.users u where lower(u.email) = v_address);
  end if;
  return v_keys;
end $body$;

-- What the rows say now, by destination and key, whether or not that was folded yet: {verdict, address, consent, attributes}. Writes nothing.
-- {"error": {code, message}} where they can't be read.
create or replace function rollcall.as_rows_say(p_keys text[]) returns jsonb language plpgsql
set search_path = '' set row_security = off set lock_timeout = '1s' as $body$
declare
  v_said jsonb;
begin
  begin
    insert into rollcall.contacts (key) select k from unnest(p_keys) k
     where not exists (select from rollcall.contacts c where c.key = k) on conflict do nothing;
    select coalesce(jsonb_object_agg(d.name, (
             select coalesce(jsonb_object_agg(w.key, jsonb_build_object('verdict', w.verdict, 'address', w.address,
                 'consent', case w.consent when 'missing' then 'none' else w.consent end, 'attributes', w.payload)), '{}')
               from unnest(rollcall.wanted_rows(d.id, d.map_function, p_keys)) w)), '{}')
      into v_said from rollcall.destinations d where d.enabled;
    raise exception 'rolled back on purpose' using errcode = 'RC080';
  exception
  when sqlstate 'RC080' then
    return v_said;
  when others or assert_failure then
    return jsonb_build_object('error', jsonb_build_object('code', sqlstate, 'message', sqlerrm));
  end;
end $body$;

-- One person's story: what is known, what they shall be at each destination and what is there, what was tried and answered, what was
-- said of consent, what happened, and when it is tried next. now: what the rows say at this moment; was: what is there, where another
-- state is due since.
create or replace function rollcall.why(p_who text) returns jsonb language plpgsql
set search_path = '' set row_security = off ${KEYS_FIRST} as $body$
declare
  v_keys text[] := rollcall.whose(p_who);
  v_now jsonb;
  v_contacts jsonb;
  v_addresses text[];  -- as keys
begin
  v_now := rollcall.as_rows_say(v_keys);
  v_keys := array(select k from unnest(v_keys) with ordinality as x(k, n) where exists (select from rollcall.contacts c where c.key = k)
    or k not like '${EMAIL_KEY}%' and exists (select from auth.users u where u.id = ${keyUser('k')})
    or k like '${EMAIL_KEY}%' and exists (select from jsonb_each(v_now) d where d.value -> k ->> 'verdict' not in ('gone', 'merged', 'not_synced'))
    -- Users first.
    order by k like '${EMAIL_KEY}%', n);
  v_addresses := array(select distinct '${EMAIL_KEY}' || (w.value ->> 'address') from jsonb_each(v_now) d cross join lateral jsonb_each(d.value) w
    where jsonb_typeof(d.value) = 'object' and jsonb_typeof(w.value) = 'object' and w.value ->> 'address' is not null);
  select coalesce(jsonb_agg(jsonb_build_object('key', k.key, 'contact', c.id, 'user', u.id,
      'change_waits', exists (select from ${unfolded(['keys'])} l where l.keys && (k.key || v_addresses)),
      'error', v_now -> 'error',
      'destinations', (select coalesce(jsonb_agg(jsonb_build_object('destination', d.name, 'type', d.type,
            'action', s.action, 'reason', s.reason, 'address', s.address, 'attributes', s.payload, 'consent', s.consent,
            'version', s.version, 'delivered_version', s.delivered_version,
            'in_step', q.contact_id is null and (s.delivered_version is not distinct from s.version or s.action = 'none'),
            'now', v_now -> d.name -> k.key,
            'was', coalesce(q.was, (select l.was from rollcall.dead_letters l where l.destination_id = d.id and l.contact_id = c.id)),
            'there', case when coalesce(s.remote_address, s.remote_id) is not null
              then jsonb_build_object('address', s.remote_address, 'id', s.remote_id) end,
            'waits_for_address', s.waiting_for,
            'due', case when q.contact_id is not null then jsonb_build_object('at', q.due_at, 'since', q.since, 'tries', q.tries,
              'under_way', q.token is not null, 'lane', q.lane, 'unknown_until', q.unknown_until) end,
            'failure', (select jsonb_build_object('stage', l.stage, 'code', l.code, 'field', l.field, 'message', l.message, 'at', l.at,
                'dropped_at', l.dropped_at)
              from rollcall.dead_letters l where l.destination_id = d.id and l.contact_id = c.id),
            'paused', d.pause_code, 'pause_message', d.pause_message, 'paused_until', d.paused_until,
            'attempts', (select coalesce(jsonb_agg(a.line), '[]') from (select jsonb_build_object('at', a.at, 'action', a.action, 'version', a.version,
                'outcome', a.outcome, 'code', a.code, 'message', a.message) as line
              from rollcall.attempts a where a.contact_id = c.id and a.destination_id = d.id order by a.id desc limit ${NEWEST}) a),
            'events', (select coalesce(jsonb_agg(e.line), '[]') from (select jsonb_build_object('at', e.happened_at, 'name', e.name, 'state', e.state,
                'reason', e.reason, 'message', e.message, 'properties', e.properties) as line
              from rollcall.events e where e.seq = any(array(select m.seq from (${[
                `e.state = 'pending'`,
                `e.state <> 'pending'`,
              ]
                .map(
                  (state) => `(select e.seq, e.happened_at from rollcall.events e
                where e.contact_id = c.id and e.destination_id = d.id and ${state} order by e.happened_at desc, e.seq desc limit ${NEWEST})`,
                )
                .join(
                  ' union all ',
                )}) m order by m.happened_at desc, m.seq desc limit ${NEWEST})) order by e.happened_at desc, e.seq desc) e))
            order by d.id), '[]')
          from rollcall.destinations d
          left join lateral (select * from rollcall.desired s where s.contact_id = c.id and s.destination_id = d.id offset 0) s on true
          left join lateral (select * from rollcall.due q where q.contact_id = c.id and q.destination_id = d.id offset 0) q on true
         where d.enabled)) order by k.n), '[]') into v_contacts
    from unnest(v_keys) with ordinality as k(key, n)
    left join lateral (select c.id from rollcall.contacts c where c.key = k.key offset 0) c on true
    left join lateral (select u.id from auth.users u where u.id = ${keyUser('k.key')} offset 0) u on true;
  return jsonb_build_object('who', p_who, 'known', cardinality(v_keys) > 0, 'contacts', v_contacts,
    'log_waits', exists (select from ${unfolded(['at'])} l), 'homes', rollcall.home_states(),
    'consent', (select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'origin', f.origin, 'at', f.at, 'received_at', f.received_at,
        'topic', f.topic) order by f.received_at desc, f.id), '[]') from rollcall.consent f
      where f.person = any(v_keys) or f.address = any(array(
        select s.address from rollcall.contacts c join rollcall.desired s on s.contact_id = c.id where c.key = any(v_keys) and s.address is not null
        union select ${normalAddress('p_who')} where p_who like '%@%'))));
end $body$;
`;
