import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Project, startProject } from '../../src/demo/project.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { type Sandbox, startSandbox } from '../support/mailtrap-sandbox.ts';
import { type Front, startFront } from '../support/supabase-front.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

let db: TestDatabase;
let lite: Project;
let front: Front;
let sandbox: Sandbox;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [made, end] = await createLastingDatabase();
  db = made;
  ends.push(end);
  // @supabase/lite makes its own schema of Auth, and reads the tables when it starts.
  await db.app.query(`drop schema auth cascade;
    do $$ begin create role service_role nologin bypassrls; exception when duplicate_object or unique_violation then null; end $$;
    create table customers (id int primary key, email text); create table orders (id int primary key);
    create function twice(n int) returns int language sql return n * 2;`);
  lite = await startProject(db.url);
  ends.push(() => lite.close());
  front = await startFront(lite);
  ends.push(() => front.close());
  sandbox = await startSandbox({ limitsScale: 100 });
  ends.push(() => sandbox.close());
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});
beforeEach(() => {
  Object.assign(front.faults, { statuses: {}, realtime: 'header' });
});

interface Made {
  readonly url?: string;
  readonly key?: string;
  readonly connector?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly token?: string;
}

/** The connector as the page writes it, but for the addresses. */
async function run(argv: readonly string[], { url, key, connector, env = {}, token }: Made = {}): Promise<Ran> {
  const yaml = `
environment: test
database_url: ${db.url}
connectors:
  supabase:
    enabled: true
    ${connector ?? `project_url: "${url ?? front.url}"\n    api_key: "\${SUPABASE_SERVICE_ROLE_KEY}"`}
    user_mapping: { email: email, unconfirmed: true, user_metadata.full_name: FIRSTNAME }
destinations:
  mailtrap: { api_token: ${token ?? sandbox.token}, base_url: "${sandbox.apiUrl}", limits_scale: 100 }
consent: nobody
wake: poll
`;
  const file = await tempFile('rollcall.yaml', yaml);
  return rollcall([...argv, '--config', file], {
    env: { SUPABASE_SERVICE_ROLE_KEY: key ?? lite.secretKey, SUPABASE_MANAGEMENT_URL: front.url, ...env },
  });
}

const PAGE = ['connectors', 'test', 'supabase'];
const TOKEN = { SUPABASE_ACCESS_TOKEN: 'sbp_test-token' };

test('the page’s six lines', async () => {
  const ran = await run(PAGE, { env: TOKEN });
  expect(ran).toEqual({
    code: 0,
    stderr: '',
    stdout: `✓ API connection successful
✓ Auth endpoint accessible (3 users)
✓ Tables readable (2 tables found)
✓ Storage accessible (3 buckets)
✓ Realtime connection established
✓ Edge Functions available (4 functions)

All is well.
`,
  });
  expect(front.asked.join('\n')).not.toContain(lite.secretKey);
});

test('all that a delivery needs, as text and as JSON; what cannot be counted is no failure', async () => {
  expect((await run(['apply', '--yes'])).code).toBe(0);
  const ran = await run(['test']);
  expect({ ...ran, stdout: ran.stdout.replaceAll(/127\.0\.0\.1:\d+/g, '<address>') }).toEqual({
    code: 0,
    stderr: '',
    stdout: `✓ API connection successful
✓ Auth endpoint accessible (3 users)
✓ Tables readable (2 tables found)
✓ Storage accessible (3 buckets)
✓ Realtime connection established
- Edge Functions not counted: set SUPABASE_ACCESS_TOKEN
  (supabase.com/dashboard/account/tokens)
✓ Database: 127.0.0.1: no TLS, on this machine; clocks agree
✓ Triggers: 4 of ours are there and on
✓ Mapping: auth.users fits the config
✓ mailtrap: reachable, the key is taken, fields and lists are there

All is well.
`,
  });
  const json = await run(['test', '--json'], { env: TOKEN });
  expect(json.code).toBe(0);
  const { ok, lines } = JSON.parse(json.stdout) as { ok: boolean; lines: { state: string }[] };
  expect([ok, lines.map(({ state }) => state)]).toEqual([true, lines.map(() => 'ok')]);
});

describe('what is wrong is told with its fix', () => {
  test.each([
    [
      'the key of another project',
      { key: 'sb_secret_of-another' },
      /✗ RC_PROJECT_KEY: API: .* refuses the key \(HTTP 401\)/,
    ],
    ['the public key', { key: 'sb_publishable_demo' }, /✗ RC_PROJECT_KEY_PUBLIC: API: /],
    ['nobody there', { url: 'http://127.0.0.1:1' }, /✗ RC_PROJECT_AWAY: API: 127\.0\.0\.1:1 can't be reached/],
    [
      'another token',
      { env: { SUPABASE_ACCESS_TOKEN: 'sbp_other' } },
      /✗ RC_PROJECT_TOKEN: Edge Functions: .*HTTP 401/,
    ],
  ] as const)('%s', async (_, made, line) => {
    const ran = await run(PAGE, made);
    expect(ran.code).toBe(1);
    expect(ran.stdout.replaceAll('\n  ', ' ')).toMatch(line);
    expect(ran.stdout).toMatch(/\d things? to mend\.\n$/);
    expect(ran.stdout + ran.stderr).not.toContain('another-');
  });

  test('services that answer wrongly', async () => {
    front.faults.statuses = { '/storage': 500, '/rest': 404 };
    front.faults.realtime = 'nobody';
    const { code, stdout } = await run(PAGE);
    expect(code).toBe(1);
    expect(stdout.replaceAll(/127\.0\.0\.1:\d+/g, '<address>')).toBe(
      `✗ RC_PROJECT_NOT_FOUND: API: <address> has no such service (HTTP 404).
  Is connectors.supabase.project_url the address of a Supabase project, as https://<ref>.supabase.co?
✓ Auth endpoint accessible (3 users)
✗ RC_PROJECT_NOT_FOUND: Tables: <address> has no such service (HTTP 404).
  Is connectors.supabase.project_url the address of a Supabase project, as https://<ref>.supabase.co?
✗ RC_PROJECT_ANSWER: Storage: <address> answers with HTTP 500.
  See the logs of the project (dashboard, Logs), and status.supabase.com.
✗ RC_PROJECT_REALTIME: Realtime: <address> lets nobody in (no WebSocket).
  Is it switched on (dashboard, Realtime, Settings), and is the key one of this project? Rollcall works without it.
- Edge Functions not counted: set SUPABASE_ACCESS_TOKEN
  (supabase.com/dashboard/account/tokens)

4 things to mend.
`,
    );
  });

  test('a gateway that takes the key from the URL alone', async () => {
    front.faults.realtime = 'url';
    expect((await run(PAGE)).stdout).toContain('✓ Realtime connection established\n');
  });

  test('no project in the config', async () => {
    const none = { connector: 'debug: false', env: { SUPABASE_URL: '' } };
    const alone = await run(PAGE, none);
    expect([alone.code, alone.stdout]).toEqual([1, '']);
    expect(alone.stderr).toContain('error RC_PROJECT_UNKNOWN: The config names no project_url.\n  Set project_url');
    const whole = await run(['test'], none);
    expect(whole.code).toBe(0);
    expect(whole.stdout).toContain("- The project's API was not asked");
  });

  test('no database, no trigger, and a destination that refuses', async () => {
    await db.app.query('alter table auth.users disable trigger rollcall_insert');
    const { code, stdout } = await run(['test'], { token: 'f'.repeat(32) });
    await db.app.query('alter table auth.users enable trigger rollcall_insert');
    expect(code).toBe(1);
    expect(stdout).toContain('✗ RC_TRIGGERS_MISSING: ');
    expect(stdout).toContain('✗ RC_DESTINATION_REFUSES: mailtrap refuses us');
  });
});

test('another connector is none', async () => {
  const { code, stderr } = await run(['connectors', 'test', 'firebase']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('supabase')]);
});
