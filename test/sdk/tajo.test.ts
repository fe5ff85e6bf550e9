import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { Rollcall } from '../../src/sdk/index.ts';
import { withClient } from '../support/client.ts';
import { DEBUG, MERGED } from '../support/config-text.ts';
import { type LocalProject, startLocalProject } from '../support/local-project.ts';
import { eventually } from '../support/people.ts';
import { CURL, INITIALIZE, LISTEN, OPERATORS, QUERY, SYNC, TEST } from '../support/recipes/tajo.ts';

/*
 * The Tajo page, run: docs/sdk.md, "The Tajo page", says which part is real. The code is the page's, word for word but for the import
 * and the name of the client; addresses are of this machine, and come from the environment as on the page.
 */

let project: LocalProject;
let sandbox: Sandbox;
let databaseUrl = '';
let folder = '';
let ann = '';
const before = { ...process.env };
const sockets = (globalThis as { WebSocket?: unknown }).WebSocket;
const people = ['ann', 'bob', 'cy'].map((name) => `${name}@example.com`);

beforeAll(async () => {
  const name = `tajo_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(inject('postgres'));
  url.pathname = `/${name}`;
  databaseUrl = url.toString();
  await withClient(inject('postgres'), (client) => client.query(`create database ${name}`));
  await withClient(databaseUrl, (client) =>
    client.query(`do $$ declare r text; begin
        foreach r in array array['anon', 'authenticated', 'service_role'] loop
          if not exists (select from pg_roles where rolname = r) then execute format('create role %I nologin', r); end if;
        end loop; end $$;
      create table public.customers (id bigint generated always as identity primary key, email text, full_name text, company text,
        plan text, mrr numeric, deleted_at timestamptz, created_at timestamptz not null default now());
      create table public.orders (id bigint generated always as identity primary key, customer_email text, total numeric, status text,
        line_items jsonb, items jsonb, created_at timestamptz not null default now());
      create table public.products (id bigint generated always as identity primary key, name text);
      grant usage on schema public to anon, service_role;
      grant all on all tables in schema public to anon, service_role;`),
  );
  project = await startLocalProject(databaseUrl);
  sandbox = await startSandbox({ limitsScale: Infinity, only: ['tajo', 'mailtrap'] });
  folder = await mkdtemp(join(tmpdir(), 'rollcall-tajo-'));
  // Node 20 has none, and the page's code brings none.
  (globalThis as { WebSocket?: unknown }).WebSocket ??= WebSocket;
  Object.assign(process.env, {
    TAJO_API_KEY: sandbox.of('tajo').token,
    SUPABASE_URL: project.url,
    SUPABASE_SERVICE_ROLE_KEY: project.secretKey,
    ROLLCALL_ENVIRONMENT: 'development',
    ROLLCALL_SANDBOX_URL: sandbox.url,
  });
  const app = createClient(project.url, project.publishableKey, { auth: { persistSession: false } });
  for (const email of people) {
    const { data, error } = await app.auth.signUp({
      email,
      password: 'correct horse',
      options: { data: { full_name: email } },
    });
    expect(error).toBeNull();
    if (email === people[0]) ann = data.user?.id ?? '';
  }
  const service = createClient(project.url, project.secretKey, { auth: { persistSession: false } });
  const rows = people.map((email, n) => ({
    email,
    full_name: email,
    company: 'Co',
    plan: n < 2 ? 'pro' : 'free',
    mrr: 200 - n * 50,
  }));
  expect((await service.from('customers').insert(rows)).error).toBeNull();
}, 120_000);

afterAll(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  // One that is there and undefined is another thing than none.
  if (sockets === undefined) delete (globalThis as { WebSocket?: unknown }).WebSocket;
  await sandbox?.close();
  await project?.close();
  await rm(folder, { recursive: true, force: true });
  const name = new URL(databaseUrl).pathname.slice(1);
  await withClient(inject('postgres'), (client) => client.query(`drop database if exists ${name} with (force)`));
});

/** Runs code of the page as a module would, its import lines apart. @returns what the names in `gives` have become */
async function run(
  code: string,
  given: Readonly<Record<string, unknown>>,
  gives: readonly string[] = [],
): Promise<Record<string, never>> {
  const names = Object.keys(given);
  const body = code.replaceAll(/^import .*\n/gm, '').replaceAll('TajoClient', 'Rollcall');
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  // oxlint-disable-next-line no-implied-eval
  const made = new AsyncFunction(...names, `${body}\nreturn { ${gives.join(', ')} };`) as unknown as (
    ...values: unknown[]
  ) => Promise<Record<string, never>>;
  return await made(...names.map((name) => given[name]));
}

describe('Code Examples', () => {
  test('import lines name the packages', () => {
    expect(INITIALIZE.match(/^import .*$/gm)).toEqual([
      "import { TajoClient } from '@tajo/sdk';",
      "import { createClient } from '@supabase/supabase-js';",
    ]);
  });

  test('with a database URL given beside: connect, sync, forward orders, and add to a list', async () => {
    process.env['DATABASE_URL'] = databaseUrl;
    const { standIn } = sandbox.of('tajo');
    const list = Number(standIn.addList('Pro'));
    const { tajo: made } = await run(INITIALIZE, { Rollcall, createClient }, ['tajo']);
    const tajo = made as unknown as Rollcall;
    try {
      await run(SYNC, { tajo });
      expect([...standIn.contacts()].map(({ address }) => address).toSorted()).toEqual(people);
      expect(standIn.contact(people[0]!)?.attributes['FIRSTNAME']).toBe(people[0]);

      const { supabase: client } = await run(LISTEN, { tajo, createClient }, ['supabase']);
      const supabase = client as unknown as SupabaseClient;
      await project.subscribed('orders');
      const row = { customer_email: people[0], total: 129.9, status: 'paid', line_items: [{ sku: 'a', n: 1 }] };
      const { data: order } = await supabase.from('orders').insert(row).select().single<object>();
      project.inserted('orders', order!);
      await tajo.start();
      await eventually(() => standIn.eventCount === 1);
      expect(standIn.events()).toMatchObject([
        { address: people[0], name: 'order_placed', properties: { order_id: 1, total: 129.9 } },
      ]);

      await run(QUERY, { tajo, supabase, PRO_LIST_ID: list });
      await eventually(
        () =>
          standIn.contact(people[1]!)?.lists.includes('Pro') === true &&
          standIn.contact(people[0]!)?.lists.includes('Pro') === true,
      );
      expect(standIn.contact(people[2]!)?.lists).toEqual([]);
      expect(await tajo.canEmail(ann)).toBe(false);
      const { ok, lines } = await tajo.connectors.test('supabase');
      expect(lines.filter(({ state }) => state === 'failed')).toEqual([]);
      expect(ok).toBe(true);
      // The page's six lines, and what delivery needs beside: test/cli/project.test.ts has them typed.
      const page = [...TEST.matchAll(/✓ (\w+ \w+)/g)].map(([, words]) => words);
      const said = lines.map(({ what }) => what);
      expect(said.slice(0, 6).map((what) => /^\w+ \w+/.exec(what)?.[0])).toEqual(page);
      expect(said.slice(6).map((what) => what.split(':')[0])).toEqual(['Database', 'Triggers', 'Mapping', 'tajo']);
      await supabase.removeAllChannels();
      await supabase.realtime.disconnect();
    } finally {
      await tajo.stop();
      delete process.env['DATABASE_URL'];
    }
  }, 120_000);

  test('with API keys only: events and lists go at once; users are not read yet, and it says so', async () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    onTestFinished(() => said.mockRestore());
    const { standIn } = sandbox.of('tajo');
    const list = Number(standIn.addList('Direct'));
    const { tajo: made } = await run(INITIALIZE, { Rollcall, createClient }, ['tajo']);
    const tajo = made as unknown as Rollcall;
    try {
      expect(said.mock.calls.join()).toContain('no database URL: users and tables are not synced');
      await expect(run(SYNC, { tajo })).rejects.toMatchObject({ code: 'RC_DATABASE_URL' });
      const seen = standIn.eventCount;
      await tajo.events.track({ email: people[1]!, event: 'order_placed', properties: { total: 1 } });
      expect(standIn.eventCount).toBe(seen + 1);
      await run(QUERY, { tajo, supabase: tajo.supabase, PRO_LIST_ID: list });
      expect(standIn.contact(people[0]!)?.lists).toContain('Direct');
      const added = await tajo.lists.addContacts(list, [{ email: 'nobody@example.com' }, { email: 'no address' }]);
      expect(added).toMatchObject({ durable: false, taken: 1, invalid: 1 });
      expect(standIn.contact('nobody@example.com')).toBeUndefined();
    } finally {
      await tajo.stop();
    }
  }, 60_000);
});

describe('Configuration', () => {
  test('Basic Setup, Custom Table Mapping and Debug Mode, merged: orders become events without a line of code', async () => {
    const file = join(folder, 'rollcall.yaml');
    const ours =
      'environment: development\ndestinations: { tajo: { create_missing: [fields] } }\nconsent: nobody\nbrakes: off\n';
    await writeFile(
      file,
      MERGED.replace('"https://xyzcompany.supabase.co"', `"${project.url}"`).replace(/ +storage: true\n/, '') + ours,
    );
    const lines: string[] = [];
    const note = (_fields: object, message: string): void => void lines.push(message);
    const rollcall = new Rollcall({ config: file, log: { error: note, warn: note, info: note, debug: note } });
    try {
      await rollcall.connectors.connect('supabase', { databaseUrl, install: 'changed' });
      await rollcall.start();
      await rollcall.supabase
        .from('orders')
        .insert({ customer_email: people[2], total: 5, status: 'paid', line_items: [] });
      const { standIn } = sandbox.of('tajo');
      await eventually(() => [...standIn.events()].some(({ address }) => address === people[2]));
      expect([...standIn.events()].at(-1)).toMatchObject({
        name: 'order_placed',
        properties: { amount: 5, order_status: 'paid' },
      });
      await eventually(() => standIn.contact(people[0]!)?.attributes['SUBSCRIPTION_PLAN'] === 'pro');
      // log_queries of Debug Mode.
      expect(DEBUG).toContain('log_queries: true');
      expect(lines).toContain('query');
    } finally {
      await rollcall.stop();
    }
  }, 120_000);
});

describe('Authentication and API Endpoints', () => {
  test('curl: either key', async () => {
    const commands = CURL.split(/^# .*\n/m).filter((text) => text !== '');
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const url = /'([^']+)'/.exec(command)![1]!.replace('https://<project_ref>.supabase.co', project.url);
      const headers = [...command.matchAll(/-H "([^:]+): ([^"]+)"/g)].map(
        ([, name = '', value = '']): [string, string] => [
          name,
          value
            .replace('<SUPABASE_ANON_KEY>', project.publishableKey)
            .replace('<SUPABASE_SERVICE_ROLE_KEY>', project.secretKey),
        ],
      );
      const answer = await fetch(url, { headers });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toHaveLength(people.length);
    }
  });

  test('Filtering Operators, through the client that is handed through', async () => {
    const rollcall = new Rollcall({ apiKey: 'any' });
    const customers = (): ReturnType<typeof from> => from();
    const from = () => rollcall.supabase.from('customers').select('email');
    const count = async (query: PromiseLike<{ data: unknown[] | null; error: unknown }>): Promise<number> => {
      const { data, error } = await query;
      expect(error).toBeNull();
      return data!.length;
    };
    const tried = {
      eq: await count(customers().eq('plan', 'pro')),
      neq: await count(customers().neq('plan', 'pro')),
      gt: await count(customers().gt('mrr', 100)),
      gte: await count(customers().gte('mrr', 100)),
      lt: await count(customers().lt('mrr', 150)),
      lte: await count(customers().lte('mrr', 150)),
      like: await count(customers().like('email', 'ann%')),
      ilike: await count(customers().ilike('email', '%ANN%')),
      in: await count(customers().in('plan', ['pro', 'free'])),
      is: await count(customers().is('deleted_at', null)),
    };
    expect(tried).toEqual({ eq: 2, neq: 1, gt: 2, gte: 3, lt: 1, lte: 2, like: 1, ilike: 1, in: 3, is: 3 });
    expect(OPERATORS.flatMap(([names]) => names.split(', ')).toSorted()).toEqual(Object.keys(tried).toSorted());
    expect(await count(customers().textSearch('company', 'co'))).toBe(3);
    const { data: buckets } = await rollcall.supabase.storage.listBuckets();
    expect(buckets?.map(({ name }) => name)).toEqual(['avatars']);
    const { data: echoed } = await rollcall.supabase.functions.invoke('echo', { body: { n: 1 } });
    expect(echoed).toEqual({ name: 'echo', got: { n: 1 } });
    const made = await rollcall.supabase.from('products').insert({ name: 'Cup' }).select().single<{ id: number }>();
    expect((await rollcall.supabase.from('products').update({ name: 'Mug' }).eq('id', made.data!.id)).error).toBeNull();
    expect((await rollcall.supabase.from('products').delete().eq('id', made.data!.id)).error).toBeNull();
    expect(await count(rollcall.supabase.from('products').select('id'))).toBe(0);
    await rollcall.stop();
  });
});
