import type { AttributeType } from './mapping.ts';

/** A column of `auth.users` that may be mapped. */
export interface UserColumn {
  /** The name used in the config. */
  readonly name: string;
  /** The column's name in the database. */
  readonly sql: string;
  /** Its type as an attribute; only `json` columns have paths inside them. */
  readonly type: AttributeType;
}

/**
 * Every mappable column of `auth.users`. What is not listed never leaves the database: hashes, tokens, pending addresses.
 * Source: the 70 migrations of Supabase Auth that shape the table.
 */
export const USER_COLUMNS: readonly UserColumn[] = [
  { name: 'id', sql: 'id', type: 'text' },
  { name: 'email', sql: 'email', type: 'text' },
  { name: 'phone', sql: 'phone', type: 'text' },
  { name: 'role', sql: 'role', type: 'text' },
  { name: 'aud', sql: 'aud', type: 'text' },
  { name: 'user_metadata', sql: 'raw_user_meta_data', type: 'json' },
  { name: 'app_metadata', sql: 'raw_app_meta_data', type: 'json' },
  { name: 'created_at', sql: 'created_at', type: 'timestamp' },
  { name: 'updated_at', sql: 'updated_at', type: 'timestamp' },
  { name: 'invited_at', sql: 'invited_at', type: 'timestamp' },
  { name: 'confirmed_at', sql: 'confirmed_at', type: 'timestamp' },
  { name: 'email_confirmed_at', sql: 'email_confirmed_at', type: 'timestamp' },
  { name: 'phone_confirmed_at', sql: 'phone_confirmed_at', type: 'timestamp' },
  { name: 'last_sign_in_at', sql: 'last_sign_in_at', type: 'timestamp' },
  { name: 'banned_until', sql: 'banned_until', type: 'timestamp' },
  { name: 'deleted_at', sql: 'deleted_at', type: 'timestamp' },
  { name: 'is_anonymous', sql: 'is_anonymous', type: 'boolean' },
  { name: 'is_sso_user', sql: 'is_sso_user', type: 'boolean' },
  { name: 'is_super_admin', sql: 'is_super_admin', type: 'boolean' },
];

const BY_NAME: ReadonlyMap<string, UserColumn> = new Map(
  USER_COLUMNS.flatMap((column) => [
    [column.name, column],
    [column.sql, column],
  ]),
);

/** The mappable column of that name; the database's own names of the two metadata columns are accepted as aliases. */
export function userColumn(name: string): UserColumn | undefined {
  return BY_NAME.get(name);
}

const SECRET = /token|^encrypted_password$|^(?:reauthentication|recovery|confirmation)_/;
const PENDING = /^(?:email|phone)_change/;

/** Why a known column of `auth.users` can't be mapped, as the end of a sentence; undefined when it is not such a column. */
export function refusedUserColumn(name: string): string | undefined {
  const column = name.toLowerCase();
  if (SECRET.test(column)) return 'it is a secret of auth.users';
  if (PENDING.test(column)) return 'a pending address never leaves';
  if (column === 'instance_id') return 'it is the same for every user';
  return undefined;
}
