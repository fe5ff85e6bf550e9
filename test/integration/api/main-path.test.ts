import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { type ApiProject, startApiProject } from '../../support/api-project.ts';
import { apiLines, applyApi, type ApiWorker, createStateDatabase, startApiWorker } from '../../support/api-world.ts';
import { createLastingDatabase, type TestDatabase } from '../../support/database.ts';
import { startSandbox, type Sandbox } from '../../support/mailtrap-sandbox.ts';
import { parseWorld, worldYaml } from '../../support/world.ts';

let db: TestDatabase;
let project: ApiProject;
let sandbox: Sandbox;
let state: Sql;
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
  const [stateUrl, drop] = await createStateDatabase();
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
  await db.app.query(`insert into public.orders values (9007199254740993, $1, 12.50, '2026-01-02T03:04:05.678901Z')`, [id]);
  await db.app.query(`insert into public.seats values ('a,"b\\', 7, $1, 'front')`, [id]);
  await worker.settled();
  expect(contact('bob@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Bob', SEAT: 'front' });
  expect(events('bob@example.com').map(({ name }) => name)).toEqual(['signed_up', 'order_placed']);
  const placed = sandbox.state.calls().filter(({ body }) => body.includes('9007199254740993'));
  expect(placed.map(({ body }) => body).join()).toContain('2026-01-02T03:04:05.678901Z');
});
