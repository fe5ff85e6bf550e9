import type { Config } from '../../config/types.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTexts } from '../quote.ts';
import { answerSource } from './answer.ts';

/** What of the config says how consent is read, heeded, written and shown. @param writeBacks generated functions that write it */
export function consentScript({ consent, consentPolicy }: Config, writeBacks: readonly string[]): string {
  const source = answerSource(consent);
  return `select rollcall.use_answers(${source === undefined ? 'null' : quoteLiteral(source)});
update rollcall.install set consent_policy = ${quoteLiteral(consentPolicy)}, write_backs = ${quoteTexts(writeBacks)}::name[];`;
}

/** Lets the roles of the config ask the ledger, and no others. One that is not there is an error. */
export function readersScript({ consentReaders }: Config): readonly string[] {
  return [WITHDRAWN, ...consentReaders.map(granted)];
}

/** Roles that an earlier config named. */
const WITHDRAWN = `do ${dollarQuote(`declare
  v_role name;
begin
  for v_role in
    select distinct r.rolname from pg_catalog.pg_proc p cross join lateral pg_catalog.aclexplode(p.proacl) a
      join pg_catalog.pg_roles r on r.oid = a.grantee
     where p.pronamespace = 'rollcall'::regnamespace and p.proname = 'can_email' and a.grantee <> p.proowner
  loop
    execute pg_catalog.format('revoke all on schema rollcall from %1$I; revoke all on all tables in schema rollcall from %1$I;
      revoke all on all routines in schema rollcall from %1$I', v_role);
  end loop;
end`)};`;

function granted(role: string): string {
  const to = quoteIdent(role);
  const view = SHOWN_TO_NONE.includes(role)
    ? ''
    : `
  grant select on rollcall.consent_now to ${to};
  grant execute on function rollcall.consent_of(text, text, text) to ${to};`;
  return `do ${dollarQuote(`begin
  if not exists (select from pg_catalog.pg_roles where rolname = ${quoteLiteral(role)}) then
    raise exception 'consent_readers names the role %, which this database does not have', ${quoteLiteral(to)}
      using errcode = 'undefined_object';
  end if;
  grant usage on schema rollcall to ${to};
  grant execute on function rollcall.can_email(uuid, text), rollcall.can_email(text, text) to ${to};${view}
end`)};`;
}

/** Roles of whoever comes through the API: they may ask about one person, and not read of all. */
const SHOWN_TO_NONE: readonly string[] = ['anon', 'authenticated'];
