import { describe, expect, test } from 'vitest';
import { refusedUserColumn, USER_COLUMNS, userColumn } from './user-columns.ts';

// The table's columns as reference: Supabase Auth's migrations, in their order.
const AUTH_USERS =
  `instance_id id aud role email encrypted_password email_confirmed_at invited_at confirmation_token confirmation_sent_at
  recovery_token recovery_sent_at email_change_token_new email_change email_change_sent_at last_sign_in_at raw_app_meta_data
  raw_user_meta_data is_super_admin created_at updated_at phone phone_confirmed_at phone_change phone_change_token
  phone_change_sent_at confirmed_at email_change_token_current email_change_confirm_status banned_until
  reauthentication_token reauthentication_sent_at is_sso_user deleted_at is_anonymous`.split(/\s+/);

describe('columns of auth.users', () => {
  test('each is either mappable or refused with a reason, never both', () => {
    for (const name of AUTH_USERS) {
      expect([name, userColumn(name) !== undefined]).toEqual([name, refusedUserColumn(name) === undefined]);
    }
  });

  test('the mappable ones are exactly columns of the table', () => {
    expect(USER_COLUMNS.every((column) => AUTH_USERS.includes(column.sql))).toBe(true);
    expect(new Set(USER_COLUMNS.map((column) => column.sql)).size).toBe(USER_COLUMNS.length);
  });

  test('the database names of the metadata columns are aliases', () => {
    expect(userColumn('raw_user_meta_data')).toBe(userColumn('user_metadata'));
    expect(userColumn('raw_app_meta_data')).toBe(userColumn('app_metadata'));
  });

  test.each([
    ['encrypted_password', 'it is a secret of auth.users'],
    ['Recovery_Token', 'it is a secret of auth.users'],
    ['some_new_token_hash', 'it is a secret of auth.users'],
    ['confirmation_sent_at', 'it is a secret of auth.users'],
    ['email_change', 'a pending address never leaves'],
    ['phone_change_sent_at', 'a pending address never leaves'],
  ])('%s is refused: %s', (name, reason) => {
    expect(userColumn(name)).toBeUndefined();
    expect(refusedUserColumn(name)).toBe(reason);
  });

  test('an inherited object key is no column', () => {
    expect(userColumn('constructor')).toBeUndefined();
    expect(refusedUserColumn('plan')).toBeUndefined();
  });
});
