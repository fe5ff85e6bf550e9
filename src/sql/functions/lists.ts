import { LISTS_KEY } from '../../core/segments.ts';
import { quoteLiteral } from '../quote.ts';

/** The member of a payload that holds the lists of a contact, as an SQL literal. */
export const LISTS: string = quoteLiteral(LISTS_KEY);

/** What a payload says of attributes, as SQL: all but the lists. @param payload SQL of a jsonb */
export function attributesOf(payload: string): string {
  return `case when ${payload} ? ${LISTS} then ${payload} - ${LISTS} else ${payload} end`;
}

/** Lists that segments keep. Whoever we put on one is taken off it again, and nobody else is. See SPEC.md, "Tables", \`members\`. */
export const lists: string = /* sql */ `
-- What is to be said of a contact's lists: {in, join, leave}; null where the destination keeps none. At an address that was another
-- person's there may be lists of theirs, by our doing too.
create or replace function rollcall.list_changes(p_lists text[], p_payload jsonb, p_members jsonb, p_takeover boolean) returns jsonb
language sql immutable set search_path = '' as $body$
  select case when p_lists is not null then (
    select jsonb_build_object('in', coalesce(jsonb_agg(l.list) filter (where x.wanted), '[]'),
             'join', coalesce(jsonb_agg(l.list) filter (where x.wanted and not x.member), '[]'),
             'leave', coalesce(jsonb_agg(l.list) filter (where not x.wanted and (p_takeover or p_members ? l.list)), '[]'))
      from unnest(p_lists) as l(list)
      cross join lateral (select coalesce(p_payload -> ${LISTS} ? l.list, false) as wanted,
        coalesce(p_members -> l.list = 'true', false) as member) x) end
$body$;

-- The members after another payload is wanted: a list that is joined or left by it is in doubt until that is accepted. p_sent: what was
-- wanted before may be on its way.
create or replace function rollcall.members_after(p_members jsonb, p_before jsonb, p_after jsonb, p_sent boolean) returns jsonb
language sql immutable set search_path = '' as $body$
  select nullif(coalesce(p_members, '{}') || coalesce((
    select jsonb_object_agg(l.list, false)
      from jsonb_object_keys(coalesce(p_before -> ${LISTS}, '{}') || coalesce(p_after -> ${LISTS}, '{}')) as l(list)
      cross join lateral (select coalesce(p_before -> ${LISTS} ? l.list, false) as before, coalesce(p_after -> ${LISTS} ? l.list, false) as after) x
     where x.before <> x.after and (p_members ? l.list or p_sent and x.before)), '{}'), '{}')
$body$;

-- The members while nobody knows which of several requests came last: any list that one of them may have joined.
create or replace function rollcall.members_in_doubt(p_members jsonb, p_payload jsonb) returns jsonb
language sql immutable set search_path = '' as $body$
  select case when p_members is not null or p_payload ? ${LISTS} then (
    select jsonb_object_agg(l.list, false) from jsonb_object_keys(coalesce(p_members, '{}') || coalesce(p_payload -> ${LISTS}, '{}')) as l(list)) end
$body$;

-- How many are on each list of a destination by their segments, and how many of those were told to it.
create or replace function rollcall.list_counts() returns table (destination text, list text, wanted bigint, told bigint)
language sql stable set search_path = '' as $body$
  with members as (
    select s.destination_id, l.list, count(*) as wanted, count(*) filter (where s.members -> l.list = 'true') as told
      from rollcall.desired s cross join lateral jsonb_object_keys(s.payload -> ${LISTS}) as l(list)
     where s.action = 'upsert' and s.payload ? ${LISTS} group by 1, 2
  )
  select d.name, l.list, coalesce(m.wanted, 0), coalesce(m.told, 0)
    from rollcall.destinations d cross join lateral unnest(d.lists) as l(list)
    left join members m on m.destination_id = d.id and m.list = l.list
   where d.enabled
$body$;
`;
