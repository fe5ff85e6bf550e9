/** Who delivers. See SPEC.md, "Tables". */
export const homes: string = /* sql */ `
-- One row for each home that has delivered here, and when one of its kind was last at work.
create table rollcall.homes (
  home text primary key check (home in ('worker', 'edge', 'sql')),
  seen_at timestamptz not null default clock_timestamp()
);
`;
