import { expect, test } from 'vitest';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { createDatabase, onCleanup } from '../../support/database.ts';

async function timeouts(sql: Sql): Promise<unknown> {
  const [row] = await sql.query(
    `select jsonb_object_agg(name, setting::int) as found from pg_settings
      where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`,
  );
  return row?.['found'];
}

test('every session of ours is bounded at the server, a little below our own clock', async () => {
  const db = await createDatabase();
  expect(await timeouts(db.sql)).toEqual({
    statement_timeout: 108_000,
    lock_timeout: 30_000,
    idle_in_transaction_session_timeout: 108_000,
  });
});

test('less that was set for whoever connects stays', async () => {
  const db = await createDatabase();
  await db.app.query(`alter database ${db.name} set statement_timeout = '5s'`);
  await db.app.query(`alter database ${db.name} set lock_timeout = '10min'`);
  const sql = openPg({ url: db.hostedUrl });
  onCleanup(() => sql.close());
  expect(await timeouts(sql)).toEqual({
    statement_timeout: 5_000,
    lock_timeout: 30_000,
    idle_in_transaction_session_timeout: 108_000,
  });
});

test('a statement that takes too long ends at the server too', async () => {
  const db = await createDatabase();
  const sql = openPg({ url: db.hostedUrl, queryMs: 500 });
  onCleanup(() => sql.close());
  await expect(sql.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
  const { rows } = await db.app.query(
    `select 1 from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()`,
  );
  expect(rows).toEqual([]);
});
