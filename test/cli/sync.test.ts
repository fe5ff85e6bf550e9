import { readFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let sandbox: Sandbox;
let config: string;

const CONFIG = (apiUrl: string): string => `database_url: \${DATABASE_URL}
environment: test
connectors:
  supabase:
    sync: { users: true, tables: [leads] }
    user_mapping:
      email: email
      user_metadata.full_name: NAME
      created_at: SIGNUP_DATE
    table_mapping:
      leads: { email: email, note: NOTE }
destinations:
  mailtrap: { api_token: "\${MAILTRAP_TOKEN}", base_url: "${apiUrl}", limits_scale: 100, import_from: 200 }
consent: { column: user_metadata.agreed }
delivery: { grace: 300ms }
`;

beforeEach(async () => {
  db = await createDatabase();
  sandbox = await startSandbox({ limitsScale: 100, jobStepMs: 20 });
  onCleanup(() => sandbox.close());
  config = await tempFile('rollcall.yaml', CONFIG(sandbox.apiUrl));
  await db.app.query(`create table public.leads (id int primary key, email text, note text);
    grant all on all tables in schema public to hosted;
    insert into auth.users (id, email, email_confirmed_at, raw_user_meta_data, created_at, updated_at)
      select gen_random_uuid(), 'p' || i || '@example.com', now(), jsonb_build_object('full_name', 'Person ' || i, 'agreed', true),
             '2026-01-01', case when i <= 3 then timestamptz '2026-06-01' else '2026-01-01' end
        from generate_series(1, 30) i;
    insert into public.leads select i, 'lead' || i || '@example.com', '=1+' || i from generate_series(1, 5) i`);
});

function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token, ...options.env };
  return rollcall([...argv, '--config', config], { ...options, env });
}

const document = (ran: Ran): unknown => JSON.parse(ran.stdout);

test('a canary, the rest, and once more with nothing to do', async () => {
  expect((await run(['apply', '--yes'])).code).toBe(0);
  const canary = await run(['sync', '--full', '--limit', '10', '--json']);
  expect(canary).toMatchObject({ code: 0, stderr: '' });
  expect(document(canary)).toEqual({
    what: 'full',
    resource: null,
    since: null,
    scanned: 10,
    seconds: expect.any(Number),
    destinations: [
      { name: 'mailtrap', created: 10, updated: 0, unchanged: 0, skipped: {}, failed: {}, refused: {}, held: 0 },
    ],
  });
  expect(sandbox.state.contactCount).toBe(10);

  const all = await run(['sync', '--full']);
  expect(all.code).toBe(0);
  expect(all.stdout).toMatch(/^35 rows read in \d+ s\.\nmailtrap: 25 created, 0 updated, 10 unchanged\n$/);
  expect(sandbox.state.contactCount).toBe(35);
  expect(sandbox.state.contactEvents()).toEqual([]);

  const calls = sandbox.state.counters().calls;
  expect((await run(['sync', '--full'])).stdout).toContain('0 created, 0 updated, 35 unchanged');
  expect(sandbox.state.counters().calls).toBe(calls);
});

test('one resource, whoever changed since a time, and what is skipped or refused', async () => {
  await db.app.query(
    `update auth.users set email_confirmed_at = null where email in ('p1@example.com', 'p2@example.com')`,
  );
  sandbox.addFaults([{ reject: 'lead4@example.com' }]);
  await run(['apply', '--yes']);
  const leads = await run(['sync', '--full', '--resource', 'leads', '--json']);
  expect(document(leads)).toMatchObject({
    scanned: 5,
    resource: 'public.leads',
    destinations: [{ created: 5, refused: { invalid_email: 1 } }],
  });
  const since = await run([
    'sync',
    '--incremental',
    '--since',
    '2026-05-01T00:00:00Z',
    '--resource',
    'users',
    '--json',
  ]);
  expect(document(since)).toMatchObject({ scanned: 3, since: expect.stringContaining('2026-05-01') });
  expect(sandbox.state.contactCount).toBe(5);
  expect((await run(['sync', '--full'])).stdout).toMatch(/ {2}skipped: 2 contacts \(\w+\)/);
});

test('a row that cannot be mapped is counted with its code', async () => {
  await db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"agreed": "perhaps"}' where email = 'p9@example.com'`,
  );
  await run(['apply', '--yes']);
  const all = await run(['sync', '--full', '--json']);
  const [destination] = (document(all) as { destinations: { created: number; failed: Record<string, number> }[] })
    .destinations;
  expect(destination!.created + Object.values(destination!.failed).reduce((sum, n) => sum + n, 0)).toBe(35);
});

test('what is asked for must be said, and is refused with what to do', async () => {
  expect(await run(['sync'])).toMatchObject({ code: 1, stderr: expect.stringContaining('error RC_SYNC_WHAT') });
  expect((await run(['sync', '--incremental'])).stderr).toContain('error RC_SYNC_SINCE: `--since` is missing.');
  expect((await run(['sync', '--incremental', '--since', 'yesterday'])).stderr).toContain('RC_SYNC_SINCE');
  expect((await run(['sync', '--full', '--incremental'])).code).toBe(2);
  expect((await run(['sync', '--full'])).stderr).toContain('error RC_NOT_INSTALLED');
  await run(['apply', '--yes']);
  expect((await run(['sync', '--full', '--resource', 'nobody'])).stderr).toContain(
    'error RC_SYNC_RESOURCE: Nothing of public.nobody',
  );
  await db.app.query(`insert into rollcall.backfills (what, resource, place) values ('full', 'users', '0/')`);
  expect((await run(['sync', '--full'])).stderr).toContain(
    'error RC_SYNC_OPEN: Another backfill is not over yet (full, 0 rows read).',
  );
  expect((await run(['sync', '--full', '--resource', 'users'])).code).toBe(0);
});

test('a file of what would be imported: no formulas, and nobody who must not be subscribed', async () => {
  await db.app
    .query(`update auth.users set raw_user_meta_data = '{"full_name": "=cmd|\\"a\\", b", "agreed": true}' where email = 'p1@example.com';
    update auth.users set raw_user_meta_data = raw_user_meta_data || '{"agreed": false}' where email = 'p2@example.com';
    update auth.users set email = 'p3+tag@example.com' where email = 'p3@example.com'`);
  await run(['apply', '--yes']);
  const file = await tempFile('contacts.csv', '');
  const ran = await run(['sync', '--full', '--export-csv', file]);
  expect(ran).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+ contacts of mailtrap written to .*left out/),
  });
  const lines = (await readFile(file, 'utf8')).split('\r\n');
  expect(lines[0]).toBe('email,NAME,NOTE,SIGNUP_DATE');
  expect(lines.find((line) => line.startsWith('p1@'))).toBe(`p1@example.com,"'=cmd|""a"", b",,2026-01-01`);
  expect(lines.some((line) => line.startsWith('p2@') || line.startsWith('lead'))).toBe(false);
  expect(lines.some((line) => line.startsWith('p3+tag@'))).toBe(true);
  const { rows } = await db.app.query('select count(*)::int as n from rollcall.contacts');
  expect(rows).toEqual([{ n: 0 }]);
  expect(sandbox.state.contactCount).toBe(0);
  expect((await run(['sync', '--full', '--export-csv', '/no/such/folder/x.csv'])).stderr).toContain(
    'error RC_CSV_FILE',
  );
  expect((await run(['sync', '--full', '--export-csv', file, '--destination', 'x'])).stderr).toContain(
    'error RC_CSV_DESTINATION',
  );
});
