/** Recipes that Rollcall has taken over from. See SPEC.md, "Tables". */
export const takenOver: string = /* sql */ `
-- One row for each trigger of a recipe that was switched off, and how it was.
create table rollcall.taken_over (
  id bigint generated always as identity primary key,
  recipe text not null,
  relation text not null,                      -- schema.table, quoted
  trigger_name name not null,
  definition text not null,                    -- as it was before; may hold a key that the recipe had put there
  urls text[] not null,                        -- beginnings of what it posts to
  -- Where the cut is: whatever an earlier transaction wrote was the recipe's to tell, and it is ours from then on.
  xid xid8 not null default pg_current_xact_id(),
  taken_at timestamptz not null default now(),
  undone_at timestamptz
);
`;
