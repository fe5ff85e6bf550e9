import { describe, expect, test } from 'vitest';
import { RollcallError } from '../core/errors.ts';
import { databaseError } from './database-error.ts';

/** As the driver makes them of what the server says. */
function serverError(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR', ...more });
}

describe('a right that is missing is named', () => {
  test.each([
    ['permission denied for database postgres', 'CREATE on the database postgres, to make the schema rollcall'],
    ['permission denied for schema auth', 'USAGE on the schema auth'],
    ['permission denied for schema rollcall', 'USAGE on the schema rollcall: Rollcall was installed by another role'],
    ['permission denied for table users', 'SELECT and TRIGGER on auth.users'],
    ['permission denied for table contacts', 'access to the table contacts'],
    ['permission denied for function pg_control_system', 'EXECUTE on the function pg_control_system()'],
    [
      'query would be affected by row-level security policy for table "users"',
      'BYPASSRLS, to read auth.users past row security',
    ],
    [
      'must be owner of schema rollcall',
      'ownership (must be owner of schema rollcall): Rollcall was installed by another role',
    ],
    ['something new', 'something new'],
  ])('%s', (message, right) => {
    expect(databaseError(serverError('42501', message))).toMatchObject({
      code: 'RC_DATABASE_PERMISSION',
      message: `This database role lacks a right: ${right}.`,
    });
  });
});

test.each([
  ['55P03', 'RC_DATABASE_BUSY'],
  ['57014', 'RC_DATABASE_BUSY'],
  ['25006', 'RC_DATABASE_READ_ONLY'],
  ['53300', 'RC_DATABASE_FULL'],
  ['57P01', 'RC_DATABASE_UNREACHABLE'],
  ['3F000', 'RC_NOT_INSTALLED'],
  ['RC002', 'RC_NOT_BOUND'],
  ['XX000', 'RC_DATABASE'],
])('SQLSTATE %s is %s', (code, ours) => {
  const error = databaseError(serverError(code, 'what the server says'));
  expect(error).toBeInstanceOf(RollcallError);
  expect(error).toMatchObject({ code: ours, hint: expect.stringMatching(/./) as unknown });
});

test('the server’s words are shown without personal data', () => {
  const error = databaseError(serverError('22P02', 'invalid input syntax for type uuid: "ann@example.com"'));
  expect(error?.message).toBe(
    'The database refused a statement (22P02): invalid input syntax for type uuid: "[email]"',
  );
});

test('a lost connection, by Node’s code or by the driver’s words', () => {
  const lost = [
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
    new Error('Query read timeout'),
  ];
  expect(lost.map((error) => databaseError(error)?.code)).toEqual(Array(3).fill('RC_DATABASE_UNREACHABLE'));
});

test('what is none of the database’s is left alone', () => {
  expect(databaseError(new TypeError('x is not a function'))).toBeUndefined();
  expect(databaseError(Object.assign(new Error('no such file'), { code: 'EPERM' }))).toBeUndefined();
  expect(databaseError('text')).toBeUndefined();
});
