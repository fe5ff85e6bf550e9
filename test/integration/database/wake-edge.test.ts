import { expect, test } from 'vitest';
import { EDGE_SCRIPT } from '../../../src/sql/edge-script.ts';
import { UNINSTALL_SCRIPT } from '../../../src/sql/install-script.ts';
import { createVault, putSecret } from '../../support/vault.ts';
import { createWorld, type World } from '../../support/world.ts';

/**
 * Stand-ins of pg_cron 1.6 (`schedule` replaces a job of the same name, and knows seconds) and of pg_net 0.20, with their signatures.
 */
const CRON_AND_NET = `
create schema cron;
create table cron.job (jobid bigint generated always as identity primary key, schedule text, command text, jobname text unique);
create table cron.job_run_details (jobid bigint, end_time timestamptz);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
  insert into cron.job (jobname, schedule, command) values (job_name, schedule, command)
  on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command returning jobid $$;
create function cron.unschedule(job_id bigint) returns boolean language sql as $$ delete from cron.job where jobid = job_id returning true $$;
create schema net;
create unlogged table net.http_request_queue (id bigserial, url text, headers jsonb, body jsonb, timeout_milliseconds int);
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{"Content-Type":"application/json"}',
  timeout_milliseconds int default 5000) returns bigint language sql as $$
  insert into net.http_request_queue (url, headers, body, timeout_milliseconds) values (url, headers, body, timeout_milliseconds) returning id $$;
grant usage on schema cron, net to hosted;
grant all on all tables in schema cron, net to hosted;
grant all on all sequences in schema cron, net to hosted;`;

const URL = 'https://ref.supabase.co/functions/v1/rollcall';

async function wake(world: World): Promise<string> {
  const [row] = await world.db.sql.query<{ said: string }>('select rollcall.wake_edge() as said');
  return row?.said ?? '';
}

const seen = (world: World, ago: string): Promise<unknown> =>
  world.db.app.query(
    `insert into rollcall.homes values ('edge', now() - $1::interval) on conflict (home) do update set seen_at = excluded.seen_at`,
    [ago],
  );

async function asked(world: World): Promise<readonly object[]> {
  const { rows } = await world.db.app.query<object>(
    'delete from net.http_request_queue returning url, headers, body, timeout_milliseconds as ms',
  );
  return rows;
}

test('the cron job asks when there is something to do, and once a minute; without data, and never in vain', async () => {
  const world = await createWorld();
  const { app, sql } = world.db;
  await createVault(world.db);
  await app.query('grant execute on all functions in schema vault to hosted');
  await app.query(CRON_AND_NET);
  // Twice: a migration is run again, and the key stays what it was.
  for (const _ of [1, 2]) await sql.transaction((tx) => tx.script(EDGE_SCRIPT));
  expect((await app.query('select jobname, schedule, command from cron.job')).rows).toEqual([
    { jobname: 'rollcall-tick', schedule: '5 seconds', command: 'select rollcall.wake_edge()' },
  ]);
  const { rows: keys } = await app.query<{ key: string }>(
    `select decrypted_secret as key from vault.decrypted_secrets where name = 'rollcall_edge_key'`,
  );
  expect(keys).toEqual([{ key: expect.stringMatching(/^[0-9a-f]{64}$/) }]);

  expect(await wake(world)).toBe('Vault has no rollcall_edge_url');
  await putSecret(world.db, 'rollcall_edge_url', `${URL}/`);
  expect(await wake(world)).toBe('asked');
  const request = {
    url: `${URL}/tick`,
    headers: { 'Content-Type': 'application/json', apikey: keys[0]!.key },
    body: {},
    ms: 5_000,
  };
  expect(await asked(world)).toEqual([request]);

  await app.query(
    'update rollcall.install set swept_at = now(), uncaptured_seen = rollcall.uncaptured_count(), sweep_again_at = null',
  );
  await seen(world, '1 second');
  await world.signUp('ann@example.com');
  expect(await wake(world)).toBe('at work');
  await seen(world, '10 seconds');
  expect(await wake(world)).toBe('asked');
  await app.query('update rollcall.fold_position set lo = pg_current_snapshot()');
  expect(await wake(world)).toBe('nothing to do');
  await seen(world, '2 minutes');
  expect(await wake(world)).toBe('asked');
  expect(await asked(world)).toHaveLength(2);

  // A copy: its secrets came along, and it must not wake the original for ever.
  await app.query(`update rollcall.install set identity = identity || '{"database": "another"}'`);
  expect(await wake(world)).toBe('not bound to this database');
  await app.query('update rollcall.install set identity = rollcall.identity()');
  await app.query('drop schema net cascade');
  expect(await wake(world)).toBe('could not ask: 3F000');

  await sql.transaction((tx) => tx.script(UNINSTALL_SCRIPT));
  expect((await app.query('select from cron.job')).rows).toEqual([]);
});

test('without pg_cron, pg_net and Vault the script goes through, and nothing wakes anybody', async () => {
  const world = await createWorld();
  await world.db.sql.transaction((tx) => tx.script(EDGE_SCRIPT));
  expect(await wake(world)).toBe('could not ask: 42P01');
});

test('what is to be done is told in seconds, and nothing when nothing is', async () => {
  const world = await createWorld();
  const { app } = world.db;
  const workIn = async (): Promise<number | null> =>
    (await app.query<{ s: number | null }>('select rollcall.work_in() as s')).rows[0]!.s;
  // The first sweep.
  expect(await workIn()).toBe(0);
  await app.query(
    'update rollcall.install set swept_at = now(), uncaptured_seen = rollcall.uncaptured_count(), sweep_again_at = null',
  );
  await app.query('update rollcall.fold_position set lo = pg_current_snapshot()');
  expect(await workIn()).toBeNull();
  await app.query(
    `insert into rollcall.due (destination_id, contact_id, due_at) values (1, 1, now() + interval '1 hour')`,
  );
  expect(await workIn()).toBeGreaterThan(3_500);
  await app.query(`update rollcall.destinations set paused_until = now() + interval '2 hours'`);
  expect(await workIn()).toBeGreaterThan(7_000);
  await app.query(`update rollcall.destinations set paused_until = 'infinity'`);
  expect(await workIn()).toBeNull();
  // What a brake holds waits for a person.
  await app.query(`update rollcall.destinations set paused_until = null`);
  await app.query('update rollcall.due set lane = 2');
  expect(await workIn()).toBeNull();
});
