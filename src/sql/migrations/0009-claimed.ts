/** Whether an attempt was the last that may be about is told from when it was claimed. See SPEC.md, "Invariants", 3. */
export const claimed: string = /* sql */ `
-- Its fields are others now.
drop type if exists rollcall.result;
`;
