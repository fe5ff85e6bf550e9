import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { installed, type Installed } from './support.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const MOST = 200_000;

const count = async (one: Installed, table: string): Promise<number> =>
  (await one.db.app.query(`select count(*)::int as n from rollcall.${table}`)).rows[0].n;

async function tidyAll(one: Installed): Promise<void> {
  while (await one.store.tidy(WEEK_MS));
}

test('SPEC.md says of every table what bounds it, and of none that is not there', async () => {
  const one = await installed();
  const { rows } = await one.db.app.query<{ name: string }>(
    `select relname as name from pg_catalog.pg_class where relnamespace = 'rollcall'::regnamespace and relkind = 'r'
        and relname !~ '^changes_[12]$' order by 1`,
  );
  const [, section = ''] = readFileSync('SPEC.md', 'utf8').split('\n## What bounds each table\n');
  const lines = section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = lines.flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  expect(named.toSorted()).toEqual(rows.map(({ name }) => name));
});

test('attempts: the newest 200,000, or five for each contact', async () => {
  const one = await installed();
  const attempt = (from: number, to: number): Promise<unknown> =>
    one.db.app.query(
      `insert into rollcall.attempts (id, destination_id, contact_id, version, action, outcome) overriding system value
       select n, 1, 1, 1, 'upsert', 'delivered' from generate_series($1::int, $2::int) n`,
      [from, to],
    );
  await attempt(1, 7_000);
  await attempt(MOST + 10, MOST + 20);
  await attempt(MOST + 7_001 - 1_000, MOST + 7_000 - 500);
  await tidyAll(one);
  const { rows } = await one.db.app.query('select min(id)::int as first from rollcall.attempts');
  expect(rows[0].first).toBe(6_501);
  expect(await one.store.tidy(WEEK_MS), 'it comes to an end').toBe(false);

  await one.db.app.query(`update pg_class set reltuples = 1e6 where oid = 'rollcall.desired'::regclass`);
  await attempt(MOST + 8_000, MOST + 8_000);
  await tidyAll(one);
  expect((await one.db.app.query('select min(id)::int as first from rollcall.attempts')).rows[0].first).toBe(6_501);
});

test('ended events: the newest 200,000; those that wait are never too many', async () => {
  const one = await installed();
  await one.db.app.query(
    `insert into rollcall.events (seq, id, destination_id, source, name, properties, happened_at, ready, state, ended_at)
       overriding system value
     select n, gen_random_uuid(), 1, 's', 'n', '{}', now(), true, case when n % 2 = 0 then 'pending' else 'delivered' end,
            case when n % 2 = 1 then now() + n * interval '1 microsecond' end
       from unnest(array(select generate_series(1, 6000)) || ${MOST + 5_000}) n`,
  );
  await tidyAll(one);
  const { rows } = await one.db.app.query(
    `select state, count(*)::int as n, min(seq)::int as first from rollcall.events group by 1 order by 1`,
  );
  expect(rows).toEqual([
    { state: 'delivered', n: 500, first: 5_001 },
    { state: 'pending', n: 3_001, first: 2 },
  ]);
});

test('past addresses: the last 20 of a contact', async () => {
  const one = await installed();
  await one.insert('a@x.test');
  await one.insert('b@x.test');
  await one.foldAll();
  for (let n = 0; n < 25; n += 1) {
    await one.db.app.query(`update auth.users set email = 'a${n}@x.test' where email like 'a%'`);
    await one.foldAll();
  }
  await one.db.app.query(`update auth.users set email = 'b1@x.test' where email = 'b@x.test'`);
  await one.foldAll();
  const { rows } = await one.db.app.query('select address from rollcall.past_addresses order by id');
  const moves = Array.from({ length: 20 }, (_, n) => `a${n + 4}@x.test`);
  expect(rows.map(({ address }) => address as string)).toEqual([...moves, 'b@x.test']);
});

test('backfills: the last 100 that have ended', async () => {
  const one = await installed();
  await one.db.app.query(
    `insert into rollcall.backfills (walked_at, ended_at) select now(), now() from generate_series(1, 130)`,
  );
  await one.db.app.query(`insert into rollcall.backfills default values`);
  await tidyAll(one);
  expect(await count(one, 'backfills')).toBe(100);
  const { rows } = await one.db.app.query('select id from rollcall.backfills where ended_at is null');
  expect(rows).toHaveLength(1);
});

test('alerts: a week after their end', async () => {
  const one = await installed();
  await one.db.app.query(
    `insert into rollcall.alerts (kind, subject, detail, ended_at)
     values ('lag', 'old', '{}', now() - interval '8 days'), ('lag', 'new', '{}', now() - interval '6 days')`,
  );
  await one.db.app.query(`select rollcall.note_alerts('[]', '1 minute')`);
  const { rows } = await one.db.app.query('select subject from rollcall.alerts');
  expect(rows).toEqual([{ subject: 'new' }]);
});

test('what a destination was found to have: a day, once nobody reads any more', async () => {
  const one = await installed();
  await one.db.app.query(
    `insert into rollcall.remote_readings (destination_id, run, began_at, until)
     values (1, gen_random_uuid(), now() - interval '25 hours', now() - interval '24 hours')`,
  );
  await one.db.app.query(
    `insert into rollcall.remote_contacts (destination_id, address, written, status, fields) values (1, 'a', 'a', 's', '{}')`,
  );
  await tidyAll(one);
  expect([await count(one, 'remote_readings'), await count(one, 'remote_contacts')]).toEqual([0, 0]);
});

test('the sums of the brakes: an hour, and one before it', async () => {
  const one = await installed();
  await one.db.app.query(`insert into rollcall.brakes (destination_id, kind) values (1, 'deletes')`);
  await one.db.app.query(
    `insert into rollcall.brake_counts (destination_id, kind, at, total)
     select 1, 'deletes', now() - n * interval '10 minutes', 100 - n from generate_series(0, 20) n`,
  );
  await tidyAll(one);
  const { rows } = await one.db.app.query('select total::int as total from rollcall.brake_counts order by at desc');
  expect(rows.map(({ total }) => total as number)).toEqual([100, 99, 98, 97, 96, 95, 94]);
});

test('causes of a sweep: until the sweep has told of them', async () => {
  const one = await installed();
  for (let n = 0; n < 3; n += 1) await one.db.app.query('truncate auth.users');
  expect(await count(one, 'sweep_causes')).toBeGreaterThan(0);
  await one.sweepNow();
  expect(await count(one, 'sweep_causes')).toBe(0);
});

test('the place of the fold: one row', async () => {
  const one = await installed();
  for (let n = 0; n < 5; n += 1) {
    await one.insert(`p${n}@x.test`);
    await one.foldAll();
  }
  expect(await count(one, 'fold_position')).toBe(1);
});
