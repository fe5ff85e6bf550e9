/** When what the log tells of can have changed, where the log was told later: see `rollcall.date_changes`. */
export const since: string = /* sql */ `
-- Null where it was told of it by whoever changed it: then it is "at".
${[0, 1, 2].map((n) => `alter table rollcall.changes_${n} add column since timestamptz;`).join('\n')}
`;
