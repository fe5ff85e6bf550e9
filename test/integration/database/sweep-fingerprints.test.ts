import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { testConfig } from '../../support/config.ts';
import { USERS, withTables } from '../../support/tables.ts';
import { installed, type Installed, REF } from './support.ts';

/** Users of every kind: what the one query says of each must be what the fold says. */
async function everyKind(one: Installed): Promise<string[]> {
  const huge = 'x'.repeat(200_000);
  const people: readonly (readonly [string | null, object, Record<string, unknown>?])[] = [
    ['Plain@X.test', { full_name: 'Plain' }],
    [' \tBlank@x.test\n', {}],
    ['ångström@x.test', { full_name: 'Å' }],
    ['a\u030Angstrom@x.test', { full_name: 'composed' }],
    [null, { full_name: 'nobody' }],
    ['', {}],
    [`${'l'.repeat(240)}@x.test`, {}],
    ['soft@x.test', {}, { deleted_at: '2026-01-01' }],
    ['banned@x.test', {}, { banned_until: '2999-01-01' }],
    ['free@x.test', {}, { banned_until: '2001-01-01' }],
    ['anonymous@x.test', {}, { is_anonymous: true }],
    ['twin@x.test', {}, { is_sso_user: true }],
    ['twin@x.test', { full_name: 'Second' }, { is_sso_user: true }],
    ['huge@x.test', { full_name: huge.slice(0, 140_000) }],
  ];
  const ids: string[] = [];
  for (const [email, metadata, more] of people) ids.push(await one.insert(email, metadata, more));
  // The least of all ids has nobody before it.
  await one.insert('least@x.test', {}, { instance_id: '00000000-0000-0000-0000-000000000000' });
  await one.db.app.query(
    `set session_replication_role = replica;
     update auth.users set id = '00000000-0000-0000-0000-000000000000' where email = 'least@x.test';
     reset session_replication_role`,
  );
  await one.foldAll();
  await one.sweepNow();
  return ids;
}

async function differing(one: Installed): Promise<string[] | null> {
  const { rows } = await one.db.app.query(
    `select rollcall.differing(d.id, d.fingerprint_function, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff') as keys
       from rollcall.destinations d`,
  );
  return rows[0].keys as string[] | null;
}

test('whoever is as they shall be is told without being looked at, and nobody else is', async () => {
  const one = await installed();
  const ids = await everyKind(one);
  // Looked at each time: who waits for an address, and who cannot be mapped.
  const { rows: waiting } = await one.db.app.query(
    `select c.key from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id where s.reason = 'address_taken'`,
  );
  expect(waiting).toHaveLength(1);
  expect(new Set(await differing(one))).toEqual(new Set([waiting[0].key, ids[13]]));
  const { rows } = await one.db.app.query(
    `select changed from rollcall.fold_keys((select array_agg(id::text) from auth.users), 1::smallint)`,
  );
  expect(rows).toEqual([{ changed: 0 }]);
});

test('every change that nobody saw differs', async () => {
  const one = await installed();
  const ids = await everyKind(one);
  const app = one.db.app;
  await app.query('set session_replication_role = replica');
  const changes = [
    [0, `raw_user_meta_data = '{"full_name":"Other"}'`],
    [1, `email = 'other@x.test'`],
    [2, `is_anonymous = true`],
    [7, `deleted_at = null`],
    [8, `banned_until = null`],
    [10, `is_anonymous = false, email = 'somebody@x.test'`],
    [4, `email = 'born@x.test'`],
  ] as const;
  for (const [n, set] of changes) await app.query(`update auth.users set ${set} where id = $1`, [ids[n]]);
  await app.query(`update auth.users set email = 'first@x.test' where id = '00000000-0000-0000-0000-000000000000'`);
  await app.query('reset session_replication_role');
  const found = await differing(one);
  for (const [n] of changes) expect(found).toContain(ids[n]);
  expect(await one.sweepNow()).toMatchObject({
    report: { found: { missing: 0, returned: 4, stale: 4, gone: 0 }, why: [{ cause: 'unseen' }] },
  });
  expect(await one.desired('00000000-0000-0000-0000-000000000000')).toMatchObject({ address: 'first@x.test' });
  const { rows } = await app.query(
    `select changed from rollcall.fold_keys((select array_agg(id::text) from auth.users), 1::smallint)`,
  );
  expect(rows).toEqual([{ changed: 0 }]);
});

test('a row that cannot be mapped fails the one query, and the page is looked at one by one', async () => {
  const one = await withTables({
    ddl: '',
    connector: `${USERS}
  user_metadata.age: { to: AGE, type: integer }`,
  });
  const bad = await one.insert('bad@x.test', { age: 'old' });
  const good = await one.insert('good@x.test', { age: '42' });
  await one.foldAll();
  expect(await differing(one)).toBeNull();
  const { app } = one.db;
  await app.query(`set session_replication_role = replica; update auth.users set raw_user_meta_data = '{"age": 43}' where id = '${good}';
    reset session_replication_role`);
  expect(await one.sweepNow()).toMatchObject({ report: { found: { stale: 1 }, failed: 1 } });
  expect(await one.desired(good)).toMatchObject({ payload: { AGE: 43 } });
  expect((await app.query('select count(*)::int as n from rollcall.dead_letters')).rows).toEqual([{ n: 1 }]);
  expect(bad).not.toBe(good);
});

test('what a trigger saw is not told as missed', async () => {
  const one = await installed();
  await one.insert('seen@x.test');
  expect(await one.sweepNow()).toMatchObject({ folded: 1, report: { found: { missing: 0, stale: 0 } } });
});

test('a destination whose name leaves no room for the function is swept without it', async () => {
  const config = testConfig();
  const [destination] = config.destinations;
  const long = { ...config, destinations: [{ ...destination!, name: 'm'.repeat(60) }] };
  const one = await installed();
  await applyInstall(one.db.sql, { ...long, hash: config.hash }, REF);
  const { rows } = await one.db.app.query('select fingerprint_function as f from rollcall.destinations where enabled');
  expect(rows).toEqual([{ f: null }]);
  await one.db.app.query('set session_replication_role = replica');
  await one.insert('a@x.test');
  expect(await one.sweepNow()).toMatchObject({ report: { found: { missing: 1 } } });
});
