import { normalAddress } from '../compile/link.ts';
import { KEYS_FIRST } from './plan-settings.ts';

/** What the app may ask of the ledger. See docs/consent.md, "Asking, from the app". */
export const canEmail: string = /* sql */ `
create or replace function rollcall.may_email(p_person text, p_address text, p_topic text) returns boolean
language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  -- Where the key is not known it cannot be told who of the erased has said no.
  select case when not rollcall.can_tell() then false else (select not t.bounces and coalesce(t.said = 'opted_in', b.basis)
    from rollcall.standing(p_person, p_address, p_topic) t
    cross join lateral (select exists (select from rollcall.contacts c
      cross join lateral (select from rollcall.desired s
        where s.contact_id = c.id and s.action = 'upsert' and s.consent in ('basis', 'opted_in') and s.address is not distinct from p_address offset 0) s
      where c.key = coalesce(p_person, 'email:' || p_address)) as basis) b) end
$body$;
-- Whether somebody may be mailed, about a topic or about anything: not after a no or while mail to them bounces; after a yes, or where
-- they are a contact and the config has a basis for it. Of whom nothing is known the answer is no.
create or replace function rollcall.can_email(p_user uuid, p_topic text default null) returns boolean
language sql stable security definer set search_path = '' ${KEYS_FIRST} as $body$
  select rollcall.may_email(p_user::text, (select s.address from rollcall.contacts c
    cross join lateral (select s.address from rollcall.desired s where s.contact_id = c.id and s.address is not null offset 0) s
   where c.key = p_user::text limit 1), p_topic)
$body$;
create or replace function rollcall.can_email(p_address text, p_topic text default null) returns boolean
language sql stable security definer set search_path = '' ${KEYS_FIRST} as $body$
  select rollcall.may_email(rollcall.person_at(a.address, clock_timestamp()), a.address, p_topic)
    from (select ${normalAddress('p_address')} as address) a
$body$;

-- What holds of everybody of whom anything is known, for queries of the app: a row for each person, address and topic that a fact
-- names. Who reads a view calls its functions with their own rights.
create or replace function rollcall.consent_of(p_person text, p_address text, p_topic text,
  out said text, out since timestamptz, out bounces boolean, out can_email boolean)
language sql stable security definer set search_path = '' ${KEYS_FIRST} as $body$
  select t.said, t.since, t.bounces, rollcall.may_email(p_person, p_address, p_topic) from rollcall.standing(p_person, p_address, p_topic) t
$body$;
create or replace view rollcall.consent_now as
  select x.person, x.address, x.topic, t.said, t.since, t.bounces, t.can_email
    -- Of the erased there are hashes alone.
    from (select distinct f.person, f.address, f.topic from rollcall.consent f where f.id not like '#%') x
    cross join lateral rollcall.consent_of(x.person, x.address, x.topic) t;
`;
