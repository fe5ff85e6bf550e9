/** Lists that segments keep. See SPEC.md, "Tables". */
export const segments: string = /* sql */ `
-- Lists that the contact is on, or may be, by our doing: true once that was accepted, false while it is in doubt.
alter table rollcall.desired add column members jsonb;
-- The lists that the destination's segments keep, as payloads call them; null where there are none.
alter table rollcall.destinations add column lists text[];
`;
