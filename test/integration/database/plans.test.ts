import type pg from 'pg';
import { expect, test } from 'vitest';
import { everyLane, type Installed, installed } from './support.ts';

/** Rows read in one transaction, by table: the same on every machine, as times are not. */
async function rowsRead(client: pg.Client, text: string, values: unknown[]): Promise<Record<string, number>> {
  await client.query('select pg_stat_force_next_flush()');
  await client.query('begin');
  await client.query(text, values);
  const { rows } = await client.query(
    `select relname, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_xact_all_tables
      where schemaname in ('rollcall', 'auth')`,
  );
  await client.query('commit');
  return Object.fromEntries(rows.map((row) => [row.relname, row.n]));
}

async function people(one: Installed, count: number): Promise<void> {
  await one.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data)
     select gen_random_uuid(), gen_random_uuid() || '@x.y', jsonb_build_object('full_name', n) from generate_series(1, $1::int) n`,
    [count],
  );
}

const KEYS = 200;
const FOLD = 'select rollcall.fold($1, 100000)';

for (const analyzed of [true, false])
  test(`no plan reads a whole table for a few contacts, in a session that began with empty tables ${analyzed ? 'and analyzed them' : ''}`, async () => {
    // A brake reads a table whole when it counts contacts, once a minute; what it does for every fold is looked at here.
    const limits = { share: 0.02, least: 1_000_000 };
    const one = await installed({ brakes: { deletes: limits, changes: limits } });
    const { app, sql } = one.db;
    const hash = one.config.hash;
    const claim = async (): Promise<Record<string, number>> =>
      rowsRead(
        app,
        `select rollcall.claim($1, gen_random_uuid(), array[${KEYS}, ${KEYS}], '20 s', '2 min', '{-infinity,-infinity}', '{0,0}', '{}', '0', $2, 'test-project', 'test')`,
        [one.destination, hash],
      );
    const settle = async (): Promise<Record<string, number>> => {
      const { rows } = await app.query(
        `select token, jsonb_agg(jsonb_build_object('contact', contact_id, 'version', 1, 'action', 'upsert', 'outcome', 'delivered',
         'address', s.address, 'remote_id', 'r' || contact_id)) as results
         from rollcall.due d join rollcall.desired s using (destination_id, contact_id) where token is not null group by token limit 1`,
      );
      return rowsRead(app, `select rollcall.settle($1, $2, '2 min', $3)`, [
        one.destination,
        rows[0].token,
        JSON.stringify(rows[0].results),
      ]);
    };
    // Plans are made and kept while everything is small.
    for (let n = 0; n < 8; n += 1) {
      await one.insert(`early${n}@x.y`);
      await app.query(FOLD, [hash]);
      await claim();
      await settle();
    }
    if (analyzed) await sql.query('analyze rollcall.desired, rollcall.contacts, rollcall.due');
    for (let n = 0; n < 8; n += 1) {
      await one.insert(`soon${n}@x.y`);
      await app.query(FOLD, [hash]);
      await claim();
      await settle();
    }
    await people(one, 8_000);
    await app.query(FOLD, [hash]);
    // Each limit is a handful of rows for each contact; a scan would read 8,000 or more.
    const limit = KEYS * 10;
    const most = (read: Record<string, number>): number =>
      Math.max(...['users', 'contacts', 'desired', 'due'].map((t) => read[t] ?? 0));
    expect(most(await claim())).toBeLessThan(limit);
    expect(most(await settle())).toBeLessThan(limit);

    const touch = async (set: string): Promise<Record<string, number>> => {
      await app.query(`update auth.users set ${set} where id in (select id from auth.users order by id limit ${KEYS})`);
      return rowsRead(app, FOLD, [hash]);
    };
    expect(most(await touch(`raw_user_meta_data = '{"full_name":"x"}'`))).toBeLessThan(limit);
    await app.query('delete from rollcall.due');
    await app.query('vacuum analyze rollcall.due');
    expect(most(await touch(`raw_user_meta_data = '{"full_name":"y"}'`))).toBeLessThan(limit);
    await app.query(`update auth.users set raw_user_meta_data = '{"full_name":"z"}'`);
    await app.query(FOLD, [hash]);
    for (const set of [
      `email = 'moved' || email`,
      `deleted_at = now()`,
      `deleted_at = null`,
      `raw_user_meta_data = '{}'`,
    ])
      expect({ set, ok: most(await touch(set)) < limit }).toEqual({ set, ok: true });
    expect(most(await claim())).toBeLessThan(limit);
    expect(most(await settle())).toBeLessThan(limit);

    const { rows } = await app.query('select id::text from auth.users order by id offset 7600 limit 1');
    for (let n = 0; n < 7; n += 1) {
      expect(most(await rowsRead(app, 'select rollcall.sweep_page($1, $2)', [`0/${rows[0].id}`, KEYS]))).toBeLessThan(
        limit,
      );
      expect(most(await rowsRead(app, 'select rollcall.absent_page($1, $2)', [7_600, KEYS]))).toBeLessThan(limit);
    }
  });

test('while a snapshot is held open elsewhere, a claim from its kept lower bound does not walk over what is done', async () => {
  const one = await installed();
  const { app } = one.db;
  for (let n = 0; n < 50; n += 1) {
    await people(one, 100);
    await one.store.fold(1_000);
  }
  const dump = await one.db.connect();
  await dump.query('begin isolation level repeatable read');
  await dump.query('select 1 from auth.users limit 1');
  let after = '-infinity';
  for (let n = 0; n < 40; n += 1) {
    const claimed = await one.store.claim(one.destination, one.lease, everyLane(100, after));
    after = claimed.at(-1)!.dueAt;
    await one.store.settle(
      one.destination,
      one.lease,
      claimed.map((delivery) => ({ delivery, outcome: { kind: 'delivered' }, waitMs: 0, latencyMs: 1 })),
    );
  }
  // As the functions do it.
  await app.query('set enable_seqscan = off; set enable_bitmapscan = off');
  const buffers = async (from: string): Promise<number> => {
    const { rows } = await app.query(
      `explain (analyze, buffers, format json)
       select d.contact_id from rollcall.due d where d.queue = $1 and d.due_at >= $2 and d.due_at <= clock_timestamp()
        order by d.due_at limit 100`,
      [one.destination * 4, from],
    );
    const plan = rows[0]['QUERY PLAN'][0].Plan;
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  };
  const kept = await buffers(after);
  const whole = await buffers('-infinity');
  expect(whole, 'the dead rows are there, and only the bound avoids them').toBeGreaterThan(kept * 3);
  await dump.query('commit');
});

test('a transaction that stays open does not make every fold read the log again', async () => {
  const one = await installed();
  const { app } = one.db;
  const open = await one.db.connect();
  await open.query('begin');
  await open.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'late@x.y')`);
  for (let n = 0; n < 10; n += 1) await one.insert(`warm${n}@x.y`).then(() => one.foldAll());
  for (let n = 0; n < 2_000; n += 1)
    await app.query(`update auth.users set email = 'u${n}@x.y' where email like 'warm0%' or email like 'u%'`);
  await one.foldAll();
  await app.query(`update auth.users set email = 'x@x.y' where email like 'u%'`);
  const read = await rowsRead(app, FOLD, [one.config.hash]);
  expect(read['changes_0'] ?? 0).toBeLessThan(20);
  await open.query('commit');
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
});
