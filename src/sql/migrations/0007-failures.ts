/** How long something has failed, what was given up, and how long a destination is paused. See SPEC.md, "Loops that send again". */
export const failureState: string = /* sql */ `
-- When the first of the failed attempts in a row was, by the destination's clock: see rollcall.trying_clock.
alter table rollcall.due add column failing_since timestamptz;
-- An event has its own attempts.
alter table rollcall.events
  add column tries int not null default 0,
  add column failing_since timestamptz;

alter table rollcall.dead_letters
  add column unknown_until timestamptz,        -- an attempt of unknown outcome may arrive until then
  add column dropped_at timestamptz;           -- a person wants to hear no more of it, until the contact changes

alter table rollcall.destinations
  add column config_hash text,                 -- of the config with this destination alone
  add column paused_since timestamptz,
  add column probe_until timestamptz,          -- somebody finds out until then whether it may go on
  add column rested_ms bigint not null default 0,  -- how long, all in all, it was paused or no worker ran
  add column alive_at timestamptz;             -- a worker ran then

-- Their parameters, fields or results are others now.
drop type if exists rollcall.result;
drop function if exists rollcall.sent_events(jsonb);
drop function if exists rollcall.release_job(uuid, uuid, interval, boolean, boolean);
drop function if exists rollcall.try_again();
drop function if exists rollcall.end_pauses();
`;
