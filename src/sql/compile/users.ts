import type { AttributePlan } from '../../core/destination.ts';
import type { AttributeMapping, ConsentBasis, UserMapping } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import { dollarQuote, quoteIdent, quoteLiteral } from '../quote.ts';
import { attributeColumns, attributeValue, type InspectedExpression, jsonArgument, pathValue, USERS } from './value.ts';

/** What the database says about `auth.users` and about the config's `sql:` expressions, read before compiling. */
export interface UserSource {
  /** Columns that exist, by their names in the database. */
  readonly columns: ReadonlySet<string>;
  /** By the text of the expression. */
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
}

/** In characters (RFC 5321: 64 before the @, 255 after). A longer one is none, and no index has to hold it. */
const LONGEST_ADDRESS = 320;
/**
 * No destination takes a contact this large (the most generous known, Klaviyo, says 100 KB), and users write their own
 * metadata: a thousand huge ones in one fold must not take the database's memory.
 */
const LONGEST_PAYLOAD = 131_072;

/** Columns of the verdict: who is no contact at all. */
const VERDICT_COLUMNS = ['deleted_at', 'is_anonymous', 'email_confirmed_at', 'phone_confirmed_at'];

/** The types of a mapping's attributes, as the destinations get to know them. */
export function attributePlan(mapping: UserMapping, source: UserSource): AttributePlan {
  return Object.fromEntries(
    mapping.attributes.map((a) => [a.name, attributeValue(a, inspected(a, source), USERS).type]),
  );
}

/** Columns of `auth.users` (names in the database) whose change can change a contact. */
export function watchedColumns(mapping: UserMapping, consent: ConsentBasis | undefined, source: UserSource): string[] {
  const names = new Set<string>([mapping.address[0], ...VERDICT_COLUMNS]);
  for (const attribute of mapping.attributes) {
    for (const name of attributeColumns(attribute, inspected(attribute, source), USERS)) names.add(name);
  }
  if (consent?.kind === 'column') names.add(consent.path[0]);
  if (mapping.where !== undefined)
    for (const name of source.expressions.get(mapping.where.expression)?.columns ?? []) names.add(name);
  return USER_COLUMNS.filter((c) => names.has(c.name) || names.has(c.sql))
    .map((c) => c.sql)
    .filter((c) => source.columns.has(c));
}

/**
 * The function that makes contacts of users: `rollcall.<name>(p_keys text[]) returns setof rollcall.mapped`, one row a key.
 * Only `rollcall.map_rows` calls it, which fixes the settings of the session. Its body is a string, so the app's DROP COLUMN,
 * RENAME and ALTER TYPE work; what no longer fits raises class 42.
 */
export function mapFunction(
  name: string,
  mapping: UserMapping,
  consent: ConsentBasis | undefined,
  source: UserSource,
): string {
  const watched = new Set(watchedColumns(mapping, consent, source));
  const projection = USER_COLUMNS.filter((c) => watched.has(c.sql) && c.sql !== 'id').map(
    (c) => `u.${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`,
  );
  return `create or replace function rollcall.${quoteIdent(name)}(p_keys text[]) returns setof rollcall.mapped
language plpgsql as ${dollarQuote(`begin
  return query
  select k.key,
         case when b.bytes > ${LONGEST_PAYLOAD} then 'failed' else v.verdict end,
         case when v.verdict = 'ok' then a.address end,
         case when v.verdict = 'ok' then (${consentValue(consent)}) else 'none' end,
         case when b.bytes > ${LONGEST_PAYLOAD} then jsonb_build_object('code', 'too_large', 'message',
           format('The mapped values of this contact take %s bytes, and at most ${LONGEST_PAYLOAD} are sent.', b.bytes)) else b.payload end
    from unnest(p_keys) as k(key)
    left join lateral (select ${['u.id', ...projection].join(', ')} from auth.users u where u.id = k.key::uuid offset 0) as users on true
    cross join lateral (select case when length(x.address) <= ${LONGEST_ADDRESS} then nullif(x.address, '') end as address
      from (select lower(normalize(btrim(${pathValue(mapping.address, USERS).sql}, E' \\t\\r\\n'))) as address offset 0) as x) as a
    cross join lateral (select case
      when users.id is null then 'gone'
${verdictArms(mapping, source)}
      else 'ok' end as verdict) as v
    cross join lateral (select y.payload, pg_column_size(y.payload) as bytes from (
      select case when v.verdict = 'ok' then (${payload(mapping.attributes, source)}) else '{}'::jsonb end as payload offset 0) as y offset 0) as b;
end`)};`;
}

function verdictArms(mapping: UserMapping, source: UserSource): string {
  const arms: string[] = [];
  if (source.columns.has('deleted_at')) arms.push(`when users.deleted_at is not null then 'soft_deleted'`);
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

function consentValue(consent: ConsentBasis | undefined): string {
  if (consent === undefined || consent.kind === 'nobody') return `'none'`;
  if (consent.kind === 'everyone') return `'basis'`;
  const value = `lower((${pathValue(consent.path, USERS).sql})::text)`;
  return `case when ${value} in ('true', 't', 'yes', 'y', 'on', '1') then 'basis'
           when ${value} in ('false', 'f', 'no', 'n', 'off', '0') then 'opted_out' else 'missing' end`;
}

/** One `jsonb_build_object` takes at most 100 arguments. */
const ATTRIBUTES_PER_OBJECT = 40;

function payload(attributes: readonly AttributeMapping[], source: UserSource): string {
  const entries = attributes.map((a) => {
    const value = attributeValue(a, inspected(a, source), USERS);
    return {
      name: quoteLiteral(a.name),
      sql: jsonArgument(value),
      json: value.type === 'json',
      skip: a.onNull === 'skip',
    };
  });
  const objects: string[] = [];
  const build = (list: typeof entries, wrap: (sql: string) => string): void => {
    for (let from = 0; from < list.length; from += ATTRIBUTES_PER_OBJECT) {
      const part = list.slice(from, from + ATTRIBUTES_PER_OBJECT);
      objects.push(wrap(`jsonb_build_object(${part.map((e) => `${e.name}, ${e.sql}`).join(', ')})`));
    }
  };
  build(
    entries.filter((e) => e.skip && !e.json),
    (sql) => `jsonb_strip_nulls(${sql})`,
  );
  build(
    entries.filter((e) => !e.skip),
    (sql) => sql,
  );
  // Nulls inside a json value are part of it, so only the value as a whole is tested.
  for (const e of entries.filter((x) => x.skip && x.json)) {
    objects.push(
      `case when nullif(${e.sql}, 'null'::jsonb) is null then '{}'::jsonb else jsonb_build_object(${e.name}, ${e.sql}) end`,
    );
  }
  return objects.length === 0 ? `'{}'::jsonb` : objects.join('\n           || ');
}

function inspected(attribute: AttributeMapping, source: UserSource): InspectedExpression | undefined {
  return attribute.source.kind === 'sql' ? source.expressions.get(attribute.source.expression) : undefined;
}
