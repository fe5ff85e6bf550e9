import fc from 'fast-check';
import type pg from 'pg';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { retryConflict } from '../../../src/sql/store/retry-conflict.ts';
import { type Installed, installed } from './support.ts';

/** What the contacts shall be, in plain SQL over the source: nothing of ours is used. */
async function expectInStepWithSource(one: Installed): Promise<void> {
  const { rows } = await one.db.app.query(
    `select coalesce(u.id::text, c.key) as key, lower(u.email) as email, u.raw_user_meta_data ->> 'full_name' as name,
            s.address, s.payload ->> 'FIRSTNAME' as sent, s.action
       from auth.users u full join rollcall.contacts c on c.key = u.id::text
       left join rollcall.desired s on s.contact_id = c.id
      where (u.id is null and s.address is not null)
         or (u.id is not null and (s.address is distinct from lower(u.email)
               or s.payload ->> 'FIRSTNAME' is distinct from u.raw_user_meta_data ->> 'full_name'))`,
  );
  expect(rows).toEqual([]);
}

test('a transaction that took its number first and commits last is not lost, nor are savepoints and REPEATABLE READ writers', async () => {
  const one = await installed();
  const first = await one.db.connect();
  const repeatable = await one.db.connect();
  await repeatable.query('begin isolation level repeatable read');
  await repeatable.query('select 1');
  await first.query('begin');
  await first.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'first@x.y')`);
  for (let n = 0; n < 5; n += 1) {
    await one.insert(`later${n}@x.y`);
    expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  }
  await first.query('savepoint a');
  await first.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'kept@x.y')`);
  await first.query('release savepoint a');
  await first.query('savepoint b');
  await first.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'dropped@x.y')`);
  await first.query('rollback to b');
  await repeatable.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'repeatable@x.y')`);
  expect(await one.foldAll()).toMatchObject({ taken: 0 });
  await first.query('commit');
  expect(await one.foldAll()).toMatchObject({ taken: 2, changed: 2 });
  await repeatable.query('commit');
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  await expectInStepWithSource(one);
});

test('a window folded in pieces takes all of it and nothing twice, while others commit in between', async () => {
  const one = await installed();
  const open = await one.db.connect();
  await open.query('begin');
  await open.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'open@x.y')`);
  for (let n = 0; n < 20; n += 1) await one.insert(`a${n}@x.y`);
  expect(await one.store.fold(7)).toMatchObject({ taken: 7, changed: 7, more: true });
  await open.query('commit');
  await one.insert('between@x.y');
  expect(await one.store.fold(7)).toMatchObject({ taken: 7, changed: 7, more: true });
  expect(await one.store.fold(7)).toMatchObject({ taken: 6, changed: 6, more: false });
  expect(await one.store.fold(7)).toMatchObject({ taken: 2, changed: 2 });
  expect(await one.store.fold(7)).toMatchObject({ taken: 0, more: false });
  // One statement with more keys than a piece is folded whole.
  await one.db.app.query(
    `insert into auth.users (id, email) select gen_random_uuid(), 'm' || n || '@x.y' from generate_series(1, 2500) n`,
  );
  expect(await one.store.fold(7)).toMatchObject({ taken: 1, changed: 1_000 });
  await one.foldAll(7);
  await expectInStepWithSource(one);
});

/** Waits until a session waits for a lock. */
async function blocked(one: Installed, pid: number): Promise<void> {
  await expect
    .poll(
      async () =>
        (await one.db.app.query('select cardinality(pg_blocking_pids($1)) > 0 as waits', [pid])).rows[0].waits,
      {
        interval: 5,
        timeout: 10_000,
      },
    )
    .toBe(true);
}

async function session(one: Installed): Promise<{ client: pg.Client; pid: number }> {
  const client = await one.db.connect();
  return { client, pid: (await client.query('select pg_backend_pid() as pid')).rows[0].pid };
}

test('the source is read only once the owner rows are locked: a fold that waited writes what is true then', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'old' });
  await one.foldAll();
  const holder = await session(one);
  await holder.client.query('begin');
  await holder.client.query('select from rollcall.contacts where key = $1 for update', [id]);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"middle"}' where id = $1`, [id]);
  const waiting = await session(one);
  const fold = waiting.client.query('select * from rollcall.fold($1, 100)', [one.config.hash]);
  await blocked(one, waiting.pid);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"new"}' where id = $1`, [id]);
  // The other session is a sweep that folds the same key from what it sees now.
  await holder.client.query('select * from rollcall.fold_keys(array[$1], 1::smallint)', [id]);
  await holder.client.query('commit');
  expect((await fold).rows[0]).toMatchObject({ taken: 1, changed: 0 });
  expect(await one.desired(id)).toMatchObject({ payload: { FIRSTNAME: 'new' }, version: 2 });
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ payload: { FIRSTNAME: 'new' }, version: 2 });
});

test('a second fold finds the first at work and takes nothing', async () => {
  const one = await installed();
  await one.insert('a@x.y');
  const leader = await session(one);
  await leader.client.query('begin');
  await leader.client.query('select rollcall.fold($1, 100)', [one.config.hash]);
  expect(await one.store.fold(100)).toMatchObject({ busy: true, taken: 0 });
  await leader.client.query('rollback');
  expect(await one.store.fold(100)).toMatchObject({ busy: false, taken: 1 });
});

test('an address released by one session while another wants it: whoever comes second sees it free', async () => {
  const one = await installed();
  const first = await one.insert('a@x.y', {}, { is_sso_user: true });
  await one.foldAll();
  await one.db.app.query(`update auth.users set email = 'b@x.y' where id = $1`, [first]);
  const second = await one.insert('a@x.y', {}, { is_sso_user: true });
  const releasing = await session(one);
  await releasing.client.query('begin');
  await releasing.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [first]);
  const taking = await session(one);
  const fold = taking.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [second]);
  await blocked(one, taking.pid);
  await releasing.client.query('commit');
  await fold;
  expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'a@x.y', waiting_for: null });
});

test('a person who comes back while another session takes their old address keeps being sent', async () => {
  const one = await installed();
  const first = await one.insert('a@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set is_anonymous = true where id = $1`, [first]);
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({ action: 'delete', remote_address: 'a@x.y' });
  await one.db.app.query(`update auth.users set is_anonymous = false, email = 'b@x.y' where id = $1`, [first]);
  const second = await one.insert('a@x.y');
  const returning = await session(one);
  await returning.client.query('begin');
  await returning.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [first]);
  const taking = await session(one);
  const fold = taking.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [second]);
  await blocked(one, taking.pid);
  await returning.client.query('commit');
  await fold;
  expect(await one.desired(first)).toMatchObject({
    action: 'upsert',
    address: 'b@x.y',
    remote_address: null,
    due: true,
  });
  expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'a@x.y', takeover: true, due: true });
});

test('two newcomers that two sessions give one address at the same moment: one has it, the other waits', async () => {
  const one = await installed();
  const ids = [randomUUID(), randomUUID()];
  for (const id of ids)
    await one.db.app.query(`insert into auth.users (id, email, is_sso_user) values ($1, 'same@x.y', true)`, [id]);
  const holder = await session(one);
  await holder.client.query('begin');
  await holder.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [ids[0]]);
  const other = await session(one);
  const fold = retryConflict(() => other.client.query('select rollcall.fold_keys(array[$1], 0::smallint)', [ids[1]]));
  await blocked(one, other.pid);
  await holder.client.query('commit');
  await fold;
  expect(await one.desired(ids[0]!)).toMatchObject({ action: 'upsert' });
  expect(await one.desired(ids[1]!)).toMatchObject({
    action: 'none',
    reason: 'address_taken',
    waiting_for: 'same@x.y',
  });
});

test('a deadlock is tried again, other errors are not', async () => {
  let calls = 0;
  const failing = (code: string, times: number) => async (): Promise<string> => {
    calls += 1;
    if (calls <= times) throw Object.assign(new Error('x'), { code });
    return 'done';
  };
  expect(await retryConflict(failing('40P01', 4))).toBe('done');
  calls = 0;
  await expect(retryConflict(failing('40P01', 5))).rejects.toMatchObject({ code: '40P01' });
  expect(calls).toBe(5);
  calls = 0;
  await expect(retryConflict(failing('RC003', 1))).rejects.toMatchObject({ code: 'RC003' });
  expect(calls).toBe(1);
});

test('whatever three sessions do in whatever order, nothing is lost', async () => {
  const one = await installed();
  const sessions = await Promise.all([one.db.connect(), one.db.connect(), one.db.connect()]);
  let run = 0;
  const step = fc.record({
    who: fc.nat({ max: 2 }),
    what: fc.constantFrom(
      'insert',
      'update',
      'rename',
      'delete',
      'savepoint',
      'undo',
      'commit',
      'rollback',
      'fold',
      'piece',
      'sweep',
      'rotate',
    ),
    person: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      run += 1;
      const open = [false, false, false];
      const saved = [false, false, false];
      for (const [index, { who, what, person }] of steps.entries()) {
        const client = sessions[who]!;
        if (what === 'fold') await one.store.fold(1_000);
        else if (what === 'piece') await one.store.fold(2);
        else if (what === 'sweep') await one.store.sweepPage(null, 1_000);
        else if (what === 'rotate') await one.db.app.query('select rollcall.rotate_log()');
        else if (what === 'commit' || what === 'rollback') {
          if (open[who]) await client.query(what);
          open[who] = false;
          saved[who] = false;
        } else if (what === 'savepoint' || what === 'undo') {
          if (open[who] && what === 'savepoint') await client.query('savepoint s');
          if (open[who] && what === 'undo' && saved[who]) await client.query('rollback to s');
          if (open[who] && what === 'savepoint') saved[who] = true;
        } else {
          if (!open[who]) await client.query(index % 3 === 0 ? 'begin isolation level repeatable read' : 'begin');
          open[who] = true;
          // People of their own, so that no session waits for another's row.
          const id =
            `00000000-0000-0000-${String(run % 10_000).padStart(4, '0')}-00000000000${who}`.slice(0, -1) +
            String(who * 4 + person)
              .padStart(2, '0')
              .slice(-1);
          const text = {
            insert: `insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, jsonb_build_object('full_name', $3::text)) on conflict do nothing`,
            update: `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $3::text), email = coalesce(email, $2) where id = $1`,
            rename: `update auth.users set email = $3 || $2 where id = $1`,
            delete: `delete from auth.users where id = $1 and $2::text is not null and $3::text is not null`,
          }[what];
          await client.query('savepoint statement');
          await client
            .query(text, [id, `p${run}-${who}-${person}@x.y`, `s${index}`])
            .catch(() => client.query('rollback to statement'));
        }
      }
      for (const [who, client] of sessions.entries()) if (open[who]) await client.query('commit');
      await one.foldAll();
      await expectInStepWithSource(one);
    }),
    { numRuns: 60, seed: 20261120 },
  );
});
