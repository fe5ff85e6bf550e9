import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase, onCleanup, type TestDatabase } from '../database.ts';
import { eventually } from '../people.ts';
import { createNet } from './net.ts';
import { type NetWorker, type NetWorkerOptions, startNetWorker } from './net-worker.ts';
import { connectReal, isReal } from './real.ts';

interface Hit {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** `/moved` redirects, `/slow` never answers, all else is a 201. */
async function createTarget(): Promise<{ readonly url: string; readonly hits: Hit[] }> {
  const hits: Hit[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (bytes: Buffer) => (body += bytes.toString()));
    incoming.on('end', () => {
      hits.push({ method: incoming.method!, url: incoming.url!, headers: incoming.headers, body });
      if (incoming.url === '/slow') return;
      if (incoming.url === '/moved') outgoing.writeHead(302, { Location: '/landed' }).end();
      else outgoing.writeHead(incoming.url === '/landed' ? 200 : 201, { 'Retry-After': '7' }).end('{"ok":true}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onCleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hits };
}

type Database = Pick<TestDatabase, 'url' | 'app' | 'sql'>;

/** What the real one does not do on demand. */
const testOfStandIn = test.skipIf(isReal);

/** The real one, or a stand-in that does not take its time. */
const database = async (): Promise<Database> => (isReal ? connectReal() : (await start()).db);

async function start(
  options: NetWorkerOptions = {},
): Promise<{ readonly db: TestDatabase; readonly worker: NetWorker }> {
  const db = await createDatabase();
  await createNet(db);
  const worker = startNetWorker(db, { pauseMs: 10, restartMs: 10, ...options });
  onCleanup(() => worker.stop());
  return { db, worker };
}

const post = (db: Database, url: string, timeout = 5000) =>
  db.app.query(`select net.http_post($1, '{"a": 1}', headers => '{"X-Own": "yes"}', timeout_milliseconds => $2)`, [
    url,
    timeout,
  ]);
const answers = async (db: Database) => (await db.app.query(`select * from net._http_response order by id`)).rows;

test('a request goes out at the commit, with the headers and body that pg_net sends', async () => {
  const db = await database();
  const target = await createTarget();
  await db.app.query('begin');
  await post(db, `${target.url}/rolled-back`);
  await db.app.query('rollback');
  await post(db, `${target.url}/in`);
  await eventually(async () => (await answers(db)).length === 1);
  expect(target.hits).toMatchObject([{ method: 'POST', url: '/in', body: '{"a": 1}' }]);
  expect(target.hits[0]!.headers).toMatchObject({
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'pg_net/0.20.4',
    'x-own': 'yes',
  });
  expect(await answers(db)).toMatchObject([
    {
      id: '2',
      status_code: 201,
      content: '{"ok":true}',
      timed_out: false,
      error_msg: null,
      headers: { 'Retry-After': '7' },
    },
  ]);
});

test('a redirected POST becomes a GET without a body, and its answer counts', async () => {
  const db = await database();
  const target = await createTarget();
  await post(db, `${target.url}/moved`);
  await eventually(async () => (await answers(db)).length === 1);
  expect(target.hits.map((hit) => [hit.method, hit.url, hit.body])).toEqual([
    ['POST', '/moved', '{"a": 1}'],
    ['GET', '/landed', ''],
  ]);
  expect(await answers(db)).toMatchObject([{ status_code: 200 }]);
});

test('what is not JSON, or no address, raises in the transaction that asks', async () => {
  const db = await database();
  const asked = (sql: string): Promise<unknown> =>
    db.app.query(sql).catch((error: unknown) => (error as Error).message);
  expect(await asked(`select net.http_post('http://127.0.0.1', headers => '{"content-type": "text/csv"}')`)).toBe(
    'Content-Type header must be "application/json"',
  );
  expect(await asked(`select net.http_get('nowhere')`)).toBe('invalid URL "nowhere": Bad scheme');
});

test('a refused connection and a timeout are answers without a status', async () => {
  const db = await database();
  const target = await createTarget();
  await post(db, `${target.url}/slow`, 50);
  await post(db, 'http://127.0.0.1:1/');
  await eventually(async () => (await answers(db)).length === 2);
  expect(await answers(db)).toMatchObject([
    { status_code: null, timed_out: true, error_msg: expect.stringMatching(/^Timeout of 50 ms reached\. Total time:/) },
    { status_code: null, timed_out: false, error_msg: "Couldn't connect to server" },
  ]);
});

test('a batch is one transaction: 200 answers come together, with the time at which they were asked for', async () => {
  const db = await database();
  const target = await createTarget();
  await db.app.query(`select net.http_post($1 || i) from generate_series(1, 450) i`, [`${target.url}/`]);
  await eventually(async () => (await answers(db)).length === 450);
  const { rows } = await db.app.query(`select count(*)::int from net._http_response group by created order by created`);
  expect(rows).toEqual([{ count: 200 }, { count: 200 }, { count: 50 }]);
});

testOfStandIn('a death in a batch sends all of it again', async () => {
  const { db, worker } = await start({ batchSize: 3 });
  const target = await createTarget();
  worker.faults.dieAfterSending = true;
  await db.app.query(`select net.http_post($1 || i) from generate_series(1, 7) i`, [`${target.url}/`]);
  await eventually(async () => (await answers(db)).length === 7);
  expect([worker.sent, worker.batches]).toEqual([10, 3]);
  const urls = target.hits.map((hit) => hit.url);
  expect(urls.slice(0, 3).toSorted()).toEqual(['/1', '/2', '/3']);
});

testOfStandIn('a crash loses queue and answers, and starts the ids anew', async () => {
  const { db, worker } = await start();
  const target = await createTarget();
  await post(db, `${target.url}/before`);
  await eventually(async () => (await answers(db)).length === 1);
  await worker.stop();
  await post(db, `${target.url}/lost`);
  await worker.crash();
  expect(await answers(db)).toEqual([]);
  await post(db, `${target.url}/after`);
  await eventually(async () => (await answers(db)).length === 1);
  expect(target.hits.map((hit) => hit.url)).toEqual(['/before', '/after']);
  expect(await answers(db)).toMatchObject([{ id: '1', status_code: 201 }]);
});

testOfStandIn('answers are dropped and batches swallowed on demand', async () => {
  const { db, worker } = await start();
  const target = await createTarget();
  worker.faults.dropAnswers = 1;
  worker.faults.swallowBatches = 1;
  await post(db, `${target.url}/swallowed`);
  await eventually(() => worker.batches === 1);
  await post(db, `${target.url}/not-recorded`);
  await eventually(() => worker.batches === 2);
  await post(db, `${target.url}/whole`);
  await eventually(async () => (await answers(db)).length === 1);
  expect(target.hits.map((hit) => hit.url)).toEqual(['/not-recorded', '/whole']);
});

test('every role may ask, and read the headers of all that wait', async () => {
  const db = await database();
  await db.app.query('begin; set local role hosted');
  await db.app.query(
    `select net.http_get('http://127.0.0.1', params => '{"q": "a b&c"}', headers => '{"Authorization": "Bearer k"}')`,
  );
  const { rows } = await db.app.query('select url, headers from net.http_request_queue');
  await db.app.query('rollback');
  expect(rows).toEqual([{ url: 'http://127.0.0.1/?q=a%20b%26c', headers: { Authorization: 'Bearer k' } }]);
});

test('a worker that finds its tables locked sleeps until something more is asked for', async () => {
  const db = await database();
  const target = await createTarget();
  await db.sql.query('select net.wait_until_running()');
  const other = new pg.Client({ connectionString: db.url });
  await other.connect();
  onCleanup(() => other.end());
  await other.query('begin; lock table net._http_response in access exclusive mode');
  await post(db, `${target.url}/asleep`);
  // The worker looks within a few milliseconds, and nothing tells that it has.
  await other.query('select pg_sleep(0.2)');
  await other.query('commit');
  await other.query('select pg_sleep(0.2)');
  expect(target.hits).toEqual([]);
  await db.app.query('select net.wake()');
  await eventually(async () => (await answers(db)).length === 1);
});

testOfStandIn('the worker is found when it is up, and restarts on demand', async () => {
  const { db, worker } = await start();
  const up = (): Promise<unknown> =>
    db.sql.query('select net.check_worker_is_up()').catch((error: unknown) => (error as Error).message);
  await db.sql.query('select net.wait_until_running(), net.worker_restart()');
  await db.sql.query('select net.wait_until_running()');
  await worker.stop();
  await eventually(async () => (await up()) === 'the pg_net background worker is not up');
  worker.start();
  await db.sql.query('select net.wait_until_running()');
});
