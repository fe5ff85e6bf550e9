import type pg from 'pg';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { USER_COLUMNS, type UserColumn } from '../../../src/core/user-columns.ts';
import { sourceProblem } from '../../../src/engine/fatal.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { around, type Installed, REF } from './support.ts';

/** `confirmed_at` is generated from two others, so the app has to change it before them; the key comes by itself below. */
const COLUMNS: readonly UserColumn[] = USER_COLUMNS.filter((c) => c.name !== 'id').toSorted(
  (a, b) => Number(b.name === 'confirmed_at') - Number(a.name === 'confirmed_at'),
);

/** Maps every column three ways; the first one is a filter and the consent too. */
function mapAll(columns: readonly UserColumn[]): Config {
  const [first] = columns;
  const named = (name: string): boolean => columns.some((c) => c.name === name);
  return testConfig({
    hash: columns.map((c) => c.name).join(','),
    consent:
      first === undefined
        ? { kind: 'everyone', basis: 'test' }
        : { kind: 'column', path: [first.name], line: 1, column: 1 },
    userMapping: {
      address: [named('email') ? 'email' : named('phone') ? 'phone' : 'id'],
      attributes: columns.flatMap((c) => [
        attribute(`C_${c.name}`, c.name),
        attribute(`S_${c.name}`, { kind: 'sql', expression: `to_jsonb(${c.name})` }),
        attribute(
          `T_${c.name}`,
          { kind: 'const', value: 'x' },
          { transforms: [{ name: 'template', template: `{value}{${c.name}}` }] },
        ),
      ]),
      where:
        first === undefined
          ? undefined
          : { expression: `coalesce(to_jsonb(${first.name})::text, '') <> '"x"'`, line: 1, column: 1 },
      unconfirmed: true,
    },
  });
}

async function install(db: TestDatabase, columns: readonly UserColumn[]): Promise<Installed> {
  const config = mapAll(columns);
  await applyInstall(db.sql, config, REF);
  return around(db, config);
}

async function owner(db: TestDatabase): Promise<pg.Client> {
  const url = new URL(db.url);
  url.username = 'supabase_auth_admin';
  return db.connect(url.toString());
}

/** Signs a person up with every column that is left; the keys of `values` are columns of the database. */
async function signUp(app: pg.Client, values: Readonly<Record<string, unknown>>): Promise<string> {
  const names = Object.keys(values);
  const { rows } = await app.query(
    `insert into auth.users (id ${names.map((n) => `, "${n}"`).join('')})
     values (gen_random_uuid() ${names.map((_, i) => `, $${i + 1}`).join('')}) returning id`,
    Object.values(values),
  );
  return rows[0].id as string;
}

function person(n: number, columns: readonly UserColumn[]): Record<string, unknown> {
  const values: Record<string, unknown> = {
    email: `p${n}@x.y`,
    phone: `4915112345${100 + n}`,
    raw_user_meta_data: { n },
    created_at: '2026-01-02T03:04:05Z',
  };
  return Object.fromEntries(Object.entries(values).filter(([name]) => columns.some((c) => c.sql === name)));
}

for (const [verb, which, change] of [
  ['drops', COLUMNS, (c: UserColumn) => `alter table auth.users drop column ${c.sql}`],
  // To us a column that has another name is one that is gone.
  [
    'renames a third of all, not',
    COLUMNS.filter((_, n) => n % 3 === 0),
    (c: UserColumn) => `alter table auth.users rename column ${c.sql} to was_${c.sql}`,
  ],
] as const) {
  test(`the app ${verb} every mapped column in turn: it goes on, the fold says what is wrong, an apply heals`, async () => {
    const db = await createDatabase();
    const app = await owner(db);
    let one = await install(db, which);
    const edited = await signUp(app, person(0, which));
    await one.foldAll();
    for (const [n, column] of which.entries()) {
      const left = which.slice(n + 1);
      await app.query(change(column));
      const added = await signUp(app, person(n + 1, left));
      const leaver = await signUp(app, person(n + 101, left));
      await app.query('update auth.users set aud = aud, is_sso_user = is_sso_user where id = $1', [edited]).catch(
        // Gone, or renamed, by an earlier turn.
        (error: pg.DatabaseError) => expect(error.code).toBe('42703'),
      );
      const problem = await one.store.fold(100).then(() => undefined, sourceProblem);
      expect({ column: column.name, problem }).toMatchObject({
        problem: { code: '42703', message: expect.stringContaining(column.sql) },
      });
      await expect(one.store.sweepPage(null, 100)).rejects.toMatchObject({ code: 'RC003', detail: '42703' });
      await app.query('delete from auth.users where id = $1', [leaver]);
      one = await install(db, left);
      await one.foldAll();
      await one.sweepNow();
      const now = await one.desired(added);
      expect({ column: column.name, now }).toMatchObject({ now: { action: 'upsert', due: true } });
      expect(Object.keys(now?.payload ?? {}).some((name) => name.endsWith(column.name))).toBe(false);
      expect(await one.desired(leaver), 'came and left unseen').toBeUndefined();
    }
    expect(await one.desired(edited)).toMatchObject({ action: 'upsert', address: edited, payload: {} });
  });
}

test('the app changes the type of every mapped column: what still fits goes on, what does not is named, an apply heals', async () => {
  const db = await createDatabase();
  const app = await owner(db);
  await app.query(`alter table auth.users drop column confirmed_at`);
  const columns = COLUMNS.filter((c) => c.name !== 'confirmed_at');
  let one = await install(db, columns);
  const edited = await signUp(app, person(0, columns));
  await one.foldAll();
  const retypes: readonly [string, string, string, 'goes on' | 'stops'][] = [
    ['email', 'text', 'email', 'goes on'],
    ['phone', 'varchar(40)', 'phone', 'goes on'],
    ['role', 'int', 'null', 'goes on'],
    ['aud', 'name', 'aud', 'goes on'],
    ['raw_user_meta_data', 'json', 'raw_user_meta_data::json', 'goes on'],
    ['raw_app_meta_data', 'json', 'raw_app_meta_data::json', 'goes on'],
    ['created_at', 'timestamp', `created_at at time zone 'UTC'`, 'goes on'],
    ['updated_at', 'text', 'updated_at::text', 'goes on'],
    ['invited_at', 'date', 'invited_at::date', 'goes on'],
    ['email_confirmed_at', 'bigint', 'null', 'stops'],
    ['phone_confirmed_at', 'boolean', 'true', 'stops'],
    ['last_sign_in_at', 'jsonb', 'null', 'stops'],
    ['banned_until', 'uuid', 'null', 'stops'],
    ['deleted_at', 'interval', 'null', 'stops'],
    ['is_anonymous', 'text', `'no'`, 'stops'],
    ['is_sso_user', 'timestamptz', 'now()', 'stops'],
    ['is_super_admin', 'int', '0', 'goes on'],
  ];
  expect(retypes.map(([name]) => name).toSorted()).toEqual(columns.map((c) => c.sql).toSorted());
  let left = columns;
  for (const [name, type, using, result] of retypes) {
    await app.query(`drop index if exists auth.users_email_partial_key`);
    await app.query(`alter table auth.users alter column ${name} drop default`);
    await app.query(`alter table auth.users alter column ${name} drop not null`);
    await app.query(`alter table auth.users alter column ${name} type ${type} using (${using})`);
    const added = await signUp(app, {
      email: `${name}@x.y`,
      raw_user_meta_data: { n: name },
      created_at: '2026-01-02T03:04:05Z',
    });
    await app.query('update auth.users set phone = $2 where id = $1', [edited, `49151${name.length}00000`]);
    const problem = await one.store.fold(100).then(() => undefined, sourceProblem);
    expect({ name, result, problem }).toEqual({
      name,
      result,
      problem: result === 'goes on' ? undefined : expect.anything(),
    });
    if (result === 'stops') {
      // The verdict needs some columns whether they are mapped or not: those the app has to take away, or put back.
      if (name === 'is_anonymous' || name === 'banned_until')
        await app.query(`alter table auth.users drop column ${name}`);
      left = left.filter((c) => c.sql !== name);
      one = await install(db, left);
    }
    await one.foldAll();
    await one.sweepNow();
    expect({ name, ...(await one.desired(added)) }).toMatchObject({
      name,
      action: 'upsert',
      address: `${name}@x.y`,
      payload: { C_user_metadata: { n: name }, C_created_at: '2026-01-02T03:04:05.000000Z' },
    });
  }
  expect(await one.desired(edited)).toMatchObject({ action: 'upsert', payload: { C_phone: '491511400000' } });
});

test('the key itself is renamed, or the whole table: people sign up and leave, and nobody is taken for gone', async () => {
  const db = await createDatabase();
  const app = await owner(db);
  const one = await install(db, []);
  const id = await signUp(app, { email: 'a@x.y' });
  await one.foldAll();
  const wayThere = [
    [
      'alter table auth.users rename column id to user_id',
      'alter table auth.users rename column user_id to id',
      'auth.users',
      'user_id',
    ],
    ['alter table auth.users rename to people', 'alter table auth.people rename to users', 'auth.people', 'id'],
    ['alter schema auth rename to old_auth', 'alter schema old_auth rename to auth', 'old_auth.users', 'id'],
  ] as const;
  for (const [there, back, table, key] of wayThere) {
    await db.app.query(there);
    const { rows } = await app.query(
      `insert into ${table} (${key}, email) values (gen_random_uuid(), gen_random_uuid() || '@x.y') returning ${key} as id`,
    );
    await app.query(`delete from ${table} where email = 'none@x.y'`);
    await expect(one.sweepNow()).rejects.toMatchObject({ code: 'RC003' });
    await expect(one.store.absentPage('0', 100)).rejects.toMatchObject({ code: 'RC003' });
    expect(await one.desired(id)).toMatchObject({ action: 'upsert' });
    await db.app.query(back);
    await db.app.query(`update rollcall.install set sweep_until = null`);
    await one.sweepNow();
    expect({ there, ...(await one.desired(rows[0].id as string)) }).toMatchObject({ there, action: 'upsert' });
  }
});

test('an apply of a config that maps a column which is not there says which, and changes nothing', async () => {
  const db = await createDatabase();
  const one = await install(db, []);
  await db.app.query('alter table auth.users drop column raw_app_meta_data');
  for (const config of [
    testConfig({
      hash: 'b',
      userMapping: { ...testConfig().userMapping, attributes: [attribute('A', 'app_metadata.provider')] },
    }),
    testConfig({ hash: 'b', consent: { kind: 'column', path: ['app_metadata', 'ok'], line: 1, column: 1 } }),
    testConfig({ hash: 'b', userMapping: { ...testConfig().userMapping, address: ['app_metadata', 'email'] } }),
    testConfig({
      hash: 'b',
      userMapping: {
        ...testConfig().userMapping,
        attributes: [attribute('A', 'email', { transforms: [{ name: 'template', template: '{app_metadata.x}' }] })],
      },
    }),
  ]) {
    await expect(applyInstall(db.sql, config, REF)).rejects.toMatchObject({
      code: 'RC_CONFIG_COLUMN_UNKNOWN',
      message: expect.stringMatching(/auth\.users .*app_metadata \(raw_app_meta_data/),
    });
  }
  expect(await one.store.fold(10)).toMatchObject({ busy: false });
});
