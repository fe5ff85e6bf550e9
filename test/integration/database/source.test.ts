import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { sourceProblem } from '../../../src/engine/fatal.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { onCleanup } from '../../support/database.ts';
import { type Installed, installed, REF } from './support.ts';

const mapping = testConfig({
  userMapping: {
    address: ['email'],
    attributes: [
      attribute('NAME', 'user_metadata.full_name'),
      attribute('PROVIDER', 'app_metadata.provider'),
      attribute('ROLE', 'role'),
      attribute('SINCE', 'created_at'),
      attribute('PHONE', { kind: 'sql', expression: `phone || ''` }),
    ],
    where: { expression: 'banned_until is null', line: 1, column: 1 },
    unconfirmed: true,
  },
});
const COLUMNS = [
  'email',
  'raw_user_meta_data',
  'raw_app_meta_data',
  'role',
  'created_at',
  'phone',
  'banned_until',
  'deleted_at',
];

/** The table's owner, as a migration of Supabase Auth or the app would be run. */
async function asOwner(one: Installed, text: string): Promise<void> {
  const url = new URL(one.db.url);
  url.username = 'supabase_auth_admin';
  const owner = await one.db.connect(url.toString());
  await owner.query(text);
}

/** The problem a fold and a sweep report. */
async function problems(one: Installed): Promise<(string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  for (const work of [() => one.store.fold(1_000), () => one.store.sweepPage(null, 1_000)]) {
    codes.push(
      await work().then(
        () => undefined,
        (error: unknown) => sourceProblem(error)?.code ?? `WRONG ${String(error)}`,
      ),
    );
  }
  return codes;
}

for (const column of COLUMNS) {
  test(`the app's migrations of ${column} succeed: rename, retype, drop; nothing is lost, and an apply heals`, async () => {
    const one = await installed(mapping);
    const before = await one.insert('before@x.y', { full_name: 'B' });
    await one.foldAll();
    expect(await one.desired(before)).toMatchObject({ action: 'upsert' });

    await asOwner(one, `alter table auth.users rename column ${column} to moved_away`);
    const during = randomUUID();
    const email = column === 'email' ? 'moved_away' : 'email';
    await one.db.app.query(`insert into auth.users (id, ${email}) values ($1, 'during@x.y')`, [during]);
    expect(await problems(one)).toEqual(['42703', '42703']);
    expect(await one.desired(during)).toBeUndefined();
    await asOwner(one, `alter table auth.users rename column moved_away to ${column}`);
    await one.foldAll();
    await one.sweepNow();
    expect(await one.desired(during)).toMatchObject({ action: 'upsert', address: 'during@x.y' });

    if (column !== 'email') {
      // Supabase Auth's generated column is the only thing of the app's own that hangs on one of these.
      await asOwner(one, `alter table auth.users drop column ${column}`);
      const late = randomUUID();
      await one.db.app.query(`insert into auth.users (id, email) values ($1, 'late@x.y')`, [late]);
      expect((await problems(one))[0]).toBe('42703');
      const fitting = {
        ...mapping,
        hash: 'b'.repeat(64),
        userMapping: { ...testConfig().userMapping, attributes: [], where: undefined },
      };
      await applyInstall(one.db.sql, fitting, REF);
      const store = createStore(one.db.sql, { configHash: fitting.hash, projectRef: REF, environment: 'test' });
      await store.fold(1_000);
      await store.sweepPage(null, 1_000);
      expect(await one.desired(late)).toMatchObject({ action: 'upsert', address: 'late@x.y' });
    }
  });
}

test('ALTER TYPE of mapped columns succeeds, and the mapping goes on with the new type where it fits', async () => {
  const one = await installed(mapping);
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  await asOwner(
    one,
    `alter table auth.users alter column email type text, alter column raw_user_meta_data type json,
       alter column raw_app_meta_data type json using raw_app_meta_data::json, alter column role type text,
       alter column created_at type timestamp, alter column phone type varchar(20)`,
  );
  const uncaptured = await one.uncaptured();
  for (const name of ['B', 'C'])
    await one.db.app.query(`update auth.users set raw_user_meta_data = $2 where id = $1`, [id, { full_name: name }]);
  expect(await one.uncaptured()).toBe(uncaptured);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ payload: { NAME: 'C' } });
  await asOwner(one, `alter table auth.users alter column raw_user_meta_data type text using raw_user_meta_data::text`);
  await one.insert('b@x.y');
  expect((await problems(one))[0]).toMatch(/^42/);
});

test('a source that can no longer be read is paused with the reason, and goes on by itself once it can', async () => {
  const one = await installed();
  await asOwner(one, 'alter table auth.users rename column raw_user_meta_data to meta');
  await one.db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'a@x.y')`);
  const error = await one.store.fold(100).catch((thrown: unknown) => thrown);
  const problem = sourceProblem(error)!;
  expect(problem).toMatchObject({ code: '42703', message: expect.stringContaining('raw_user_meta_data') });
  await one.store.pauseSource(problem.code, problem.message);
  const status = async (): Promise<{ sources: unknown[] }> =>
    (await one.db.app.query('select rollcall.status() as s')).rows[0].s;
  expect((await status()).sources).toMatchObject([{ pause_code: '42703', pause_message: problem.message }]);
  await asOwner(one, 'alter table auth.users rename column meta to raw_user_meta_data');
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  await one.store.resumeSource();
  expect((await status()).sources).toMatchObject([{ pause_code: null }]);
});

test('under row security the reader raises; nobody is taken for gone', async () => {
  const one = await installed();
  for (let n = 0; n < 20; n += 1) await one.insert(`u${n}@x.y`);
  await one.foldAll();
  const role = `weak_${randomUUID().replaceAll('-', '')}`;
  await one.db.app.query(`create role ${role} login password 'postgres'`);
  onCleanup(async () => {
    await one.db.app.query(`drop owned by ${role}; drop role ${role}`);
  });
  await one.db.app.query(`grant usage on schema auth, rollcall to ${role}; grant all on auth.users to ${role};
    grant all on all tables in schema rollcall to ${role}; grant all on all sequences in schema rollcall to ${role};
    grant execute on all functions in schema rollcall to ${role}`);
  const url = new URL(one.db.url);
  url.username = role;
  const sql = openPg({ url: url.toString() });
  onCleanup(() => sql.close());
  expect(await sql.query('select id from auth.users'), 'what a plain read says').toEqual([]);
  const store = createStore(sql, { configHash: one.config.hash, projectRef: REF, environment: 'test' });
  await one.db.app.query(`update auth.users set email = 'x' || email`);
  for (const work of [() => store.fold(100), () => store.sweepPage(null, 100), () => store.absentPage('0', 100)]) {
    const error = await work().then(
      () => 'READ',
      (thrown: unknown) => thrown,
    );
    expect(sourceProblem(error)).toMatchObject({
      code: '42501',
      message: expect.stringContaining('row-level security'),
    });
  }
  const { rows } = await one.db.app.query(`select action, count(*)::int as n from rollcall.desired group by action`);
  expect(rows).toEqual([{ action: 'upsert', n: 20 }]);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 20 });
});

test('an absent row is no deletion while a right is missing, and one that is there again is none', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const page = await one.store.absentPage('0', 100);
  expect(page).toMatchObject({ scanned: 1, keys: [] });
  await one.db.app.query('alter table auth.users disable trigger user');
  await one.db.app.query('delete from auth.users');
  const absent = await one.store.absentPage('0', 100);
  expect(absent.keys).toEqual([id]);
  await one.db.app.query(`insert into auth.users (id, email) values ($1, 'a@x.y')`, [id]);
  await one.store.foldKeys(absent.keys);
  expect(await one.desired(id)).toMatchObject({ action: 'upsert', version: 1 });
});
