import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '../../src/sql/embedded.ts';
import { openPg } from '../../src/sql/pg.ts';
import type { Sql } from '../../src/sql/port.ts';
import { type ApiProject, startApiProject } from '../support/api-project.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createStateDatabase } from '../support/state-database.ts';
import { rollcall } from './run-cli.ts';

let db: TestDatabase;
let project: ApiProject;
let sandbox: Sandbox;
let folder: string;
let state: Sql;
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
  const [stateUrl, drop] = await createStateDatabase();
  ends.push(drop);
  state = openPg({ url: stateUrl, max: 1 });
  ends.push(() => state.close());
  const yaml = (where: string): string => `connectors:
  supabase:
    project_url: ${project.url}
    api_key: \${SUPABASE_SECRET_KEY}
    state: ${JSON.stringify(where)}
    user_mapping: { email: email }
    table_mapping:
      profiles: { contact: { user_id: id }, full_name: FIRSTNAME }
destinations:
  mailtrap: { api_token: ${sandbox.token}, base_url: ${sandbox.apiUrl}, limits_scale: 10000, create_missing: [fields, lists] }
consent: { everyone: "they agreed to the terms" }
`;
  await writeFile(join(folder, 'rollcall.yaml'), yaml('embedded'));
  const segments = 'segments: { named: { from: profiles, filter: full_name=neq.Nobody, list: Named } }';
  await writeFile(join(folder, 'by-url.yaml'), yaml(stateUrl) + segments);
}, 60_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const runWith =
  (file: string) =>
  (...args: string[]) =>
    rollcall(['--config', join(folder, file), ...args], { env: { SUPABASE_SECRET_KEY: project.secretKey } });
const run = runWith('rollcall.yaml');

test('with API keys alone, and an embedded Postgres: plan, apply, sync, status, why, doctor, uninstall', async () => {
  const before = await run('status');
  expect(before.stderr).toContain('RC_NOT_INSTALLED');
  const planned = await run('plan');
  expect(planned.stdout + planned.stderr).toContain('3');
  const applied = await run('apply', '--yes');
  expect(applied.stderr).toBe('');
  expect(applied.stdout).toContain('.rollcall/state');
  expect(applied.code).toBe(0);
  // As a worker would: what comes next shares the server, and starts none.
  const held = await openEmbedded(join(folder, '.rollcall', 'state'));
  ends.push(() => held.release());
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
  await held.release();
  expect((await run('uninstall', '--yes')).code).toBe(0);
  expect((await run('status')).stderr).toContain('RC_NOT_INSTALLED');
  for (const { stdout, stderr } of [planned, applied, synced, status, doctor, tested]) {
    expect(stdout + stderr).not.toContain(project.secretKey);
  }
}, 120_000);

test('with API keys alone, and a state database by URL: commands read what they need, and say how old it is and what they cannot see', async () => {
  const go = runWith('by-url.yaml');
  const previewed = await go('preview', 'profiles', '--json');
  expect(JSON.parse(previewed.stdout)).toMatchObject({
    installed: false,
    rows: [{ destinations: [{ attributes: { 'rollcall:lists': { Named: true } } }] }],
  });
  // Nothing was applied, and yet people's data is here.
  const early = await go('uninstall', '--yes');
  expect(early.stdout).toContain('- what was read by the API: auth.users, public.profiles');
  expect((await go('uninstall', '--yes')).stdout).toContain('Nothing to remove');

  expect((await go('apply', '--yes')).code).toBe(0);
  await db.app.query(
    `insert into auth.users (id, email, created_at, updated_at, email_confirmed_at) values (gen_random_uuid(), 'late@example.com', now(), now(), now())`,
  );
  // Who came after the last reading has left the destination: nobody must take them for a stranger.
  await fetch(`${sandbox.apiUrl}/api/contacts/late@example.com`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contact: { email: 'late@example.com', unsubscribed: true } }),
  });
  const adopted = await go('adopt', '--json');
  expect(JSON.parse(adopted.stdout)).toMatchObject({ destinations: [{ unknown: 0, recorded: 1 }] });
  await db.app.query(`update public.profiles set full_name = 'Nobody'`);
  expect((await go('sweep')).stdout).toContain('4 rows read');
  expect((await go('segments', 'preview', 'named')).stdout).toContain('0 members');

  await state.query(`update rollcall_api.reader set ended_at = clock_timestamp() - interval '2 hours'`);
  for (const command of [['preview', 'users'], ['plan'], ['segments', 'preview', 'named']])
    expect((await go(...command)).stderr).toContain('as they were read by the API 2 h ago');
  expect((await go('why', 'late@example.com')).stdout).toContain('Rows, as read by the API 2 h ago');
  expect((await go('why', 'later@example.com')).stderr).toMatch(
    /^The rows are as they .* 2 h ago\.\nerror RC_PERSON_UNK/,
  );
  expect((await go('status')).stdout).toContain('RC_API_NOT_READ: The project has not been read whole for 2 h.');
  for (const command of [['logs'], ['failures'], ['segments'], ['erase', '--list']]) {
    const { code, stderr } = await go(...command);
    expect([code, stderr]).toEqual([0, '']);
  }
  for (const command of [
    ['adopt', '--recipe'],
    ['adopt', '--recipe', '--undo'],
    ['deploy', 'edge'],
  ])
    expect((await go(...command)).stderr).toContain('error RC_API_NEEDS_DATABASE');

  // The rest is looked at where the project is away.
  project.faults.before = () => Promise.resolve({ status: 401 });
  const doctor = await go('doctor', '--json');
  project.faults.before = undefined;
  const { findings } = JSON.parse(doctor.stdout) as { findings: { area: string; code: string | null; what: string }[] };
  const codes = findings.filter(({ code }) => code !== null).map(({ area, code }) => `${area} ${code}`);
  expect(codes).toEqual(['project RC_PROJECT_KEY', 'project RC_API_NOT_READ', 'install RC_NOBODY_DELIVERS']);
  expect(findings.map(({ area }) => area)).not.toContain('recipes');
  expect(findings.map(({ what }) => what).join()).toContain('they were not looked at');
}, 120_000);
