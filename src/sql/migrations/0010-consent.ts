/** The ledger of consent. See SPEC.md, "Consent". */
export const consentLedger: string = /* sql */ `
-- One row is one thing somebody said, or that became of mail to them. Rows are only ever added; what holds follows from them:
-- functions/consent.ts.
create table rollcall.consent (
  id text primary key,                         -- equal for one thing said, however often it is told
  kind text not null check (kind in ('opt_in', 'opt_out', 'complaint', 'bounce')),
  person text,                                 -- the key of a user; null where only the address is known
  address text,                                -- normalised
  topic text,                                  -- null: everything
  origin text not null,                        -- app, operator, or destination:<name>
  at timestamptz,                              -- by the clock of the origin; null where it does not say
  received_at timestamptz not null default clock_timestamp(),
  proof jsonb not null default '{}',           -- what tells it: the kind and number of an event; nobody's data
  check (person is not null or address is not null)
);
create index consent_person on rollcall.consent (person) where person is not null;
create index consent_address on rollcall.consent (address) where address is not null;
create index consent_received on rollcall.consent (received_at);

-- When somebody last read from a destination who must not be mailed: the workers take turns.
create table rollcall.pulls (
  destination_id smallint primary key,
  begun_at timestamptz not null,
  ended_at timestamptz,                        -- null while it is read
  until timestamptz not null                   -- the reader has died when it has not said a word by then
);
`;
