/** Requests for many contacts that work on after their answer, and backfills. See SPEC.md, "States of a job". */
export const jobs: string = /* sql */ `
-- Its request for many was refused, and nobody knows because of whom: it goes by itself.
alter table rollcall.due add column single boolean not null default false;
-- Accepted at remote_address by a request whose answer named no id.
alter table rollcall.desired add column imported boolean not null default false;

-- One request for many contacts. They are leased under its token until it has ended.
create table rollcall.jobs (
  token uuid primary key,
  destination_id smallint not null,
  state text not null check (state in ('claimed', 'sending', 'running', 'ended')),
  remote_id text,                              -- the destination's own id of the job; known once it runs
  contacts bigint[] not null,                  -- in order
  versions bigint[] not null,                  -- those that are sent
  addresses text[] not null,
  settled int not null default 0,              -- so many of them are settled
  result jsonb,                                -- once it has ended: what became of all
  holder uuid,                                 -- the worker at it
  held_until timestamptz not null,             -- after that another one takes it over
  gives_up_at timestamptz not null,            -- the end of the contacts' lease
  begun_at timestamptz not null default clock_timestamp()
);

-- Walks over everybody who is there already.
create table rollcall.backfills (
  id int generated always as identity primary key,
  what text not null default 'full' check (what in ('full', 'incremental')),
  resource text,                               -- 'users' or a source; null for all
  since timestamptz,                           -- rows that changed since then, where their table tells
  most bigint,                                 -- so many rows and no more
  expected bigint,                             -- about so many rows
  place text,                                  -- phase/cursor of the next page; null at first
  pages int not null default 0,
  scanned bigint not null default 0,
  counts jsonb not null default '{}',          -- destination -> what the rows meant for it
  began_at timestamptz not null default clock_timestamp(),
  walked_at timestamptz,                       -- every row was read
  ended_at timestamptz,                        -- and everybody delivered
  holder uuid,
  held_until timestamptz
);
create unique index backfills_open on rollcall.backfills ((true)) where ended_at is null;
`;
