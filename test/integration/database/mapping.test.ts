import { expect, test } from 'vitest';
import type { AttributeMapping, ConsentBasis, Transform } from '../../../src/core/mapping.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { type Installed, installed } from './support.ts';

function withAttributes(attributes: readonly AttributeMapping[], more: object = {}) {
  return { userMapping: { ...testConfig().userMapping, attributes, ...more } };
}

/** The payload as text: JavaScript numbers would round it. */
async function payload(one: Installed, key: string): Promise<string> {
  const { rows } = await one.db.app.query(
    'select s.payload::text as text from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id where c.key = $1',
    [key],
  );
  return rows[0].text as string;
}

async function mapped(attributes: readonly AttributeMapping[], metadata: string, more: object = {}): Promise<string> {
  const one = await installed(withAttributes(attributes));
  const id = await one.insert('a@x.y', {}, more as Record<string, unknown>);
  await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, metadata]);
  await one.foldAll();
  return payload(one, id);
}

test('hostile names and values arrive as they are', async () => {
  const names = [
    `it's`,
    'a"b',
    'back\\slash',
    '😀',
    '$rollcall$',
    '$rollcall1$',
    `');drop schema rollcall;--`,
    'p_keys',
    '{x}',
    ' ',
  ];
  const values = [
    `o'brien`,
    '\\',
    '😀🏴‍☠️',
    '$rollcall$',
    `'); drop table auth.users; --`,
    'line\nbreak',
    '"',
    '\u200b',
    'é',
    '%s {value}',
  ];
  const one = await installed(
    withAttributes([
      ...names.map((name, n) => attribute(name, { kind: 'column', path: ['user_metadata', `k${n}`] })),
      ...names.map((name, n) => attribute(`P${n}`, { kind: 'column', path: ['user_metadata', name] })),
      ...values.map((value, n) => attribute(`C${n}`, { kind: 'const', value })),
    ]),
  );
  const metadata = Object.fromEntries([
    ...values.map((value, n) => [`k${n}`, value]),
    ...names.map((name, n) => [name, `deep ${n}`]),
  ]);
  const id = await one.insert(`o'brien+tag@x.y`, metadata);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ address: `o'brien+tag@x.y` });
  expect((await one.desired(id))!.payload).toEqual({
    ...Object.fromEntries(names.map((name, n) => [name, values[n]])),
    ...Object.fromEntries(names.map((_, n) => [`P${n}`, `deep ${n}`])),
    ...Object.fromEntries(values.map((value, n) => [`C${n}`, value])),
  });
});

test('numbers keep every digit, times their microseconds; infinity and one megabyte are no trouble', async () => {
  const one = await installed(
    withAttributes([
      attribute('BIG', 'user_metadata.big', { type: 'integer' }),
      attribute('FINE', 'user_metadata.fine', { type: 'float' }),
      attribute('AT', 'created_at'),
      attribute('DAY', 'created_at', { type: 'date' }),
      attribute('EVER', 'invited_at'),
      attribute('TEXT', 'created_at', { type: 'text' }),
      attribute('LONG', 'user_metadata.long'),
      attribute('WHOLE', 'user_metadata.object', { type: 'json' }),
    ]),
  );
  const id = await one.insert('a@x.y');
  await one.db.app.query(
    `update auth.users set created_at = '2024-02-29 23:59:59.123456-01', invited_at = 'infinity',
       raw_user_meta_data = jsonb_build_object('big', 9007199254740993, 'fine', '0.1000000000000000055'::numeric,
         'long', repeat('x', 100000), 'object', '{"n": null, "a": [1, {"b": 1.50}]}'::jsonb) where id = $1`,
    [id],
  );
  await one.foldAll();
  const text = await payload(one, id);
  expect(text).toContain('"BIG": 9007199254740993');
  expect(text).toContain('"FINE": 0.1000000000000000055');
  expect(text).toContain('"AT": "2024-03-01T00:59:59.123456Z"');
  expect(text).toContain('"TEXT": "2024-03-01T00:59:59.123456Z"');
  expect(text).toContain('"DAY": "2024-03-01"');
  expect(text).not.toContain('EVER');
  expect(text).toContain('"WHOLE": {"a": [1, {"b": 1.50}], "n": null}');
  expect((await one.desired(id))!.payload['LONG']).toHaveLength(100_000);
  expect(await one.deliverAll()).toMatchObject([{ address: 'a@x.y' }]);
});

const transforms: [string, readonly Transform[], unknown, unknown][] = [
  ['lower', [{ name: 'lower' }], 'ABc', 'abc'],
  ['trim', [{ name: 'trim' }], ' \t a b\n', 'a b'],
  ['e164 as stored by Supabase Auth', [{ name: 'e164' }], '4915112345678', '+4915112345678'],
  ['e164 with signs', [{ name: 'e164' }], '+49 (151) 123-456', '+49151123456'],
  ['e164 national', [{ name: 'e164', countryCode: '49' }], '0151 123456', '+49151123456'],
  ['e164 national already international', [{ name: 'e164', countryCode: '49' }], '+43 1 234567', '+431234567'],
  ['e164 of no number', [{ name: 'e164' }], 'none', undefined],
  ['date', [{ name: 'date' }], '2024-05-06T23:30:00-02:00', '2024-05-07'],
  ['default of null', [{ name: 'default', value: 'friend' }], null, 'friend'],
  ['default of a value', [{ name: 'default', value: 'friend' }], 'Ann', 'Ann'],
  ['map', [{ name: 'map', values: { a: 'Apple', 1: 'One' } }], 'a', 'Apple'],
  ['map of a number', [{ name: 'map', values: { a: 'Apple', 1: 'One' } }], 1, 'One'],
  ['map of what is not listed', [{ name: 'map', values: { a: 'Apple' } }], 'b', 'b'],
  ['map with else', [{ name: 'map', values: { a: 'Apple' }, otherwise: 'other' }], 'b', 'other'],
  ['map of null', [{ name: 'map', values: { a: 'Apple' }, otherwise: 'other' }], null, undefined],
  ['template', [{ name: 'template', template: `Hi {value} o'{email}` }], 'Ann', `Hi Ann o'a@x.y`],
  ['template with a hole', [{ name: 'template', template: '{value} {user_metadata.none}' }], 'Ann', undefined],
  ['in order', [{ name: 'trim' }, { name: 'lower' }, { name: 'template', template: '<{value}>' }], ' ANN ', '<ann>'],
];

test('each transform, alone and in order', async () => {
  const one = await installed(
    withAttributes(
      transforms.map(([, list], n) =>
        attribute(`T${n}`, { kind: 'column', path: ['user_metadata', `v${n}`] }, { transforms: list }),
      ),
    ),
  );
  const id = await one.insert('a@x.y', Object.fromEntries(transforms.map(([, , value], n) => [`v${n}`, value])));
  await one.foldAll();
  const result = (await one.desired(id))!.payload;
  expect(transforms.map(([name], n) => [name, result[`T${n}`]])).toEqual(
    transforms.map(([name, , , want]) => [name, want]),
  );
});

test('a null is skipped or cleared as the attribute says, also a json null', async () => {
  expect(
    await mapped(
      [
        attribute('SKIP', 'user_metadata.a'),
        attribute('CLEAR', 'user_metadata.a', { onNull: 'clear' }),
        attribute('JSON_SKIP', 'user_metadata.a', { type: 'json' }),
        attribute('JSON_CLEAR', 'user_metadata.b', { type: 'json', onNull: 'clear' }),
        attribute('EMPTY', 'user_metadata.e'),
        attribute('INNER', 'user_metadata.o', { type: 'json' }),
      ],
      `{"a": null, "e": "", "o": {"x": null}}`,
    ),
  ).toBe('{"CLEAR": null, "EMPTY": "", "INNER": {"x": null}, "JSON_CLEAR": null}');
});

test('a hundred and twenty attributes', async () => {
  const one = await installed(
    withAttributes(
      Array.from({ length: 120 }, (_, n) =>
        attribute(`A${n}`, { kind: 'const', value: n }, { onNull: n % 2 ? 'clear' : 'skip' }),
      ),
    ),
  );
  const id = await one.insert('a@x.y');
  await one.foldAll();
  expect(Object.keys((await one.desired(id))!.payload)).toHaveLength(120);
});

test('who is no contact, and why', async () => {
  const one = await installed({
    userMapping: {
      ...testConfig().userMapping,
      attributes: [],
      unconfirmed: false,
      where: { expression: `coalesce(user_metadata->>'test', '') <> 'yes'`, line: 1, column: 1 },
    },
  });
  const confirmed = { email_confirmed_at: new Date() };
  const people: [string | null, object, object, string | null][] = [
    ['ok@x.y', {}, confirmed, null],
    ['UPPER@X.Y', {}, confirmed, null],
    ['unconfirmed@x.y', {}, {}, 'unconfirmed'],
    ['deleted@x.y', {}, { ...confirmed, deleted_at: new Date() }, 'soft_deleted'],
    ['anonymous@x.y', {}, { ...confirmed, is_anonymous: true }, 'anonymous'],
    ['filtered@x.y', { test: 'yes' }, confirmed, 'filtered'],
    [null, {}, confirmed, 'no_address'],
    ['  ', {}, confirmed, 'no_address'],
  ];
  const ids = [];
  for (const [email, metadata, more] of people)
    ids.push(await one.insert(email, metadata, more as Record<string, unknown>));
  await one.foldAll();
  const found = [];
  for (const id of ids) found.push(await one.desired(id));
  expect(found.map((d) => d?.reason)).toEqual(people.map(([, , , reason]) => reason));
  expect(found.map((d) => d?.action)).toEqual(people.map(([, , , reason]) => (reason === null ? 'upsert' : 'none')));
  expect(found[1]?.address).toBe('upper@x.y');
});

test('consent by a column: what counts as yes, as no, and as nothing said', async () => {
  const consent: ConsentBasis = { kind: 'column', path: ['user_metadata', 'opt_in'], line: 1, column: 1 };
  const one = await installed({ consent });
  const values: [unknown, string][] = [
    [true, 'basis'],
    ['Yes', 'basis'],
    [1, 'basis'],
    [false, 'opted_out'],
    ['no', 'opted_out'],
    [0, 'opted_out'],
    ['off', 'opted_out'],
    ['maybe', 'none'],
    ['', 'none'],
    [null, 'none'],
    [{}, 'none'],
  ];
  for (const [index, [value, want]] of values.entries()) {
    const id = await one.insert(`c${index}@x.y`, { opt_in: value });
    await one.foldAll();
    expect({ value, consent: (await one.desired(id))?.consent }).toEqual({ value, consent: want });
  }
  const id = await one.insert('flip@x.y', { opt_in: true });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"opt_in": false}' where id = $1`, [id]);
  await one.foldAll();
  expect(await one.deliverAll(), 'a change of consent alone is sent').toMatchObject([{ consent: 'opted_out' }]);
  for (const [basis, want] of [
    [{ kind: 'nobody' }, 'none'],
    [{ kind: 'everyone', basis: 'terms' }, 'basis'],
  ] as const) {
    const other = await installed({ consent: basis });
    const someone = await other.insert('a@x.y');
    await other.foldAll();
    expect(await other.desired(someone)).toMatchObject({ consent: want });
  }
});

const HOSTILE = [
  `set timezone = 'Asia/Kathmandu'`,
  `set datestyle = 'SQL, DMY'`,
  `set intervalstyle = 'sql_standard'`,
  `set extra_float_digits = -15`,
  `set bytea_output = 'escape'`,
  `set search_path = evil, public, pg_catalog`,
  `set standard_conforming_strings = off`,
  `set transform_null_equals = on`,
  `set array_nulls = off`,
  `set timezone_abbreviations = 'India'`,
  `set lc_messages = 'C'`,
  `set plpgsql.variable_conflict = 'use_column'`,
  `set backslash_quote = off`,
  `set xmlbinary = 'hex'`,
  `set default_text_search_config = 'pg_catalog.german'`,
];

test('the same row has the same hash whatever the session is set to', async () => {
  const sql = (name: string, expression: string): AttributeMapping => attribute(name, { kind: 'sql', expression });
  const one = await installed(
    withAttributes([
      attribute('AT', 'created_at'),
      sql('TS', `created_at::text`),
      sql('DATE', `created_at::date::text`),
      sql('LOCAL', `extract(hour from created_at)::int`),
      sql('PARSED', `('03/04/05'::date)::text`),
      sql('ABBREV', `('2020-01-01 00:00 IST'::timestamptz)::text`),
      sql('INTERVAL', `(created_at - '2020-01-01'::timestamptz)::text`),
      sql('FLOAT', `(0.1::float8 + 0.2::float8)::text`),
      sql('BYTES', `convert_to(email, 'UTF8')::text`),
      sql('PATTERN', `regexp_replace(email, '\\w+@', 'at')`),
      sql('NULLS', `phone = null`),
      sql('ARRAY', `('{a,NULL}'::text[])[2] is null`),
      sql('MONTH', `to_char(created_at, 'TMMonth')`),
      sql('LOWER', `lower(email)`),
      attribute('QUOTED', { kind: 'const', value: `it's \\n` }),
    ]),
  );
  await one.db.app
    .query(`create schema evil; create function evil.lower(text) returns text language sql as $$select 'evil'$$;
    create function evil.sha256(bytea) returns bytea language sql as $$select ''::bytea$$;
    create function evil.btrim(text) returns text language sql as $$select 'evil'$$`);
  const id = await one.insert('a@x.y');
  await one.db.app.query(`update auth.users set created_at = '2024-07-01 20:30:00.5+00' where id = $1`, [id]);
  const read = async (settings: string): Promise<unknown> => {
    const client = await one.db.connect();
    if (settings !== '') await client.query(settings);
    const { rows } = await client.query(
      `select encode(w.hash, 'hex') as hash, w.payload::text as payload
         from pg_catalog.unnest(rollcall.wanted_rows(1::pg_catalog.int2, 'map_users_to_mailtrap', array[$1]::pg_catalog.text[])) w`,
      [id],
    );
    return rows[0];
  };
  await one.foldAll();
  const plain = await read('');
  for (const settings of HOSTILE) {
    // Some of these are gone from newer versions.
    const known = await one.db.app.query(settings).then(
      () => true,
      () => false,
    );
    await one.db.app.query('reset all');
    if (known) expect({ settings, row: await read(settings) }).toEqual({ settings, row: plain });
  }
  expect(await read(HOSTILE.filter((s) => !s.includes('lc_')).join('; '))).toEqual(plain);
});

test('a bad value stops nobody else: 1% of 5,000 rows', async () => {
  const one = await installed(withAttributes([attribute('AGE', 'user_metadata.age', { type: 'integer' })]));
  await one.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data)
     select gen_random_uuid(), 'u' || n || '@x.y', jsonb_build_object('age', case when n % 100 = 0 then 'old' else n::text end)
       from generate_series(1, 5000) n`,
  );
  expect(await one.foldAll()).toMatchObject({ changed: 4_950, failed: 50 });
  const letters = async (): Promise<unknown[]> =>
    (
      await one.db.app.query(
        `select stage, code, message, count(*)::int as n from rollcall.dead_letters group by 1, 2, 3`,
      )
    ).rows;
  expect(await letters()).toEqual([
    { stage: 'map', code: '22P02', message: 'invalid input syntax for type bigint: "old"', n: 50 },
  ]);
  const before = await one.db.app.query(`select id::text from auth.users where email = 'u100@x.y'`);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"age": 7}' where email = 'u100@x.y'`);
  await one.foldAll();
  expect(await one.desired(before.rows[0].id)).toMatchObject({ action: 'upsert', payload: { AGE: 7 } });
  expect(await letters()).toMatchObject([{ n: 49 }]);
  // One that was fine and goes bad keeps what was last known to be good.
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"age": "x"}' where email = 'u100@x.y'`);
  await one.foldAll();
  expect(await one.desired(before.rows[0].id)).toMatchObject({ action: 'upsert', payload: { AGE: 7 } });
  expect(await letters()).toHaveLength(2);
});

test('a mended mapping heals the dead letters', async () => {
  const one = await installed(withAttributes([attribute('AGE', 'user_metadata.age', { type: 'integer' })]));
  const id = await one.insert('a@x.y', { age: 'old' });
  await one.foldAll();
  expect(await one.desired(id)).toBeUndefined();
  const again = await installed(
    { ...withAttributes([attribute('AGE', 'user_metadata.age')]), hash: 'b'.repeat(64) },
    one.db,
  );
  await again.sweepNow();
  expect(await again.desired(id)).toMatchObject({ action: 'upsert', payload: { AGE: 'old' } });
  expect((await one.db.app.query('select * from rollcall.dead_letters')).rows).toEqual([]);
});
