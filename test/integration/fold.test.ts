import { expect, test } from 'vitest';
import { applyInstall } from '../../src/sql/apply.ts';
import { createStore } from '../../src/sql/store/store.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase } from '../support/database.ts';

test('smoke', async () => {
  const db = await createDatabase();
  const config = testConfig();
  await applyInstall(db.sql, config, 'ref');
  await applyInstall(db.sql, config, 'ref');
  await db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data) values (gen_random_uuid(), 'A@x.y', '{"full_name":"Ann"}')`,
  );
  const store = createStore(db.sql, { configHash: config.hash, projectRef: 'ref', environment: 'test' });
  console.log(await store.fold(1000));
  const [d] = await store.destinations();
  const lease = { token: crypto.randomUUID(), leaseMs: 15000, graceMs: 1000 };
  const claimed = await store.claim(d!.id, lease, 10, '-infinity');
  console.log(claimed);
  await store.settle(
    d!.id,
    lease,
    claimed.map((delivery) => ({ delivery, outcome: { kind: 'delivered', remoteId: 'r1' }, waitMs: 0, latencyMs: 1 })),
  );
  console.log(
    (await db.app.query('select * from rollcall.desired')).rows,
    (await db.app.query('select * from rollcall.due')).rows,
  );
  console.log(JSON.stringify((await db.app.query('select rollcall.status()')).rows[0], null, 1));
  console.log(
    await store.takeSends(d!.id, [{ name: 'a', intervalUs: 1000000, burst: 5 }], 10),
    await store.takeSends(d!.id, [{ name: 'a', intervalUs: 1000000, burst: 5 }], 10),
  );
  console.log(
    (await db.app.query('select * from rollcall.sweep_page(null, 100)')).rows,
    (await db.app.query('select * from rollcall.absent_page(0, 100)')).rows,
    (await db.app.query('select rollcall.rotate_log()')).rows,
  );
  await db.app.query('delete from auth.users');
  console.log(await store.fold(1000));
  console.log(
    (await db.app.query('select * from rollcall.desired')).rows,
    (await db.app.query('select * from rollcall.due')).rows,
  );
  expect(1).toBe(1);
});
