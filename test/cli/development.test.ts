import { beforeEach, describe, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/people.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

/** As a project has it for its users: the real key is not even set here. */
const CONFIG = `database_url: "\${DATABASE_URL}"
environment: development
connectors:
  supabase:
    sync: {users: true}
    user_mapping: {email: email, unconfirmed: true, user_metadata.full_name: FIRSTNAME}
destinations:
  mailtrap: {api_token: "\${MAILTRAP_TOKEN}"}
consent: nobody
`;

let db: TestDatabase;
let sandbox: Sandbox;
let config: string;
beforeEach(async () => {
  db = await createDatabase();
  sandbox = await startSandbox({ limitsScale: 100 });
  onCleanup(() => sandbox.close());
  config = await tempFile('rollcall.yaml', CONFIG);
});

function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { DATABASE_URL: db.hostedUrl, ROLLCALL_SANDBOX_URL: sandbox.url };
  return rollcall([...argv, '--config', config], { columns: 200, ...options, env: { ...env, ...options.env } });
}

/** A worker in this process; `stop` gives what it logged. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<() => Promise<Ran>> {
  const stop = new AbortController();
  let text = '';
  const done = run(['start', '--no-health'], { env, stop: stop.signal, onStdout: (more) => void (text += more) });
  onCleanup(async () => {
    stop.abort();
    await done;
  });
  let ended = false;
  void done.then(() => (ended = true));
  await eventually(() => text.includes('worker started') || ended);
  return async () => {
    stop.abort();
    return await done;
  };
}

async function signUp(email: string): Promise<void> {
  await db.app.query('insert into auth.users (id, email, created_at) values (gen_random_uuid(), $1, now())', [email]);
}

describe('environment: development', () => {
  test('goes to the sandbox without a key, and every command says so', async () => {
    const note = `mailtrap is sent to the sandbox at ${sandbox.apiUrl}`;
    const check = await run(['config', 'check', '--offline']);
    expect([check.code, check.stderr]).toEqual([0, '']);
    expect(check.stdout).toContain(`destinations  mailtrap\ndevelopment   ${note}\n`);
    const json = JSON.parse((await run(['config', 'check', '--offline', '--json'])).stdout) as object;
    expect(json).toMatchObject({ destinations: [{ name: 'mailtrap', sandbox: sandbox.apiUrl }] });

    const applied = await run(['apply', '--yes']);
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    expect(applied.stdout).toContain(`Development: ${note}`);
    expect(sandbox.state.fields().map((field) => field.merge_tag)).toContain('FIRSTNAME');

    const stop = await start();
    await signUp('ann@example.com');
    await sandbox.until((state) => state.contact('ann@example.com') !== undefined);
    const { stdout, stderr, code } = await stop();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Development: ${note}`);
    expect(stdout).not.toContain('RC_SANDBOX_DOWN');

    const status = await run(['status']);
    expect(status.stdout).toContain(`\nDevelopment: ${note}\n`);
    const document = JSON.parse((await run(['status', '--json'])).stdout) as object;
    expect(document).toMatchObject({ sandboxes: { mailtrap: sandbox.apiUrl } });
  });

  test('says how to start the sandbox when it does not run', async () => {
    expect((await run(['apply', '--yes'])).code).toBe(0);
    const { port } = new URL(sandbox.url);
    await sandbox.close();
    const applied = await run(['apply', '--yes']);
    expect([applied.code, applied.stderr]).toEqual([
      1,
      expect.stringContaining(`error RC_SANDBOX_DOWN: The sandbox does not run at ${sandbox.url}.`),
    ]);
    expect(applied.stderr).toContain(`rollcall sandbox --port ${port}`);
    expect((await run(['apply', '--yes', '--skip-destinations'])).code).toBe(0);
    const stop = await start();
    const { code, stdout } = await stop();
    expect(code).toBe(0);
    expect(stdout).toContain('RC_SANDBOX_DOWN');
  });

  test('a copy of a database stays silent until it is bound, also towards the sandbox', async () => {
    expect((await run(['apply', '--yes'])).code).toBe(0);
    await signUp('ann@example.com');
    const calls = sandbox.state.counters().calls;
    // As a preview branch is: the tables came along, the project is another.
    const elsewhere = { SUPABASE_URL: 'https://abcdefghijklmnopqrst.supabase.co' };
    const stop = await start(elsewhere);
    const refused = await stop();
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('RC_NOT_BOUND')]);
    expect(sandbox.state.counters().calls).toBe(calls);

    expect((await run(['rebind', '--yes'], { env: elsewhere })).code).toBe(0);
    const bound = await start(elsewhere);
    await sandbox.until((state) => state.contact('ann@example.com') !== undefined);
    expect((await bound()).code).toBe(0);
  });

  test('nor does a copy of production become the sandbox by the word development alone', async () => {
    config = await tempFile('rollcall.yaml', CONFIG.replace('environment: development', 'environment: production'));
    const env = { MAILTRAP_TOKEN: sandbox.token };
    expect((await run(['apply', '--yes', '--skip-destinations'], { env })).code).toBe(0);
    await signUp('ann@example.com');
    config = await tempFile('rollcall.yaml', CONFIG);
    const refused = await (await start())();
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('RC_CONFIG_NOT_APPLIED')]);
    const applied = await run(['apply', '--yes']);
    expect([applied.code, applied.stderr]).toEqual([1, expect.stringContaining('RC_NOT_BOUND')]);
    expect(sandbox.state.counters().calls).toBe(0);
  });
});
