import type { Config } from '../../config/types.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTexts } from '../quote.ts';
import { answerSource } from './answer.ts';

/** What of the config says how consent is read, heeded, written and shown. @param writeBacks generated functions that write it */
export function consentScript({ consent, consentPolicy }: Config, writeBacks: readonly string[]): string {
  const source = answerSource(consent);
  return `select rollcall.use_answers(${source === undefined ? 'null' : quoteLiteral(source)});
update rollcall.install set consent_policy = ${quoteLiteral(consentPolicy)}, write_backs = ${quoteTexts(writeBacks)}::name[];`;
}

/** Lets roles ask the ledger. A role that is not there gets nothing, and says so. */
export function readersScript({ consentReaders }: Config): readonly string[] {
  return consentReaders.map(
    (role) =>
      `do ${dollarQuote(`begin
  if not exists (select from pg_catalog.pg_roles where rolname = ${quoteLiteral(role)}) then
    raise exception 'consent_readers names the role %, which this database does not have', ${quoteLiteral(quoteIdent(role))}
      using errcode = 'undefined_object';
  end if;
  grant usage on schema rollcall to ${quoteIdent(role)};
  grant execute on function rollcall.can_email(uuid, text), rollcall.can_email(text, text) to ${quoteIdent(role)};${
    SHOWN.includes(role)
      ? ''
      : `
  grant select on rollcall.consent_now to ${quoteIdent(role)};
  grant execute on function rollcall.consent_of(text, text, text) to ${quoteIdent(role)};`
  }
end`)};`,
  );
}

/** Roles of whoever comes through the API: they may ask about one person, and not read of all. */
const SHOWN: readonly string[] = ['anon', 'authenticated'];
