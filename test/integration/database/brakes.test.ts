import { describe, expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { USERS, tablesConfig } from '../../support/tables.ts';
import {
  delivered,
  held,
  holding,
  leave,
  people,
  release,
  rename,
  sent,
  stopped,
  timePasses,
} from './brakes-support.ts';
import { around, REF } from './support.ts';

describe('deletions', () => {
  test('too many in one statement: none is sent, status says so, and a release sends as many as it says', async () => {
    const one = await delivered(60);
    await leave(one, 1, 12);
    expect(await sent(one)).toEqual({});
    expect(await holding(one)).toEqual([
      { kind: 'deletes', held: 12, stopped_at: expect.any(String) as unknown, share: 0.02, least: 10 },
    ]);
    const { rows } = await one.db.app.query(`select rollcall.status() -> 'destinations' -> 0 as d`);
    expect(rows[0].d).toMatchObject({ pending: 0, oldest_pending_s: null, in_step: 48 });
    expect(await release(one, 'deletes', 5)).toEqual({ released: 5, held: 7, allowance: 0 });
    expect(await sent(one)).toEqual({ delete: 5 });
    await leave(one, 13);
    expect(await held(one)).toEqual({ deletes: 8 });
    expect(await release(one, 'deletes', null)).toEqual({ released: 8, held: 0, allowance: 0 });
    expect(await sent(one)).toEqual({ delete: 8 });
    expect(await stopped(one, 'deletes')).toBe(false);
  });

  test('by absence they are counted the same', async () => {
    const one = await delivered(60);
    await one.db.app.query('set session_replication_role = replica');
    await leave(one, 1, 12);
    await one.sweepNow();
    expect(await held(one)).toEqual({ deletes: 12 });
    expect(await sent(one)).toEqual({});
    await release(one, 'deletes', 12);
    expect(await sent(one)).toEqual({ delete: 12 });
  });

  test('by absence, more than a page of them: none goes ahead of the others', async () => {
    const one = await delivered(60_000 / 20);
    await one.db.app.query('set session_replication_role = replica');
    // Less than 2% are on the first page of a thousand contacts.
    await leave(one, 2_930, 3_000);
    await leave(one, 5, 14);
    await one.sweepNow();
    expect(await held(one)).toEqual({ deletes: 81 });
    expect(await sent(one)).toEqual({});
  });

  test('nine pass; the tenth of a hundred in an hour stops, with those that wait', async () => {
    const one = await delivered(100);
    await leave(one, 1, 4);
    expect(await sent(one)).toEqual({ delete: 4 });
    await leave(one, 5, 9);
    expect(await held(one)).toEqual({});
    await leave(one, 10);
    expect(await held(one)).toEqual({ deletes: 6 });
    expect(await sent(one)).toEqual({});
    await leave(one, 11);
    expect(await held(one)).toEqual({ deletes: 7 });
  });

  test('the hour rolls: what was spread over two passes', async () => {
    const one = await delivered(100);
    await leave(one, 1, 9);
    await timePasses(one, '59 minutes');
    await leave(one, 10);
    expect(await held(one)).toEqual({ deletes: 10 });

    const other = await delivered(100);
    for (let n = 0; n < 3; n += 1) {
      await leave(other, 1 + n * 9, 9 + n * 9);
      await other.store.tidy(1e9);
      await timePasses(other, '61 minutes');
    }
    expect(await held(other)).toEqual({});
    expect(await sent(other)).toEqual({ delete: 27 });
    await other.store.tidy(1e9);
    const { rows } = await other.db.app.query('select count(*)::int as n from rollcall.brake_counts');
    expect(rows[0].n).toBe(1);
  });

  test('two in a hundred are no more than two in a hundred', async () => {
    const one = await delivered(500);
    await leave(one, 1, 10);
    expect(await sent(one)).toEqual({ delete: 10 });
    await leave(one, 11);
    expect(await held(one)).toEqual({ deletes: 1 });
  });

  test('whoever comes back is held no longer, and an emptied brake is off', async () => {
    const one = await delivered(60);
    const { rows } = await one.db.app.query(
      `select id from auth.users where email in (select 'u' || i || '@x.test' from generate_series(1, 12) i)`,
    );
    await one.db.app.query(`update auth.users set banned_until = now() + interval '1 day' where id = any($1)`, [
      rows.map((r) => r.id as string),
    ]);
    await one.foldAll();
    expect(await held(one)).toEqual({ deletes: 12 });
    await one.db.app.query('update auth.users set banned_until = null');
    await one.foldAll();
    expect(await held(one)).toEqual({});
    expect(await sent(one)).toEqual({ upsert: 12 });
    await one.store.tidy(1e9);
    expect(await stopped(one, 'deletes'), 'a sweep may just have stopped it').toBe(true);
    await timePasses(one, '2 minutes');
    await one.store.tidy(1e9);
    expect(await stopped(one, 'deletes')).toBe(false);
    await leave(one, 20, 28);
    expect(await sent(one)).toEqual({ delete: 9 });
  });

  test('a number beyond what is held is an allowance for an hour', async () => {
    const one = await delivered(100);
    expect(await release(one, 'deletes', 20)).toEqual({ released: 0, held: 0, allowance: 20 });
    await leave(one, 1, 15);
    await leave(one, 16, 20);
    expect(await sent(one)).toEqual({ delete: 20 });
    await leave(one, 21, 35);
    expect(await held(one)).toEqual({ deletes: 15 });
    expect(await release(one, 'deletes', 40)).toEqual({ released: 15, held: 0, allowance: 25 });
    await timePasses(one, '61 minutes');
    await leave(one, 36, 60);
    expect(await held(one)).toEqual({ deletes: 25 });
    expect(await sent(one)).toEqual({ delete: 15 });
  });

  test('more than the allowance: what was allowed goes, the rest is held', async () => {
    const one = await delivered(100);
    await release(one, 'deletes', 20);
    await leave(one, 1, 50);
    expect(await held(one)).toEqual({ deletes: 30 });
    expect(await sent(one)).toEqual({ delete: 20 });
  });

  test('what was released is not held again by a later stop', async () => {
    const one = await delivered(100);
    await leave(one, 1, 20);
    await release(one, 'deletes', 20);
    await leave(one, 21, 40);
    expect(await held(one)).toEqual({ deletes: 20 });
    expect(await sent(one)).toEqual({ delete: 20 });
  });

  test('those that are unsubscribed count, those that are kept do not, nor a first delivery that never was', async () => {
    const one = await delivered(60, { destination: 'on_delete: unsubscribe' });
    await leave(one, 1, 12);
    expect(await held(one)).toEqual({ deletes: 12 });
    const other = await delivered(60, { destination: 'on_delete: keep' });
    await leave(other, 1, 12);
    expect(await held(other)).toEqual({});
    await people(other, 20, 100);
    await other.foldAll();
    await leave(other, 100, 119);
    expect(await held(other)).toEqual({});
    expect(await sent(other)).toEqual({});
  });

  test('in flight when its person leaves: held after the settle', async () => {
    const one = await delivered(60);
    await rename(one, 1, 12);
    const claimed = await one.claim();
    expect(claimed).toHaveLength(12);
    await leave(one, 1, 12);
    expect(await held(one)).toEqual({ deletes: 12 });
    for (const delivery of claimed) await one.settle(delivery, 'delivered');
    expect(await held(one)).toEqual({ deletes: 12 });
    expect(await sent(one)).toEqual({});
    await release(one, 'deletes', null);
    expect(await sent(one)).toEqual({ delete: 12 });
  });

  test('an address that a living person takes: the held deletion is void', async () => {
    const one = await delivered(60);
    await leave(one, 1, 12);
    await people(one, 2);
    await one.foldAll();
    expect(await held(one)).toEqual({ deletes: 10 });
    expect(await sent(one)).toEqual({ upsert: 2 });
  });

  test('void while in flight, and the worker lost: it is not held for ever', async () => {
    const one = await delivered(60);
    await rename(one, 1, 12);
    await one.claim();
    await leave(one, 1, 12);
    await people(one, 2);
    await one.foldAll();
    expect(await held(one)).toEqual({ deletes: 12 });
    await one.db.app.query(`update rollcall.due set due_at = now() - interval '1 second', not_before = null`);
    await one.store.tidy(1e9);
    expect(await held(one)).toEqual({ deletes: 10 });
    await one.deliverAll();
    const { rows } = await one.db.app.query(
      `select count(*)::int as n from rollcall.due where lane = 0 and token is not null`,
    );
    expect(rows[0].n).toBe(0);
  });

  test('contacts are counted at most once a minute, and not before it could matter', async () => {
    const one = await delivered(1_000, { brakes: '{ deletes: { share: 10%, least: 10 } }' });
    const counted = async (): Promise<unknown> => {
      const { rows } = await one.db.app.query('select contacts::int, contacts_at from rollcall.brakes');
      return rows[0];
    };
    await leave(one, 1, 9);
    expect(await counted()).toEqual({ contacts: null, contacts_at: null });
    await leave(one, 10);
    const first = await counted();
    expect(first).toMatchObject({ contacts: 1_000 });
    await timePasses(one, '2 minutes');
    const later = await counted();
    await leave(one, 11, 20);
    expect(await counted(), 'far from it').toEqual(later);
    await leave(one, 21, 51);
    const again = await counted();
    expect(again).toMatchObject({ contacts: 1_000 });
    expect(again).not.toEqual(later);
    await leave(one, 52, 60);
    expect(await counted(), 'within the minute').toEqual(again);
    expect(await held(one)).toEqual({});
    await leave(one, 61, 101);
    expect(await held(one)).toEqual({ deletes: 101 });
  });

  test('everybody sent again: what is held stays held', async () => {
    const one = await delivered(60);
    await leave(one, 1, 12);
    await one.db.app.query('select rollcall.send_again($1, false)', [one.destination]);
    expect(await held(one)).toEqual({ deletes: 12 });
    expect(await sent(one)).toEqual({ upsert: 48 });
    await one.db.app.query('select rollcall.send_again($1, true)', [one.destination]);
    expect(await held(one)).toEqual({});
    expect(await sent(one)).toEqual({ upsert: 48 });
  });

  test('everybody renamed to one address is a deletion of all but one', async () => {
    const one = await delivered(60);
    await one.db.app.query(`update auth.users set email = 'nobody@x.test', is_sso_user = true`);
    await one.foldAll();
    expect(await held(one)).toEqual({ deletes: 59 });
    expect(await sent(one)).toEqual({ upsert: 1 });
  });
});

describe('changes', () => {
  test('too many are held; opt-outs and sign-ups pass meanwhile', async () => {
    const one = await delivered(300, { consent: '{ column: user_metadata.yes }' });
    await rename(one, 1, 60);
    expect(await sent(one)).toEqual({ upsert: 60 });
    await rename(one, 101, 199);
    expect(await held(one)).toEqual({ changes: 99 });
    expect(await sent(one)).toEqual({});
    await one.db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"yes": false}' where email in ('u101@x.test', 'u7@x.test', 'u300@x.test')`,
    );
    await people(one, 1, 1_000);
    await one.foldAll();
    const passed = await one.deliverAll();
    expect(passed.map((d) => JSON.stringify([d.address, d.consent, d.attributes['FIRSTNAME']])).toSorted()).toEqual([
      '["u1000@x.test","basis","A"]',
      '["u101@x.test","opted_out","B"]',
      '["u300@x.test","opted_out","A"]',
      '["u7@x.test","opted_out","B"]',
    ]);
    expect(await held(one)).toEqual({ changes: 98 });
    expect(await release(one, 'changes', 100)).toEqual({ released: 98, held: 0, allowance: 2 });
    expect(await sent(one)).toEqual({ upsert: 98 });
  });

  test('a hundred changes of few contacts are a few changes', async () => {
    const one = await delivered(110);
    for (let n = 0; n < 5; n += 1) await rename(one, 1, 60, `N${n}`);
    await rename(one, 61, 99);
    expect(await held(one)).toEqual({});
    await rename(one, 100, 100);
    expect(await held(one)).toEqual({ changes: 100 });
    expect(await sent(one)).toEqual({});
  });

  test('a held contact that changes again stays held; one that leaves is held as a deletion only if that stops', async () => {
    const one = await delivered(150);
    await rename(one, 1, 120);
    expect(await held(one)).toEqual({ changes: 120 });
    await rename(one, 1, 10, 'C');
    expect(await held(one)).toEqual({ changes: 120 });
    await leave(one, 1, 3);
    expect(await held(one)).toEqual({ changes: 117 });
    expect(await sent(one)).toEqual({ delete: 3 });
    await leave(one, 4, 20);
    expect(await held(one)).toEqual({ deletes: 17, changes: 100 });
    await release(one, 'changes', null);
    expect(await sent(one)).toEqual({ upsert: 100 });
  });

  test('what changes with the clock alone is not counted, and lets no held contact go', async () => {
    const one = await delivered(150, {
      attributes: 'AGE: { sql: "extract(epoch from now() - created_at)::bigint" }',
      brakes: '{ deletes: off }',
    });
    const older = async (): Promise<void> => {
      await one.db.app.query(`update auth.users set created_at = created_at - interval '1 day'`);
      await one.foldAll();
    };
    await older();
    expect(await held(one)).toEqual({});
    expect(await sent(one)).toEqual({ upsert: 150 });
    await rename(one, 1, 120);
    expect(await held(one)).toEqual({ changes: 120 });
    await timePasses(one, '3 hours');
    await older();
    expect(await held(one)).toEqual({ changes: 120 });
    expect(await sent(one)).toEqual({ upsert: 30 });
    await release(one, 'changes', 120);
    expect(await sent(one)).toEqual({ upsert: 120 });
  });

  test('events of a held contact wait with it', async () => {
    const one = await delivered(150);
    await rename(one, 1, 120);
    await one.db.app.query(`select rollcall.queue_events($1, array(select contact_id from rollcall.due))`, [
      one.destination,
    ]);
    await one.db.app.query(
      `insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state)
       select gen_random_uuid(), destination_id, contact_id, 'x', 'x', '{}', now(), true, 'pending' from rollcall.due`,
    );
    await one.db.app.query(`select rollcall.queue_events($1, array(select contact_id from rollcall.due))`, [
      one.destination,
    ]);
    expect(await held(one)).toEqual({ changes: 120 });
    expect(await one.claim()).toEqual([]);
  });
});

describe('the config', () => {
  test('off: nothing stops, and what was held goes', async () => {
    const off = await delivered(60, { brakes: 'off' });
    await leave(off, 1, 40);
    expect(await sent(off)).toEqual({ delete: 40 });

    const one = await delivered(60);
    await leave(one, 1, 20);
    const config = tablesConfig({ ddl: '', connector: USERS, more: 'brakes: {deletes: off}' });
    await applyInstall(one.db.sql, config, REF);
    expect(await sent(await around(one.db, config))).toEqual({ delete: 20 });
  });

  test('other limits hold from the next apply on', async () => {
    const one = await delivered(60, { brakes: '{deletes: {share: 50%, least: 2}, changes: {least: 5}}' });
    await leave(one, 1, 30);
    await rename(one, 31, 34);
    expect(await held(one)).toEqual({});
    await leave(one, 35);
    await rename(one, 36, 50);
    expect(await held(one)).toEqual({ deletes: 31, changes: 19 });
  });
});
