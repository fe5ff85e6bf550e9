/** A home that was not seen for so long is taken for gone. */
const GONE_AFTER = `interval '30 seconds'`;

/** Which homes are at work: any of them, several at once too, as they share the queue. */
export const homes: string = /* sql */ `
-- A home says that it is at work, every few seconds. Where it said so a moment ago nothing is written.
create or replace function rollcall.note_home(p_home text) returns void language sql set search_path = '' as $body$
  insert into rollcall.homes as h (home) values (p_home)
  on conflict (home) do update set seen_at = clock_timestamp() where h.seen_at < clock_timestamp() - interval '2 seconds'
$body$;

-- Whether some other home than this one is at work.
create or replace function rollcall.others_at_work(p_home text) returns boolean language sql stable set search_path = '' as $body$
  select exists (select from rollcall.homes h where h.home <> p_home and h.seen_at > clock_timestamp() - ${GONE_AFTER})
$body$;

-- For status: [{home, seen_s, at_work}].
create or replace function rollcall.home_states() returns jsonb language sql stable set search_path = '' as $body$
  select coalesce(jsonb_agg(jsonb_build_object('home', h.home, 'seen_s', extract(epoch from clock_timestamp() - h.seen_at),
      'at_work', h.seen_at > clock_timestamp() - ${GONE_AFTER}) order by h.seen_at desc), '[]')
    from rollcall.homes h
$body$;
`;
