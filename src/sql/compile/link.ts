import { quoteIdent } from '../quote.ts';
import type { RowLink, RowLinkVia, SourceColumn, SourceTable } from '../source.ts';

/** What the key of a contact that is known by its address alone begins with; a user's key is the id of `auth.users`. */
export const EMAIL_KEY = 'email:';

/** In characters (RFC 5321: 64 before the @, 255 after). A longer one is none, and no index has to hold it. */
export const LONGEST_ADDRESS = 320;

const UUID = `'^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'`;

/** An address as it is compared: without blanks around it, composed (NFC), in lower case. */
export function normalAddress(sql: string): string {
  return `lower(normalize(btrim(${sql}, E' \\t\\r\\n')))`;
}

/**
 * The key of the contact a row leads to, as SQL text; null when it leads to none. For links without `via`.
 * @param alias of the row, as SQL
 */
export function contactKey(link: RowLink, alias: string): string {
  const keys: string[] = [];
  if (link.user !== undefined) keys.push(userKey(link.user, alias));
  if (link.email !== undefined) {
    const address = normalAddress(text(link.email, alias));
    keys.push(
      `(select '${EMAIL_KEY}' || x.a from (select ${address} as a) x where x.a <> '' and length(x.a) <= ${LONGEST_ADDRESS})`,
    );
  }
  return keys.length === 1 ? (keys[0] ?? 'null::text') : `coalesce(${keys.join(', ')})`;
}

/** The user's id in a contact's key, as SQL; null for somebody who is known by an address alone. */
export function keyUser(key: string): string {
  return `case when ${key} not like '${EMAIL_KEY}%' then ${key}::uuid end`;
}

/** The address in a contact's key, as SQL; null for a user. */
export function keyAddress(key: string): string {
  return `case when ${key} like '${EMAIL_KEY}%' then substr(${key}, ${EMAIL_KEY.length + 1}) end`;
}

/** A text that is no UUID is no user's id. */
function userKey(column: SourceColumn, alias: string): string {
  const value = `${alias}.${quoteIdent(column.name)}`;
  if (column.sqlType === 'uuid') return `${value}::text`;
  return `(case when ${value}::text ~ ${UUID} then lower(${value}::text) end)`;
}

function text(column: SourceColumn, alias: string): string {
  return `${alias}.${quoteIdent(column.name)}::text`;
}

/** A contact in SQL: its user id (a uuid, null when it has none) and its address (text, null when it has none). */
export interface ContactSql {
  readonly user: string;
  readonly address: string;
}

/**
 * Conditions, one of which holds for each row of the contact: each can use an index of its own, so they are for a UNION ALL
 * of queries, never for an OR. For links without `via`.
 */
export function belongs(link: RowLink, alias: string, contact: ContactSql): readonly string[] {
  const conditions: string[] = [];
  if (link.user !== undefined) {
    const value = `${alias}.${quoteIdent(link.user.name)}`;
    // In text an id is written in one case or the other.
    conditions.push(
      link.user.sqlType === 'uuid'
        ? `${value} = ${contact.user}`
        : `${value} in (${contact.user}::text, upper(${contact.user}::text))`,
    );
  }
  if (link.email !== undefined) {
    const byAddress = `${normalAddress(text(link.email, alias))} = ${contact.address}`;
    conditions.push(link.user === undefined ? byAddress : `${userKey(link.user, alias)} is null and ${byAddress}`);
  }
  return conditions;
}

/** How the log names keys that lead through another table. */
export function viaName(table: SourceTable, via: RowLinkVia): string {
  return `${table.name}.${via.column.name} -> ${via.target.name}`;
}

/** Columns of the row itself that its link reads. */
export function linkColumns(link: RowLink): readonly string[] {
  return [link.user, link.email, link.via?.column].flatMap((c) => (c === undefined ? [] : [c.name]));
}

/** The index that finds the rows of a contact, for each condition of `belongs` or for `via`: the columns or expression of `create index`. */
export function usefulIndexes(link: RowLink): readonly string[] {
  const of = (c: SourceColumn | undefined): string[] => (c === undefined ? [] : [quoteIdent(c.name)]);
  const email = link.email === undefined ? [] : [normalAddress(`${quoteIdent(link.email.name)}::text`)];
  return [...of(link.user), ...email, ...of(link.via?.column)];
}
