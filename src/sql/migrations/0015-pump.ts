/** The SQL home: what it has under way, and what it needs to know of each destination. See SPEC.md, "Tables". */
export const pump: string = /* sql */ `
-- One row once \`rollcall deploy sql\` has run.
create table rollcall.pump (
  only_row boolean primary key default true check (only_row),
  config_hash text not null,                   -- another install config than this one sends nothing
  settings jsonb not null,                     -- retry, grace, breaker, sweep and their like, of the config
  holder uuid not null default gen_random_uuid(),
  sweep jsonb not null default '{}',           -- how far the sweep at work is
  net_last bigint not null default 0,          -- the last request of pg_net; its ids start anew when its tables are lost
  ran_at timestamptz
);
-- The requests and answers of a destination as data, made of its declaration and the config.
create table rollcall.declared (
  destination_id smallint primary key,
  declaration jsonb not null
);

-- What is under way: one request at a time of a contact, a job, a reading. Not logged, as pg_net's queue is not: a crash empties both.
create unlogged table rollcall.posts (
  id bigint generated always as identity primary key,
  destination_id smallint not null,
  kind text not null check (kind in ('unit', 'job', 'probe', 'pull', 'look')),
  traffic text not null,                       -- which limits count its next request
  token uuid,                                  -- the lease, or the job
  contact_id bigint,
  facts jsonb not null default '{}',           -- what templates and conditions are filled with
  left_over jsonb not null default '[]',       -- what is still to be done after the step under way
  step jsonb not null,                         -- the step under way
  done jsonb not null default '{}',            -- what came of those before
  post_after timestamptz not null default clock_timestamp(),
  request_id bigint,                           -- pg_net's; null: it waits to be posted
  posted_at timestamptz,
  begun_at timestamptz not null default clock_timestamp()
);
create unique index posts_request on rollcall.posts (request_id) where request_id is not null;
create index posts_waiting on rollcall.posts (destination_id, post_after) where request_id is null;
create index posts_contact on rollcall.posts (contact_id, destination_id) where contact_id is not null;
create index posts_token on rollcall.posts (token) where token is not null;

-- Leases of the SQL home. Logged: one without a post is of before a crash, and ends at once.
create table rollcall.post_leases (
  token uuid not null,
  destination_id smallint not null,
  contact_id bigint not null,
  primary key (contact_id, destination_id)
);

-- How many requests a limit has counted, by when their answers were seen: an answer is never earlier than its request.
create table rollcall.sent (
  destination_id smallint not null,
  bucket text not null,
  at timestamptz not null,
  n int not null
);
create index sent_bucket on rollcall.sent (destination_id, bucket, at);
-- A destination asked for less until then.
create table rollcall.post_holds (
  destination_id smallint not null,
  bucket text not null,
  until timestamptz not null,
  primary key (destination_id, bucket)
);

-- What a chore of the pump last failed with; gone once it works.
create table rollcall.pump_troubles (
  chore text primary key,
  code text not null,
  message text not null,
  since timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
`;
