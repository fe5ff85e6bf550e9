/** Capture by the write-ahead log. See src/sql/functions/wal.ts and ARCHITECTURE.md. */
export const wal: string = /* sql */ `
-- What the config wants.
alter table rollcall.install add column capture text not null default 'triggers' check (capture in ('triggers', 'wal'));

-- How rows of a table are read from the WAL: see src/sql/compile/wal-plan.ts. Events of a transaction whose commit lies at or after
-- "from", and before "until", are taken from the WAL, all others by triggers; no "until" while the table has no triggers.
alter table rollcall.sources add column wal jsonb, add column wal_from pg_lsn, add column wal_until pg_lsn;

-- One row: the slot, null while there is none of ours, and why it was given up, if it was.
create table rollcall.wal (
  one boolean primary key default true check (one),
  slot name,
  timeline text,
  made_at timestamptz,
  given_up text,
  given_up_at timestamptz
);
insert into rollcall.wal default values;

-- How far the WAL is in the log: of transactions whose commit lies before "at" everything, of the one at it the first rows. Appended,
-- newest first by id, as fold_position is.
create table rollcall.wal_position (
  id bigint generated always as identity primary key,
  at pg_lsn not null,
  place bigint not null,
  t timestamptz not null            -- of the last commit, as events have it: it never goes back
);

-- Rows that a transaction has inserted which is not wholly read yet; only of tables where an update in it is no event.
create table rollcall.wal_inserted (
  source text not null,
  k text not null,
  at pg_lsn not null,
  primary key (source, k)
);
`;
