import { expect, test } from 'vitest';
import { bearerOf, keyKind } from './project-key.ts';

const jwt = (claims: object): string =>
  `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;

test('which keys see everything', () => {
  expect(keyKind('sb_secret_abc')).toBe('secret');
  expect(keyKind('sb_publishable_abc')).toBe('publishable');
  expect(keyKind(jwt({ role: 'service_role' }))).toBe('secret');
  expect(keyKind(jwt({ role: 'anon' }))).toBe('publishable');
  expect(keyKind(jwt({ role: 'authenticated', name: 'Zoë ✓' }))).toBe('publishable');
  for (const other of [jwt({}), 'eyJ!.x.y', 'eyJa.%.c', '', 'a-key']) expect(keyKind(other)).toBe('unknown');
});

test('a new key is no bearer token', () => {
  expect(bearerOf('sb_secret_abc')).toEqual({});
  const old = jwt({ role: 'service_role' });
  expect(bearerOf(old)).toEqual({ authorization: `Bearer ${old}` });
});
