import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/sql/free-port.ts';
import { openPg } from '../../src/sql/pg.ts';
import { type ApiProject, startApiProject } from '../support/api-project.ts';
import { type ApiWorker, startApiWorker } from '../support/api-world.ts';
import { apiLines, applyApi } from '../support/apply-api.ts';
import { createStateDatabase } from '../support/state-database.ts';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { parseWorld, worldYaml } from '../support/world.ts';

/** The program of Supabase Auth and the folder of its source, where the lane has built it (scripts/lanes.mjs). */
const PROGRAM = process.env['ROLLCALL_GOTRUE'];
const SOURCE = process.env['ROLLCALL_GOTRUE_SOURCE'];
const SECRET = 'a-secret-of-this-test-alone-with-32-characters';
const USERS = 2_500;

/**
 * Reading by the API against Supabase Auth itself: sign-ups, confirmations, changes of address, deletions go through its own API, and what is
 * read comes from its own Admin API. A stand-in: the address below which Auth and the Data API are one project (test/support/api-project.ts).
 */
const lane = test.skipIf(PROGRAM === undefined || SOURCE === undefined);

let app: pg.Client;
let auth: string;
let project: ApiProject;
let sandbox: Sandbox;
let worker: ApiWorker;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (PROGRAM === undefined || SOURCE === undefined) return;
  const [url, drop] = await createStateDatabase();
  const [stateUrl, dropState] = await createStateDatabase();
  ends.push(drop, dropState);
  app = new pg.Client({ connectionString: url });
  await app.connect();
  ends.push(() => app.end());
  await app.query(`create schema auth;
    do $$ begin create role supabase_auth_admin login createrole; exception when duplicate_object or unique_violation then null; end $$;
    alter database ${new URL(url).pathname.slice(1)} set search_path = auth, public;`);
  const port = await freePort();
  auth = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    GOTRUE_DB_DRIVER: 'postgres',
    DATABASE_URL: `${url}?search_path=auth`,
    DB_NAMESPACE: 'auth',
    GOTRUE_DB_MIGRATIONS_PATH: join(SOURCE, 'migrations'),
    GOTRUE_JWT_SECRET: SECRET,
    GOTRUE_JWT_AUD: 'authenticated',
    GOTRUE_JWT_ADMIN_ROLES: 'service_role',
    GOTRUE_JWT_DEFAULT_GROUP_NAME: 'authenticated',
    GOTRUE_SITE_URL: 'http://127.0.0.1:1',
    API_EXTERNAL_URL: auth,
    GOTRUE_API_HOST: '127.0.0.1',
    PORT: String(port),
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'false',
    GOTRUE_EXTERNAL_EMAIL_ENABLED: 'true',
    GOTRUE_RATE_LIMIT_EMAIL_SENT: '100000',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
    GOTRUE_LOG_LEVEL: 'fatal',
  };
  await once(spawn(PROGRAM, ['migrate'], { env, cwd: SOURCE, stdio: 'ignore' }), 'exit');
  const server: ChildProcess = spawn(PROGRAM, ['serve'], { env, cwd: SOURCE, stdio: 'ignore' });
  ends.push(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });
  await until(async () => (await fetch(`${auth}/health`).catch(() => undefined))?.ok === true);
  project = await startApiProject({ databaseUrl: url, auth: { url: auth, key: adminKey() } });
  ends.push(() => project.close());
  sandbox = await startSandbox({ limitsScale: 10_000 });
  ends.push(() => sandbox.close());
  sandbox.state.addField('FIRSTNAME', 'text');
  const yaml = worldYaml(
    {
      mapping: 'email: email\nuser_metadata.full_name: FIRSTNAME',
      connector: `${apiLines(project, stateUrl)}\nevents: { user.signed_up: signed_up, user.deleted: deleted }`,
      more: 'brakes: off',
    },
    'postgres://nowhere',
    sandbox,
  ).replace(/^database_url: .*\n/, '');
  const sql = openPg({ url: stateUrl, max: 2 });
  await applyApi(parseWorld(yaml), sql);
  await sql.close();
  worker = await startApiWorker(yaml, stateUrl);
  ends.push(() => worker.stop());
  await worker.settled();
}, 120_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

/** A legacy key: a JWT of the role `service_role`. */
function adminKey(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ role: 'service_role', aud: 'authenticated', exp: 4_000_000_000 })}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

async function call(
  method: string,
  path: string,
  body?: object,
  key = adminKey(),
): Promise<{ status: number; json: { id: string; access_token: string } }> {
  const answer = await fetch(auth + path, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: (await answer.json().catch(() => ({}))) as never };
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await done()); tries += 1) {
    if (tries > 1_000) throw new Error('it never came');
    await once(AbortSignal.timeout(30), 'abort');
  }
}

async function tokenOf(column: string, email: string): Promise<string> {
  const { rows } = await app.query<{ token: string }>(`select ${column} as token from auth.users where email = $1`, [
    email,
  ]);
  return rows[0]!.token;
}

const contact = (email: string) => sandbox.state.contacts().find((each) => each.email === email);
const PASSWORD = randomUUID();

async function signUp(email: string): Promise<string> {
  const { status, json } = await call('POST', '/signup', {
    email,
    password: PASSWORD,
    data: { full_name: email.split('@')[0] },
  });
  expect(status).toBe(200);
  return json.id;
}

async function confirm(email: string): Promise<void> {
  const token = await tokenOf('confirmation_token', email);
  expect((await call('GET', `/verify?type=signup&token=${token}`)).status).toBe(303);
}

lane(
  'sign-up, confirmation, change of address',
  async () => {
    await signUp('eve@example.com');
    await worker.settled();
    expect(contact('eve@example.com')).toBeUndefined();
    await confirm('eve@example.com');
    await worker.settled();
    expect(contact('eve@example.com')?.fields).toMatchObject({ FIRSTNAME: 'eve' });
    expect(sandbox.state.contactEvents().map(({ name, email }) => [name, email])).toEqual([
      ['signed_up', 'eve@example.com'],
    ]);
    const { json } = await call('POST', '/token?grant_type=password', { email: 'eve@example.com', password: PASSWORD });
    expect((await call('PUT', '/user', { email: 'eva@example.com' }, json.access_token)).status).toBe(200);
    await worker.settled();
    expect(contact('eva@example.com')).toBeUndefined();
    const token = await tokenOf('email_change_token_new', 'eve@example.com');
    expect((await call('GET', `/verify?type=email_change&token=${token}`)).status).toBe(303);
    await worker.settled();
    expect(contact('eva@example.com')).toBeDefined();
    expect(contact('eve@example.com')).toBeUndefined();
  },
  60_000,
);

lane(
  'a soft deletion, whose row stays with a hash for the address, and a hard one',
  async () => {
    const [soft, hard] = [await signUp('soft@example.com'), await signUp('hard@example.com')];
    await confirm('soft@example.com');
    await confirm('hard@example.com');
    await worker.settled();
    expect(contact('soft@example.com')).toBeDefined();
    expect((await call('DELETE', `/admin/users/${soft}`, { should_soft_delete: true })).status).toBe(200);
    expect((await call('DELETE', `/admin/users/${hard}`, {})).status).toBe(200);
    await worker.settled();
    expect(contact('soft@example.com')).toBeUndefined();
    expect(contact('hard@example.com')).toBeUndefined();
    expect(sandbox.state.contacts().map(({ email }) => email)).toEqual(['eva@example.com']);
  },
  60_000,
);

lane(
  '2,500 users of pages, at one time each and all at one time, while some are deleted',
  async () => {
    const made = (n: number, at: string): Promise<unknown> =>
      app.query(
        `insert into auth.users (instance_id, id, aud, role, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
         created_at, updated_at, confirmation_token, recovery_token, email_change_token_new, email_change)
       select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', 'many' || i || '@example.com', now(),
              '{"provider":"email"}', '{}', ${at}, now(), '', '', '', '' from generate_series(${n}, ${n + USERS / 2 - 1}) i`,
      );
    await made(0, `now() + i * interval '1 ms'`);
    await made(USERS / 2, `'2026-01-01'`);
    let pages = 0;
    project.faults.before = async (path) => {
      if (!path.includes('page=')) return;
      pages += 1;
      if (pages % 2 === 0)
        await app.query(
          `delete from auth.users where id = (select id from auth.users where email like 'many%' order by created_at limit 1)`,
        );
    };
    await worker.settled();
    project.faults.before = undefined;
    await worker.settled();
    await worker.settled();
    const { rows } = await app.query<{ email: string }>(
      `select email from auth.users where deleted_at is null order by email`,
    );
    expect(rows.length).toBeGreaterThan(USERS - 100);
    expect(
      sandbox.state
        .contacts()
        .map(({ email }) => email)
        .toSorted(),
    ).toEqual(rows.map(({ email }) => email).toSorted());
  },
  180_000,
);
