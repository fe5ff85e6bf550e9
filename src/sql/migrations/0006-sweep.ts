/** What a sweep found, and what is known of why. */
export const sweepState: string = /* sql */ `
-- Bumped by TRUNCATE, beside "uncaptured", which cannot tell it from a failure.
create sequence rollcall.truncated minvalue 0 start 0 cycle;

-- Why a sweep is wanted, where that is known: written by the transaction that bumps "uncaptured".
create table rollcall.sweep_causes (
  id bigint generated always as identity primary key,
  cause text not null,                  -- see src/engine/sweep-report.ts
  source text,                          -- schema.table
  bumps int not null,                   -- of "uncaptured", by which failures are told from all else
  at timestamptz not null default clock_timestamp()
);

alter table rollcall.install
  add column truncated_seen bigint not null default 0,  -- as uncaptured_seen
  add column sweep_began jsonb,         -- what was known when the sweep at work, or the last one, began
  add column sweep_report jsonb;        -- of the last complete sweep: counts and causes, nobody's data

-- Tells a sweep who is as they shall be; null where the name leaves no room for one.
alter table rollcall.destinations add column fingerprint_function name;

-- Their parameters or results are others now.
drop function if exists rollcall.sweep_page(text, int);
drop function if exists rollcall.absent_page(bigint, int);
drop function if exists rollcall.forget_range(bigint, bigint);
`;
