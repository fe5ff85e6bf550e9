import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Installed, installed } from './support.ts';

/** Makes the log larger than what a rotation asks for, by one person's edits. */
async function grow(one: Installed): Promise<void> {
  const { rows } = await one.db.app.query('select id::text from auth.users limit 1');
  const id = rows[0]?.id ?? (await one.insert('busy@x.y'));
  await one.db.app.query('select rollcall.capture(array_fill($1::text, array[60])) from generate_series(1, 900)', [id]);
}

async function currentLog(one: Installed): Promise<number> {
  return Number((await one.db.app.query('select last_value from rollcall.current_log')).rows[0].last_value);
}

async function sizes(one: Installed): Promise<number[]> {
  const { rows } = await one.db.app
    .query(`select array[pg_relation_size('rollcall.changes_0'), pg_relation_size('rollcall.changes_1'),
    pg_relation_size('rollcall.changes_2')]::int[] as sizes`);
  return (rows[0].sizes as number[]).map((size) => Math.sign(size));
}

test('the log is used in turn, and a table is emptied only once it is folded', async () => {
  const one = await installed();
  await one.store.tidy(1e9);
  expect(await currentLog(one), 'a small log is left alone').toBe(0);
  await grow(one);
  await one.store.tidy(1e9);
  expect(await currentLog(one)).toBe(1);
  await grow(one);
  await one.store.tidy(1e9);
  expect(await currentLog(one)).toBe(2);
  await grow(one);
  await one.store.tidy(1e9);
  await one.store.tidy(1e9);
  expect([await currentLog(one), await sizes(one)], 'nothing is folded yet').toEqual([2, [1, 1, 1]]);
  expect((await one.foldAll(100_000)).taken).toBe(2_701);
  await one.store.tidy(1e9);
  expect([await currentLog(one), await sizes(one)]).toEqual([2, [0, 1, 1]]);
  await one.store.tidy(1e9);
  expect(await currentLog(one)).toBe(0);
  await one.insert('after@x.y');
  expect(await one.foldAll()).toMatchObject({ taken: 1 });
});

test('rotation gives way to a dump and to a writer, and writers never wait for it', async () => {
  const one = await installed();
  for (const _ of [0, 1]) {
    await grow(one);
    await one.store.tidy(1e9);
  }
  await grow(one);
  await one.foldAll(100_000);
  const dump = await one.db.connect();
  await dump.query('begin isolation level repeatable read');
  await dump.query('lock table rollcall.changes_0 in access share mode');
  await one.store.tidy(1e9);
  expect(await sizes(one)).toEqual([1, 1, 1]);
  await one.insert('meanwhile@x.y');
  expect(await one.uncaptured()).toBe(1);
  await dump.query('commit');
  const rotating = await one.db.connect();
  await rotating.query('begin');
  await rotating.query(`select rollcall.tidy('1 day')`);
  await one.db.app.query(`set statement_timeout = '15ms'`);
  for (let n = 0; n < 5; n += 1) await one.insert(`during${n}@x.y`);
  await one.db.app.query(`reset statement_timeout`);
  expect(await one.uncaptured(), 'nothing was lost to the lock').toBe(1);
  await rotating.query('commit');
  expect(await one.foldAll()).toMatchObject({ taken: 6, changed: 6 });
});

test('a writer that hits an old log table late is not lost', async () => {
  const one = await installed();
  const late = await one.db.connect();
  await late.query('begin');
  const id = randomUUID();
  await late.query(`insert into auth.users (id, email) values ($1, 'late@x.y')`, [id]);
  for (const _ of [0, 1]) {
    await grow(one);
    await one.foldAll(100_000);
    await one.store.tidy(1e9);
  }
  await grow(one);
  await one.foldAll(100_000);
  await one.store.tidy(1e9);
  expect(await sizes(one), 'its table is not emptied under it').toEqual([1, 1, 1]);
  await late.query('commit');
  await one.store.tidy(1e9);
  expect(await sizes(one), 'nor before it is folded').toEqual([1, 1, 1]);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  expect(await one.desired(id)).toMatchObject({ address: 'late@x.y' });
  await one.store.tidy(1e9);
  expect((await sizes(one))[0]).toBe(0);
});

test('attempts are pruned by age, in bites', async () => {
  const one = await installed();
  await one.db.app.query(`insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, at)
    select 1, n, 1, 'upsert', 'delivered', now() - interval '8 days' from generate_series(1, 7000) n`);
  await one.db.app.query(`insert into rollcall.attempts (destination_id, contact_id, version, action, outcome)
    select 1, n, 1, 'upsert', 'delivered' from generate_series(1, 100) n`);
  const left = async (): Promise<number> =>
    (await one.db.app.query('select count(*)::int as n from rollcall.attempts')).rows[0].n;
  const week = 7 * 24 * 3_600_000;
  await one.store.tidy(week);
  expect(await left()).toBe(2_100);
  await one.store.tidy(week);
  await one.store.tidy(week);
  expect(await left()).toBe(100);
});
