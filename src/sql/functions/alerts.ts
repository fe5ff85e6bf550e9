/** Whether the receiver has to be told of an alert: once that it began, and once that it ended. @param a alias */
const UNTOLD = (a: string): string =>
  `case when ${a}.ended_at is null then ${a}.told is null else ${a}.told is distinct from 'ended' end`;

/** What is wrong now and who was told: one row for each, so that several workers tell it once. */
export const alerts: string = /* sql */ `
-- Whether it is the caller's turn to look: one of all workers, once in p_every. It may be a little early, so that who looked last
-- does not miss its own next turn.
create or replace function rollcall.take_alert_turn(p_every interval) returns boolean language plpgsql set search_path = '' as $body$
begin
  update rollcall.alert_turn t set taken_at = clock_timestamp()
   where t.only_row = any(array(select x.only_row from rollcall.alert_turn x where x.taken_at < clock_timestamp() - p_every * 0.9
     for update skip locked));
  return found;
end $body$;

-- Notes what is wrong now, [{kind, subject, detail}], and ends what nobody has seen for p_quiet. All workers look at the same
-- database and see the same, so it does not matter which of them notes it.
create or replace function rollcall.note_alerts(p_found jsonb, p_quiet interval) returns void language plpgsql set search_path = '' as $body$
begin
  insert into rollcall.alerts as a (kind, subject, detail)
    select f.kind, f.subject, f.detail from jsonb_to_recordset(p_found) as f(kind text, subject text, detail jsonb)
     order by f.kind, f.subject
    on conflict (kind, subject) where ended_at is null do update set seen_at = clock_timestamp(), detail = excluded.detail
     where a.seen_at < clock_timestamp() - p_quiet / 4;
  update rollcall.alerts a set ended_at = a.seen_at, tries = 0, next_at = clock_timestamp()
   where a.ended_at is null and a.seen_at < clock_timestamp() - p_quiet
     and not exists (select from jsonb_to_recordset(p_found) as f(kind text, subject text)
       where f.kind = a.kind and f.subject = a.subject);
  delete from rollcall.alerts a where a.ended_at < clock_timestamp() - interval '7 days';
end $body$;

-- The next messages to be sent. They are the caller's for p_hold; after that another worker sends them, under the same id.
create or replace function rollcall.take_alerts(p_hold interval, p_limit int)
returns table (id uuid, kind text, subject text, detail jsonb, began_at timestamptz, ended_at timestamptz, tries int)
language sql set search_path = '' as $body$
  update rollcall.alerts a set next_at = clock_timestamp() + p_hold, tries = a.tries + 1
   where a.id = any(array(select x.id from rollcall.alerts x where ${UNTOLD('x')} and x.next_at <= clock_timestamp()
     order by x.began_at limit p_limit for update skip locked))
  returning a.id, a.kind, a.subject, a.detail, a.began_at, a.ended_at, a.tries
$body$;

-- The receiver has accepted the message that it began, or that it ended.
create or replace function rollcall.alert_told(p_id uuid, p_ended boolean) returns void language sql set search_path = '' as $body$
  update rollcall.alerts a set told = case when p_ended then 'ended' else 'begun' end, tries = 0, next_at = clock_timestamp()
   where a.id = p_id
$body$;

-- It has not: again after a wait.
create or replace function rollcall.alert_untold(p_id uuid, p_wait interval) returns void language sql set search_path = '' as $body$
  update rollcall.alerts a set next_at = clock_timestamp() + p_wait where a.id = p_id and a.tries > 0
$body$;
`;
