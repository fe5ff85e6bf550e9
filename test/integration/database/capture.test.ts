import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { installed } from './support.ts';

const A = '00000000-0000-0000-0000-00000000000a';
const B = '00000000-0000-0000-0000-00000000000b';
const C = '00000000-0000-0000-0000-00000000000c';

test('COPY, MERGE, ON CONFLICT, multi-row statements and a changed primary key log every key they touch', async () => {
  const one = await installed();
  const { app } = one.db;
  const logs = async (text: string): Promise<string[]> => {
    await app.query('truncate rollcall.changes_0');
    await app.query(text);
    return (await one.logged()).toSorted();
  };
  expect(await logs(`insert into auth.users (id, email) values ('${A}', 'a@x.y'), ('${B}', 'b@x.y')`)).toEqual([A, B]);
  expect(await logs(`update auth.users set email = 'z' || email`)).toEqual([A, B]);
  expect(await logs(`update auth.users set email = email`), 'nothing changed').toEqual([]);
  expect(await logs(`update auth.users set email = 'n@x.y' where false`)).toEqual([]);
  expect(await logs(`delete from auth.users where false`)).toEqual([]);
  expect(await logs(`insert into auth.users (id, email) select id, email from auth.users where false`)).toEqual([]);
  expect(
    await logs(`insert into auth.users (id, email) values ('${A}', 'n@x.y'), ('${C}', 'c@x.y')
                on conflict (id) do update set email = excluded.email`),
  ).toEqual([A, C]);
  expect(await logs(`insert into auth.users (id) values ('${A}') on conflict do nothing`)).toEqual([]);
  expect(
    await logs(`merge into auth.users u using (values ('${A}'::uuid), ('${B}'::uuid), ('${randomUUID()}'::uuid)) v(id) on v.id = u.id
                when matched and u.id = '${A}' then update set email = 'm@x.y'
                when matched then delete
                when not matched then insert (id, email) values (v.id, 'new@x.y')`),
  ).toHaveLength(3);
  expect(await logs(`update auth.users set id = '${B}' where id = '${A}'`)).toEqual([A, B]);
  expect(await logs(`delete from auth.users where id = '${B}'`)).toEqual([B]);
  expect(await logs(`copy auth.users (id, email) from program 'echo ${A},copied@x.y' csv`)).toEqual([A]);
});

test('a case edit and an edit inside json are seen; tokens, sign-ins and columns nobody maps are not', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A', deep: { n: 1 } });
  await one.db.app.query('truncate rollcall.changes_0');
  for (const noise of [
    `recovery_token = 'abc', recovery_sent_at = now()`,
    `encrypted_password = 'x'`,
    `last_sign_in_at = now(), updated_at = now()`,
    `email_change = 'b@x.y', email_change_token_new = 'y'`,
    `raw_app_meta_data = '{"provider":"email"}'`,
    `raw_user_meta_data = '{"deep": {"n": 1}, "full_name": "A"}'`,
  ]) {
    await one.db.app.query(`update auth.users set ${noise} where id = $1`, [id]);
    expect({ noise, logged: await one.logged() }).toEqual({ noise, logged: [] });
  }
  for (const edit of [
    `email = 'A@x.y'`,
    `raw_user_meta_data = '{"deep": {"n": 2}, "full_name": "A"}'`,
    `raw_user_meta_data = null`,
  ]) {
    await one.db.app.query(`update auth.users set ${edit} where id = $1`, [id]);
    expect({ edit, logged: await one.logged() }).toEqual({ edit, logged: [id] });
    await one.db.app.query('truncate rollcall.changes_0');
  }
});

test('an edit that changes no mapped value sends nothing, and fifty edits are one delivery', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(
    `update auth.users set raw_user_meta_data = '{"full_name":"A","theme":"dark"}' where id = $1`,
    [id],
  );
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 0 });
  expect(await one.desired(id)).toMatchObject({ version: 1, due: false });
  for (let n = 0; n < 50; n += 1)
    await one.db.app.query(`update auth.users set raw_user_meta_data = $2 where id = $1`, [id, { full_name: `N${n}` }]);
  expect(await one.foldAll()).toMatchObject({ taken: 50, changed: 1 });
  expect(await one.deliverAll()).toMatchObject([{ attributes: { FIRSTNAME: 'N49' } }]);
});

test('what is rolled back, whole or to a savepoint, leaves nothing; what stays is there', async () => {
  const one = await installed();
  const { app } = one.db;
  await app.query('begin');
  await app.query(`insert into auth.users (id, email) values ('${A}', 'a@x.y')`);
  await app.query('rollback');
  await app.query('begin');
  await app.query(`insert into auth.users (id, email) values ('${B}', 'b@x.y')`);
  await app.query('savepoint s');
  await app.query(`insert into auth.users (id, email) values ('${C}', 'c@x.y')`);
  await app.query('rollback to s');
  await app.query('commit');
  expect(await one.logged()).toEqual([B]);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
});

test('TRUNCATE and session_replication_role = replica are found by a sweep', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  await one.sweepNow();
  const { app } = one.db;
  const before = await one.uncaptured();
  await app.query('truncate auth.users');
  expect(await one.uncaptured()).toBe(before + 1);
  await one.sweepNow();
  expect(await one.desired(id)).toMatchObject({ action: 'none', reason: 'gone', due: false });
  await app.query(`set session_replication_role = replica`);
  await app.query(`insert into auth.users (id, email) values ('${A}', 'r@x.y')`);
  await app.query(`reset session_replication_role`);
  expect(await one.logged()).toEqual([id]);
  await one.sweepNow();
  expect(await one.desired(A)).toMatchObject({ address: 'r@x.y', due: true });
});

test('30,000 rows in one statement are captured, also in a session that made its plan for one row', async () => {
  const one = await installed();
  const { app } = one.db;
  await app.query(`insert into auth.users (id, email) values ('${A}', 'a@x.y')`);
  for (let n = 0; n < 8; n += 1) await app.query(`update auth.users set email = 'n${n}@x.y' where id = '${A}'`);
  await app.query('truncate rollcall.changes_0');
  await app.query(
    `insert into auth.users (id, email) select gen_random_uuid(), 'u' || n || '@x.y' from generate_series(1, 30000) n`,
  );
  // Nested loops over the two transition tables would take many minutes.
  await app.query(`set statement_timeout = '20s'`);
  await app.query(`update auth.users set email = 'z' || email`);
  await app.query('delete from auth.users');
  expect(await one.uncaptured()).toBe(1);
  const { rows } =
    await app.query(`select count(*)::int as rows, sum(cardinality(keys))::int as keys, max(cardinality(keys)) as most
    from rollcall.changes_0`);
  expect(rows[0]).toEqual({ rows: 92, keys: 90_002, most: 1_000 });
});

test('writers tell an idle worker that armed itself, and nobody else; the flag runs out by itself', async () => {
  const one = await installed();
  let told = 0;
  let ring: () => void = () => undefined;
  const subscription = await one.db.sql.listen(
    'rollcall',
    () => {
      told += 1;
      ring();
    },
    () => undefined,
  );
  // Whether it hears at all was found out by one.
  told = 0;
  const flag = async (): Promise<unknown> =>
    (await one.db.app.query('select last_value, xmin::text, ctid::text from rollcall.armed_until')).rows[0];
  await one.insert('a@x.y');
  await one.store.arm(30_000);
  const armed = await flag();
  const heard = new Promise<void>((resolve) => {
    ring = resolve;
  });
  await one.insert('b@x.y');
  await heard;
  expect(told, 'the first sign-up told nobody').toBe(1);
  expect(await flag(), 'writers only read the flag').toEqual(armed);
  await one.db.app.query(`select setval('rollcall.armed_until', extract(epoch from clock_timestamp())::bigint - 1)`);
  await one.insert('c@x.y');
  await one.store.arm(0);
  await one.insert('d@x.y');
  const last = new Promise<void>((resolve) => {
    ring = resolve;
  });
  await one.db.app.query(`notify rollcall`);
  await last;
  expect(told).toBe(2);
  await subscription.close();
});

test('columns of expressions, filters, templates and consent are watched', async () => {
  const one = await installed({
    consent: { kind: 'column', path: ['app_metadata', 'opt_in'], line: 1, column: 1 },
    userMapping: {
      address: ['email'],
      attributes: [
        attribute('A', { kind: 'sql', expression: `phone || ''` }),
        attribute('B', 'role', { transforms: [{ name: 'template', template: '{value} {aud}' }] }),
      ],
      where: { expression: 'banned_until is null', line: 1, column: 1 },
      unconfirmed: true,
    },
  });
  const id = await one.insert('a@x.y');
  for (const edit of [
    `phone = '1'`,
    `role = 'r'`,
    `aud = 'a'`,
    'banned_until = now()',
    `raw_app_meta_data = '{"opt_in": true}'`,
  ]) {
    await one.db.app.query('truncate rollcall.changes_0');
    await one.db.app.query(`update auth.users set ${edit} where id = $1`, [id]);
    expect({ edit, logged: await one.logged() }).toEqual({ edit, logged: [id] });
  }
});
