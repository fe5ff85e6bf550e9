import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readingGauges } from '../../../src/sources/api/reading-gauges.ts';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { ALERT_SECRET, createReceiver } from '../../support/alert-receiver.ts';
import { type ApiProject, startApiProject } from '../../support/api-project.ts';
import { type ApiWorker, startApiWorker } from '../../support/api-world.ts';
import { apiLines, applyApi } from '../../support/apply-api.ts';
import { createStateDatabase } from '../../support/state-database.ts';
import { createLastingDatabase, onCleanup, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/people.ts';
import { startSandbox, type Sandbox } from '../../support/mailtrap-sandbox.ts';
import { parseWorld, worldYaml } from '../../support/world.ts';

let db: TestDatabase;
let project: ApiProject;
let sandbox: Sandbox;
let state: Sql;
let stateUrl: string;
let worker: ApiWorker;
let yaml: string;
const ends: (() => Promise<void>)[] = [];

const TABLES = `
  create table public.orders (id bigint primary key, user_id uuid, total numeric, placed_at timestamptz);
  create table public.seats (hall text, "Nr" int, user_id uuid, note text, primary key (hall, "Nr"));
  create schema storage;
  create table storage.buckets (id text primary key);
  create table storage.objects (id uuid primary key, bucket_id text, name text, created_at timestamptz, updated_at timestamptz, metadata jsonb);
  insert into storage.buckets values ('avatars')`;

beforeAll(async () => {
  const [made, end] = await createLastingDatabase();
  ends.push(end);
  db = made;
  await db.app.query(TABLES);
  project = await startApiProject({ databaseUrl: db.url });
  ends.push(() => project.close());
  const [url, drop] = await createStateDatabase();
  stateUrl = url;
  ends.push(drop);
  state = openPg({ url: stateUrl });
  ends.push(() => state.close());
  sandbox = await startSandbox({ limitsScale: 10_000 });
  ends.push(() => sandbox.close());
  for (const name of ['FIRSTNAME', 'SEAT']) sandbox.state.addField(name, 'text');
  await signUp('ann@example.com', { full_name: 'Ann' });
  await db.app.query(`insert into public.orders values (1, (select id from auth.users), 5, now())`);
  yaml = worldYaml(
    {
      mapping: 'unconfirmed: true\nemail: email\nuser_metadata.full_name: FIRSTNAME',
      connector: `${apiLines(project, stateUrl)}
table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    properties: { id: number, total: amount, placed_at: at }
  seats:
    contact: { user_id: user_id }
    note: SEAT
events:
  user.signed_up: signed_up
  storage.object.created: uploaded`,
      more: 'brakes: off\nserver: { hook_token: "hook-token-of-this-test" }',
    },
    'postgres://nowhere',
    sandbox,
  ).replace(/^database_url: .*\n/, '');
  await applyApi(parseWorld(yaml), state);
  worker = await startApiWorker(yaml, stateUrl, { health: { port: 0, host: '127.0.0.1' } });
  ends.push(() => worker.stop());
  await worker.settled();
}, 120_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

async function signUp(email: string, metadata: object = {}): Promise<string> {
  const id = randomUUID();
  await db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, updated_at) values ($1, $2, $3, clock_timestamp(), clock_timestamp())`,
    [id, email, JSON.stringify(metadata)],
  );
  return id;
}

const contact = (email: string) => sandbox.state.contacts().find((each) => each.email === email);
const events = (email: string) => sandbox.state.contactEvents().filter((each) => each.email === email);

test('who was there before comes quietly; who comes then is an event', async () => {
  expect(contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Ann' });
  expect(events('ann@example.com')).toEqual([]);
  const id = await signUp('bob@example.com', { full_name: 'Bob' });
  // Past what a double holds, and with microseconds.
  await db.app.query(`insert into public.orders values (9007199254740993, $1, 12.50, '2026-01-02T03:04:05.678901Z')`, [
    id,
  ]);
  await db.app.query(`insert into public.seats values ('a,"b\\', 7, $1, 'front')`, [id]);
  await worker.settled();
  expect(contact('bob@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Bob', SEAT: 'front' });
  expect(events('bob@example.com').map(({ name }) => name)).toEqual(['signed_up', 'order_placed']);
  const placed = sandbox.state.calls().filter(({ body }) => body.includes('9007199254740993'));
  expect(placed.map(({ body }) => body).join()).toContain('2026-01-02T03:04:05.678901Z');
});

test('what is the same again writes nothing and sends nothing', async () => {
  const before = await written();
  const calls = sandbox.state.calls().length;
  await worker.settled();
  expect(await written()).toEqual(before);
  expect(sandbox.state.calls().length).toBe(calls);
});

test('a change is dated back to when its table was last read whole: nobody knows when it was made since', async () => {
  const [before] = await state.query<{ at: string }>(
    `select whole_at::text as at from rollcall_api.sources where name = 'auth.users'`,
  );
  await db.app.query(
    `update auth.users set raw_user_meta_data = '{"full_name": "Anna"}', updated_at = clock_timestamp() where email = 'ann@example.com'`,
  );
  await worker.settled();
  expect(contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Anna' });
  const dated = await state.query(
    `select c.since >= $1::timestamptz and c.since < c.at as dated from rollcall.changes_0 c join auth.users u on c.keys @> array[u.id::text]
      where u.email = 'ann@example.com' order by c.id desc limit 1`,
    [before!.at],
  );
  expect(dated).toEqual([{ dated: true }]);
});

/** Which transactions wrote what is there. */
async function written(): Promise<unknown> {
  const rows = [];
  for (const table of ['auth.users', 'public.orders', 'public.seats', 'rollcall.contacts', 'rollcall.desired'])
    rows.push(await state.query(`select xmin::text from ${table} order by 1`));
  return rows;
}

test('the silent cut of PostgREST, a statement that takes too long, limits: every row comes', async () => {
  const [{ id }] = (await db.app.query<{ id: string }>(`select id from auth.users where email = 'bob@example.com'`))
    .rows as [{ id: string }];
  project.faults.maxRows = 7;
  let slow = 0;
  let limited = 0;
  project.faults.before = async (path) => {
    const limit = Number(/limit=(\d+)/.exec(path)?.[1] ?? 0);
    if (path.startsWith('/rest/v1/orders') && limit > 100) {
      slow += 1;
      return { status: 500, body: { code: '57014', message: 'canceling statement due to statement timeout' } };
    }
    if (path.startsWith('/rest/v1/orders') && limited === 0) {
      limited += 1;
      return { status: 429, headers: { 'retry-after': '0' } };
    }
    return undefined;
  };
  await db.app.query(`insert into public.orders select i, $1, i, now() from generate_series(100, 140) i`, [id]);
  await worker.settled();
  project.faults.before = undefined;
  project.faults.maxRows = 1_000;
  expect(slow).toBeGreaterThan(0);
  expect(limited).toBe(1);
  expect(events('bob@example.com').filter(({ name }) => name === 'order_placed')).toHaveLength(42);
});

test('a row that goes is looked up by itself; a user is gone when Auth itself says so', async () => {
  const id = await signUp('cat@example.com', { full_name: 'Cat' });
  await db.app.query(`insert into public.seats values ('B', 1, $1, 'back')`, [id]);
  await worker.settled();
  expect(contact('cat@example.com')?.fields).toMatchObject({ SEAT: 'back' });
  await db.app.query(
    `delete from public.seats where hall = 'B'; delete from auth.users where email = 'cat@example.com'`,
  );
  // A gateway that knows no such path.
  project.faults.before = (path) =>
    Promise.resolve(path.includes(id) ? { status: 404, body: { message: 'no Route matched' } } : undefined);
  await worker.settled();
  expect(await state.query('select 1 from public.seats where hall = $1', ['B'])).toEqual([]);
  expect(contact('cat@example.com')).toBeDefined();
  project.faults.before = undefined;
  await worker.settled();
  expect(contact('cat@example.com')).toBeUndefined();
});

test('a list that is not whole removes nobody', async () => {
  project.faults.before = (path) =>
    Promise.resolve(
      /admin\/users\?/.test(path) ? { status: 200, body: { users: [], aud: 'authenticated' } } : undefined,
    );
  await worker.settled();
  project.faults.before = undefined;
  expect(contact('bob@example.com')).toBeDefined();
  expect(contact('ann@example.com')).toBeDefined();
});

test('pages that shift while users are deleted, that a gateway cuts short, and a cursor: nobody is missed', async () => {
  await db.app.query(
    `insert into auth.users (id, email, created_at) select gen_random_uuid(), 'shift' || i || '@example.com', now() + i * interval '1 ms' from generate_series(1, 40) i`,
  );
  project.faults.maxUsers = 10;
  let asked = 0;
  project.faults.before = async (path) => {
    if (!/page=\d+&per_page=10&/.test(path)) return;
    asked += 1;
    // Somebody on the first page goes while the others are read.
    if (asked % 3 === 0)
      await db.app.query(
        `delete from auth.users where id = (select id from auth.users where email like 'shift%' order by created_at limit 1)`,
      );
  };
  await worker.settled();
  project.faults.before = undefined;
  project.faults.cursor = true;
  await worker.settled();
  Object.assign(project.faults, { maxUsers: 100_000, cursor: false });
  await worker.settled();
  const { rows } = await db.app.query<{ email: string }>(`select email from auth.users where email like 'shift%'`);
  expect(
    sandbox.state
      .contacts()
      .map(({ email }) => email)
      .filter((email) => email.startsWith('shift'))
      .toSorted(),
  ).toEqual(rows.map(({ email }) => email).toSorted());
});

test('files are listed folder by folder, and belong to whose folder they are in', async () => {
  const [{ id }] = (await db.app.query<{ id: string }>(`select id from auth.users where email = 'bob@example.com'`))
    .rows as [{ id: string }];
  await db.app.query(
    `insert into storage.objects values (gen_random_uuid(), 'avatars', $1 || '/me/face.png', now(), now(), '{"size": 5, "mimetype": "image/png"}')`,
    [id],
  );
  await worker.settled();
  expect(events('bob@example.com').filter(({ name }) => name === 'uploaded')).toMatchObject([
    { params: { bucket: 'avatars', path: `${id}/me/face.png`, size: 5, type: 'image/png' } },
  ]);
  await db.app.query('delete from storage.objects');
  await worker.settled();
  expect(await state.query('select 1 from storage.objects')).toEqual([]);
});

test('Database Webhooks: the row is read again, by whoever has the token alone; a forged one changes nobody', async () => {
  const hook = `http://127.0.0.1:${worker.healthPort}/webhooks/supabase`;
  const post = (body: unknown, token?: string) =>
    fetch(hook, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  const [bob] = (await db.app.query<{ id: string }>(`select id from auth.users where email = 'bob@example.com'`)).rows;
  const forged = {
    type: 'UPDATE',
    schema: 'auth',
    table: 'users',
    record: { id: bob!.id, email: 'evil@example.com' },
    old_record: null,
  };
  expect((await post(forged)).status).toBe(401);
  expect((await post(forged, 'another-token-of-nobody')).status).toBe(401);
  expect((await post({ type: 'UPDATE' }, 'hook-token-of-this-test')).status).toBe(400);
  expect((await post({ ...forged, table: 'others', schema: 'public' }, 'hook-token-of-this-test')).status).toBe(400);
  const calls = sandbox.state.calls().length;
  for (let n = 0; n < 3; n += 1) expect((await post(forged, 'hook-token-of-this-test')).status).toBe(202);
  const gone = { type: 'DELETE', schema: 'auth', table: 'users', record: null, old_record: { id: bob!.id } };
  expect((await post(gone, 'hook-token-of-this-test')).status).toBe(202);
  await worker.settled();
  expect(sandbox.state.calls().length).toBe(calls);
  expect(contact('evil@example.com')).toBeUndefined();
  expect(project.asked.filter((each) => each.endsWith(`/admin/users/${bob!.id}`)).length).toBeGreaterThan(0);
});

test('the key goes in one header, and nowhere else', async () => {
  await worker.settled();
  expect(project.lastHeaders()['apikey']).toBe(project.secretKey);
  expect(project.lastHeaders()['authorization']).toBeUndefined();
  expect(project.asked.join()).not.toContain(project.secretKey);
  expect(worker.logs.join()).not.toContain(project.secretKey);
  expect(worker.logs.join()).not.toContain('@example.com');
});

test('a row that leads to somebody who came after the users were read: they are read before it', async () => {
  let came = false;
  project.faults.before = async (path) => {
    if (came || !path.startsWith('/rest/v1/orders?')) return;
    came = true;
    const id = await signUp('dan@example.com');
    await db.app.query('insert into public.orders values (7000, $1, 1, now())', [id]);
  };
  await worker.settled();
  project.faults.before = undefined;
  await worker.settled();
  expect(events('dan@example.com').map(({ name }) => name)).toEqual(['signed_up', 'order_placed']);
});

test('somebody is told when nothing was read whole for long, and when it was again', async () => {
  const receiver = await createReceiver();
  const alerts = `alerts: { url: ${JSON.stringify(receiver.url)}, secret: ${ALERT_SECRET} }`;
  const token = 'metrics-token-of-this-test';
  const watched = `${yaml.replace('server: {', `server: { metrics_token: ${token},`)}\n${alerts}`;
  const other = await startApiWorker(watched, stateUrl, {
    times: { alertsEveryMs: 100 },
    health: { port: 0, host: '127.0.0.1' },
  });
  onCleanup(() => other.stop());
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  onCleanup(() => Promise.resolve(answer()));
  // Users come first: a reading that has asked for them cannot end now.
  await new Promise<void>((asked) => {
    project.faults.before = async (path) => {
      if (!path.startsWith('/auth/v1/admin/users')) return;
      asked();
      await answered;
    };
  });
  // Never read whole: the time since the install counts.
  await state.transaction(async (tx) => {
    await tx.script('savepoint before; update rollcall_api.reader set ended_at = null');
    expect(await readingGauges(tx, { pollMs: 150 })).toMatchObject({ read_s: null, late: false });
    await tx.script(`update rollcall.install set bound_at = bound_at - interval '1 hour'`);
    expect(await readingGauges(tx, { pollMs: 150 })).toMatchObject({ read_s: null, late: true });
    await tx.script('rollback to savepoint before');
  });
  await state.query(`update rollcall_api.reader set ended_at = clock_timestamp() - interval '1 hour'`);
  // A project that shall be read seldom, and one that takes long, are not late.
  expect(await readingGauges(state, { pollMs: 400_000 })).toMatchObject({ late: false });
  const seen = async (rows: number): Promise<boolean> => {
    await state.query(
      `update rollcall_api.sources set place = '{"after":[],"seen":${rows}}' where name = 'public.orders'`,
    );
    return (await readingGauges(state, { pollMs: 150 })).late;
  };
  expect(await seen(1_000_000)).toBe(false);
  expect(await seen(0)).toBe(true);
  await eventually(() => receiver.got.length > 0);
  expect(receiver.got[0]).toMatchObject({ type: 'rollcall.alert.begun', data: { alert: 'api', subject: '' } });
  expect(receiver.got[0]?.data['seconds']).toBeGreaterThanOrEqual(3_600);
  expect(receiver.got[0]?.text).toContain('has not been read whole by its API');
  const metrics = await fetch(`http://127.0.0.1:${other.healthPort}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await metrics.text()).toMatch(/^rollcall_api_read_age_seconds 36\d\d\.[^]*^rollcall_api_late 1$/m);
  project.faults.before = undefined;
  answer();
  await eventually(() => receiver.got.length > 1);
  expect(receiver.got[1]).toMatchObject({ type: 'rollcall.alert.ended', data: { alert: 'api' } });
});
