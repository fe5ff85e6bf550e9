import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox } from '../support/mailtrap-sandbox.ts';
import { createDatabase, onCleanup } from '../support/database.ts';
import { eventually } from '../support/people.ts';
import { build, type Built, type Running, start } from './built.ts';
import { configText, rollcall, tempFile, tempFolder } from './run-cli.ts';

let built: Built;
beforeAll(async () => {
  built = await build();
});
afterAll(() => built.remove());

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  return start(process.execPath, [built.main, ...args], env);
}

/** A database with Rollcall installed, and a sandbox to send to. */
async function project(): Promise<{
  db: Awaited<ReturnType<typeof createDatabase>>;
  sandbox: Awaited<ReturnType<typeof startSandbox>>;
  config: string;
  env: Record<string, string>;
}> {
  const db = await createDatabase();
  const sandbox = await startSandbox({ limitsScale: 100, faults: [{ latencyMs: 50 }] });
  onCleanup(() => sandbox.close());
  const config = await tempFile('rollcall.yaml', configText(sandbox.apiUrl));
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token };
  expect((await rollcall(['apply', '--yes', '--config', config], { env })).code).toBe(0);
  return { db, sandbox, config, env };
}

describe('rollcall start', () => {
  test('delivers, answers /healthz, and on SIGTERM leaves nothing leased', async () => {
    const { db, sandbox, config, env } = await project();
    await db.app.query(
      `insert into auth.users (id, email) select gen_random_uuid(), 'person' || n || '@example.com' from generate_series(1, 300) n`,
    );
    const worker = run(['start', '--config', config, '--port', '0'], env);
    const [, port] = await worker.says(/"health":(\d+)/);
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { ok: true }]);
    await sandbox.until((state) => state.contactCount > 20);
    worker.child.kill('SIGTERM');
    const { code, stdout, stderr } = await worker.done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { rows } = await db.app.query<{ leased: number; left: number }>(
      `select count(token)::int as leased, count(*)::int as left from rollcall.due`,
    );
    expect(rows[0]?.leased).toBe(0);
    expect(rows[0]?.left).toBeGreaterThan(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'worker stopped' });
    expect(stdout).not.toMatch(/@example\.com|sandbox-token/);
    const { code: unsafe, stdout: shown } = await rollcall(['status', '--config', config], { env });
    expect({ unsafe, pending: /mailtrap +[\d,]+ +(\d+)/.exec(shown)?.[1] }).toEqual({
      unsafe: 0,
      pending: String(rows[0]?.left),
    });
  });

  test('a second signal ends it at once', async () => {
    const { db, sandbox, config, env } = await project();
    sandbox.addFaults([{ latencyMs: 20_000 }]);
    await db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'slow@example.com')`);
    const client = await db.connect();
    const leased = new Promise((resolve) => client.once('notification', resolve));
    await client.query('listen test_leased');
    await client.query(`create function public.tell() returns trigger language plpgsql security definer as $$
      begin perform pg_notify('test_leased', ''); return null; end $$;
      create trigger tell after update on rollcall.due for each statement execute function public.tell()`);
    const worker = run(['start', '--config', config, '--no-health'], env);
    await leased;
    worker.child.kill('SIGINT');
    worker.child.kill('SIGTERM');
    expect((await worker.done).code).toBeGreaterThanOrEqual(130);
  });

  test('a port that is taken is said plainly, in the log too', async () => {
    const { config, env, sandbox } = await project();
    const { port } = new URL(sandbox.url);
    const { code, stdout, stderr } = await run(['start', '--config', config, '--port', port], env).done;
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error RC_PORT: Port ${port} of 127.0.0.1 can't be used: another program listens there.\n  Choose another with --port, or 0 for a free one.\n`,
    );
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ level: 'error', code: 'RC_PORT' });
  });
});

describe('rollcall sandbox', () => {
  test('says where it is, serves, and stops on Ctrl-C', async () => {
    const sandbox = run(['sandbox', '--port', '0', '--only', 'mailtrap', '--fault', 'status=503,path=/events$']);
    const [, url] = await sandbox.says(/url +(http:\/\/127\.0\.0\.1:\d+\/mailtrap)\n/);
    await sandbox.says(/Ctrl-C/);
    const answer = await fetch(`${url}/api/contacts/lists`, { headers: { authorization: 'Bearer sandbox-token' } });
    expect(answer.status).toBe(200);
    sandbox.child.kill('SIGINT');
    const { code, stderr } = await sandbox.done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('a fault that can’t be read', async () => {
    const { code, stderr } = await run(['sandbox', '--port', '0', '--fault', 'status=abc']).done;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error RC_FAULT_INVALID: The fault "status=abc" can't be used/);
  });
});

describe('in a pipe', () => {
  test('a reader that leaves early makes no noise', async () => {
    const piped = start('/bin/sh', ['-c', `"$0" "$1" config schema | head -c 10`, process.execPath, built.main]);
    const { stdout, stderr } = await piped.done;
    expect({ stdout: stdout.length, stderr }).toEqual({ stdout: 10, stderr: '' });
  });

  test('no colours, and exit codes survive', async () => {
    const { code, stderr } = await run(['status', '--config', '/nowhere.yaml'], { FORCE_COLOR: '1' }).done;
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error RC_CONFIG_NOT_FOUND/) as unknown,
    });
    expect((await run(['statu']).done).code).toBe(2);
    expect((await run(['--version']).done).code).toBe(0);
  });

  test('init without a terminal writes what the flags say', async () => {
    const file = `${await tempFolder()}/rollcall.yaml`;
    expect((await run(['init', '--config', file]).done).stderr).toMatch(/^error RC_INIT_CONSENT/);
    expect(await run(['init', '--config', file, '--consent', 'nobody']).done).toMatchObject({ code: 0, stderr: '' });
    const env = { DATABASE_URL: 'postgres://localhost/x', MAILTRAP_TOKEN: 'x' };
    expect(await run(['config', 'check', '--config', file], env).done).toMatchObject({ code: 0, stderr: '' });
  });
});

test('README: from no config to the first contact by four commands, as they stand there', async () => {
  const [, section = ''] = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split(
    '## Try it on your project, without an account\n',
  );
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  const typed = [...block.matchAll(/^npm run -s rollcall -- (.+)$/gm)].map(([, line = '']) => line.split(' '));
  expect(typed.map(([name]) => name)).toEqual(['init', 'sandbox', 'apply', 'start']);
  const [init = [], serve = [], apply = [], work = []] = typed;
  const db = await createDatabase();
  await db.app.query(
    `insert into auth.users (id, email, email_confirmed_at, created_at) values (gen_random_uuid(), 'ann@example.com', now(), now())`,
  );
  const cwd = await tempFolder();
  const env = { DATABASE_URL: db.hostedUrl };
  const type = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Running =>
    start(process.execPath, [built.main, ...args], { ...env, ...more }, { cwd });
  expect((await type(init).done).code).toBe(0);
  // On a port of its own, as others may be at work on this machine.
  const sandbox = type([...serve, '--port', '0', '--json']);
  const [, url = ''] = await sandbox.says(/"url":"(http:\/\/127\.0\.0\.1:\d+)"/);
  const [, key = ''] = await sandbox.says(/#key=(\w+)/);
  const there = { ROLLCALL_SANDBOX_URL: url };
  expect(await type(apply, there).done).toMatchObject({ code: 0, stderr: '' });
  const worker = type([...work, '--port', '0'], there);
  await worker.says(/worker started/);
  await eventually(async () => {
    const found = await fetch(`${url}/_sandbox/search?q=ann%40example.com`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return JSON.stringify(((await found.json()) as { contacts: unknown }).contacts).includes('ann@example.com');
  });
  worker.child.kill('SIGTERM');
  expect((await worker.done).code).toBe(0);
});
