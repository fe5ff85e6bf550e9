import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { AttributeMapping, Transform, ValueSource } from '../../../src/core/mapping.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { install } from '../../support/install.ts';
import { around, installed, REF } from './support.ts';

function mappingOf(attributes: readonly AttributeMapping[]): Partial<Config> {
  return { userMapping: { address: ['email'], attributes, where: undefined, unconfirmed: true } };
}

/** Maps one row through one attribute each; a case that fails to map has its SQLSTATE as the value. */
async function valuesOf(
  cases: readonly {
    readonly is: unknown;
    readonly of: AttributeMapping;
    readonly metadata?: string;
    readonly set?: string;
  }[],
): Promise<{ values: unknown[]; expected: unknown[] }> {
  const one = await installed(mappingOf([]));
  const values: unknown[] = [];
  for (const { of, metadata, set } of cases) {
    const config = testConfig({ hash: `h${values.length}`, ...mappingOf([{ ...of, name: 'X' }]) });
    await install(one.db, config, REF);
    const now = await around(one.db, config);
    const id = await one.insert(`u${values.length}@x.y`);
    await one.db.app.query(
      `update auth.users set raw_user_meta_data = $2::jsonb ${set === undefined ? '' : `, ${set}`} where id = $1`,
      [id, metadata ?? '{}'],
    );
    await now.foldAll();
    const { rows } = await one.db.app.query(
      `select coalesce(l.code, case when s.payload ? 'X' then (s.payload -> 'X')::text else 'absent' end) as x
         from rollcall.contacts c left join rollcall.desired s on s.contact_id = c.id
         left join rollcall.dead_letters l on l.contact_id = c.id where c.key = $1`,
      [id],
    );
    values.push(rows[0].x);
  }
  return { values, expected: cases.map((c) => (typeof c.is === 'string' ? c.is : JSON.stringify(c.is))) };
}

const meta = (
  path: string,
  transforms: readonly Transform[] = [],
  more: Partial<AttributeMapping> = {},
): AttributeMapping => attribute('X', `user_metadata.${path}`, { transforms, ...more });

test('numbers and times are exact', async () => {
  const { values, expected } = await valuesOf([
    { of: meta('n', [], { type: 'integer' }), metadata: '{"n": 9007199254740993}', is: '9007199254740993' },
    { of: meta('n', [], { type: 'integer' }), metadata: '{"n": "-9223372036854775808"}', is: '-9223372036854775808' },
    { of: meta('n', [], { type: 'integer' }), metadata: '{"n": 9223372036854775808}', is: '22003' },
    { of: meta('n', [], { type: 'integer' }), metadata: '{"n": 1.5}', is: '22P02' },
    { of: meta('n', [], { type: 'float' }), metadata: '{"n": 0.1000000000000000055}', is: '0.1000000000000000055' },
    { of: meta('n', [], { type: 'float' }), metadata: '{"n": 1e-20}', is: '0.00000000000000000001' },
    { of: meta('n', [], { type: 'float' }), metadata: '{"n": "1.50"}', is: '1.50' },
    { of: meta('n', [], { type: 'float' }), metadata: '{"n": "NaN"}', is: 'absent' },
    { of: meta('n', [], { type: 'float' }), metadata: '{"n": "-Infinity"}', is: 'absent' },
    { of: meta('n'), metadata: '{"n": 9007199254740993}', is: '"9007199254740993"' },
    { of: meta('n', [], { type: 'json' }), metadata: '{"n": 9007199254740993.10}', is: '9007199254740993.10' },
    { of: attribute('X', { kind: 'sql', expression: `0.1::float8 + 0.2::float8` }), is: '0.30000000000000004' },
    { of: attribute('X', { kind: 'sql', expression: `'infinity'::float8` }), is: 'absent' },
    {
      of: attribute('X', 'created_at'),
      set: `created_at = '2026-03-03T23:30:00.123456Z'`,
      is: '2026-03-03T23:30:00.123456Z',
    },
    { of: attribute('X', 'created_at'), set: `created_at = 'infinity'`, is: 'absent' },
    { of: attribute('X', 'created_at', { onNull: 'clear' }), set: `created_at = '-infinity'`, is: null },
    {
      of: attribute('X', 'created_at', { type: 'date' }),
      set: `created_at = '2026-03-03T23:59:59.999999Z'`,
      is: '2026-03-03',
    },
    {
      of: attribute('X', 'created_at', { type: 'text' }),
      set: `created_at = '1969-12-31T23:59:59.999999Z'`,
      is: '1969-12-31T23:59:59.999999Z',
    },
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "2024-02-29T23:30:00-05:00"}', is: '2024-03-01' },
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "2023-02-29"}', is: '22008' },
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "infinity"}', is: 'absent' },
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "soon"}', is: '22007' },
    // Read at every fold, these would be another value each time.
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "today"}', is: '22007' },
    { of: meta('d', [], { type: 'timestamp' }), metadata: '{"d": " Now"}', is: '22007' },
    { of: meta('d', [{ name: 'date' }]), metadata: '{"d": "0044-03-15 BC"}', is: 'absent' },
    { of: meta('b', [], { type: 'boolean' }), metadata: '{"b": true}', is: true },
    { of: meta('b', [], { type: 'boolean' }), metadata: '{"b": "off"}', is: false },
    { of: meta('b', [], { type: 'boolean' }), metadata: '{"b": "maybe"}', is: '22P02' },
  ]);
  expect(values.map(unquoted)).toEqual(expected.map(unquoted));
});

const unquoted = (value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('"', '') : value);

test('each transform', async () => {
  const e164 = (countryCode?: string): readonly Transform[] => [{ name: 'e164', countryCode }];
  const map = (
    values: Record<string, string | number | boolean>,
    otherwise?: string | number,
  ): readonly Transform[] => [{ name: 'map', values, otherwise }];
  const { values, expected } = await valuesOf([
    { of: meta('v', [{ name: 'lower' }]), metadata: '{"v": "ASA B"}', is: 'asa b' },
    { of: meta('v', [{ name: 'trim' }]), metadata: '{"v": " \\t\\r\\n a b \\n"}', is: 'a b' },
    { of: meta('v', [{ name: 'lower' }, { name: 'trim' }]), metadata: '{"v": " A "}', is: 'a' },
    { of: meta('v', [{ name: 'lower' }]), metadata: '{"v": {"A": 1}}', is: '{\\a\\: 1}' },
    { of: meta('v', e164()), metadata: '{"v": "+49 (151) 123-45678"}', is: '+4915112345678' },
    { of: meta('v', e164()), metadata: '{"v": "4915112345678"}', is: '+4915112345678' },
    { of: meta('v', e164()), metadata: '{"v": "0049 151 12345678"}', is: '+4915112345678' },
    { of: meta('v', e164()), metadata: '{"v": "0151 12345678"}', is: 'absent' },
    { of: meta('v', e164()), metadata: '{"v": "call me"}', is: 'absent' },
    { of: meta('v', e164()), metadata: '{"v": "+12345678901234567"}', is: 'absent' },
    { of: meta('v', e164('49')), metadata: '{"v": "0151/12345678"}', is: '+4915112345678' },
    { of: meta('v', e164('49')), metadata: '{"v": "0049 151 12345678"}', is: '+4915112345678' },
    { of: meta('v', e164('49')), metadata: '{"v": "+43 660 1234567"}', is: '+436601234567' },
    { of: meta('v', e164('49')), metadata: '{"v": "4915112345678"}', is: '+4915112345678' },
    { of: meta('v', e164('49')), metadata: '{"v": "+49 (0)151 12345678"}', is: '+4915112345678' },
    { of: attribute('X', 'phone', { transforms: e164('49') }), set: `phone = '15551234567'`, is: '+15551234567' },
    { of: meta('v', e164('49')), metadata: '{"v": null}', is: 'absent' },
    { of: meta('v', [{ name: 'default', value: 'friend' }]), metadata: '{"v": null}', is: 'friend' },
    { of: meta('v', [{ name: 'default', value: 'friend' }]), metadata: '{"v": ""}', is: '' },
    { of: meta('v', [{ name: 'default', value: 5 }]), is: '5' },
    { of: meta('v', [{ name: 'default', value: 5 }], { type: 'integer' }), is: 5 },
    { of: meta('v', [{ name: 'default', value: 0.5 }], { type: 'float' }), metadata: '{"v": 2}', is: 2 },
    { of: meta('v', [{ name: 'default', value: true }], { type: 'boolean' }), is: true },
    { of: meta('v', [{ name: 'default', value: 5 }], { type: 'json' }), metadata: '{"v": null}', is: 5 },
    { of: meta('v', [{ name: 'default', value: 'a' }], { type: 'json' }), is: '"a"' },
    { of: meta('v', [{ name: 'default', value: 'a' }], { type: 'json' }), metadata: '{"v": {"b": 1}}', is: '{"b": 1}' },
    { of: attribute('X', 'is_super_admin', { transforms: [{ name: 'default', value: false }] }), is: false },
    { of: attribute('X', 'is_super_admin', { transforms: [{ name: 'default', value: 0 }] }), is: '0' },
    { of: attribute('X', 'invited_at', { transforms: [{ name: 'default', value: 'never' }] }), is: 'never' },
    { of: attribute('X', 'invited_at', { transforms: [{ name: 'default', value: 7 }] }), is: '7' },
    { of: meta('v', map({ a: 'A', 1: 'one', true: 'yes' }, 'other')), metadata: '{"v": "a"}', is: 'A' },
    { of: meta('v', map({ a: 'A', 1: 'one', true: 'yes' }, 'other')), metadata: '{"v": 1}', is: 'one' },
    { of: meta('v', map({ a: 'A', 1: 'one', true: 'yes' }, 'other')), metadata: '{"v": true}', is: 'yes' },
    { of: meta('v', map({ a: 'A', 1: 'one', true: 'yes' }, 'other')), metadata: '{"v": "z"}', is: 'other' },
    { of: meta('v', map({ a: 'A' }, 'other')), metadata: '{"v": null}', is: 'absent' },
    { of: meta('v', map({ a: 'A' })), metadata: '{"v": "z"}', is: 'z' },
    { of: meta('v', map({ a: 1, b: 2 }, 0), { type: 'integer' }), metadata: '{"v": "b"}', is: 2 },
    { of: meta('v', map({ a: 'A' }), { type: 'json' }), metadata: '{"v": "a"}', is: '"A"' },
    { of: attribute('X', 'is_anonymous', { transforms: map({ false: 'person' }) }), is: 'person' },
    {
      of: meta('v', [{ name: 'template', template: 'Hi {value}, {user_metadata.a.b} {is_sso_user} {created_at}!' }]),
      metadata: '{"v": "V", "a": {"b": 7}}',
      set: `created_at = '2026-01-02T03:04:05Z'`,
      is: 'Hi V, 7 false 2026-01-02T03:04:05.000000Z!',
    },
    {
      of: meta('v', [{ name: 'template', template: '{value} {user_metadata.none}' }]),
      metadata: '{"v": "V"}',
      is: 'absent',
    },
    {
      of: meta('v', [
        { name: 'template', template: '{value}' },
        { name: 'default', value: 'd' },
      ]),
      is: 'd',
    },
    {
      of: meta('v', [{ name: 'date' }, { name: 'template', template: 'on {value}' }]),
      metadata: '{"v": "2024-05-06"}',
      is: 'on 2024-05-06',
    },
    {
      of: attribute('X', { kind: 'sql', expression: `user_metadata -> 'v'` }, { transforms: [{ name: 'lower' }] }),
      metadata: '{"v": "ABC"}',
      is: 'abc',
    },
    {
      of: attribute('X', { kind: 'sql', expression: `user_metadata -> 'v'` }, { type: 'integer' }),
      metadata: '{"v": "12"}',
      is: 12,
    },
    {
      of: attribute('X', { kind: 'sql', expression: `string_to_array(user_metadata ->> 'v', ',')` }, { type: 'text' }),
      metadata: '{"v": "a,b"}',
      is: '[\\a\\, \\b\\]',
    },
    {
      of: attribute('X', { kind: 'sql', expression: `string_to_array(user_metadata ->> 'v', ',')` }),
      metadata: '{"v": "a,b"}',
      is: '["a", "b"]',
    },
    {
      of: attribute('X', { kind: 'sql', expression: `nullif(email, email) -- nothing` }, { onNull: 'clear' }),
      is: null,
    },
  ]);
  expect(values.map(unquoted)).toEqual(expected.map(unquoted));
});

test('constants and null policies of each type', async () => {
  const constant = (value: string | number | boolean, more: Partial<AttributeMapping> = {}): AttributeMapping =>
    attribute('X', { kind: 'const', value } satisfies ValueSource, more);
  const { values, expected } = await valuesOf([
    { of: constant('a'), is: '"a"' },
    { of: constant(5), is: '5' },
    { of: constant(-1.5), is: '-1.5' },
    { of: constant(1e21), is: '1000000000000000000000' },
    { of: constant(5e-7), is: '0.0000005' },
    { of: constant(true), is: 'true' },
    { of: constant('5', { type: 'integer' }), is: '5' },
    { of: constant(5, { type: 'text' }), is: '"5"' },
    { of: constant(5, { type: 'float' }), is: '5' },
    { of: constant('yes', { type: 'boolean' }), is: 'true' },
    { of: constant('2026-01-02', { type: 'date' }), is: '"2026-01-02"' },
    { of: constant('2026-01-02T03:04:05+01:00', { type: 'timestamp' }), is: '"2026-01-02T02:04:05.000000Z"' },
    { of: constant('a', { type: 'json' }), is: '"a"' },
    { of: constant('a', { transforms: [{ name: 'map', values: { a: 'b' } }] }), is: '"b"' },
    { of: attribute('X', 'phone'), is: 'absent' },
    { of: attribute('X', 'phone', { onNull: 'clear' }), is: 'null' },
    ...(['integer', 'float', 'boolean', 'date', 'timestamp', 'text', 'json'] as const).flatMap((type) => [
      { of: meta('none', [], { type }), is: 'absent' },
      { of: meta('none', [], { type, onNull: 'clear' as const }), is: 'null' },
      { of: meta('v', [], { type }), metadata: '{"v": null}', is: 'absent' },
      { of: meta('v', [], { type, onNull: 'clear' as const }), metadata: '{"v": null}', is: 'null' },
    ]),
    // A null inside a json value is part of it.
    { of: meta('v', [], { type: 'json' }), metadata: '{"v": {"a": null}}', is: '{"a": null}' },
  ]);
  expect(values).toEqual(expected);
});
