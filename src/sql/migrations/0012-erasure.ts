/** Erasure: what is being erased, the receipts, and what keeps the erased from coming back. See SPEC.md, "Erasure". */
export const erasureState: string = /* sql */ `
-- One row for each erasure, for good: the receipt. Once it is finished nothing in it tells who it was, but to whoever has the key.
create table rollcall.erasures (
  id uuid primary key default gen_random_uuid(),
  by text not null check (by in ('operator', 'user.deleted', 'recover')),
  requested_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  hashes bytea[] not null default '{}',        -- keyed hashes of the keys of its contacts, once it is finished
  destinations jsonb not null default '{}'     -- name -> what became of them there, once it is finished
);
create index erasures_open on rollcall.erasures (requested_at) where finished_at is null;

-- Whoever is being erased, in clear: gone when that is finished.
create table rollcall.erasing (
  contact_id bigint primary key,
  erasure_id uuid not null,
  bypass boolean not null,                     -- whatever their rows say, and past the brakes: somebody has asked for it
  addresses text[] not null                    -- those they have
);
create index erasing_erasure on rollcall.erasing (erasure_id);

-- Where each of them is to be gone from.
create table rollcall.erasing_at (
  contact_id bigint not null,
  destination_id smallint not null,
  places jsonb not null,                       -- [{address, id}]: where they may stand
  known boolean not null,                      -- something was sent, or may have been
  gone_at timestamptz,                         -- the deletion was settled, and nothing of before it can arrive
  read_at timestamptz,                         -- looked for there, and not found
  outcome text check (outcome in ('gone', 'cannot_be_read', 'never_there', 'taken', 'left_out')),
  found int not null default 0,                -- so often they were found again
  look_at timestamptz not null default clock_timestamp(),  -- nobody looks before
  primary key (contact_id, destination_id)
);

-- Keys that are never folded again, as keyed hashes.
create table rollcall.tombstones (
  hash bytea primary key,
  erasure_id uuid,                             -- null where it was read from the kept file
  erased_at timestamptz not null default clock_timestamp()
);

-- Facts of the erased: their id, address and person are keyed hashes, which begin with a sign that none in clear has.
create index consent_hashed on rollcall.consent (id) where id like '#%';

-- When what outlives a restore was last written down: the workers take turns.
create table rollcall.kept (
  only_row boolean primary key default true check (only_row),
  begun_at timestamptz not null default '-infinity',
  written_at timestamptz not null default '-infinity',
  until timestamptz not null default '-infinity'
);
insert into rollcall.kept default values;

alter table rollcall.install
  add column erasure_check bytea,              -- the hash of a constant: tells the key from any other
  add column erase_deleted boolean not null default false, -- whoever is deleted from auth.users is erased
  add column rotate_xid xid8;                  -- what the log has of this transaction and before is to go soon
`;
