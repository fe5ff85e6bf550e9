import type pg from 'pg';
import { expect, test } from 'vitest';
import { installed } from './support.ts';

const ROUNDS = 10;
const CONTACTS = 1_000;

/** Blocks of the queue and its indexes that some work reads: dead rows cost them, whatever the machine. */
async function blocksOfQueue(client: pg.Client, work: () => Promise<unknown>): Promise<number> {
  const read = async (): Promise<number> => {
    await client.query('select pg_stat_force_next_flush()');
    const { rows } = await client.query<{ n: number }>(
      `select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::int as n from pg_statio_all_tables
        where relid = 'rollcall.due'::regclass`,
    );
    return rows[0]?.n ?? 0;
  };
  const before = await read();
  await work();
  return (await read()) - before;
}

test('while a snapshot is held open elsewhere, a claim and a look at the backlog do not walk over what was due before', async () => {
  const one = await installed();
  const { app } = one.db;
  // One session, so that what it read is told at once.
  const claim = async (back: string | null): Promise<number> => {
    const { rows } = await app.query(
      `select * from rollcall.claim($1, gen_random_uuid(), '{500,250}', '1 s', '2 min', '{-infinity,-infinity}', '{50,50}', '{basis,none}', '0', $3,
         'test-project', 'test', p_back => array[$2, $2]::interval[])`,
      [one.destination, back, one.config.hash],
    );
    return rows.length;
  };
  const look = async (back: string | null): Promise<number> =>
    (await app.query('select live from rollcall.look_at_jobs($1, 1000, $2)', [one.destination, back])).rows[0].live;
  const change = async (): Promise<void> => {
    await app.query(`update auth.users set raw_user_meta_data = jsonb_build_object('full_name', gen_random_uuid())`);
    await one.foldAll();
  };
  await one.insert('a@x.test');
  await one.foldAll();
  await one.deliverAll();
  await change();
  const clean = await blocksOfQueue(app, () => claim(null));
  const cleanLook = await blocksOfQueue(app, () => look(null));
  await app.query('update rollcall.due set token = null, due_at = now()');
  await one.deliverAll();

  const holder = await one.db.connect();
  await holder.query('begin isolation level repeatable read');
  await holder.query('select from rollcall.due');
  for (let n = 0; n < ROUNDS; n += 1) {
    await app.query(
      `insert into rollcall.due (destination_id, contact_id, due_at)
       select 1, n, now() - interval '1 minute' from generate_series(1000, 1000 + $1::int) n`,
      [CONTACTS],
    );
    await app.query('delete from rollcall.due');
  }
  await change();
  const bounded = await blocksOfQueue(app, async () => expect(await look('10 s')).toBe(1));
  expect(await look(null), 'it is the same').toBe(1);
  const held = await blocksOfQueue(app, async () => expect(await claim('3 s')).toBe(1));
  const everything = await blocksOfQueue(app, () => claim(null));
  // A few blocks more: the index has a level more, and the row's own versions.
  expect(held).toBeLessThan(clean + 30);
  expect(bounded).toBeLessThan(cleanLook + 10);
  // What it would be without the bound: else this test shows nothing.
  expect(everything).toBeGreaterThan(held + CONTACTS / 10);
  await holder.query('rollback');
});

test('a claim of what is recent finds what became due in the last 3 s, and a helper what has waited for it long enough', async () => {
  const one = await installed();
  const { app } = one.db;
  for (const n of [1, 2, 3]) await one.insert(`p${n}@x.test`);
  await one.foldAll();
  const found = async (back: string | null, liveWait: string): Promise<number> => {
    await app.query(`update rollcall.due set token = null`);
    await app.query(
      `update rollcall.due d set due_at = clock_timestamp() - x.age * interval '1 second'
         from (select contact_id, (row_number() over (order by contact_id) - 1) * 3 + 1 as age from rollcall.due) x
        where x.contact_id = d.contact_id`,
    );
    const { rows } = await app.query(
      `select * from rollcall.claim($1, gen_random_uuid(), '{10,10}', '20 s', '2 min', '{-infinity,-infinity}', '{0,0}', '{}', $3, $4,
         'test-project', 'test', p_back => array[$2, $2]::interval[])`,
      [one.destination, back, liveWait, one.config.hash],
    );
    return rows.length;
  };
  // They became due 1, 4 and 7 s ago, a little more by now.
  expect(await found(null, '0')).toBe(3);
  expect(await found('3 s', '0')).toBe(1);
  expect(await found('3 s', '2 s')).toBe(1);
  expect(await found(null, '2 s')).toBe(2);
});
