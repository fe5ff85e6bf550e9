import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { Logger } from '../../../src/engine/ports.ts';
import { Mirror, NotReader } from '../../../src/sources/api/mirror.ts';
import { ensureMirror } from '../../../src/sources/api/mirror-ddl.ts';
import { clientOf, prepareMirror, readOnce } from '../../../src/sources/api/reader.ts';
import { readShapes, USERS } from '../../../src/sources/api/shape.ts';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { createUndiciSend } from '../../../src/transport/undici.ts';
import { type ApiProject, startApiProject } from '../../support/api-project.ts';
import { apiLines } from '../../support/apply-api.ts';
import { createLastingDatabase, type TestDatabase } from '../../support/database.ts';
import { createStateDatabase } from '../../support/state-database.ts';
import { parseWorld } from '../../support/world.ts';

let db: TestDatabase;
let project: ApiProject;
let state: Sql;
let config: Config;
const warnings: string[] = [];
const quiet = (): void => undefined;
const log: Logger = {
  error: quiet,
  info: quiet,
  debug: quiet,
  warn: (_fields, message) => void warnings.push(message),
};
const transport = createUndiciSend();
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const [made, end] = await createLastingDatabase();
  ends.push(end);
  db = made;
  await db.app.query(`create type public.mood as enum ('sad', 'happy');
    create table public.notes (id bigint primary key, user_id uuid, mood public.mood, tags text[], at timestamptz, body jsonb, big numeric, secret text);
    insert into auth.users (id, email, created_at) values ('00000000-0000-4000-8000-000000000001', 'a@example.com', now());
    insert into public.notes select i, '00000000-0000-4000-8000-000000000001', 'happy', '{a,"b c"}', '2026-01-02T03:04:05.678901Z',
      '{"n": 12345678901234567890.5}', 0.1234567890123456789, 'never read' from generate_series(1, 30) i`);
  project = await startApiProject({ databaseUrl: db.url });
  ends.push(
    () => project.close(),
    () => transport.close(),
  );
  const [stateUrl, drop] = await createStateDatabase();
  ends.push(drop);
  state = openPg({ url: stateUrl });
  ends.push(() => state.close());
  config = parseWorld(`environment: test
connectors:
  supabase:
${apiLines(project, stateUrl).replaceAll(/^/gm, '    ')}
    table_mapping:
      notes: { contact: { user_id: user_id }, mood: MOOD, tags: TAGS, at: AT, body: BODY, big: BIG }
`);
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const parts = () => ({ config, api: config.api!, sql: state, send: transport.send, log });
const read = (signal = new AbortController().signal, onPage?: () => void) =>
  readOnce(parts(), signal, { tries: 1, onPage });

test('a reading that is stopped goes on from its place', async () => {
  project.faults.maxRows = 10;
  const stop = new AbortController();
  let pages = 0;
  await expect(read(stop.signal, () => (pages += 1) === 3 && stop.abort())).rejects.toThrow();
  const first = project.asked.filter((each) => each.includes('/notes?')).length;
  expect(
    (await state.query('select place from rollcall_api.sources where name = $1', ['public.notes']))[0],
  ).toMatchObject({
    place: { seen: 20 },
  });
  await read();
  // The pages behind the place, and the empty one.
  expect(project.asked.filter((each) => each.includes('/notes?')).length - first).toBe(2);
  expect(await state.query('select count(*)::int as n from public.notes')).toEqual([{ n: 30 }]);
  project.faults.maxRows = 1_000;
});

test('every value is what it was, digit for digit; a type that is not known is a text; what is not mapped is not read', async () => {
  const [row] = await state.query(
    'select mood, tags, at::text, body::text, big::text, secret from public.notes where id = 1',
  );
  expect(row).toEqual({
    mood: 'happy',
    tags: ['a', 'b c'],
    at: '2026-01-02 03:04:05.678901+00',
    body: '{"n": 12345678901234567890.5}',
    big: '0.1234567890123456789',
    secret: null,
  });
  expect(project.asked.some((each) => each.includes('secret'))).toBe(false);
});

test('a value that the state database does not take: its row is left out, and keeps nobody from the others', async () => {
  const rows = (
    await db.app.query<{ all: object[] }>(
      `select json_agg(json_build_object('id', id, 'user_id', user_id, 'big', id, 'at', case when id = 3 then 'in spring' end)) as all from public.notes where id < 6`,
    )
  ).rows[0]!.all;
  let asked = 0;
  project.faults.before = (path) => {
    if (!path.includes('/notes?')) return Promise.resolve();
    asked += 1;
    return Promise.resolve({ status: 200, body: asked === 1 ? rows : [] });
  };
  await read();
  project.faults.before = undefined;
  expect(await state.query('select id::int, big::text from public.notes where id < 6 order by id')).toEqual(
    [1, 2, 3, 4, 5].map((id) => ({ id, big: id === 3 ? '0.1234567890123456789' : String(id) })),
  );
  expect(warnings.join()).toContain('left out');
  await read();
});

test('the project changes its tables: so does the mirror', async () => {
  await db.app.query(
    `alter table public.notes alter column big type text using 'now a text'; alter table public.notes add column extra int default 7`,
  );
  await prepareMirror(parts(), clientOf(parts(), new AbortController().signal, 1));
  expect(
    await state.query(`select loaded_at is null as anew from rollcall_api.sources where name = 'public.notes'`),
  ).toEqual([{ anew: true }]);
  await read();
  expect(await state.query('select distinct big, extra from public.notes')).toEqual([
    { big: 'now a text', extra: null },
  ]);
});

test('one reads: whoever has taken over is not written over', async () => {
  const [first, second] = [
    new Mirror(state, '00000000-0000-4000-8000-00000000000a', log),
    new Mirror(state, '00000000-0000-4000-8000-00000000000b', log),
  ];
  expect([await first.take(), await second.take(), await first.take()]).toEqual([true, false, true]);
  await state.query(`update rollcall_api.reader set held_until = now() - interval '1 second'`);
  expect(await second.take()).toBe(true);
  await expect(first.round('began')).rejects.toThrow(NotReader);
  await second.give();
});

test('tables that are not ours, no key, no table: said, and nothing is touched', async () => {
  await expect(ensureMirror(db.sql, [USERS])).rejects.toMatchObject({ code: 'RC_API_STATE_TAKEN' });
  const client = clientOf(parts(), new AbortController().signal, 1);
  await db.app.query('alter table public.notes drop constraint notes_pkey');
  await expect(readShapes(client, config)).rejects.toMatchObject({ code: 'RC_API_NO_KEY' });
  await db.app.query('drop table public.notes');
  await expect(readShapes(client, config)).rejects.toMatchObject({ code: 'RC_API_TABLE' });
  project.faults.before = () => Promise.resolve({ status: 401, body: { message: 'Invalid API key' } });
  await expect(readShapes(client, config)).rejects.toMatchObject({ code: 'RC_PROJECT_KEY' });
});
