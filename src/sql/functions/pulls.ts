/** Whose turn it is to read from a destination who must not be mailed. */
export const pulls: string = /* sql */ `
-- Whether the caller, and nobody else for so long, reads from a destination who must not be mailed: when the last complete reading began
-- p_every ago, or its reader is gone.
create or replace function rollcall.begin_pull(p_destination smallint, p_every interval, p_hold interval) returns boolean
language sql set search_path = '' as $body$
  with mine as (
    insert into rollcall.pulls as p (destination_id, begun_at, until)
      values (p_destination, clock_timestamp(), clock_timestamp() + p_hold)
    on conflict (destination_id) do update set begun_at = excluded.begun_at, ended_at = null, until = excluded.until
     where p.until < clock_timestamp() and (p.ended_at is null or p.begun_at < clock_timestamp() - p_every)
    returning 1
  )
  select exists (select from mine)
$body$;

-- A sign of life, or the end: of a reading that failed the next one begins when the hold is over.
create or replace function rollcall.note_pull(p_destination smallint, p_ended boolean, p_hold interval) returns void
language sql set search_path = '' as $body$
  update rollcall.pulls p
     set until = case when p_ended then clock_timestamp() else clock_timestamp() + p_hold end,
         ended_at = case when p_ended then clock_timestamp() end
   where p.destination_id = p_destination
$body$;
`;
