import { beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { configText, type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let config: string;

beforeEach(async () => {
  db = await createDatabase();
  config = await tempFile('rollcall.yaml', configText('http://127.0.0.1:9'));
});

async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: 'token-0123456789', ...options.env };
  const ran = await rollcall([...argv, '--config', config], { ...options, env });
  return { ...ran, stdout: ran.stdout.replaceAll(/\b\d+ s(?= ago|\.)/g, '0 s') };
}

async function apply(): Promise<void> {
  expect(await run(['apply', '--yes', '--skip-destinations'])).toMatchObject({ code: 0 });
}

const insert = (count: number): Promise<unknown> =>
  db.app.query(
    `insert into auth.users (id, email, email_confirmed_at) select gen_random_uuid(), 'u' || n || '@x.test', now() from generate_series(1, $1::int) n`,
    [count],
  );

test('the first sweep, one that finds nothing, and one after rows that nobody saw', async () => {
  await insert(3);
  await apply();
  expect(await run(['sweep'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `3 rows read in 0 s.

3 contacts not in step, now queued for the workers, a brake permitting:
  3  had no contact

Why:
  It is the first sweep of this install: rows are older than it.
`,
  });
  expect(await run(['sweep'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `3 rows read in 0 s.\nEverybody is as the rows say.\n`,
  });
  await db.app.query(`set session_replication_role = replica`);
  await db.app.query(`delete from auth.users where email = 'u1@x.test'`);
  await db.app.query(`update auth.users set email = 'new@x.test' where email = 'u2@x.test'`);
  await db.app.query(`reset session_replication_role`);
  expect(await run(['sweep'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `2 rows read in 0 s.

2 contacts not in step, now queued for the workers, a brake permitting:
  1  were not as the rows say
  1  have no row any more

Why:
  No trigger saw it: writes with session_replication_role = replica, a restore,
  a trigger that was off for a while, or a ban that has ended.
`,
  });
  const status = await run(['status']);
  expect(status.stdout).toContain('Last sweep 0 s ago found 1 stale, 1 gone (no trigger saw it).');
  const json = JSON.parse((await run(['status', '--json'])).stdout) as { sweep_report: object };
  expect(json.sweep_report).toMatchObject({
    at: expect.any(String),
    scanned: 2,
    found: { missing: 0, returned: 0, stale: 1, gone: 1 },
    why: [{ cause: 'unseen' }],
  });
});

test('--json is the report, and triggers that were dropped are made again first', async () => {
  await apply();
  await run(['sweep']);
  await db.app.query('drop trigger rollcall_insert on auth.users');
  await insert(1);
  const { code, stdout, stderr } = await run(['sweep', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    seconds: expect.any(Number),
    scanned: 1,
    found: { missing: 1, returned: 0, stale: 0, gone: 0 },
    failed: 0,
    why: [{ cause: 'trigger_missing', source: 'auth.users' }],
    unwatched: [],
    paused: [],
  });
  expect((await db.app.query('select rollcall.missing_triggers()')).rows).toEqual([]);
});

test('while another sweep is at work it waits, says so once, and then runs', async () => {
  await apply();
  await db.app.query(`update rollcall.install set sweep_until = clock_timestamp() + interval '1500 ms'`);
  const { code, stdout, stderr } = await run(['sweep']);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'Another sweep is at work; this one starts when that has ended.\n',
  });
  expect(stdout).toContain('Everybody is as the rows say.');
});

test('stopped while it waits', async () => {
  await apply();
  await db.app.query(`update rollcall.install set sweep_until = 'infinity'`);
  const { code, stderr } = await run(['sweep'], { stop: AbortSignal.timeout(500) });
  expect(code).toBe(1);
  expect(stderr).toContain('Stopped.');
});

test('without an install, with another config, in a copy, and where the users cannot be read', async () => {
  expect((await run(['sweep'])).stderr).toContain('error RC_NOT_INSTALLED');
  await apply();
  const before = config;
  config = await tempFile('rollcall.yaml', configText('http://127.0.0.1:10'));
  expect((await run(['sweep'])).stderr).toContain('error RC_CONFIG_NOT_APPLIED');
  config = before;
  await db.app.query('alter table auth.users rename column raw_user_meta_data to meta');
  const unreadable = await run(['sweep']);
  expect(unreadable.code).toBe(1);
  expect(unreadable.stderr).toContain("error RC_SOURCE_PAUSED: auth.users can't be read (42703)");
  await db.app.query('alter table auth.users rename column meta to raw_user_meta_data');
  await db.app.query(`update rollcall.install set environment = 'elsewhere'`);
  const clone = await run(['sweep']);
  expect(clone).toMatchObject({ code: 1, stdout: '' });
  expect(clone.stderr).toContain('error RC_NOT_BOUND');
});
