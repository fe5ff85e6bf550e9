import { expect, test } from 'vitest';
import { testConfig } from '../../test/support/config.ts';
import { requireDatabaseUrl } from './open-database.ts';

test.each([
  'postgres://user:p@ss/w#rd@localhost/x',
  'postgres://user:pa#ss@localhost/x',
  'postgresql://user:p@ss@localhost:5432/x',
  'postgresql://user:pa/ss@localhost:5432/x',
])('a password that is not encoded is told before any part of it is taken for the host: %s', (databaseUrl) => {
  expect(() => requireDatabaseUrl(testConfig({ databaseUrl }))).toThrow(
    expect.objectContaining({ code: 'RC_DATABASE_URL', hint: expect.stringContaining('percent-encoded') as string }),
  );
});

test.each([
  'postgres://user:p%40ss@localhost/x',
  'postgres://user@localhost',
  'postgresql://postgres.ref:secret@aws-0-eu.pooler.supabase.com:5432/postgres?options=-c%20a@b',
  'postgres:///x?host=/tmp&user=a@b',
])('a URL as it should be: %s', (databaseUrl) => {
  expect(requireDatabaseUrl(testConfig({ databaseUrl }))).toBe(databaseUrl);
});
