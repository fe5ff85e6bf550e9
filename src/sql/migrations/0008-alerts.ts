/** Alerts: what was wrong, and who was told. See docs/operations.md, "Alerts". */
export const alertState: string = /* sql */ `
-- One row for each time that something was wrong; few, and removed some days after it is over.
create table rollcall.alerts (
  id uuid primary key default gen_random_uuid(),
  kind text not null,                          -- see src/core/alerts.ts
  subject text not null,                       -- a destination, a table, or empty
  detail jsonb not null,                       -- counts, ages and codes, nobody's data
  began_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  told text check (told in ('begun', 'ended')), -- the last message that the receiver has accepted
  tries int not null default 0,                -- of the message that is being sent
  next_at timestamptz not null default clock_timestamp()  -- no other worker sends it before
);
create unique index alerts_open on rollcall.alerts (kind, subject) where ended_at is null;

-- When somebody last looked at how things stand: the workers take turns.
create table rollcall.alert_turn (
  only_row boolean primary key default true check (only_row),
  taken_at timestamptz not null default '-infinity'
);
insert into rollcall.alert_turn default values;
`;
