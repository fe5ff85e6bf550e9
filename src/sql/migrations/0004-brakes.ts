/** What the brakes on deletions and changes keep. See SPEC.md, "Brakes". */
export const brakes: string = /* sql */ `
-- What passes by itself in any hour. Without a share that brake is off.
create table rollcall.brake_limits (
  kind text primary key check (kind in ('deletes', 'changes')),
  share numeric,                               -- of the contacts that are there
  at_least int not null                        -- fewer never stop
);
insert into rollcall.brake_limits (kind, share, at_least) values ('deletes', 0.02, 10), ('changes', 0.2, 100);

-- One row for each that was ever asked. Whoever counts locks it: after owner rows, state and queue rows; by destination,
-- deletes before changes.
create table rollcall.brakes (
  destination_id smallint not null,
  kind text not null check (kind in ('deletes', 'changes')),
  contacts bigint,                             -- how many there were when they were last counted
  contacts_at timestamptz,
  allowance bigint not null default 0,         -- as many pass uncounted until then: somebody said yes to them beforehand
  allowance_until timestamptz,
  stopped_at timestamptz,                      -- set: everything of this kind is held
  primary key (destination_id, kind)
) with (fillfactor = 50);

-- What passed, as a sum that grows. Appended, so that the last hour is two looks by index, also while a snapshot is held open
-- elsewhere and dead rows cannot be removed.
create table rollcall.brake_counts (
  destination_id smallint not null,
  kind text not null,
  at timestamptz not null,
  total bigint not null,                       -- since the brake was last released
  primary key (destination_id, kind, at, total)
);

-- Attributes that read the clock, by their names there: they change by themselves, all at once, and are no sign of an accident.
alter table rollcall.destinations add column clock_attributes text[];
-- When it was last counted by a brake: a contact that changes fifty times in an hour is one. Without an index, so that updates stay HOT.
alter table rollcall.desired add column counted_at timestamptz;
-- The held lane it was let out of by a person (2 or 3): a later stop leaves it alone.
alter table rollcall.due add column released smallint;
`;
