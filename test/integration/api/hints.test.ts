import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openPg } from '../../../src/sql/pg.ts';
import { startApiProject } from '../../support/api-project.ts';
import { startApiWorker } from '../../support/api-world.ts';
import { apiLines, applyApi } from '../../support/apply-api.ts';
import { createDatabase, onCleanup } from '../../support/database.ts';
import { startSandbox } from '../../support/mailtrap-sandbox.ts';
import { createStateDatabase } from '../../support/state-database.ts';
import { createWorld, parseWorld, worldYaml } from '../../support/world.ts';

test('Realtime says which row to read: it is there long before the next reading', async () => {
  const db = await createDatabase();
  await db.app.query('create table public.orders (id bigint primary key, user_id uuid, total numeric)');
  const project = await startApiProject({ databaseUrl: db.url });
  onCleanup(() => project.close());
  const [stateUrl, drop] = await createStateDatabase();
  onCleanup(drop);
  const sandbox = await startSandbox({ limitsScale: 10_000 });
  onCleanup(() => sandbox.close());
  const yaml = worldYaml(
    {
      mapping: 'unconfirmed: true\nemail: email',
      connector: `${apiLines(project, stateUrl, '1h')}
table_mapping: { orders: { sync_as: events, event_name: order_placed, properties: { total: amount } } }`,
    },
    'postgres://nowhere',
    sandbox,
  )
    .replace(/^database_url: .*\n/, '')
    .replace('sync: { users: true }', 'sync: { users: true, realtime: true }');
  const sql = openPg({ url: stateUrl });
  onCleanup(() => sql.close());
  await applyApi(parseWorld(yaml), sql);
  const worker = await startApiWorker(yaml, stateUrl);
  onCleanup(() => worker.stop());
  await project.subscribed('orders');
  // The round that follows every time without a connection.
  await worker.settled();
  const lists = (): number => project.asked.filter((each) => each.includes('page=1&')).length;
  const before = lists();
  const id = randomUUID();
  await db.app.query(`insert into auth.users (id, email, created_at) values ($1, 'zoe@example.com', now())`, [id]);
  await db.app.query('insert into public.orders values (5, $1, 9.90)', [id]);
  // What it says of values is not looked at.
  project.inserted('orders', { id: 5, user_id: id, total: 1_000_000 });
  await sandbox.until((state) => state.contactEvents().length > 0);
  expect(sandbox.state.contactEvents()).toMatchObject([{ email: 'zoe@example.com', params: { amount: 9.9 } }]);
  expect(lists()).toBe(before);
}, 60_000);

test('a worker with a database URL takes Database Webhooks too: whose row it is goes into the change log', async () => {
  const world = await createWorld({ more: 'server: { hook_token: "hook-token-of-this-test" }' });
  const worker = await world.start(world.config, { health: { port: 0, host: '127.0.0.1' } });
  await world.signUp('known@example.com', { full_name: 'Before' });
  await world.settled();
  // What no trigger has seen.
  await world.db.app.query(`set session_replication_role = replica`);
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = '{"full_name":"After"}' where email = 'known@example.com'`,
  );
  const { rows } = await world.db.app.query<{ id: string }>('select id from auth.users');
  const post = async (token: string): Promise<number> => {
    const body = JSON.stringify({
      type: 'UPDATE',
      schema: 'auth',
      table: 'users',
      record: { id: rows[0]!.id, email: 'forged@example.com' },
      old_record: null,
    });
    const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/webhooks/supabase`, {
      method: 'POST',
      body,
      headers: { apikey: token },
    });
    return answer.status;
  };
  expect(await post('not-the-token-of-this-test')).toBe(401);
  expect(await post('hook-token-of-this-test')).toBe(202);
  await world.sandbox.until((state) => state.contacts()[0]?.fields['FIRSTNAME'] === 'After');
  expect(world.sandbox.state.contacts().map(({ email }) => email)).toEqual(['known@example.com']);
}, 60_000);
