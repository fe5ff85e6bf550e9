/** Consent in both directions: what the app says is heard, and what was heard is written back. See SPEC.md, "Consent". */
export const consentSync: string = /* sql */ `
alter table rollcall.install
  add column consent_policy text not null default 'global' check (consent_policy in ('global', 'per_destination', 'per_topic')),
  add column consent_source text,              -- the column with the answers; null where there is none
  add column write_backs name[] not null default '{}';   -- generated functions that write what people have said
alter table rollcall.destinations add column topic text;

alter table rollcall.desired drop constraint desired_consent_check;
alter table rollcall.desired
  add constraint desired_consent_check check (consent in ('basis', 'none', 'opted_out', 'opted_in')),
  add column opted_in_at timestamptz;          -- when it was last told of an opt-in

-- What the app's column was last seen to say: only what it says differently is said anew.
create table rollcall.answers (
  contact_id bigint primary key,
  answer text not null,                        -- basis, opted_out or missing
  at bigint,                                   -- by the column beside it, in microseconds since 1970
  said_at timestamptz not null                 -- what it says after that is later
);

-- What is to be written where the app sees it, and what was.
create table rollcall.write_backs (
  contact_id bigint primary key,
  said text not null,                          -- opted_out or opted_in
  at timestamptz not null,                     -- when it was said
  written text,                                -- the last that was written; null before
  due_at timestamptz,                          -- null once it is written
  tries int not null default 0,
  code text                                    -- SQLSTATE of the last failure
);
create index write_backs_due on rollcall.write_backs (due_at) where due_at is not null;

-- These take or give more by now, which cannot be changed in place.
drop function if exists rollcall.standing(text, text, text);
drop function if exists rollcall.receive_facts(text, jsonb);
do $drop$ begin
  if to_regtype('rollcall.mapped') is not null then drop function if exists rollcall.with_consent(rollcall.mapped[]); end if;
end $drop$;
drop function if exists rollcall.wanted_rows(smallint, name, text[], boolean);
drop function if exists rollcall.fold_keys(text[], smallint);
drop function if exists rollcall.take_changes(pg_snapshot, pg_snapshot, xid8, bigint, int);
`;
