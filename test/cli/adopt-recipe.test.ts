import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { readTakenOver } from '../../src/sql/take-over/take-over.ts';
import { awaitRequests } from '../../src/sql/take-over/await-requests.ts';
import { onCleanup, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/people.ts';
import { createNet } from '../support/platform/net.ts';
import { type NetWorker, startNetWorker } from '../support/platform/net-worker.ts';
import { createWebhooks, webhook } from '../support/recipes/database-webhooks.ts';
import { sendryRecipe } from '../support/recipes/sendry.ts';
import { createVault, putSecret } from '../support/vault.ts';
import type { World } from '../support/world.ts';
import { type Old, old, work } from './old-contacts.ts';

const ONLY_ADDRESSES = 'unconfirmed: true\nemail: email';

/** What a project had before: Vault and pg_net with a worker that is quicker than the real one. */
async function platform({ db }: World): Promise<NetWorker> {
  await createVault(db);
  await db.app.query('grant create on schema public to hosted');
  await createNet(db);
  await createWebhooks(db);
  const worker = startNetWorker(db, { pauseMs: 20 });
  onCleanup(() => worker.stop());
  return worker;
}

/** Runs statements as the role that a project's owner has: it owns nothing in `auth`. */
async function asHosted(db: TestDatabase, sql: string): Promise<void> {
  const client = await db.connect(db.hostedUrl);
  await client.query(sql);
  await client.end();
}

/** The Sendry recipe at work in a project, and Rollcall's config beside it, not applied yet. */
async function withSendry(names?: {
  readonly function: string;
  readonly trigger: string;
}): Promise<Old & { net: NetWorker }> {
  const bed = await old(['sendry'], { install: false, mapping: ONLY_ADDRESSES });
  const net = await platform(bed.world);
  const { db } = bed.world;
  const { url, token, standIn } = bed.sandbox.of('sendry');
  await putSecret(db, 'sendry_api_key', token);
  await putSecret(db, 'sendry_audience_id', standIn.addList('Everybody'));
  await asHosted(db, sendryRecipe(url, names));
  return { ...bed, net };
}

/** Somebody signs up every few ms, until it is stopped. */
function signUps(world: World): { readonly count: () => number; readonly stop: () => Promise<void> } {
  let n = 0;
  const end = new AbortController();
  const over = (async () => {
    const writer = await world.db.connect();
    while (!end.signal.aborted) {
      n += 1;
      await writer.query(
        `insert into auth.users (id, email, created_at) values (gen_random_uuid(), 'u' || $1::int || '@example.com', now())`,
        [n],
      );
      await new Promise((resolve) => {
        setTimeout(resolve, 4);
      });
    }
  })();
  return {
    count: () => n,
    async stop() {
      end.abort();
      await over;
    },
  };
}

test('Sendry: taken over while people sign up: everybody arrives, nobody twice, and nobody whom the recipe has told is sent', async () => {
  const { world, run, sandbox, changes } = await withSendry();
  const writer = signUps(world);
  await eventually(() => writer.count() > 60);
  expect((await run(['apply', '--yes'])).code).toBe(0);
  await eventually(() => writer.count() > 140);
  const ran = await run(['adopt', '--recipe', '--yes', '--json']);
  expect(ran.code).toBe(0);
  const { recipe, destinations } = JSON.parse(ran.stdout) as { recipe: object; destinations: object[] };
  expect(recipe).toMatchObject({ switched: ['auth.users.on_auth_user_created_sync_sendry'], before: [] });
  expect(destinations).toMatchObject([{ destination: 'sendry', unknown: 0 }]);
  const seen = sandbox.calls().length;
  const from = writer.count();
  await eventually(() => writer.count() > from + 40);
  const worker = await world.start();
  await eventually(() => writer.count() > from + 80);
  await writer.stop();
  await world.settled();
  await worker.stop();

  const { db } = world;
  const { rows } = await db.app.query<{ email: string; told: boolean }>(
    `select u.email, exists (select from public.sendry_sync_log l where l.user_id = u.id) as told from auth.users u`,
  );
  expect([...sandbox.of('sendry').standIn.contacts()].map((each) => each.address).toSorted()).toEqual(
    rows.map(({ email }) => email).toSorted(),
  );
  expect(changes.filter(({ kind }) => kind === 'created')).toHaveLength(rows.length);
  // The cut is clean: everybody up to it was told of by the recipe, everybody after it was not.
  const told = rows.filter((each) => each.told).map(({ email }) => Number(/\d+/.exec(email)?.[0]));
  expect(told.length).toBeGreaterThan(130);
  expect(Math.max(...told)).toBe(told.length);
  const ours = sandbox
    .calls()
    .slice(seen)
    .filter(({ method }) => method !== 'GET');
  const sent = ours.flatMap(({ body }) => body.match(/u\d+@example\.com/g) ?? []);
  expect(sent.toSorted()).toEqual(
    rows
      .filter((each) => !each.told)
      .map(({ email }) => email)
      .toSorted(),
  );
});

test('under other names too; a second time it waits and reads only; what was off comes back as it was', async () => {
  const { world, run, sandbox } = await withSendry({ function: 'after_signup', trigger: 'zz_welcome' });
  const { db } = world;
  const before = await triggerOf(db);
  expect((await run(['adopt', '--recipe', '--yes'])).stderr).toContain('error RC_NOT_INSTALLED');
  expect((await run(['apply', '--yes'])).code).toBe(0);
  const asked = await run(['adopt', '--recipe'], { answers: [false], columns: 80 });
  expect(asked).toMatchObject({ code: 1, stdout: '? Switch this off, and take over?\n' });
  expect(asked.stderr).toContain('- auth.users.zz_welcome  (sendry recipe)');
  expect(await triggerOf(db)).toBe(before);
  const ran = await run(['adopt', '--recipe'], { answers: [true], columns: 80 });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain('Switched off: auth.users.zz_welcome.');
  expect(await triggerOf(db)).toContain('FOR EACH ROW WHEN (false) EXECUTE FUNCTION after_signup()');
  const calls = sandbox.calls().length;
  await world.signUp('ann@example.com');
  expect((await db.app.query('select from public.sendry_sync_log')).rows).toHaveLength(0);
  const again = await run(['adopt', '--recipe', '--yes', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    recipe: { switched: [], before: ['auth.users.zz_welcome'], awaited: 0 },
    destinations: [{ there: 0 }],
  });
  expect(
    sandbox
      .calls()
      .slice(calls)
      .filter(({ method }) => method === 'POST'),
  ).toEqual([]);
  expect((await run(['adopt', '--recipe', '--undo'])).stdout).toContain('On again: auth.users.zz_welcome.');
  expect(await triggerOf(db)).toBe(before);
  expect(await readTakenOver(db.sql)).toEqual([]);
  await world.signUp('bob@example.com');
  expect((await db.app.query('select from public.sendry_sync_log')).rows).toHaveLength(1);
  expect((await run(['adopt', '--recipe', '--undo'])).stdout).toContain('nothing to undo');
});

async function triggerOf(db: TestDatabase): Promise<string> {
  const { rows } = await db.app.query<{ definition: string }>(
    `select pg_get_triggerdef(t.oid) as definition from pg_trigger t where t.tgrelid = 'auth.users'::regclass
        and not t.tgisinternal and t.tgname not like 'rollcall%'`,
  );
  return rows.map(({ definition }) => definition).join('\n');
}

test('the recipe stays on while ours are not all there, and while somebody holds the table', async () => {
  const { world, run } = await withSendry();
  const { db } = world;
  await run(['apply', '--yes']);
  const before = await triggerOf(db);
  await db.app.query('drop trigger rollcall_insert on auth.users');
  const missing = await run(['adopt', '--recipe', '--yes']);
  expect(missing.stderr).toContain('error RC_TRIGGERS_MISSING');
  expect(await triggerOf(db)).toBe(before);
  await run(['apply', '--yes']);
  const holder = await db.connect();
  await holder.query('begin');
  await holder.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'slow@example.com')`);
  const held = run(['adopt', '--recipe', '--yes', '--json']);
  await eventually(async () => {
    const { rows } = await db.app.query(
      `select from pg_locks where relation = 'auth.users'::regclass and mode = 'ShareRowExclusiveLock' and not granted`,
    );
    return rows.length > 0;
  });
  await holder.query('commit');
  const ran = await held;
  expect(ran.code).toBe(0);
  // Whoever was in the middle of signing up was the recipe's to tell, and was waited for.
  expect(JSON.parse(ran.stdout)).toMatchObject({ destinations: [{ there: 1, ours: 1 }] });
});

test('Mailtrap: both webhooks, on a table of others and on one of the project; requests under way are waited for', async () => {
  const bed = await old(['mailtrap'], { install: false, mapping: ONLY_ADDRESSES });
  const { world, run, sandbox } = bed;
  const { db } = world;
  const net = await platform(world);
  const { url, token } = sandbox.of('mailtrap');
  const functions = await edgeFunctions(`${url}/api/contacts`, token);
  await db.app.query(
    'create table profiles (id uuid primary key, full_name text); alter table profiles owner to hosted',
  );
  await asHosted(
    db,
    `${webhook('create_contact', 'insert', 'auth.users', `${functions}/functions/v1/create-contact`, 'legacy-service-key')};
     ${webhook('"Update me"', 'update', 'profiles', `${functions}/functions/v1/update-contact`)}`,
  );
  await run(['apply', '--yes']);
  await net.stop();
  await world.signUp('ann@example.com');
  const running = run(['adopt', '--recipe', '--yes', '--json']);
  await eventually(async () => (await triggerOf(db)).includes('WHEN (false)'));
  await world.signUp('bob@example.com');
  expect((await db.app.query('select from net.http_request_queue')).rows).toHaveLength(1);
  net.start();
  const ran = await running;
  expect(ran.stderr).not.toContain('legacy-service-key');
  expect(JSON.parse(ran.stdout)).toMatchObject({
    recipe: { switched: ['auth.users.create_contact', 'public.profiles.Update me'], awaited: 1 },
    destinations: [{ there: 1, ours: 1, missing: 1 }],
  });
  const { rows } = await db.app.query(
    `select pg_get_triggerdef(t.oid) as definition from pg_trigger t where t.tgrelid = 'profiles'::regclass`,
  );
  expect(rows).toEqual([{ definition: expect.stringContaining('WHEN (false)') }]);
  const worker = await world.start();
  await world.settled();
  await worker.stop();
  expect([...sandbox.of('mailtrap').standIn.contacts()].map((each) => each.address).toSorted()).toEqual([
    'ann@example.com',
    'bob@example.com',
  ]);
});

/** The recipe's two Edge Functions, as far as Mailtrap sees them. */
async function edgeFunctions(api: string, token: string): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await new Response(request).json();
      const { email } = (body as { record: { email: string } }).record;
      const answer = await fetch(api, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ contact: { email } }),
      });
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onCleanup(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('whom the recipe lost, as its queue was emptied by a crash, is sent by us', async () => {
  const { world, run, sandbox, net } = await withSendry();
  await net.stop();
  await world.signUp('before@example.com');
  await run(['apply', '--yes']);
  await world.signUp('between@example.com');
  await world.db.app.query('truncate net.http_request_queue');
  net.start();
  await world.signUp('told@example.com');
  const { stdout } = await run(['adopt', '--recipe', '--yes', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ destinations: [{ there: 1, missing: 2 }] });
  await work(world);
  expect([...sandbox.of('sendry').standIn.contacts()].map((each) => each.address).toSorted()).toEqual([
    'before@example.com',
    'between@example.com',
    'told@example.com',
  ]);
});

test('a queue that does not move is told, and nothing to take over is an error', async () => {
  const { world, run, net } = await withSendry();
  const { db } = world;
  await run(['apply', '--yes']);
  await net.stop();
  await world.signUp('ann@example.com');
  const waiting = {
    pause: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms)),
    stalledMs: 300,
  };
  await expect(awaitRequests(db.sql, [], waiting)).rejects.toMatchObject({ code: 'RC_RECIPE_QUEUE' });
  expect(await awaitRequests(db.sql, ['https://elsewhere.example'], waiting)).toBe(0);
  await db.app.query('drop trigger on_auth_user_created_sync_sendry on auth.users');
  expect((await run(['adopt', '--recipe', '--yes'])).stderr).toContain('error RC_RECIPE_NONE');
  const named = await run(['adopt', '--recipe', '--trigger', 'auth.users.nobody', '--yes']);
  expect(named.stderr).toContain('There is no trigger auth.users.nobody.');
});
