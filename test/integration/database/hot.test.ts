import { expect, test } from 'vitest';
import { installed } from './support.ts';

/** So few that one page has room for every version of their rows: only an index could keep an update from being HOT. */
const PEOPLE = 3;

test("deliveries leave the state row's updates to HOT: no index is on what they write", async () => {
  const one = await installed();
  for (let n = 0; n < PEOPLE; n += 1) await one.insert(`p${n}@x.test`, { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  const { app } = one.db;
  // What a transaction of its own has updated is counted at once.
  const hot = async (work: () => Promise<unknown>): Promise<number> => {
    await app.query('begin');
    await work();
    const { rows } = await app.query<{ share: number; n: number }>(
      `select n_tup_hot_upd::float8 / greatest(n_tup_upd, 1) as share, n_tup_upd::int as n
         from pg_stat_xact_user_tables where schemaname = 'rollcall' and relname = 'desired'`,
    );
    await app.query('commit');
    expect(rows[0]!.n).toBe(PEOPLE);
    return rows[0]!.share;
  };
  await app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}'`);
  const fold = (): Promise<unknown> =>
    app.query(`select rollcall.fold_keys(array(select id::text from auth.users), 0::smallint)`);
  expect(await hot(fold)).toBe(1);
  const claimed = await one.claim();
  expect(claimed).toHaveLength(PEOPLE);
  const results = claimed.map(({ contactId: contact, version, address }) => ({
    contact,
    version,
    action: 'upsert',
    outcome: 'delivered',
    address,
  }));
  const settle = (): Promise<unknown> =>
    app.query(`select rollcall.settle($1, $2, '2 min', $3)`, [
      one.destination,
      one.lease.token,
      JSON.stringify(results),
    ]);
  expect(await hot(settle)).toBe(1);
});
