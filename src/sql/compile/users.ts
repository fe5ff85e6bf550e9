import { LONGEST_ADDRESS } from '../../core/address.ts';
import type { AttributeMapping, ConsentBasis, UserMapping } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import { dollarQuote, quoteIdent } from '../quote.ts';
import { SESSION } from '../functions/mapping.ts';
import { adjustedPayload, type CompiledAdjustment, holds } from './adjustment.ts';
import { jsonObject } from './json-object.ts';
import { keyAddress, keyUser, normalAddress } from './link.ts';
import { answerOf, answerPaths } from './answer.ts';
import { attributeColumns, attributeValue, type InspectedExpression, pathValue, USERS } from './value.ts';

/** What the database says about `auth.users` and about the config's `sql:` expressions, read before compiling. */
export interface UserSource {
  /** Columns that exist, by their names in the database. */
  readonly columns: ReadonlySet<string>;
  /** By the text of the expression. */
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
}

/**
 * No destination takes a contact this large (the most generous known, Klaviyo, says 100 KB), and users write their own
 * metadata: a thousand huge ones in one fold must not take the database's memory.
 */
export const LONGEST_PAYLOAD = 131_072;

/** Columns of the verdict: who is no contact at all. */
const VERDICT_COLUMNS = ['deleted_at', 'banned_until', 'is_anonymous', 'email_confirmed_at', 'phone_confirmed_at'];

/** Columns of `auth.users` (names in the database) whose change can change a contact. */
export function watchedColumns(mapping: UserMapping, consent: ConsentBasis | undefined, source: UserSource): string[] {
  const names = new Set<string>([mapping.address[0], ...VERDICT_COLUMNS]);
  for (const attribute of own(mapping)) {
    for (const name of attributeColumns(attribute, inspected(attribute, source), USERS)) names.add(name);
  }
  if (consent?.kind === 'column' && consent.table === undefined) {
    for (const [column] of answerPaths(consent)) names.add(column);
  }
  if (mapping.where !== undefined)
    for (const name of source.expressions.get(mapping.where.expression)?.columns ?? []) names.add(name);
  return USER_COLUMNS.filter((c) => names.has(c.name) || names.has(c.sql))
    .map((c) => c.sql)
    .filter((c) => source.columns.has(c));
}

/** What the function for users is made from. */
export interface UserFunction {
  readonly mapping: UserMapping;
  readonly consent: ConsentBasis | undefined;
  /** False: a user is a contact only where a row of a table makes one of it. */
  readonly users: boolean;
  readonly source: UserSource;
}

/**
 * The function that makes contacts of keys: `rollcall.<name>(p_keys text[], p_addresses text[]) returns setof
 * rollcall.mapped`, one row a key. Somebody who is known by an address alone gets the verdict `email` and nothing else: what
 * they are is said by the tables. Only `rollcall.map_rows` calls it, which fixes the settings of the session. Its body is a
 * string, so the app's DROP COLUMN, RENAME and ALTER TYPE work; what no longer fits raises class 42. No column of its own is called as
 * one of the users': expressions name theirs without a table.
 */
export function mapFunction(name: string, of: UserFunction): string {
  return `create or replace function rollcall.${quoteIdent(name)}(p_keys text[], p_addresses text[]) returns setof rollcall.mapped
language plpgsql as ${dollarQuote(`begin
  return query
  select k.key,
         case when b.bytes > ${LONGEST_PAYLOAD} then 'failed' else v.verdict end,
         case when v.verdict = 'email' then k.address when v.verdict in ('ok', 'unlisted') then a.address end,
         case when v.verdict in ('ok', 'email', 'unlisted') then (${consentValue(of.consent, true)}) else 'none' end,
         case when b.bytes > ${LONGEST_PAYLOAD} then ${tooLarge('b.bytes')} else b.payload end,
         '{}'::jsonb
    from (select x.key, ${keyUser('x.key')} as rollcall_id, ${keyAddress('x.key')} as address from unnest(p_keys) as x(key) offset 0) as k
    left join lateral (select ${projection(of)} from auth.users u where u.id = k.rollcall_id offset 0) as users on true
    ${mapped(
      of,
      `when k.rollcall_id is null then 'email'
      when users.id is null then 'gone'
`,
    )};
end`)};`;
}

/**
 * The function by which a sweep leaves out whoever is as they shall be: `rollcall.<name>(p_after uuid, p_last uuid) returns
 * setof rollcall.fingerprint`, one row for each user in that range, for when nothing but \`auth.users\` makes contacts. It does what
 * the function above and `rollcall.wanted_rows` do, in one go and for half of the time; whoever differs is looked at by those.
 * @param adjustment what the destination makes of contacts
 */
export function fingerprintFunction(name: string, of: UserFunction, adjustment?: CompiledAdjustment): string {
  return `create or replace function rollcall.${quoteIdent(name)}(p_after uuid, p_last uuid) returns setof rollcall.fingerprint
language plpgsql as ${dollarQuote(`begin
  return query
  select users.id::text,
         case when b.bytes > ${LONGEST_PAYLOAD} then 'failed' when v.verdict = 'unlisted' then 'not_synced' when not w.holds then 'filtered' else v.verdict end,
         case when v.verdict = 'ok' and w.holds then rollcall.fingerprint_of(a.address, ${consentValue(of.consent, false)}, ${adjustment === undefined ? 'b.payload' : adjustedPayload(adjustment, 'b.payload')}) end
    from (select ${projection(of)} from auth.users u where u.id > p_after and u.id <= p_last offset 0) as users
    ${mapped(of, '')}
    cross join lateral (select ${adjustment === undefined ? 'true' : `case when v.verdict = 'ok' then ${holds(adjustment, 'a.address', 'b.payload')} end`} as holds offset 0) as w;
end`)};`;
}

/**
 * What contacts shall be at a destination, of a plan: `rollcall.<name>(p_after bigint, p_last bigint) returns rollcall.wanted[]`, from one
 * number to another, for when nothing but \`auth.users\` makes contacts and nobody has said anything. It does what the function
 * for contacts and `rollcall.wanted_rows` do, in one go; a row that cannot be mapped fails it whole.
 * @param adjustment what the destination makes of contacts
 * @param hashed false without the hashes, as there is nothing to compare them with
 */
export function plannedFunction(
  name: string,
  of: UserFunction,
  { adjustment, hashed }: { readonly adjustment: CompiledAdjustment | undefined; readonly hashed: boolean },
): string {
  const holding =
    adjustment === undefined
      ? 'true'
      : `case when v.verdict = 'ok' then ${holds(adjustment, 'a.address', 'b.payload')} end`;
  return `create function rollcall.${quoteIdent(name)}(p_after bigint, p_last bigint) returns rollcall.wanted[]
language plpgsql set search_path = '' set jit = off ${SESSION} as ${dollarQuote(`begin
  return (
    select array_agg(row(k.rollcall_contact, k.rollcall_key, x.verdict,
             case when x.verdict in ('ok', 'not_synced', 'failed') then a.address end, x.consent, x.payload,
             ${hashed ? `case when x.verdict = 'ok' then rollcall.fingerprint_of(a.address, x.consent, x.payload) else ''::bytea end` : `''::bytea`}, null)::rollcall.wanted)
    from (select c.id as rollcall_contact, c.key as rollcall_key, ${keyUser('c.key')} as rollcall_id from rollcall.contacts c
           where c.id > p_after and c.id <= p_last and not ((select exists (select from rollcall.plan_careful)) and exists (select from rollcall.plan_careful p where p.contact_id = c.id)) offset 0) as k
    left join lateral (select ${projection(of)} from auth.users u where u.id = k.rollcall_id offset 0) as users on true
    ${mapped(of, `when users.id is null then 'gone'\n`)}
    cross join lateral (select ${holding} as holds offset 0) as w
    cross join lateral (select
      case when b.bytes > ${LONGEST_PAYLOAD} then 'failed' when v.verdict = 'unlisted' then 'not_synced' when not w.holds then 'filtered' else v.verdict end as verdict,
      case when v.verdict in ('ok', 'unlisted') then (${consentValue(of.consent, false)}) else 'none' end as consent,
      ${adjustment === undefined ? 'b.payload' : `case when v.verdict = 'ok' and w.holds then ${adjustedPayload(adjustment, 'b.payload')} else '{}'::jsonb end`} as payload offset 0) as x);
end`)};`;
}

/** Every user with the address, the verdict and the payload that the functions above make, as a query: for when nothing is installed. */
export function peopleQuery(of: UserFunction): string {
  return `select users.id, a.address, v.verdict, b.payload from (select ${projection(of)} from auth.users u offset 0) as users
    ${mapped(of, '')}`;
}

/** The columns of \`auth.users\` that the mapping reads, as SQL. */
function projection({ mapping, consent, source }: UserFunction): string {
  const watched = new Set(watchedColumns(mapping, consent, source));
  const columns = USER_COLUMNS.filter((c) => watched.has(c.sql) && c.sql !== 'id');
  return ['u.id', ...columns.map((c) => `u.${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`)].join(', ');
}

/** Joins what a row `users` is and has: `a.address`, `v.verdict`, `b.payload` and `b.bytes`. */
function mapped({ mapping, users, source }: UserFunction, firstArms: string): string {
  return `cross join lateral (${userAddress(mapping)}) as a
    cross join lateral (select case
      ${firstArms}${verdictArms(mapping, source)}
      else '${users ? 'ok' : 'unlisted'}' end as verdict) as v
    cross join lateral (select y.payload, pg_column_size(y.payload) as bytes from (
      select case when v.verdict in ('ok', 'unlisted') then (${payload(own(mapping), source)}) else '{}'::jsonb end as payload offset 0) as y offset 0) as b`;
}

/**
 * The addresses users have now: `rollcall.user_addresses(p_keys text[]) returns setof text`. Read before the owner rows are
 * locked, to find whom a change concerns too.
 */
export function userAddresses(mapping: UserMapping, source: UserSource): string {
  const columns = addressColumns(mapping, source);
  return `create or replace function rollcall.user_addresses(p_keys text[]) returns setof text
language plpgsql set search_path = '' set row_security = off as ${dollarQuote(`begin
  return query select a.address
    from (select ${keyUser('x.key')} as id from unnest(p_keys) as x(key) offset 0) as k
    cross join lateral (select ${columns.join(', ')} from auth.users u where u.id = k.id offset 0) as users
    cross join lateral (${userAddress(mapping)}) as a
   where a.address is not null;
end`)};`;
}

/**
 * The next users with the addresses they have: `rollcall.plan_users(p_after uuid, p_limit int)`, for a plan. What it locks is given
 * back with the subtransaction it reads in.
 */
export function userPage(mapping: UserMapping, source: UserSource): string {
  return `create function rollcall.plan_users(p_after uuid, p_limit int, out ids uuid[], out addresses text[])
language plpgsql set search_path = '' set row_security = off set jit = off as ${dollarQuote(`begin
  begin
    select array_agg(x.id order by x.id), array_agg(x.address order by x.id) into ids, addresses from (
      select users.id, a.address
        from (select ${['u.id', ...addressColumns(mapping, source)].join(', ')} from auth.users u
               where u.id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000') and u.id is distinct from p_after
               order by u.id limit p_limit) as users
        cross join lateral (${userAddress(mapping)}) as a) x;
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
end`)};`;
}

/** What a contact whose mapped values are too large is told, as SQL of a jsonb. */
export function tooLarge(bytes: string): string {
  return `jsonb_build_object('code', 'too_large', 'message',
           format('The mapped values of this contact take %s bytes, and at most ${LONGEST_PAYLOAD} are sent.', ${bytes}))`;
}

function addressColumns(mapping: UserMapping, source: UserSource): readonly string[] {
  return USER_COLUMNS.filter((c) => c.name === mapping.address[0] && source.columns.has(c.sql)).map(
    (c) => `u.${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`,
  );
}

function userAddress(mapping: UserMapping): string {
  const { sql } = pathValue(mapping.address, USERS);
  // What is all ASCII is composed as it is, and to find that out takes a tenth of the time.
  return `select case when length(x.address) <= ${LONGEST_ADDRESS} then nullif(x.address, '') end as address
      from (select case when octet_length(y.raw) = length(y.raw) then ${normalAddress('y.raw', true)} else ${normalAddress('y.raw')} end as address
        from (select ${sql} as raw offset 0) as y offset 0) as x`;
}

function verdictArms(mapping: UserMapping, source: UserSource): string {
  const arms: string[] = [];
  if (source.columns.has('deleted_at')) arms.push(`when users.deleted_at is not null then 'soft_deleted'`);
  if (source.columns.has('banned_until')) arms.push(`when users.banned_until > now() then 'banned'`);
  if (source.columns.has('is_anonymous')) arms.push(`when users.is_anonymous then 'anonymous'`);
  if (mapping.where !== undefined) arms.push(`when (${mapping.where.expression}\n) is not true then 'filtered'`);
  arms.push(`when a.address is null then 'no_address'`);
  if (!mapping.unconfirmed) arms.push(`when ${unconfirmed(mapping.address)} then 'unconfirmed'`);
  return arms.map((arm) => `      ${arm}`).join('\n');
}

/** Only the columns that Supabase Auth itself confirms can be known to be confirmed. */
function unconfirmed(address: readonly [string, ...string[]]): string {
  if (address.length === 1 && address[0] === 'email') return 'users.email_confirmed_at is null';
  if (address.length === 1 && address[0] === 'phone') return 'users.phone_confirmed_at is null';
  return 'true';
}

/** @param dated whether an answer has its date behind it */
function consentValue(consent: ConsentBasis | undefined, dated: boolean): string {
  if (consent === undefined || consent.kind === 'nobody') return `'none'`;
  if (consent.kind === 'everyone') return `'basis'`;
  // What a table says is put in its place later.
  if (consent.table !== undefined) return `'missing'`;
  const answer = answerOf(consent, USERS);
  return dated ? answer : `split_part(${answer}, ' ', 1)`;
}

function payload(attributes: readonly AttributeMapping[], source: UserSource): string {
  return jsonObject(
    attributes.map((a) => ({
      name: a.name,
      value: attributeValue(a, inspected(a, source), USERS),
      keepNull: a.onNull === 'clear',
    })),
  );
}

/** The attributes that a row of `auth.users` gives by itself. */
export function own(mapping: { readonly attributes: readonly AttributeMapping[] }): readonly AttributeMapping[] {
  return mapping.attributes.filter((a) => a.source.kind !== 'aggregate');
}

/** What is known of an attribute's expression. */
function inspected(attribute: AttributeMapping, source: UserSource): InspectedExpression | undefined {
  return attribute.source.kind === 'sql' ? source.expressions.get(attribute.source.expression) : undefined;
}
