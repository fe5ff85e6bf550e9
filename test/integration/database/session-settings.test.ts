import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { attribute } from '../../support/config.ts';
import { createDatabase } from '../../support/database.ts';
import { around, everyLane, installed } from './support.ts';

/** One of each value whose text depends on the session when nobody fixes the settings. */
const MAPPING: Config['userMapping'] = {
  address: ['email'],
  attributes: [
    attribute('AT', 'created_at'),
    attribute('AT_TEXT', 'created_at', { type: 'text' }),
    attribute('DAY', 'created_at', { transforms: [{ name: 'date' }] }),
    attribute('BORN', 'user_metadata.born', { transforms: [{ name: 'date' }] }),
    attribute('BORN_AT', 'user_metadata.born', { type: 'timestamp' }),
    attribute('WORD', 'user_metadata.back\\slash'),
    attribute('GREETING', 'user_metadata.back\\slash', {
      transforms: [{ name: 'template', template: `{value} \\n 'it''s' \\' {created_at}` }],
    }),
    attribute('SQL_TIME', { kind: 'sql', expression: `created_at::text` }),
    attribute('SQL_DATE', { kind: 'sql', expression: `created_at::date::text` }),
    attribute('SQL_FORMAT', { kind: 'sql', expression: `to_char(created_at, 'TMDay TMMonth HH24:MI TZ')` }),
    attribute('SQL_MONEY', { kind: 'sql', expression: `to_char(12345.678, 'L99G999D99')` }),
    attribute('SQL_INTERVAL', {
      kind: 'sql',
      expression: `(created_at - '2020-01-01T00:00:00Z'::timestamptz)::text`,
    }),
    attribute('SQL_FLOAT', { kind: 'sql', expression: `((user_metadata->>'x')::float8 / 3)::text` }),
    attribute('SQL_REAL', { kind: 'sql', expression: `(user_metadata->>'x')::float4` }),
    attribute('SQL_BYTES', { kind: 'sql', expression: `convert_to(user_metadata->>'back\\slash', 'UTF8')::text` }),
    attribute('SQL_ROW', { kind: 'sql', expression: `to_jsonb(users)` }),
    attribute('SQL_LITERAL', { kind: 'sql', expression: `'a\\nb' || E'c\\nd'` }),
    attribute('SQL_NULLS', { kind: 'sql', expression: `(phone = null) is null` }),
    attribute('SQL_ARRAY', { kind: 'sql', expression: `array[created_at]` }),
    attribute('SQL_NAME', { kind: 'sql', expression: `length(email) || upper('ı')` }),
    attribute('SQL_ZONE', { kind: 'sql', expression: `'2026-07-01 12:00 EST'::timestamptz` }),
  ],
  where: { expression: `created_at < '2026-03-04'::timestamptz`, line: 1, column: 1 },
  unconfirmed: true,
};

const HOSTILE: readonly [string, readonly string[]][] = [
  ['timezone', ['Pacific/Kiritimati', 'America/St_Johns', 'UTC+5']],
  ['datestyle', ['German, DMY', 'SQL, MDY', 'Postgres, DMY']],
  ['intervalstyle', ['postgres', 'postgres_verbose', 'sql_standard']],
  ['extra_float_digits', ['-15', '0', '3']],
  ['bytea_output', ['escape']],
  ['search_path', ['public, auth', '', 'hostile, pg_catalog']],
  ['standard_conforming_strings', ['off']],
  ['backslash_quote', ['off', 'on']],
  ['transform_null_equals', ['on']],
  ['array_nulls', ['off']],
  ['xmlbinary', ['hex']],
  ['timezone_abbreviations', ['Australia', 'India']],
  ['quote_all_identifiers', ['on']],
  ['lc_numeric', ['de_DE.UTF-8', 'C.UTF-8']],
  ['lc_monetary', ['de_DE.UTF-8', 'C.UTF-8']],
  ['lc_time', ['de_DE.UTF-8', 'C.UTF-8']],
  ['default_text_search_config', ['german']],
  ['row_security', ['off']],
  ['enable_seqscan', ['off']],
  ['plan_cache_mode', ['force_generic_plan', 'force_custom_plan']],
];

/** Functions and operators that a mapping must not find, in a schema put before `pg_catalog`. */
const SHADOW = `create schema hostile; grant usage on schema hostile to public;
  create function hostile.lower(text) returns text language sql as $$ select 'shadowed' $$;
  create function hostile.to_char(timestamptz, text) returns text language sql as $$ select 'shadowed' $$;
  create function hostile.sha256(bytea) returns bytea language sql as $$ select 'shadowed'::bytea $$;
  create function hostile.jsonb_build_object(variadic "any") returns jsonb language internal as 'jsonb_build_object_noargs'`;

test('the payload and its hash are the same under every setting of the session', async () => {
  const one = await installed({ userMapping: MAPPING });
  await one.db.app.query(SHADOW);
  const id = await one.insert('Grüße+1@X.y', { born: 'Mar 4 1990', x: 1.1, 'back\\slash': `a\\nb'c` });
  await one.db.app.query(`update auth.users set created_at = '2026-03-03T23:30:00.123456Z' where id = $1`, [id]);
  await one.foldAll();
  const session = await one.db.connect(one.db.hostedUrl);
  const map = async (): Promise<Record<string, unknown>> => {
    const { rows } = await session.query(
      `select w.verdict, w.address, w.payload::text as payload, encode(w.hash, 'hex') as hash
         from unnest(rollcall.wanted_rows(1::smallint, 'map_users_to_mailtrap', array['${id}'])) w`,
    );
    return rows[0] as Record<string, unknown>;
  };
  const plain = await map();
  expect(JSON.parse(plain['payload'] as string)).toMatchObject({
    AT: '2026-03-03T23:30:00.123456Z',
    AT_TEXT: '2026-03-03T23:30:00.123456Z',
    DAY: '2026-03-03',
    BORN: '1990-03-04',
    BORN_AT: '1990-03-04T00:00:00.000000Z',
    WORD: `a\\nb'c`,
    GREETING: `a\\nb'c \\n 'it''s' \\' 2026-03-03T23:30:00.123456Z`,
    SQL_LITERAL: 'a\\nbc\nd',
  });
  const settable: string[] = [];
  for (const [name, values] of HOSTILE) {
    for (const value of values) {
      try {
        await session.query(`select set_config($1, $2, false)`, [name, value]);
      } catch {
        continue; // Not on this system, or not for this role.
      }
      settable.push(name);
      expect({ name, value, ...(await map()) }).toEqual({ name, value, ...plain });
    }
    await session.query(`reset ${name}`);
  }
  expect(new Set(settable).size).toBeGreaterThan(12);
});

test('install, capture, fold, claim, settle and sweep go on in a database whose defaults are all hostile', async () => {
  const db = await createDatabase();
  await db.app.query(SHADOW);
  const defaults: readonly [string, string][] = [
    ['timezone', `'Pacific/Kiritimati'`],
    ['datestyle', `'German, DMY'`],
    ['intervalstyle', 'sql_standard'],
    ['extra_float_digits', '0'],
    ['bytea_output', 'escape'],
    ['search_path', 'hostile, pg_catalog, public'],
    ['standard_conforming_strings', 'off'],
    ['transform_null_equals', 'on'],
    ['array_nulls', 'off'],
    ['quote_all_identifiers', 'on'],
    ['default_transaction_deferrable', 'on'],
  ];
  for (const [name, value] of defaults) await db.app.query(`alter database ${db.name} set ${name} = ${value}`);
  const calm = await installed({ userMapping: MAPPING });
  const rough = await installed({ userMapping: MAPPING }, db);
  const app = await db.connect();
  const hashes: string[] = [];
  for (const [one, client] of [
    [calm, calm.db.app],
    [rough, app],
  ] as const) {
    const insert = (n: number): Promise<unknown> =>
      client.query(`insert into auth.users (id, email, created_at, raw_user_meta_data)
        values ('00000000-0000-4000-8000-00000000000${n}', 'p${n}@x.y', '2026-03-03T23:30:00.123456Z', '{"x": 1.1, "born": "Mar 4 1990"}')`);
    await insert(1);
    await one.foldAll();
    await client.query(`alter table auth.users disable trigger user`);
    await insert(2);
    await client.query(`alter table auth.users enable trigger user`);
    await one.sweepNow();
    const claimed = await one.claim();
    expect(claimed.map((c) => c.address)).toEqual(['p1@x.y', 'p2@x.y']);
    await one.settle(claimed[0]!, 'delivered');
    await one.settle(claimed[1]!, { kind: 'unknown', code: 'timeout', message: 'no answer' });
    expect(await one.store.claim(one.destination, one.lease, everyLane(10, claimed[1]!.dueAt))).toHaveLength(1);
    await one.store.release(one.destination, one.lease.token, [claimed[1]!.contactId]);
    expect(await one.store.takeSends(one.destination, [{ name: 'b', intervalUs: 1_000, burst: 5 }], 3)).toEqual({
      granted: 3,
      waitMs: 0,
    });
    await one.store.tidy(1_000);
    const { rows } = await client.query(
      `select encode(hash, 'hex') || payload::text as hash from rollcall.desired order by contact_id`,
    );
    hashes.push(rows.map((row) => row.hash as string).join());
  }
  expect(hashes[1]).toBe(hashes[0]);
  // A worker that starts in the rough database reads the state as any other.
  expect((await around(db, rough.config)).destination).toBe(rough.destination);
});

test('a fold never runs on an old snapshot: another isolation level is refused by name', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  for (const level of ['repeatable read', 'serializable']) {
    const session = await one.db.connect(one.db.hostedUrl);
    await session.query(`set default_transaction_isolation = '${level}'`);
    await expect(session.query('select * from rollcall.fold($1, 10)', [one.config.hash])).rejects.toMatchObject({
      code: 'RC004',
    });
  }
  expect(await one.foldAll()).toMatchObject({ taken: 1 });
  expect(await one.desired(id)).toMatchObject({ due: true });
});
