import { LONGEST_ADDRESS } from '../../core/address.ts';
import { quoteIdent } from '../quote.ts';
import type { RowLink, RowLinkVia, SourceColumn, SourceTable } from '../source.ts';

/** What the key of a contact that is known by its address alone begins with; a user's key is the id of `auth.users`. */
export const EMAIL_KEY = 'email:';

/** What a UUID looks like, as a pattern in SQL. */
export const UUID = `'^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'`;

/**
 * An address as it is compared: without blanks around it, composed (NFC), in lower case.
 * @param composed that it is known to be composed
 */
export function normalAddress(sql: string, composed = false): string {
  const trimmed = `btrim(${sql}, E' \\t\\r\\n')`;
  return composed ? `lower(${trimmed})` : `lower(normalize(${trimmed}))`;
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

/** One way from the contacts of a batch to rows of theirs, as SQL. */
export interface Way {
  /** Finds the rows of all contacts at once, by an index where there is one. */
  readonly filter: string;
  /** Tells which contact a row is of. */
  readonly join: string;
}

/**
 * The ways to the rows of contacts: each can use an index of its own, so they are for a UNION ALL of queries, never for an OR.
 * Inside they read `rollcall_ids uuid[]`, `rollcall_texts text[]` (the same in both cases) and `rollcall_addresses text[]`, and a contact
 * `rollcall_k` with `id` and `address`. For links without `via`.
 */
export function ways(link: RowLink, alias: string): readonly Way[] {
  const found: Way[] = [];
  if (link.user !== undefined) {
    const value = `${alias}.${quoteIdent(link.user.name)}`;
    found.push(
      link.user.sqlType === 'uuid'
        ? { filter: `${value} = any(rollcall_ids)`, join: `${value} = rollcall_k.id` }
        : { filter: `${value} = any(rollcall_texts)`, join: `lower(${value}::text) = rollcall_k.id::text` },
    );
  }
  if (link.email !== undefined) {
    const address = normalAddress(text(link.email, alias));
    const nobodys = link.user === undefined ? '' : `${userKey(link.user, alias)} is null and `;
    found.push({ filter: `${nobodys}${address} = any(rollcall_addresses)`, join: `${address} = rollcall_k.address` });
  }
  return found;
}

/** How the log names keys that lead through another table. */
export function viaName(table: SourceTable, via: RowLinkVia): string {
  return `${table.name}.${via.column.name} -> ${via.target.name}`;
}

/** Columns of the row itself that its link reads. */
export function linkColumns(link: RowLink): readonly string[] {
  return [link.user, link.email, link.via?.column].flatMap((c) => (c === undefined ? [] : [c.name]));
}

/** The index that finds the rows of a contact, for each of its `ways` or for `via`: the columns or expression of `create index`. */
export function usefulIndexes(link: RowLink): readonly string[] {
  const of = (c: SourceColumn | undefined): string[] => (c === undefined ? [] : [quoteIdent(c.name)]);
  const email = link.email === undefined ? [] : [normalAddress(`${quoteIdent(link.email.name)}::text`)];
  return [...of(link.user), ...email, ...of(link.via?.column)];
}
