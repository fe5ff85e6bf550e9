import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { sourceProblem } from '../../../src/engine/fatal.ts';
import { createSourceWatch } from '../../../src/engine/source-watch.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { testConfig } from '../../support/config.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../../support/database.ts';
import { installed, REF, silent } from './support.ts';

/** A role under row security that owns nothing, with every grant that a worker could ask for. */
async function plainRole(db: TestDatabase): Promise<{ readonly name: string; readonly sql: Sql }> {
  const name = `plain_${randomUUID().slice(0, 8)}`;
  await db.app.query(`create role ${name} login password 'postgres' nobypassrls;
    grant create on database ${db.name} to ${name};
    grant usage on schema auth to ${name};
    grant select, trigger on auth.users to ${name}`);
  onCleanup(async () => {
    await db.app.query(`drop owned by ${name} cascade; drop role ${name}`);
  });
  const url = new URL(db.url);
  url.username = name;
  const sql = openPg({ url: url.toString() });
  onCleanup(() => sql.close());
  return { name, sql };
}

test('a reader under row security raises instead of seeing nobody, and nobody is deleted', async () => {
  const one = await installed();
  const ids = [await one.insert('a@x.y'), await one.insert('b@x.y')];
  await one.foldAll();
  await one.deliverAll();
  const { app } = one.db;
  await app.query('update auth.users set email = $2 where id = $1', [ids[0], 'a2@x.y']);

  const { name, sql } = await plainRole(one.db);
  await app.query(`grant usage on schema rollcall to ${name};
    grant all on all tables in schema rollcall to ${name};
    grant all on all sequences in schema rollcall to ${name};
    grant execute on all routines in schema rollcall to ${name}`);
  // What it would see if nothing stopped it: an empty table, without an error.
  expect(await sql.query('select id from auth.users')).toEqual([]);

  const store = createStore(sql, { configHash: one.config.hash, projectRef: REF, environment: 'test' });
  const errors = [
    await store.fold(100).catch((error: unknown) => error),
    await store.sweepPage(null, 100).catch((error: unknown) => error),
    await store.absentPage('0', 100).catch((error: unknown) => error),
    await store.foldKeys(ids).catch((error: unknown) => error),
    await sweep(
      { store, log: silent, everyMs: 1_000, onFolded: () => undefined },
      true,
      new AbortController().signal,
    ).catch((error: unknown) => error),
  ];
  expect(errors.map(sourceProblem)).toEqual(
    errors.map(() => ({ code: '42501', message: expect.stringContaining('row-level security') })),
  );
  const watch = createSourceWatch(store, silent);
  expect(await watch.failed(errors[0])).toBe(true);
  const { rows } = await app.query('select pause_code, pause_message from rollcall.sources');
  expect(rows).toEqual([{ pause_code: '42501', pause_message: expect.stringContaining('row-level security') }]);
  for (const id of ids) expect(await one.desired(id)).toMatchObject({ action: 'upsert', version: 1, due: false });

  // The change is still in the log for a role that may read it.
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  expect(await one.desired(ids[0]!)).toMatchObject({ address: 'a2@x.y', due: true });
});

test('an owner whom the app puts under its own row security raises too', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const { app } = one.db;
  const { name, sql } = await plainRole(one.db);
  await app.query(`grant usage on schema rollcall to ${name};
    grant all on all tables in schema rollcall to ${name};
    grant all on all sequences in schema rollcall to ${name};
    grant execute on all routines in schema rollcall to ${name};
    alter table auth.users owner to ${name}`);
  const store = createStore(sql, { configHash: one.config.hash, projectRef: REF, environment: 'test' });
  await app.query('update auth.users set email = $2 where id = $1', [id, 'b@x.y']);
  expect(await store.fold(100), 'an owner is above row security').toMatchObject({ changed: 1 });
  await app.query('alter table auth.users force row level security');
  await app.query('update auth.users set email = $2 where id = $1', [id, 'c@x.y']);
  await expect(store.fold(100)).rejects.toMatchObject({ code: 'RC003', detail: '42501' });
  expect(await one.desired(id)).toMatchObject({ action: 'upsert', address: 'b@x.y' });
  await app.query('alter table auth.users owner to supabase_auth_admin');
});

test('a role under row security cannot install, and is told before anything is changed', async () => {
  const db = await createDatabase();
  const { sql } = await plainRole(db);
  await expect(applyInstall(sql, testConfig(), REF)).rejects.toMatchObject({
    code: '42501',
    message: expect.stringContaining('row-level security'),
  });
  const { rows } = await db.app.query(`select to_regnamespace('rollcall') as schema`);
  expect(rows).toEqual([{ schema: null }]);
});
