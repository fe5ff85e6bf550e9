import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { type Json, type JsonObject, parseJson, renderJson } from '../../../src/core/json.ts';
import type { AttributeMapping, Transform, UserMapping } from '../../../src/core/mapping.ts';
import { attribute } from '../../support/config.ts';
import { type Installed, installed } from './support.ts';

function mappingOf(attributes: readonly AttributeMapping[], more: Partial<UserMapping> = {}): Partial<Config> {
  return { userMapping: { address: ['email'], attributes, where: undefined, unconfirmed: true, ...more } };
}

/** The payload as the worker gets it, every digit kept. */
async function payload(one: Installed, key: string): Promise<JsonObject> {
  const { rows } = await one.db.app.query(
    `select s.payload::text as payload, l.code || ' ' || l.message as letter
       from rollcall.contacts c left join rollcall.desired s on s.contact_id = c.id
       left join rollcall.dead_letters l on l.contact_id = c.id where c.key = $1`,
    [key],
  );
  expect(rows[0].letter).toBeNull();
  return parseJson(rows[0].payload as string) as JsonObject;
}

const HOSTILE = [
  `it's "quoted" and 'double'`,
  'back\\slash \\n \\u0041 \\',
  '100% %s %I %L %%',
  '👩‍👩‍👧‍👦 ☃️ \u{10FFFF} \u{1D11E}',
  '$rollcall$ $$ $1 $rollcall1$ $body$',
  'line\nbreak\ttab\r\u0001\u001f\u007f',
  '\u202Eright to left\u200B\uFEFF\u00A0\uFFFE',
  'e\u0301 is \u00e9',
  '{value} {email} ${ENV} {{x}}',
  `'; drop schema rollcall cascade; --`,
  '/* */ -- x',
  '',
  'null',
];

test('names and values of every kind come out as they went in', async () => {
  const names = HOSTILE.filter((name) => name !== '');
  const attributes = names.flatMap((name) => [
    attribute(`path ${name}`, { kind: 'column', path: ['user_metadata', name] }),
    attribute(`const ${name}`, { kind: 'const', value: name }),
    attribute(`json ${name}`, { kind: 'column', path: ['user_metadata', name] }, { type: 'json' }),
    attribute(
      `default ${name}`,
      { kind: 'column', path: ['user_metadata', 'none'] },
      { transforms: [{ name: 'default', value: name }] },
    ),
    attribute(
      `map ${name}`,
      { kind: 'column', path: ['user_metadata', name] },
      { transforms: [{ name: 'map', values: { [name]: `to ${name}`, other: 1 }, otherwise: 'else' }] },
    ),
    attribute(
      `else ${name}`,
      { kind: 'column', path: ['user_metadata', name] },
      { transforms: [{ name: 'map', values: { '\\': 'no' }, otherwise: name }] },
    ),
  ]);
  const template = `a'b\\c%s$1 👩 {value}{user_metadata.it's "quoted" and 'double'}`;
  const one = await installed(
    mappingOf([
      ...attributes,
      attribute('TEMPLATE', 'email', { transforms: [{ name: 'template', template }] }),
      attribute('WHOLE', 'user_metadata'),
    ]),
  );
  const metadata = Object.fromEntries(names.map((name) => [name, name]));
  const id = await one.insert(`o'brien+"x"%\\@x.y`, metadata);
  const swapped = await one.insert(
    'b@x.y',
    Object.fromEntries(names.map((name, i) => [name, HOSTILE[(i + 1) % HOSTILE.length]])),
  );
  await one.foldAll();
  const got = await payload(one, id);
  for (const name of names) {
    expect(got).toMatchObject({
      [`path ${name}`]: name,
      [`const ${name}`]: name,
      [`json ${name}`]: name,
      [`default ${name}`]: name,
      [`map ${name}`]: `to ${name}`,
      [`else ${name}`]: name,
    });
  }
  expect(got).toMatchObject({ WHOLE: metadata, TEMPLATE: `a'b\\c%s$1 👩 o'brien+"x"%\\@x.y${names[0]}` });
  expect(await one.desired(id)).toMatchObject({ address: `o'brien+"x"%\\@x.y` });
  const other = await payload(one, swapped);
  for (const [i, name] of names.entries()) {
    expect(other).toMatchObject({
      [`path ${name}`]: HOSTILE[(i + 1) % HOSTILE.length],
      [`map ${name}`]: name === 'null' ? 'to null' : 'else',
    });
  }
});

test('large metadata, deep nesting and many keys are mapped whole', async () => {
  const one = await installed(
    mappingOf([
      attribute('WHOLE', 'user_metadata'),
      attribute('BIG', 'user_metadata.big'),
      attribute('SMALL', 'user_metadata.small'),
      attribute('DEEP', { kind: 'column', path: ['user_metadata', 'deep', ...Array.from({ length: 50 }, () => '0')] }),
    ]),
  );
  let deep: unknown = 'down here';
  for (let n = 0; n < 50; n += 1) deep = [deep];
  const metadata = {
    big: 'x€'.repeat(4_000),
    small: 's',
    deep,
    keys: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, n])),
  };
  const id = await one.insert('a@x.y', metadata);
  await one.foldAll();
  const got = await payload(one, id);
  expect(got['BIG']).toBe(metadata.big);
  expect(got['SMALL']).toBe('s');
  expect(got['DEEP']).toBe('down here');
  expect(JSON.stringify(got['WHOLE']).length).toBe(JSON.stringify(metadata).length);
  const [claimed] = await one.claim();
  expect(claimed?.attributes['BIG']).toBe(metadata.big);
});

test('a contact of more than 128 KB is a dead letter with its size, and holds up nobody', async () => {
  const one = await installed(
    mappingOf([attribute('WHOLE', 'user_metadata'), attribute('SMALL', 'user_metadata.small')]),
  );
  const huge = await one.insert('huge@x.y', { big: 'x'.repeat(1_048_576) });
  const small = await one.insert('small@x.y', { small: 's' });
  expect(await one.foldAll()).toMatchObject({ failed: 1 });
  const { rows } = await one.db.app.query<{ code: string; message: string }>(
    'select code, message from rollcall.dead_letters',
  );
  expect(rows).toEqual([
    { code: 'too_large', message: expect.stringMatching(/take \d{7} bytes, and at most 131072 are sent/) as string },
  ]);
  expect(await one.desired(huge)).toMatchObject({ action: 'none', reason: 'unmapped', payload: {}, due: false });
  expect(await payload(one, small)).toEqual({ WHOLE: { small: 's' }, SMALL: 's' });
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"small": "t"}' where id = $1`, [huge]);
  expect(await one.foldAll()).toMatchObject({ failed: 0, changed: 1 });
});

test('an address longer than any address is none, and holds up nobody', async () => {
  const one = await installed(mappingOf([], { address: ['user_metadata', 'mail'] }));
  const random = randomBytes(10_000).toString('hex');
  const long = await one.insert(null, { mail: `${random}@x.y` });
  const fine = await one.insert(null, { mail: `\t Asa@X.y \n` });
  const longest = await one.insert(null, { mail: `${'a'.repeat(64)}@${'b'.repeat(251)}.com` });
  expect(await one.foldAll()).toMatchObject({ taken: 3, changed: 3 });
  expect(await one.desired(long)).toMatchObject({ action: 'none', reason: 'no_address' });
  expect(await one.desired(fine)).toMatchObject({ action: 'upsert', address: 'asa@x.y' });
  expect(await one.desired(longest)).toMatchObject({ action: 'upsert' });
});

const meta = (
  path: string,
  transforms: readonly Transform[] = [],
  more: Partial<AttributeMapping> = {},
): AttributeMapping => attribute('X', `user_metadata.${path}`, { transforms, ...more });

test('a confirmed phone is an address; a metadata path is one only where unconfirmed addresses are', async () => {
  const byPhone = await installed(mappingOf([], { address: ['phone'], unconfirmed: false }));
  const yes = await byPhone.insert(null, {}, { phone: '4915112345678', phone_confirmed_at: '2026-01-01T00:00:00Z' });
  const no = await byPhone.insert('a@x.y', {}, { phone: '4915112345679', email_confirmed_at: '2026-01-01T00:00:00Z' });
  await byPhone.foldAll();
  expect(await byPhone.desired(yes)).toMatchObject({ action: 'upsert', address: '4915112345678' });
  expect(await byPhone.desired(no)).toMatchObject({ reason: 'unconfirmed' });
  const byPath = await installed(mappingOf([], { address: ['user_metadata', 'work'], unconfirmed: false }));
  const path = await byPath.insert('a@x.y', { work: 'w@x.y' }, { email_confirmed_at: '2026-01-01T00:00:00Z' });
  await byPath.foldAll();
  expect(await byPath.desired(path)).toMatchObject({ reason: 'unconfirmed' });
});

test('300 attributes, each with its own type, given or found', async () => {
  const types = ['text', 'integer', 'float', 'boolean', 'date', 'timestamp', 'json', undefined] as const;
  const attributes = Array.from({ length: 300 }, (_, n) =>
    attribute(`ATTRIBUTE_${n}`, `user_metadata.v${n % types.length}`, {
      type: types[n % types.length],
      onNull: n % 3 === 0 ? 'clear' : 'skip',
    }),
  );
  const one = await installed(mappingOf(attributes));
  const full = await one.insert('a@x.y', {
    v0: 't',
    v1: 1,
    v2: 1.5,
    v3: true,
    v4: '2026-01-02',
    v5: '2026-01-02',
    v6: [1],
    v7: 'u',
  });
  const empty = await one.insert('b@x.y');
  await one.foldAll();
  const values = ['t', 1, 1.5, true, '2026-01-02', '2026-01-02T00:00:00.000000Z', [1], 'u'];
  expect(await payload(one, full)).toEqual(
    Object.fromEntries(attributes.map((a, n) => [a.name, values[n % values.length]])),
  );
  expect(await payload(one, empty)).toEqual(
    Object.fromEntries(attributes.filter((a) => a.onNull === 'clear').map((a) => [a.name, null])),
  );
  const [destination] = await one.store.destinations();
  expect(destination?.plan).toEqual(
    Object.fromEntries(attributes.map((a, n) => [a.name, types[n % types.length] ?? 'text'])),
  );
});

test('any JSON value in metadata comes out as the same value, and any text as the same text', async () => {
  const one = await installed(
    mappingOf([
      meta('v', [], { type: 'json' }),
      attribute('TEXT', 'user_metadata.t'),
      attribute('NUMBER', 'user_metadata.n', { type: 'float' }),
    ]),
  );
  const text = fc.string({ unit: 'binary' }).filter((s) => !s.includes('\0'));
  const digits = fc
    .tuple(fc.boolean(), fc.stringMatching(/^(?:0|[1-9][0-9]{0,25})$/), fc.option(fc.stringMatching(/^[0-9]{1,25}$/)))
    .map(([minus, whole, part]) => `${minus ? '-' : ''}${whole}${part === null ? '' : `.${part}`}`)
    .filter((d) => !/^-0(?:\.0*)?$/.test(d));
  const leaf = fc.oneof(
    text.map((s) => JSON.stringify(s)),
    digits,
    fc.constantFrom('true', 'false', 'null'),
  );
  const json = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }).map((list) => `[${list.join(',')}]`),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }).map(
        (map) =>
          `{${Object.entries(map)
            .map(([k, v]) => `${JSON.stringify(k)}:${v}`)
            .join(',')}}`,
      ),
    ),
  })).value;
  const row = fc.record({ v: json, t: text, n: digits });
  let batch = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
      batch += 1;
      const ids: string[] = [];
      for (const [i, { v, t, n }] of rows.entries()) {
        const id = await one.insert(`p${batch}-${i}@x.y`);
        await one.db.app.query('update auth.users set raw_user_meta_data = $2::jsonb where id = $1', [
          id,
          `{"v": ${v}, "t": ${JSON.stringify(t)}, "n": ${n}}`,
        ]);
        ids.push(id);
      }
      await one.foldAll();
      for (const [i, { v, t, n }] of rows.entries()) {
        const got = await payload(one, ids[i]!);
        if (v === 'null') expect(got).not.toHaveProperty('X');
        else expect(sorted(got['X']!)).toBe(sorted(parseJson(v)));
        expect(got['TEXT']).toBe(t);
        expect(renderJson(got['NUMBER']!)).toBe(renderJson(parseJson(n)));
      }
    }),
    { numRuns: 8 },
  );
});

/** The same text for equal values: keys in order, numbers digit for digit. */
function sorted(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null || 'isLosslessNumber' in value) return renderJson(value);
  const entries = Object.entries(value as JsonObject).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${sorted(v)}`).join(',')}}`;
}
