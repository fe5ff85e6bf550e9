import { expect, test } from 'vitest';
import { startEdgeFunction } from '../support/edge-function.ts';
import { EDGE_KEY, type EdgeFunction } from '../support/spawn-edge.ts';
import { eventually, isFirstSweepOver } from '../support/people.ts';
import { createWorld, type World } from '../support/world.ts';

const TOKEN = 'the-token-of-the-recipe';
const PROFILES = `create table public.profiles (id uuid primary key references auth.users, full_name text, score bigint)`;
const MAPPING = `table_mapping:
  profiles: { full_name: FIRSTNAME }`;

/** Headers as pg_net 0.20.4 sends them for a webhook of the recipe. */
const HEADERS = { authorization: `Bearer ${TOKEN}`, accept: '*/*', 'user-agent': 'pg_net/0.20.4' };

/** A body with its keys as jsonb orders them: by their length. */
async function bodyOf(world: World, type: string, table: string, id: string): Promise<string> {
  const [schema, name] = table.split('.');
  const { rows } = await world.db.app.query<{ body: string }>(
    `select jsonb_build_object('type', $1::text, 'schema', $2::text, 'table', $3::text, 'record', to_jsonb(t),
       'old_record', case when $1 = 'UPDATE' then to_jsonb(t) end)::text as body from ${table} t where t.id = $4`,
    [type, schema, name, id],
  );
  return rows[0]!.body;
}

/** Rows that no trigger sees: what comes of them, the webhook did. */
async function unseen(world: World, query: string, values: unknown[]): Promise<void> {
  await world.db.app.query('set session_replication_role = replica');
  await world.db.app.query(query, values);
  await world.db.app.query('reset session_replication_role');
}

const firstName = (world: World): unknown => world.sandbox.state.contacts()[0]?.fields['FIRSTNAME'];

async function started(): Promise<{ world: World; edge: EdgeFunction; id: string }> {
  const world = await createWorld({ ddl: PROFILES, connector: MAPPING });
  const edge = await startEdgeFunction(world.yaml, { types: ['mailtrap'], env: { ROLLCALL_HOOK_TOKEN: TOKEN } });
  // The sweep of the first run, which would find them too; a slow machine needs several invocations for it.
  await eventually(async () => {
    await edge.tick();
    return await isFirstSweepOver(world);
  });
  const id = crypto.randomUUID();
  await unseen(world, `insert into auth.users (id, email, created_at) values ($1, 'ann@example.com', now())`, [id]);
  return { world, edge, id };
}

test('the webhooks of the recipe create and update the contact, at its own paths too', async () => {
  const { world, edge, id } = await started();
  const insert = await bodyOf(world, 'INSERT', 'auth.users', id);
  expect(insert).toMatch(/^{"type": "INSERT", "table": "users", "record": {/);
  expect((await edge.post('/create-contact', insert, HEADERS)).status).toBe(202);
  await eventually(() => world.sandbox.state.contacts().length === 1);
  expect(world.sandbox.state.contacts()[0]).toMatchObject({ email: 'ann@example.com' });

  await unseen(world, `insert into public.profiles values ($1, 'Ann', 9007199254740993)`, [id]);
  const update = await bodyOf(world, 'UPDATE', 'public.profiles', id);
  expect((await edge.post('/hooks/database', update, HEADERS)).status).toBe(202);
  await eventually(() => firstName(world) === 'Ann');
  // The value is read where it stands now, and not taken from the webhook, which comes late and twice.
  await unseen(world, `update public.profiles set full_name = 'Anna' where id = $1`, [id]);
  await Promise.all([1, 2].map(() => edge.post('/update-contact', update, HEADERS)));
  await eventually(() => firstName(world) === 'Anna');
  expect(world.sandbox.state.contacts()).toHaveLength(1);
});

test('what is forged, malformed or unknown changes nothing and is told so', async () => {
  const { world, edge, id } = await started();
  const body = await bodyOf(world, 'INSERT', 'auth.users', id);
  const status = async (path: string, text: string, headers: Record<string, string> = HEADERS): Promise<number> =>
    (await edge.post(path, text, headers)).status;
  expect(await status('/hooks/database', body, {})).toBe(401);
  expect(await status('/hooks/database', body, { authorization: `Bearer ${TOKEN}x` })).toBe(401);
  // The token of webhooks wakes nobody.
  expect(await status('/tick', '{}', HEADERS)).toBe(401);
  for (const wrong of [
    '',
    '[]',
    '{',
    '{"type":"INSERT"}',
    body.replace('INSERT', 'TRUNCATE'),
    body.replace('"users"', '"orders"'),
  ]) {
    expect(await status('/hooks/database', wrong), wrong).toBe(400);
  }
  expect(await status('/hooks/database', 'x'.repeat(2 * 2 ** 20 + 1))).toBe(413);
  expect(await status('/elsewhere', '{}', { apikey: EDGE_KEY })).toBe(404);
  expect(await (await fetch(`${edge.url}/health`)).json()).toEqual({ ok: true });
  const { rows } = await world.db.app.query('select rollcall.hint($1) as n', [[crypto.randomUUID(), 'x', '']]);
  expect(rows).toEqual([{ n: 0 }]);
  await edge.tick();
  expect(world.sandbox.state.contacts()).toEqual([]);
});
