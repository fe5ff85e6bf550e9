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

test('the hash of each destination tells what changes for it', () => {
  const hashes = (text: string) => parse(text, FULL_ENV).destinationHashes;
  const before = hashes(FULL);
  expect(Object.keys(before)).toEqual(['postbox', 'second']);
  const other = hashes(replaced('lists: [7, news]', 'lists: [7]'));
  const changed = Object.keys(before).filter((name) => before[name] !== other[name]);
  expect(changed).toHaveLength(1);
  const mapped = hashes(replaced('to: SMS', 'to: MOBILE'));
  expect(Object.keys(before).filter((name) => before[name] !== mapped[name])).toEqual(['postbox', 'second']);
});

describe('the hash of a config', () => {
  test('is SHA-256 in hex', () => expect(full).toMatch(/^[0-9a-f]{64}$/));

  test.each([
    ['comments and blank lines', `# hello\n\n${FULL}# bye\n`],
    ['the order of sections', `environment: staging\n${FULL.replace('environment: staging\n', '')}`],
    ['delays', replaced('grace: 90s', 'grace: 5m').replace('sweep: {every: 30m}', 'sweep: {every: 2h}')],
    ['how it is tried again', replaced('window: 7d', 'window: 1d').replace('factor: 1.5, ', '')],
    ['logging', replaced('log_level: warn', 'log_level: debug')],
    ['the database', replaced('database_url: ${DB}', 'database_url: postgres://elsewhere')],
    ['the project and its key', replaced('xyzcompany', 'another').replace('none}', 'other}')],
    ['an option that is the default', replaced('lists: [7, news]', 'lists: [7, news]\n    region: eu')],
    ['a secret deep inside', replaced('inline-secret', 'another-secret')],
    ['an alias of a column', replaced('raw_app_meta_data.provider', 'app_metadata.provider')],
    ['another name of the same table', replaced('  customers:\n', '  public.customers:\n')],
    ['the order of columns', replaced(/( +plan: .*\n)( +address.*\n)/, '$2$1')],
    ['the order of operations', replaced('[update, insert]', '[insert, update]')],
    ['the order of base tables', replaced('[app.orders, refunds]', '[refunds, app.orders]')],
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
    ['another consent column', replaced('user_metadata.marketing_opt_in', 'customers.marketing_opt_in')],
    ['what becomes of those who leave', replaced('on_delete: unsubscribe', 'on_delete: keep')],
    ['what becomes of events without an answer', replaced('at_most_once', 'at_least_once')],
    ['a brake', replaced('2.3%', '2.4%')],
    ['a brake that is off', replaced('changes: off', 'changes:')],
    ['which tables are synced', replaced('app.orders, totals]', 'app.orders]')],
    ['the events of files', replaced('storage: true', 'storage: false')],
    ['the order of tables of contacts', replaced(/(  customers:[^]*)(  totals:[^]*)(database_url)/, '$2$1$3')],
    ['another table', replaced('  totals:\n', '  app.totals:\n').replace('totals]', 'app.totals]')],
    ['a column of a table', replaced('plan: [PLAN,', 'plan2: [PLAN,')],
    ['a table’s address', replaced('email: email\n    plan', 'mail: email\n    plan')],
    ['a table’s condition', replaced('archived is', 'hidden is')],
    ['a table’s link', replaced('{user_id: user_id}', '{user_id: owner}')],
    ['base tables of a view', replaced('base_tables: [app.orders]\n', 'base_tables: [app.carts]\n')],
    ['how often a view is read', replaced('every: 1h\n', 'every: 2h\n')],
    ['how often the clock is read', replaced('every: 6h', 'every: 7h')],
    ['an aggregate', replaced('sql: count(*)', 'sql: min(id)')],
    ['an aggregate’s table', replaced('from: app.orders}', 'from: app.carts}')],
    ['an aggregate’s condition', replaced('where: "paid"', 'where: "open"')],
    ['an aggregate’s link', replaced('contact: {customers: customer_id}}', 'contact: {user_id: customer_id}}')],
    ['an aggregate’s base tables', replaced('refunds]', 'returns]')],
    ['an event’s name', replaced('event_name: order_placed', 'event_name: ordered')],
    ['an event’s operations', replaced('[update, insert]', '[update]')],
    ['an event’s property', replaced('total: amount', 'total: sum')],
    ['a computed property', replaced('total * 100', 'total * 1000')],
    ['an event’s condition', replaced('old.total, 0', 'old.total, 1')],
    ['an event’s link', replaced('contact: {customers: customer_id}\n', 'contact: {email: customer_id}\n')],
    ['the name of an event of users', replaced('auth.user.created: true', 'user.signed_up: true')],
    ['the properties of an event of users', replaced('home: {const: web}', 'home: {const: app}')],
    ['the condition of an event of users', replaced('when: not is_anonymous', 'when: is_anonymous')],
    ['an event that is switched on', replaced('user.updated: false', 'user.updated: true')],
    ['a destination’s option', replaced('[7, news]', '[7, offers]')],
  ])('changes with %s', (_, text) => expect(hash(text)).not.toBe(full));

  test('the order of events does not matter', () => {
    const both = (first: string, second: string): string => `table_mapping:\n  ${first}\n  ${second}\n`;
    const [a, b] = ['a: {sync_as: events, event_name: x}', 'b: {sync_as: events, event_name: y}'];
    expect(hash(both(a, b))).toBe(hash(both(b, a)));
    expect(hash(connector('events: [user.signed_in, user.updated]'))).toBe(
      hash(connector('events: {user.updated: true, user.signed_in: user.signed_in}')),
    );
  });

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
