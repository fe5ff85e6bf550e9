import { expect, test } from 'vitest';
import { waitingFor } from '../../../src/homes/watching.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { createOwnDatabase } from '../../support/own-cluster.ts';
import { eventually, firstSweepOver, signUpMany } from '../../support/people.ts';
import { createWorld, type RunningWorker } from '../../support/world.ts';

const TOKEN = 'a-token-for-metrics';
const HEALTH = { health: { port: 0, host: '127.0.0.1' } };

async function get(worker: RunningWorker, path: string, authorization?: string): Promise<[number, string]> {
  const headers = authorization === undefined ? {} : { authorization };
  const answer = await fetch(`http://127.0.0.1:${worker.healthPort}${path}`, { headers });
  return [answer.status, await answer.text()];
}

async function scrape(worker: RunningWorker): Promise<Map<string, number>> {
  const [status, text] = await get(worker, '/metrics', `Bearer ${TOKEN}`);
  expect(status).toBe(200);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('metrics are for whoever has the token, and tell what was done and how things stand, and of nobody', async () => {
  const world = await createWorld({ more: `server: { metrics_token: ${TOKEN} }` });
  const worker = await world.start(world.config, HEALTH);
  const tries = [undefined, '', `Bearer ${TOKEN}x`, 'Bearer ', TOKEN, `Basic ${TOKEN}`];
  for (const wrong of tries) expect(await get(worker, '/metrics', wrong)).toEqual([401, '{"error":"unauthorized"}']);

  await firstSweepOver(world);
  await signUpMany(world, 20);
  await world.signUp('no-address');
  world.sandbox.addFaults([{ status: 500, count: 2 }]);
  await world.signUp('late@example.com', { full_name: 'Late' });
  await world.settled();
  const seen = await scrape(worker);
  const sum = (name: string): number =>
    [...seen].reduce((total, [key, value]) => (key.startsWith(name) ? total + value : total), 0);
  expect(sum('rollcall_outcomes_total{destination="mailtrap",of="contact",outcome="delivered",code=""}')).toBe(21);
  expect(seen.get('rollcall_outcomes_total{destination="mailtrap",of="contact",outcome="retry",code="http_500"}')).toBe(
    2,
  );
  expect(seen.get('rollcall_requests_total{destination="mailtrap",status="5xx"}')).toBe(2);
  expect(seen.get('rollcall_requests_in_flight{destination="mailtrap"}')).toBe(0);
  expect(seen.get('rollcall_folded_total{what="changed"}')).toBeGreaterThanOrEqual(21);
  expect(seen.get('rollcall_fold_seconds_count')).toBeGreaterThan(0);
  expect(seen.get('rollcall_settle_seconds_count{destination="mailtrap"}')).toBeGreaterThan(0);
  expect(seen.get('rollcall_pending{destination="mailtrap",lane="live"}')).toBe(0);
  expect(seen.get('rollcall_pending_oldest_seconds{destination="mailtrap",lane="live"}')).toBe(0);
  expect(seen.get('rollcall_fold_lag_seconds')).toBe(0);
  expect(seen.get('rollcall_database_up')).toBe(1);
  expect(seen.get('process_resident_memory_bytes')).toBeGreaterThan(20_000_000);
  const [, text] = await get(worker, '/metrics', `bearer ${TOKEN}`);
  expect(text).not.toMatch(/@|example|Person|Late|sandbox-token/);
  await worker.stop();
});

test('what is paused, held, refused or waiting is a gauge, the same from each worker', async () => {
  const world = await createWorld({ more: `server: { metrics_token: ${TOKEN} }` });
  world.sandbox.addFaults([{ status: 401 }]);
  const workers = [await world.start(world.config, HEALTH), await world.start(world.config, HEALTH)];
  await signUpMany(world, 3);
  await eventually(async () => (await world.status()).destinations[0]?.pause_code === 'unauthorized');
  // Folded, and given back by whoever had claimed them.
  await eventually(async () => {
    const { rows } = await world.db.app.query('select from rollcall.due where token is null');
    return rows.length === 3;
  });
  await world.db.app.query(`insert into rollcall.dead_letters (destination_id, contact_id, stage, code, message)
    select d.id, 1, 'deliver', 'invalid_email', 'ann@example.com is none' from rollcall.destinations d`);
  await world.db.app.query(`update rollcall.due set since = clock_timestamp() - interval '100 seconds'`);
  for (const worker of workers) {
    const seen = await scrape(worker);
    expect(seen.get('rollcall_paused{destination="mailtrap",code="unauthorized"}')).toBe(1);
    expect(seen.get('rollcall_pending{destination="mailtrap",lane="live"}')).toBe(3);
    expect(seen.get('rollcall_pending_oldest_seconds{destination="mailtrap",lane="live"}')).toBeGreaterThanOrEqual(100);
    expect(seen.get('rollcall_dead_letters{destination="mailtrap"}')).toBe(1);
    expect(seen.get('rollcall_brake_held{destination="mailtrap",brake="deletes"}')).toBe(0);
  }
});

test('without a token there are no metrics; ready once it has folded, and not while it stops', async () => {
  const world = await createWorld({ sandbox: { faults: [{ latencyMs: 300 }] } });
  const worker = await world.start(world.config, HEALTH);
  expect((await get(worker, '/metrics'))[0]).toBe(404);
  expect((await get(worker, '/metrics', 'Bearer '))[0]).toBe(404);
  await eventually(async () => (await get(worker, '/readyz'))[0] === 200);
  expect(await get(worker, '/readyz')).toEqual([200, '{"ready":true}']);
  await signUpMany(world, 5);
  await eventually(async () => {
    const { rows } = await world.db.app.query('select from rollcall.due where token is not null');
    return rows.length > 0;
  });
  const stopped = worker.stop();
  expect(await get(worker, '/readyz')).toEqual([503, '{"ready":false,"waiting_for":"stop"}']);
  await stopped;
});

test('another config is applied, or it is another database: not ready, whoever has folded', async () => {
  const world = await createWorld();
  const fits = {
    configHash: world.config.hash,
    projectRef: projectRef(world.db.hostedUrl, undefined),
    environment: 'test',
  };
  const signal = new AbortController().signal;
  const asked = (identity: typeof fits, folded: boolean): Promise<unknown> =>
    waitingFor(world.db.sql, identity, { hasFolded: () => folded }, signal);
  expect(await asked(fits, true)).toBeUndefined();
  expect(await asked(fits, false)).toBe('fold');
  expect(await asked({ ...fits, configHash: 'another' }, true)).toBe('install');
  expect(await asked({ ...fits, projectRef: 'another' }, true)).toBe('install');
});

test('the database is gone: alive says so, ready says so, and metrics say what this worker knows', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({ db, more: `server: { metrics_token: ${TOKEN} }` });
  const worker = await world.start(world.config, HEALTH);
  await eventually(async () => (await get(worker, '/readyz'))[0] === 200);
  await db.cluster.crash();
  expect(await get(worker, '/readyz')).toEqual([503, '{"ready":false,"waiting_for":"database"}']);
  const seen = await scrape(worker);
  expect(seen.get('rollcall_database_up')).toBe(0);
  expect([...seen.keys()].some((name) => name.startsWith('rollcall_pending'))).toBe(false);
  await eventually(async () =>
    [...(await scrape(worker))].some(([name, count]) => name.startsWith('rollcall_store_errors_total') && count > 0),
  );
  await db.cluster.start();
  await db.reconnect();
  await eventually(async () => (await get(worker, '/readyz'))[0] === 200);
});
