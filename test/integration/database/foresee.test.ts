import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { type Foreseen, foresee } from '../../../src/sql/foresee.ts';
import { inspectSources } from '../../../src/sql/inspect/sources.ts';
import { tablesConfig, withTables } from '../../support/tables.ts';
import { delivered, held, leave, people, rename, sent } from './brakes-support.ts';
import { around, type Installed, REF } from './support.ts';

const BEFORE = `user_mapping:
  unconfirmed: true
  email: email
  user_metadata.full_name: FIRSTNAME`;
/** Half of the people are no contacts any more, all others have one attribute more. */
const AFTER = `${BEFORE}
  attributes: { LENGTH: { sql: "length(email)" } }
  where: "email not like '%2@x.test' and email not like '%4@x.test'"`;

const config = (connector: string, destination = ''): ReturnType<typeof tablesConfig> =>
  tablesConfig({ ddl: '', connector, destination });

async function tried(
  one: Installed,
  to: ReturnType<typeof tablesConfig>,
  budgetMs = 10_000,
): Promise<readonly Foreseen[]> {
  const { sql } = one.db;
  const sources = await sql.transaction((tx) => inspectSources(tx, to));
  return foresee(sql, to, sources, ['mailtrap'], budgetMs);
}

test('what another mapping would do is counted, and nothing of it stays', async () => {
  const one = await delivered(200);
  // Who waits for a first delivery neither changes nor leaves.
  await people(one, 20, 1_000);
  await one.foldAll();
  expect(await tried(one, config(AFTER))).toEqual([
    { destination: 'mailtrap', leaving: 40, changing: 160, complete: true },
  ]);
  expect(await tried(one, config(AFTER, 'on_delete: keep'))).toMatchObject([{ leaving: 0, changing: 160 }]);
  expect(await tried(one, config(BEFORE))).toMatchObject([{ leaving: 0, changing: 0 }]);
  expect(await tried(one, config(AFTER.replace('length', 'no_such'))).catch((error: unknown) => error)).toBeInstanceOf(
    Error,
  );
  await rename(one, 1, 1);
  expect(await sent(one)).toEqual({ upsert: 21 });
  expect(
    (
      await one.desired(
        (await one.db.app.query(`select id::text from auth.users where email = 'u1@x.test'`)).rows[0].id as string,
      )
    )?.payload,
  ).toEqual({ FIRSTNAME: 'B' });
});

test('what was announced and confirmed passes the brakes, and no more than that', async () => {
  const one = await delivered(200);
  const to = config(AFTER);
  const announced = await tried(one, to);
  await applyInstall(one.db.sql, to, REF, announced);
  const next = await around(one.db, to);
  await next.sweepNow();
  expect(await held(next)).toEqual({});
  expect(await sent(next)).toEqual({ upsert: 160, delete: 40 });
  await leave(next, 11);
  await leave(next, 15, 31);
  expect(await held(next)).toEqual({ deletes: 16 });
});

test('without a yes it meets them', async () => {
  const one = await delivered(200);
  const to = config(AFTER);
  await applyInstall(one.db.sql, to, REF);
  const next = await around(one.db, to);
  await next.sweepNow();
  expect(await held(next)).toEqual({ deletes: 40, changes: 160 });
  expect(await sent(next)).toEqual({});
});

test('tables, and a time that is over', async () => {
  const connector = (column: string): string => `${BEFORE}
table_mapping:
  customers: { email: email, ${column}: PLAN }`;
  const one = await withTables({
    ddl: `create table public.customers (id int primary key, email text, plan text, tier text);
          insert into public.customers select i, 'c' || i || '@x.test', 'a', case when i <= 1500 then 'b' else 'a' end from generate_series(1, 2500) i`,
    connector: connector('plan'),
  });
  await one.sweepNow();
  await one.db.app.query(
    `update rollcall.desired set delivered_version = version, remote_address = address; delete from rollcall.due`,
  );
  expect(await tried(one, config(connector('tier')))).toMatchObject([{ leaving: 0, changing: 1_500, complete: true }]);
  const [cut] = await tried(one, config(connector('tier')), 0);
  expect(cut?.complete).toBe(false);
  expect(cut?.changing).toBeLessThanOrEqual(1_000);
});
