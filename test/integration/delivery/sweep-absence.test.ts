import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Store } from '../../../src/engine/ports.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { onCleanup } from '../../support/database.ts';
import { USERS, withTables } from '../../support/tables.ts';
import { type Installed, installed, REF, silent } from '../database/support.ts';

/** Users in step, of whom three are deleted unseen: few enough for no brake. */
async function threeGone(users = 30): Promise<{ readonly one: Installed; readonly gone: readonly string[] }> {
  const one = await installed();
  const ids: string[] = [];
  for (let n = 0; n < users; n++) ids.push(await one.insert(`u${n}@x.test`));
  await one.foldAll();
  await one.deliverAll();
  const gone = ids.toSorted().slice(0, 3);
  await unseen(one, `delete from auth.users where id = any($1::uuid[])`, [gone]);
  return { one, gone };
}

async function unseen({ db }: Installed, text: string, values: readonly unknown[] = []): Promise<void> {
  await db.app.query('set session_replication_role = replica');
  await db.app.query(text, [...values]);
  await db.app.query('reset session_replication_role');
}

const run = (store: Store): ReturnType<typeof sweep> =>
  sweep({ store, log: silent, everyMs: 3_600_000, onFolded: () => undefined }, true, new AbortController().signal);

async function leaving({ db }: Installed): Promise<string[]> {
  const { rows } = await db.app.query(
    `select c.key from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id where s.action = 'delete' order by 1`,
  );
  return rows.map((row) => row.key as string);
}

/** The store, with small pages and with something that happens before the third page of absent contacts. */
function interrupted(store: Store, happens: () => Promise<void>): Store {
  let pages = 0;
  return {
    ...store,
    async absentPage(after) {
      pages += 1;
      if (pages === 3) await happens();
      return store.absentPage(after, 5);
    },
  };
}

test.each([
  ['the statement is cancelled', 'pg_cancel_backend'],
  ['the connection is cut', 'pg_terminate_backend'],
])('a read that is aborted deletes nobody: %s', async (_what, end) => {
  const { one, gone } = await threeGone();
  const other = await one.db.connect();
  const store = interrupted(one.store, async () => {
    await other.query('begin; lock table auth.users in access exclusive mode');
  });
  const running = run(store);
  running.catch(() => undefined);
  // The walk waits for the table: what it read before is in nobody's hands but its own.
  for (let found = 0; found === 0;) {
    const { rows } = await one.db.app.query(
      `select ${end}(pid) as ended from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%absent_page%'`,
    );
    found = rows.length;
  }
  await expect(running).rejects.toThrow();
  await other.query('rollback');
  expect(await leaving(one)).toEqual([]);
  expect((await one.db.app.query('select sweep_report from rollcall.install')).rows).toEqual([{ sweep_report: null }]);

  // Another walk, from its beginning, comes to its end.
  await one.db.app.query('update rollcall.install set sweep_until = null');
  expect(await run(one.store)).toMatchObject({ report: { found: { gone: 3 } } });
  expect(await leaving(one)).toEqual(gone);
});

test('a worker that stops in the walk deletes nobody', async () => {
  const { one } = await threeGone();
  const stop = new AbortController();
  const store = interrupted(one.store, async () => stop.abort());
  const options = { store, log: silent, everyMs: 3_600_000, onFolded: () => undefined };
  expect(await sweep(options, true, stop.signal)).toBeUndefined();
  expect(await leaving(one)).toEqual([]);
});

test('a config that is applied in the walk ends it before anybody is deleted', async () => {
  const { one } = await threeGone();
  const store = interrupted(one.store, async () => {
    await one.db.app.query(`update rollcall.install set config_hash = 'another'`);
  });
  await expect(run(store)).rejects.toMatchObject({ code: 'RC001' });
  expect(await leaving(one)).toEqual([]);
});

test('a copy of the database sweeps nobody away, whether it is one before the walk or in it', async () => {
  const { one } = await threeGone();
  const copied = `update rollcall.install set identity = jsonb_set(identity, '{timeline}', '"0000000F"')`;
  const store = interrupted(one.store, async () => void (await one.db.app.query(copied)));
  await expect(run(store)).rejects.toMatchObject({ code: 'RC002' });
  await expect(run(one.store)).rejects.toMatchObject({ code: 'RC002' });
  expect(await leaving(one)).toEqual([]);
});

test('a table that is half restored: whoever is there again when looked at alone is kept', async () => {
  const one = await installed();
  const ids: string[] = [];
  for (let n = 0; n < 9; n++) ids.push(await one.insert(`u${n}@x.test`));
  await one.foldAll();
  await one.deliverAll();
  const { app } = one.db;
  await app.query(
    'create table public.backup as select * from auth.users; alter table public.backup drop confirmed_at',
  );
  const restore = async (keys: readonly string[]): Promise<void> => {
    const { rows } = await app.query(
      `select string_agg(quote_ident(attname), ', ' order by attnum) as list from pg_attribute
        where attrelid = 'public.backup'::regclass and attnum > 0 and not attisdropped`,
    );
    const list = rows[0].list as string;
    await unseen(one, `insert into auth.users (${list}) select ${list} from public.backup where id = any($1::uuid[])`, [
      keys,
    ]);
  };
  const sorted = ids.toSorted();
  await unseen(one, 'truncate auth.users');
  // One page has passed before any row comes back, and two rows come after the walk has ended.
  let pages = 0;
  let folds = 0;
  const store: Store = {
    ...one.store,
    async absentPage(after) {
      const page = await one.store.absentPage(after, 5);
      pages += 1;
      if (pages === 1) await restore(sorted.slice(0, 6));
      return page;
    },
    async foldKeys(keys) {
      folds += 1;
      await restore(sorted.slice(6, 8));
      return one.store.foldKeys(keys);
    },
  };
  const done = await run(store);
  expect(folds).toBe(1);
  expect(done?.report.found.gone).toBe(1);
  expect(await leaving(one)).toEqual(sorted.slice(8));
  for (const id of sorted.slice(0, 8))
    expect(await one.desired(id)).toMatchObject({ action: 'upsert', version: 1, due: false });
});

test('a table under row security: it is paused, and nobody who came from it is deleted', async () => {
  const one = await withTables({
    ddl: 'create table public.customers (id int primary key, email text)',
    connector: `${USERS}
table_mapping:
  customers: { email: email }`,
  });
  const { app, name } = one.db;
  await one.insert('user@x.test');
  await app.query(`insert into public.customers select n, 'c' || n || '@x.test' from generate_series(1, 5) n`);
  await one.foldAll();
  await one.deliverAll();

  // As a role that every grant was given to, and that row security applies to in this one table.
  const role = `plain_${randomUUID().slice(0, 8)}`;
  await app.query(`create role ${role} login password 'postgres' nobypassrls;
    grant usage on schema auth, rollcall to ${role}; grant select on auth.users, public.customers to ${role};
    grant all on all tables in schema rollcall to ${role}; grant all on all sequences in schema rollcall to ${role};
    grant execute on all routines in schema rollcall to ${role};
    alter table auth.users disable row level security; alter table public.customers enable row level security`);
  onCleanup(async () => {
    await app.query(`drop owned by ${role} cascade; drop role ${role}`);
  });
  const url = new URL(one.db.url);
  url.username = role;
  const sql = openPg({ url: url.toString() });
  onCleanup(() => sql.close());
  expect(await sql.query('select from public.customers'), `what it sees in ${name}`).toEqual([]);
  await unseen(one, 'delete from public.customers where id = 1');

  const store = createStore(sql, { configHash: one.config.hash, projectRef: REF, environment: 'test' });
  const done = await run(store);
  expect(done?.report).toMatchObject({ found: { gone: 0 }, paused: ['public.customers'] });
  expect(await leaving(one)).toEqual([]);
  const { rows } = await app.query(`select pause_code from rollcall.sources where name = 'public.customers'`);
  expect(rows).toEqual([{ pause_code: '42501' }]);

  // For a role that may read it, the one that is gone is gone.
  await one.store.recheckSources();
  expect((await run(one.store))?.report).toMatchObject({
    found: { gone: 1 },
    why: [{ cause: 'source_resumed' }],
    paused: [],
  });
  expect(await leaving(one)).toEqual(['email:c1@x.test']);
});
