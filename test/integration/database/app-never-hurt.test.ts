import type pg from 'pg';
import { expect, test } from 'vitest';
import { createOwnDatabase } from '../../support/own-cluster.ts';
import { type Installed, installed } from './support.ts';

/** What the app does all day, as the role that Supabase Auth runs as. */
async function dayInTheLife(client: pg.Client, name: string): Promise<{ id: string; slowestMs: number }> {
  const times: number[] = [];
  const timed = async (text: string, values: unknown[]): Promise<pg.QueryResult> => {
    const started = performance.now();
    const result = await client.query(text, values);
    times.push(performance.now() - started);
    return result;
  };
  const { rows } = await timed(`insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id`, [
    name,
  ]);
  const id = rows[0].id as string;
  await timed(`update auth.users set raw_user_meta_data = '{"full_name":"After"}' where id = $1`, [id]);
  const other = await timed(`insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id`, [
    `x${name}`,
  ]);
  await timed('delete from auth.users where id = $1', [other.rows[0].id]);
  return { id, slowestMs: Math.max(...times) };
}

async function authAdmin(one: Installed): Promise<pg.Client> {
  const url = new URL(one.db.url);
  url.username = 'supabase_auth_admin';
  return one.db.connect(url.toString());
}

/** A statement waits for at most two locks of 20 ms; the rest is room for a slow machine. */
const BOUND_MS = 2_000;

const breakages: { name: string; sql: string; counted?: boolean; mend?: string }[] = [
  {
    name: 'a constraint on the log raises, as a full disk would',
    sql: `alter table rollcall.changes_0 add constraint full_disk check (false) not valid`,
    mend: 'alter table rollcall.changes_0 drop constraint full_disk',
  },
  {
    name: 'the inner capture function raises',
    sql: `create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null) returns void language plpgsql as 'begin raise exception ''broken''; end'`,
  },
  {
    name: 'the inner capture function fails an assertion',
    sql: `create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null) returns void language plpgsql as 'begin assert false; end'`,
  },
  { name: 'the inner capture function is gone', sql: 'drop function rollcall.capture' },
  {
    name: 'the owner lost its right to write the log',
    sql: 'revoke all on rollcall.changes_0 from hosted',
    mend: 'grant all on rollcall.changes_0 to hosted',
  },
  {
    name: 'the sequence of the log is used up',
    sql: `alter sequence rollcall.changes_id maxvalue 3 no cycle restart 3; select nextval('rollcall.changes_id')`,
    mend: 'alter sequence rollcall.changes_id maxvalue 9223372036854775807',
  },
  { name: 'the sequence that says which log is current is gone', sql: 'drop sequence rollcall.current_log cascade' },
  { name: 'the flag of the idle worker is gone', sql: 'drop sequence rollcall.armed_until cascade' },
  { name: 'one log table is gone', sql: 'drop table rollcall.changes_0' },
  { name: 'all log tables are gone', sql: 'drop table rollcall.changes_0, rollcall.changes_1, rollcall.changes_2' },
  {
    // Whoever an update touches is captured then, so nothing is missed.
    name: 'a watched column of the trigger is renamed',
    sql: 'alter table auth.users rename column raw_app_meta_data to app_meta',
    mend: 'alter table auth.users rename column app_meta to raw_app_meta_data',
    counted: false,
  },
  {
    name: 'the counter of failures is gone too',
    sql: 'drop table rollcall.changes_0; drop sequence rollcall.uncaptured',
    counted: false,
  },
  { name: 'the trigger is disabled', sql: 'alter table auth.users disable trigger rollcall_insert', counted: false },
  { name: 'the schema is dropped', sql: 'drop schema rollcall cascade', counted: false },
];

for (const { name, sql, counted = true, mend } of breakages) {
  test(`people sign up, edit and leave while ${name}`, async () => {
    const one = await installed({
      userMapping: {
        address: ['email'],
        attributes: [],
        where: { expression: `app_metadata is null`, line: 1, column: 1 },
        unconfirmed: true,
      },
    });
    const auth = await authAdmin(one);
    await dayInTheLife(auth, 'before@x.y');
    await one.foldAll();
    await one.db.app.query(sql);
    const { id } = await dayInTheLife(auth, 'during@x.y');
    if (!counted) return;
    expect(await one.uncaptured()).toBeGreaterThan(1);
    // In both transactions that failed and in later ones the app goes on.
    await dayInTheLife(one.db.app, 'after@x.y');
    if (mend === undefined) return;
    await one.db.app.query(mend);
    await one.sweepNow();
    expect(await one.desired(id)).toMatchObject({ action: 'upsert', address: 'during@x.y', due: true });
  });
}

test('the waits are bounded while every table of ours is locked, with a statement timeout of 50 ms too', async () => {
  const one = await installed();
  const auth = await authAdmin(one);
  const locker = await one.db.connect();
  await locker.query('begin');
  await locker.query(`lock table rollcall.changes_0, rollcall.changes_1, rollcall.changes_2, rollcall.contacts, rollcall.desired,
    rollcall.due, rollcall.install, rollcall.fold_position in access exclusive mode`);
  const first = await dayInTheLife(auth, 'a@x.y');
  expect(first.slowestMs).toBeLessThan(BOUND_MS);
  await auth.query(`set statement_timeout = '50ms'`);
  const second = await dayInTheLife(auth, 'b@x.y');
  await auth.query('reset statement_timeout');
  expect(await one.uncaptured()).toBe(1 + 2 * 4);
  await locker.query('rollback');
  await one.sweepNow();
  for (const { id } of [first, second])
    expect(await one.desired(id)).toMatchObject({ payload: { FIRSTNAME: 'After' }, due: true });
});

test('a long lock of one table costs a statement one wait, and a row lock of ours costs none', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const locker = await one.db.connect();
  await locker.query('begin');
  await locker.query(`select from rollcall.contacts for update`);
  await locker.query(`select from rollcall.desired for update`);
  await locker.query(`select from rollcall.due for update`);
  await one.db.app.query('begin');
  await one.db.app.query(`set local statement_timeout = '1s'`);
  await one.db.app.query(`update auth.users set email = 'b@x.y' where id = $1`, [id]);
  await one.db.app.query('commit');
  await locker.query('rollback');
  expect(await one.uncaptured()).toBe(1);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
});

test('a capture that failed in a transaction still open is swept again once it has ended', async () => {
  // A server of its own: transactions of other databases would count as open too.
  const one = await installed({}, await createOwnDatabase({ autovacuum: 'off' }));
  await one.sweepNow();
  const seen = async (): Promise<boolean> => {
    const ticket = await one.store.beginSweep(3_600_000, false);
    if (ticket !== undefined) {
      await one.store.sweepPage(null, 1_000);
      await one.store.endSweep(ticket, null);
    }
    return ticket !== undefined;
  };
  await expect.poll(seen, { timeout: 20_000 }).toBe(false);
  await one.db.app.query(`alter table rollcall.changes_0 add constraint full_disk check (false) not valid`);
  const slow = await one.db.connect();
  await slow.query('begin');
  await slow.query(`insert into auth.users (id, email) values ('00000000-0000-0000-0000-000000000001', 'slow@x.y')`);
  expect(await seen(), 'the failure is counted at once').toBe(true);
  expect(await one.desired('00000000-0000-0000-0000-000000000001')).toBeUndefined();
  expect(await seen(), 'nothing new can be found while it is open').toBe(false);
  await slow.query('commit');
  expect(await seen(), 'it has ended').toBe(true);
  expect(await one.desired('00000000-0000-0000-0000-000000000001')).toMatchObject({ address: 'slow@x.y' });
  expect(await seen()).toBe(false);
});

test('what the trigger could not see while it was disabled or missing is found by the next sweep', async () => {
  const one = await installed();
  const gone = await one.insert('gone@x.y');
  const moved = await one.insert('old@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('alter table auth.users disable trigger user');
  const fresh = await one.insert('fresh@x.y');
  await one.db.app.query('delete from auth.users where id = $1', [gone]);
  await one.db.app.query(`update auth.users set email = 'new@x.y' where id = $1`, [moved]);
  expect(await one.logged()).toHaveLength(2);
  await one.sweepNow();
  expect(await one.desired(fresh)).toMatchObject({ action: 'upsert', due: true });
  expect(await one.desired(moved)).toMatchObject({ address: 'new@x.y', remote_address: 'old@x.y', due: true });
  expect(await one.desired(gone)).toMatchObject({ action: 'delete', reason: 'gone', due: true });
});
