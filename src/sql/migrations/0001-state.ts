/** The tables that hold desired and delivered state. See SPEC.md, "Tables". */
export const state: string = /* sql */ `
-- One row: what is installed, and where.
create table rollcall.install (
  only_row boolean primary key default true check (only_row),
  id uuid not null default gen_random_uuid(),  -- part of every event's id, so that two installs never share one
  config_hash text,
  consent_basis text,
  grace interval not null default '2 minutes', -- how long an attempt of unknown outcome is waited out
  identity jsonb,                       -- what rollcall.identity() said when this install was bound
  project_ref text,
  environment text,
  bound_at timestamptz,
  by_address boolean not null default false,   -- rows of some table lead to contacts by an address
  reevaluate interval,                  -- something depends on the clock: swept at least this often
  uncaptured_seen bigint not null default 0,   -- value of the sequence below at the start of the last complete sweep
  swept_at timestamptz,
  sweep_again_at xid8,                  -- one more sweep, once every transaction below this one has ended
  sweep_until timestamptz               -- a sweep is at work until then
);
insert into rollcall.install default values;

create table rollcall.destinations (
  id smallint generated always as identity primary key,
  name text not null unique,
  type text not null,
  enabled boolean not null default true,       -- false once the config no longer names it
  map_function name not null,
  plan jsonb not null,                         -- attribute name -> type
  account text not null,                       -- which account there: what was delivered holds for this one only; '' while unknown
  on_delete text not null default 'delete' check (on_delete in ('delete', 'unsubscribe', 'keep')),
  takes_events boolean not null default false,
  events_once boolean not null default false,  -- an event whose outcome is unknown is not sent again
  paused_until timestamptz,
  pause_code text,
  pause_message text,
  pauses int not null default 0                -- in a row; reset by a delivery
);

-- Everything that is read. A paused source is not: what it gave to contacts stays as it was, its events are held.
create table rollcall.sources (
  name text primary key,                       -- schema.table
  relation text not null,                      -- the same, quoted
  enabled boolean not null default true,       -- false once the config no longer names it
  shape jsonb not null default '{}',           -- column -> type, as they were when its SQL was generated
  triggers jsonb not null default '[]',        -- the tables whose triggers tell of its changes, each with its capture function
  pause_code text,                             -- set when its generated SQL no longer fits the table
  pause_message text,
  paused_at timestamptz
);
insert into rollcall.sources (name, relation) values ('auth.users', 'auth.users');

-- What tables add to contacts: generated functions, the lowest precedence first.
create table rollcall.parts (
  function name primary key,
  source text not null,
  rank int not null,                           -- 1 is the highest precedence
  attributes text[] not null,                  -- those it may give
  page_function name,                          -- pages through its rows for the sweep; null when it has nobody of its own
  makes_contacts boolean not null,             -- a row of it is a contact by itself; false for aggregates
  gives_consent boolean not null
);
-- What a part gave to a contact when its source could be read.
create table rollcall.given (
  contact_id bigint not null,
  function name not null,
  present boolean not null,                    -- there was a row
  consent text not null,
  payload jsonb not null,
  primary key (contact_id, function)
) with (fillfactor = 80);
-- Generated functions that lead from keys of another table to keys of contacts, by the name the log has for them.
create table rollcall.resolvers (source text primary key, function name not null);
-- Generated functions that make events of captured rows.
create table rollcall.event_maps (source text primary key, function name not null);

-- Generated functions that make of a contact's mapped attributes what one destination takes; none where that is the same.
create table rollcall.adjustments (destination_id smallint primary key, function name not null);

-- Owner rows: every writer of a person's state locks these first, in key order.
create table rollcall.contacts (
  id bigint generated always as identity primary key,
  key text collate "C" not null unique         -- auth.users.id, or email:<address> of somebody who is no user
);
create table rollcall.past_addresses (
  id bigint generated always as identity primary key,
  contact_id bigint not null,
  destination_id smallint not null,
  address text not null,
  until timestamptz not null default clock_timestamp()
);
create index past_addresses_contact on rollcall.past_addresses (contact_id, id);

-- No foreign keys below: they would cost a check for every delivery, and only the functions in this schema write here.
create table rollcall.desired (
  destination_id smallint not null,
  contact_id bigint not null,
  action text not null check (action in ('upsert', 'delete', 'unsubscribe', 'none')),
  reason text,                                 -- why it is not an upsert
  address text,                                -- held: one living owner per destination
  waiting_for text,                            -- an address somebody else holds
  payload jsonb not null default '{}',
  mapped jsonb,                                -- what the mapping gave, where this destination's payload is made of it; else the payload is it
  consent text not null default 'none' check (consent in ('basis', 'none', 'opted_out')),
  hash bytea not null,
  version bigint not null,                     -- raised by every change, so that A -> B -> A is two changes
  delivered_version bigint,
  remote_address text,                         -- where the contact may exist at the destination
  remote_id text,
  carry_from text,                             -- address whose subscription must be read before the next write
  takeover boolean not null default false,     -- the address was another person's: clear what we do not send
  leftovers text[],                            -- more addresses it may still exist under, to be removed
  primary key (contact_id, destination_id)
) with (fillfactor = 80);
create unique index desired_address on rollcall.desired (address, destination_id) where address is not null;
create unique index desired_remote_address on rollcall.desired (remote_address, destination_id) where remote_address is not null;
create unique index desired_remote_id on rollcall.desired (remote_id, destination_id) where remote_id is not null;
create index desired_leftovers on rollcall.desired (destination_id) where leftovers is not null;
create index desired_gone on rollcall.desired (contact_id)
  where action = 'none' and reason = 'gone' and remote_address is null and remote_id is null and leftovers is null;
create index desired_waiting on rollcall.desired (waiting_for, destination_id) where waiting_for is not null;

-- The queue: a row for each contact that is not in step. While leased, due_at is the end of the lease.
create table rollcall.due (
  destination_id smallint not null,
  contact_id bigint not null,
  lane smallint not null default 0,            -- 0 live, 1 backfill; held by a brake: 2 deletions, 3 changes
  -- For the index of claims alone: one on destination_id would tempt the planner to read a whole queue for one contact
  -- whenever it takes the queue for empty.
  queue int generated always as (destination_id * 4 + lane) stored,
  due_at timestamptz not null,
  since timestamptz not null default clock_timestamp(),
  token uuid,                                  -- the lease; null when nobody holds it
  tries int not null default 0,
  unknown_until timestamptz,                   -- an attempt of unknown outcome may arrive until then
  not_before timestamptz,                      -- till then a request under another's lease may touch its address
  handed bigint[],                             -- events under this lease that may be sent once only
  primary key (contact_id, destination_id)
) with (fillfactor = 80);
create index due_next on rollcall.due (queue, due_at);

create table rollcall.attempts (
  id bigint generated always as identity primary key,
  destination_id smallint not null,
  contact_id bigint not null,
  version bigint not null,
  action text not null,
  outcome text not null,
  code text,
  message text,                                -- the destination's words; may hold personal data
  latency_ms int,
  at timestamptz not null default clock_timestamp()
);
create index attempts_contact on rollcall.attempts (contact_id, id);

create table rollcall.dead_letters (
  destination_id smallint not null,
  contact_id bigint not null,
  stage text not null check (stage in ('map', 'deliver')),
  version bigint,
  code text not null,
  field text,
  message text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (contact_id, destination_id)
);

-- One row for each event and destination. Sent in the order of happened_at, once its contact exists there.
create table rollcall.events (
  seq bigint generated always as identity primary key,
  id uuid not null,
  destination_id smallint not null,
  contact_id bigint,                           -- null when it leads to nobody
  source text not null,
  name text not null,
  properties jsonb not null,
  happened_at timestamptz not null,            -- by the database's clock, when the row was written
  ready boolean not null,                      -- false until the whole window it was taken in is folded
  -- How long it waits for its contact, counted from here: nobody was there to make the contact before it was taken.
  wait_until timestamptz not null default clock_timestamp() + interval '72 hours',
  state text not null check (state in ('pending', 'delivered', 'dropped', 'dead')),
  held_by bigint,                              -- the contact it was moved from, under whose lease it may have been sent
  held_until timestamptz,                      -- the end of that lease
  reason text,                                 -- why it was dropped or refused
  message text,                                -- the destination's or the database's words; may hold personal data
  ended_at timestamptz
);
create unique index events_id on rollcall.events (id, destination_id);
create index events_next on rollcall.events (contact_id, destination_id, happened_at, seq) where state = 'pending';
-- For the query of those that wait longest alone: one on all that is pending would be taken for one contact's events, whenever the
-- planner takes the table for empty.
create index events_oldest on rollcall.events ((case when state = 'pending' then wait_until end))
  where (case when state = 'pending' then wait_until end) is not null;
create index events_ended on rollcall.events (ended_at) where state <> 'pending';
create index events_held on rollcall.events (held_by) where held_by is not null;
create index events_unready on rollcall.events (destination_id) where not ready;

-- Events of a source that is paused, as they were captured.
create table rollcall.held_events (
  id bigint generated always as identity primary key,
  source text not null,
  log_id bigint not null,
  place int not null,                          -- within the log row
  event jsonb not null
);
create index held_events_source on rollcall.held_events (source, id);

-- Shared rate limits: when the bucket's theoretical next send is due, in microseconds since the epoch (GCRA).
create table rollcall.limits (
  destination_id smallint not null,
  bucket text not null,
  next_us bigint not null default 0,
  primary key (destination_id, bucket)
) with (fillfactor = 50);
`;
