import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiProject, startApiProject } from '../support/api-project.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { rollcall } from './run-cli.ts';

let db: TestDatabase;
let project: ApiProject;
let sandbox: Sandbox;
let folder: string;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const [made, end] = await createLastingDatabase();
  ends.push(end);
  db = made;
  await db.app
    .query(`create table public.profiles (id uuid primary key, full_name text, updated_at timestamptz not null default now());
    insert into auth.users (id, email, created_at, updated_at, email_confirmed_at)
      select gen_random_uuid(), 'p' || i || '@example.com', now(), now(), now() from generate_series(1, 3) i;
    insert into public.profiles (id, full_name) select id, 'Name of ' || email from auth.users`);
  project = await startApiProject({ databaseUrl: db.url });
  ends.push(() => project.close());
  sandbox = await startSandbox({ limitsScale: 10_000 });
  ends.push(() => sandbox.close());
  folder = await mkdtemp(join(tmpdir(), 'rollcall-api-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  // Postgres does not run as root, and whom it runs as has to get there.
  await chmod(folder, 0o755);
  await writeFile(
    join(folder, 'rollcall.yaml'),
    `connectors:
  supabase:
    project_url: ${project.url}
    api_key: \${SUPABASE_SECRET_KEY}
    user_mapping: { email: email }
    table_mapping:
      profiles: { contact: { user_id: id }, full_name: FIRSTNAME }
destinations:
  mailtrap: { api_token: ${sandbox.token}, base_url: ${sandbox.apiUrl}, limits_scale: 10000, create_missing: [fields] }
consent: { everyone: "they agreed to the terms" }
`,
  );
}, 60_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const run = (...args: string[]) =>
  rollcall(['--config', join(folder, 'rollcall.yaml'), ...args], { env: { SUPABASE_SECRET_KEY: project.secretKey } });

test('with API keys alone, and an embedded Postgres: plan, apply, sync, status, why, doctor, uninstall', async () => {
  const before = await run('status');
  expect(before.stderr).toContain('RC_NOT_INSTALLED');
  const planned = await run('plan');
  expect(planned.stdout + planned.stderr).toContain('3');
  const applied = await run('apply', '--yes');
  expect(applied.stderr).toBe('');
  expect(applied.stdout).toContain('.rollcall/state');
  expect(applied.code).toBe(0);
  const synced = await run('sync', '--full', '--json');
  expect(JSON.parse(synced.stdout)).toMatchObject({});
  const contacts = sandbox.state
    .contacts()
    .map(({ email, fields }) => `${email} ${JSON.stringify(fields['FIRSTNAME'])}`);
  expect(contacts.toSorted()).toEqual([1, 2, 3].map((i) => `p${i}@example.com "Name of p${i}@example.com"`));
  const status = await run('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    reading: {
      tables: [
        { name: 'auth.users', rows: 3 },
        { name: 'public.profiles', rows: 3 },
      ],
    },
  });
  expect((await run('status')).stdout).toContain('by the API');
  const calls = sandbox.state.calls().length;
  await db.app.query(
    `update public.profiles set full_name = 'Another', updated_at = now() where id = (select id from auth.users where email = 'p2@example.com')`,
  );
  const since = new Date(Date.now() - 3_600_000).toISOString();
  expect((await run('sync', '--incremental', '--since', since)).code).toBe(0);
  expect(sandbox.state.calls().length).toBe(calls + 1);
  expect(project.asked.some((each) => each.includes('updated_at=gte.'))).toBe(true);
  const why = await run('why', 'p2@example.com');
  expect(why.stderr).toBe('');
  expect(why.stdout).toContain('mailtrap');
  const doctor = await run('doctor');
  expect(doctor.stdout).not.toMatch(/^ *error/m);
  const tested = await run('test', '--json');
  expect(tested.stdout).not.toContain('RC_DATABASE_URL');
  const deploy = await run('deploy', 'sql', '--print');
  expect(deploy.stderr).toContain('RC_API_NEEDS_DATABASE');
  expect((await run('uninstall', '--yes')).code).toBe(0);
  expect((await run('status')).stderr).toContain('RC_NOT_INSTALLED');
  for (const { stdout, stderr } of [planned, applied, synced, status, doctor, tested]) {
    expect(stdout + stderr).not.toContain(project.secretKey);
  }
}, 120_000);
