import { describe, expect, test } from 'vitest';
import { connector, FULL, FULL_ENV, mapping, parse } from '../../test/support/config-text.ts';
import { canonicalJson } from './hash.ts';

const hash = (text: string, env: Readonly<Record<string, string>> = FULL_ENV): string => parse(text, env).hash;
const full = hash(FULL);
const replaced = (from: string | RegExp, to: string): string => {
  const text = FULL.replace(from, to);
  expect(text).not.toBe(FULL);
  return text;
};

describe('the hash of a config', () => {
  test('is SHA-256 in hex', () => expect(full).toMatch(/^[0-9a-f]{64}$/));

  test.each([
    ['comments and blank lines', `# hello\n\n${FULL}# bye\n`],
    ['the order of sections', `environment: staging\n${FULL.replace('environment: staging\n', '')}`],
    ['delays', replaced('grace: 90s', 'grace: 5m').replace('every: 30m', 'every: 2h')],
    ['logging', replaced('log_level: warn', 'log_level: debug')],
    ['the database', replaced('database_url: ${DB}', 'database_url: postgres://elsewhere')],
    ['the project and its key', replaced('xyzcompany', 'another').replace('none}', 'other}')],
    ['an option that is the default', replaced('lists: [7, news]', 'lists: [7, news]\n    region: eu')],
    ['a secret deep inside', replaced('inline-secret', 'another-secret')],
    ['an alias of a column', replaced('raw_app_meta_data.provider', 'app_metadata.provider')],
    ['tables', replaced('plan: [PLAN,', 'plan: [PLAN2,')],
  ])('stays with %s', (_, text) => expect(hash(text)).toBe(full));

  test('stays with a rotated token', () => expect(hash(FULL, { ...FULL_ENV, TOKEN: 'rotated-9876543210' })).toBe(full));

  test.each([
    ['enabled', replaced('enabled: true', 'enabled: false')],
    ['users', replaced('users: true', 'users: false')],
    ['a target', replaced('to: SMS', 'to: MOBILE')],
    ['a transform', replaced('[trim, ', '[lower, ')],
    ['the order of transforms', replaced('[trim, {default: friend}', '[{default: friend}, trim')],
    ['a null policy', replaced('when_null: clear\n      user_metadata', 'when_null: skip\n      user_metadata')],
    ['a type', replaced('type: float', 'type: text')],
    [
      'the address',
      replaced('email: [email, EMAIL_COPY]', 'email: EMAIL_COPY').replace(
        '.address.city: CITY',
        '.address.city: email',
      ),
    ],
    ['where', replaced("'test'", "'probe'")],
    ['unconfirmed', replaced('unconfirmed: true', 'unconfirmed: false')],
    ['consent', replaced('marketing_opt_in', 'newsletter')],
    ['the kind of consent', replaced(/consent: .*/, 'consent: nobody')],
    ['the environment', replaced('staging', 'production')],
    ['a destination’s name', replaced('  second:', '  third:')],
    ['a base URL', replaced('lists: [7, news]', 'lists: [7, news]\n    base_url: http://localhost:1')],
    ['a destination’s option', replaced('[7, news]', '[7, offers]')],
  ])('changes with %s', (_, text) => expect(hash(text)).not.toBe(full));

  test('the order of the mapping and of destinations does not matter', () => {
    expect(hash(mapping('phone: A', 'role: B'))).toBe(hash(mapping('role: B', 'phone: A')));
    const [a, b] = ['a: {type: postbox, token: "12345678"}', 'b: {type: postbox, token: "12345678"}'];
    expect(hash(`consent: nobody\ndestinations:\n  ${a}\n  ${b}\n`)).toBe(
      hash(`consent: nobody\ndestinations:\n  ${b}\n  ${a}\n`),
    );
  });

  test('the defaults and the same mapping written out are one', () => {
    const written = mapping(
      'email: email',
      'phone: {to: SMS, transform: e164}',
      'user_metadata.full_name: FIRSTNAME',
      'user_metadata.avatar_url: AVATAR_URL',
      'created_at: SIGNUP_DATE',
      'last_sign_in_at: LAST_SIGN_IN',
      'app_metadata.provider: PROVIDER',
      'confirmed_at: CONFIRMED_AT',
    );
    expect(hash(written)).toBe(hash(connector('enabled: true')));
  });
});

test('canonical JSON sorts keys at every depth, keeps lists, drops what is undefined', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined, A: null })).toBe('{"A":null,"b":[{"c":2,"d":1}]}');
});
