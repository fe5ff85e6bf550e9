/** The change log: three tables used in turn, and the flags the capture trigger reads. */
export const log: string = /* sql */ `
create sequence rollcall.changes_id cache 32;
${[0, 1, 2]
  .map(
    (n) => `create table rollcall.changes_${n} (
  id bigint not null default nextval('rollcall.changes_id'),
  xid xid8 not null default pg_current_xact_id(),   -- top level: a row's own xmin may be a subtransaction
  at timestamptz not null default now(),
  source text,                                      -- null: keys are those of contacts; else see resolvers and event_maps
  keys text[] not null default '{}',
  events jsonb[]                                    -- captured rows of a table of events: see functions/events.ts
);
-- Ids do not get smaller, and to try costs more than all the rest of writing them.
alter table rollcall.changes_${n} alter column keys set storage external;
create index changes_${n}_xid on rollcall.changes_${n} (xid, id);`,
  )
  .join('\n')}
-- Rows do get smaller, and this way at a tenth of the cost; not every Postgres was built with it.
do $$ begin
${[0, 1, 2].map((n) => `  alter table rollcall.changes_${n} alter column events set compression lz4;`).join('\n')}
exception when feature_not_supported then null;
end $$;

-- How far the log is folded. Appended, newest first by id, so that reading it stays cheap while a snapshot is held open
-- elsewhere and dead rows cannot be removed.
create table rollcall.fold_position (
  id bigint generated always as identity primary key,
  lo pg_snapshot not null,          -- everything visible in it is folded
  hi pg_snapshot,                   -- the window being folded in pieces, null when none is
  last_xid xid8,                    -- the last row folded in that window
  last_id bigint
);
insert into rollcall.fold_position (lo) values (pg_current_snapshot());

-- Flags as sequences: read without locks, written outside transactions, and they leave no dead rows behind.
create sequence rollcall.current_log minvalue 0 maxvalue 2 start 0 cycle;
create sequence rollcall.armed_until minvalue 0 start 0;
-- Bumped by a swallowed capture failure and by TRUNCATE. MINVALUE 0 START 0, else the first bump would be invisible.
create sequence rollcall.uncaptured minvalue 0 start 0 cycle;
-- Bumped by a swallowed failure to capture events: no sweep brings these back.
create sequence rollcall.lost_events minvalue 0 start 0 cycle;
`;
