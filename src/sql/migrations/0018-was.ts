/** What a destination has while something else is due there: see `rollcall.why`. */
export const was: string = /* sql */ `
-- {version, consent, attributes} as they were delivered, of a contact that was in step when it changed; null where that is not known.
-- It goes with the row, or moves to the dead letter.
alter table rollcall.due add column was jsonb;
alter table rollcall.dead_letters add column was jsonb;
`;
