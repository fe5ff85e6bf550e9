import { expect, test } from 'vitest';
import { withTables } from '../../support/tables.ts';

test('what reads the clock is evaluated again every so often, without a change', async () => {
  const one = await withTables({
    ddl: 'select',
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    OLD: { sql: "now() - created_at > interval '1 hour'", every: 10m }`,
  });
  const user = await one.insert('a@x.test', {});
  await one.sweepNow();
  expect((await one.desired(user))?.payload).toEqual({ OLD: false });
  // An hour passes.
  await one.db.app.query(`set session_replication_role = replica;
    update auth.users set created_at = created_at - interval '2 hours'; set session_replication_role = origin`);
  const hour = 3_600_000;
  // What was open anywhere on the server during the sweep asks for one more; not what this is about.
  await one.db.app.query('update rollcall.install set sweep_again_at = null');
  expect(await one.store.beginSweep(hour, false)).toBeUndefined();
  await one.db.app.query(`update rollcall.install set swept_at = swept_at - interval '11 minutes'`);
  expect(await one.store.beginSweep(hour, false)).toBeDefined();
  await one.db.app.query('update rollcall.install set sweep_until = null');
  await one.sweepNow();
  expect((await one.desired(user))?.payload).toEqual({ OLD: true });
});

test('a view that nothing tells of is read again every so often', async () => {
  const one = await withTables({
    ddl: `create table public.visits (id int primary key, user_id uuid);
          create view public.counts as select user_id, count(*) as n from public.visits group by user_id`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  attributes:
    VISITS: { sql: "sum(n)", from: counts, contact: { user_id: user_id }, every: 5m }`,
  });
  const user = await one.insert('a@x.test', {});
  await one.db.app.query('insert into public.visits values (1, $1)', [user]);
  await one.sweepNow();
  expect((await one.desired(user))?.payload).toEqual({ VISITS: 1 });
  const { rows } = await one.db.app.query('select extract(epoch from reevaluate)::int as s from rollcall.install');
  expect(rows).toEqual([{ s: 300 }]);
});
