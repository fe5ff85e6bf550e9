import { beforeEach, describe, expect, inject, test } from 'vitest';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { configText, type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let sandbox: Sandbox;
let config: string;
let where: string;

beforeEach(async () => {
  db = await createDatabase();
  sandbox = await startSandbox({ limitsScale: 100 });
  onCleanup(() => sandbox.close());
  config = await tempFile('rollcall.yaml', configText(sandbox.apiUrl));
  where = `${new URL(db.hostedUrl).host}/${db.name}`;
});

/** Runs as the role that owns nothing in `auth`. */
function run(argv: readonly string[], options: RunOptions & { readonly url?: string } = {}): Promise<Ran> {
  const env = { DATABASE_URL: options.url ?? db.hostedUrl, MAILTRAP_TOKEN: sandbox.token, ...options.env };
  return rollcall([...argv, '--config', config], { ...options, env });
}

async function traces(): Promise<unknown[]> {
  const { rows } = await db.app.query(`
    select nspname as name from pg_namespace where nspname ~ 'rollcall'
    union all select tgname from pg_trigger where tgname ~ 'rollcall'
    union all select proname from pg_proc where proname ~ 'rollcall|capture_users'
    union all select relname from pg_class where relname ~ 'rollcall'`);
  return rows;
}

const fieldNames = (): string[] => sandbox.state.fields().map((field) => field.merge_tag);

async function applyWith(text: string): Promise<Ran> {
  config = await tempFile('rollcall.yaml', text);
  return run(['apply', '--yes']);
}

async function health(): Promise<{ code: number; problems: string[] }> {
  const { code, stdout } = await run(['status', '--json']);
  const { healthy, problems } = JSON.parse(stdout) as { healthy: boolean; problems: { code: string }[] };
  expect(healthy).toBe(code === 0);
  return { code, problems: problems.map((problem) => problem.code) };
}

describe('apply, status, uninstall as the hosted role', () => {
  test('the whole way', async () => {
    const applied = await run(['apply'], { answers: [true] });
    expect(applied).toEqual({
      code: 0,
      stderr: '',
      stdout: `First install, environment test
  ${where}

Database
  + schema rollcall
${/ {2}\+ migrations: 1 state, 2 log, 3 jobs[^+]*\n/.exec(applied.stdout)?.[0].trimEnd()}
  + ${/(\d+) functions/.exec(applied.stdout)?.[0]}
  + triggers on auth.users: rollcall_insert, rollcall_update, rollcall_delete,
    rollcall_truncate
  + destination mailtrap

Consent: nobody is subscribed until an opt-in

Attributes
  email                    ->  email        address
  user_metadata.full_name  ->  FIRSTNAME    text       new field
  created_at               ->  SIGNUP_DATE  timestamp  new field

Fields at mailtrap that will be created: FIRSTNAME (text), SIGNUP_DATE (date)

? Apply these changes?
Created 2 fields at mailtrap.
Applied. Next: \`rollcall start\` runs a worker, \`rollcall status\` shows what it
does. Workers with another config end now: start them again.
Does the account have contacts already? Run \`rollcall adopt\` before \`rollcall
start\`: it takes over who is there and who has left.
`,
    });
    expect(fieldNames()).toEqual(expect.arrayContaining(['FIRSTNAME', 'SIGNUP_DATE']));

    expect(await run(['status'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `Rollcall: project ${new URL(db.hostedUrl).host}, environment test

  destination  in step  pending  failed  skipped  oldest pending
  mailtrap           0        0       0        0  -

No sweep yet; a running worker starts one within a minute.
Healthy.
`,
    });

    const again = await run(['apply', '--yes']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`Same config again, environment test\n  ${where}\n`);
    expect(again.stdout).toContain('Fields at mailtrap: all there\n');

    const removed = await run(['uninstall', '--yes']);
    expect(removed.code).toBe(0);
    expect(removed.stdout).toMatch(
      /^Uninstall from .*\n\n {2}- 4 triggers on auth\.users\n {2}- schema rollcall with \d+ tables, /,
    );
    expect(removed.stdout).toMatch(/\nRemoved\. Nothing of Rollcall is left in the database\.\n$/);
    expect(await traces()).toEqual([]);

    expect(await run(['uninstall'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `Nothing to remove: Rollcall is not installed in\n${where}.\n`,
    });
    expect(await run(['status'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error RC_NOT_INSTALLED: Rollcall is not installed in this database, or only in part.\n  Run `rollcall apply`.\n',
    });
  });

  test('without a terminal and without --yes nothing is changed', async () => {
    const refused = await run(['apply']);
    expect(refused).toMatchObject({
      code: 1,
      stderr:
        'error RC_CONFIRM: Nothing was changed: this needs a yes, and there is no terminal to ask on.\n  Add --yes to go ahead.\n',
    });
    expect(await traces()).toEqual([]);
    expect(fieldNames()).not.toContain('FIRSTNAME');
    expect((await run(['apply'], { answers: [false] })).stderr).toBe('Nothing was changed.\n');
    expect(await traces()).toEqual([]);
  });

  test('two at once take turns', async () => {
    const both = await Promise.all([run(['apply', '--yes']), run(['apply', '--yes'])]);
    expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    expect((await run(['status'])).code).toBe(0);
    expect(fieldNames().filter((name) => name === 'FIRSTNAME')).toHaveLength(1);
  });

  test('a changed config is an update, and a worker with it may start only then', async () => {
    await run(['apply', '--yes']);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(config, configText(sandbox.apiUrl).replace('FIRSTNAME', 'NAME'));
    const before = await run(['status']);
    expect(before.code).toBe(1);
    expect(before.stdout).toContain('RC_CONFIG_NOT_APPLIED');
    const started = await run(['start', '--no-health']);
    expect(started.code).toBe(1);
    expect(started.stderr).toContain('error RC_CONFIG_NOT_APPLIED');
    expect(JSON.parse(started.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      level: 'error',
      code: 'RC_CONFIG_NOT_APPLIED',
    });
    const update = await run(['apply', '--yes']);
    expect(update.stdout).toContain(`Update, environment test\n  ${where}\n`);
    expect(update.stdout).not.toContain('triggers on auth.users');
    expect((await run(['status'])).code).toBe(0);
  });

  test('--sql loads twice and, once bound, is the same install', async () => {
    const printed = await run(['apply', '--sql']);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(await traces()).toEqual([]);
    expect(fieldNames()).not.toContain('FIRSTNAME');
    const client = await db.connect(db.hostedUrl);
    await client.query(printed.stdout);
    await client.query(printed.stdout);
    const unbound = await run(['status']);
    expect(unbound.code).toBe(1);
    expect(unbound.stdout).toContain('RC_NOT_BOUND: This install is not bound to this database yet');
    expect((await run(['rebind', '--yes'])).code).toBe(0);
    expect((await run(['status'])).code).toBe(0);
  });

  test('uninstall --sql leaves nothing either', async () => {
    await run(['apply', '--yes']);
    const { stdout } = await rollcall(['uninstall', '--sql']);
    await (await db.connect(db.hostedUrl)).query(stdout);
    expect(await traces()).toEqual([]);
  });
});

describe('what stops apply', () => {
  test('a field of another type: both types are named, nothing is changed', async () => {
    const text = configText(sandbox.apiUrl);
    await applyWith(text);
    await run(['uninstall', '--yes']);
    const ran = await applyWith(
      text
        .replace('created_at: SIGNUP_DATE', 'created_at: FIRSTNAME')
        .replace('full_name: FIRSTNAME', 'full_name: NAME'),
    );
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      'error RC_FIELD_TYPE: Fields at mailtrap have another type than their attributes: FIRSTNAME (is text, must be date).\n',
    );
    expect(await traces()).toEqual([]);
  });

  test('no room at the vendor’s maximum: what does not fit is listed', async () => {
    const attributes = Array.from({ length: 41 }, (_, i) => `        A${i}: {const: 1}`).join('\n');
    const ran = await applyWith(
      configText(sandbox.apiUrl).replace('      unconfirmed', `      attributes:\n${attributes}\n      unconfirmed`),
    );
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /error RC_FIELD_LIMIT: mailtrap keeps at most 40 fields, and there is no room for: .*A40\./,
    );
    expect(fieldNames()).not.toContain('A0');
    expect(await traces()).toEqual([]);
  });

  test('create_missing: false', async () => {
    const ran = await applyWith(configText(sandbox.apiUrl, { destination: 'create_missing: false' }));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      'error RC_FIELDS_MISSING: mailtrap lacks fields that are mapped: FIRSTNAME, SIGNUP_DATE.\n',
    );
  });

  test('a list that is not there', async () => {
    const ran = await applyWith(configText(sandbox.apiUrl, { destination: 'lists: [Nowhere]' }));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('error RC_LIST_UNKNOWN: Mailtrap has no list named "Nowhere".');
  });

  test('a wrong token, which is not shown', async () => {
    const ran = await run(['apply', '--yes'], { env: { MAILTRAP_TOKEN: 'wrong-secret-token' } });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("error RC_FIELDS_UNREADABLE: The fields of mailtrap can't be read: ");
    expect(ran.stdout + ran.stderr).not.toContain('wrong-secret-token');
    expect(await traces()).toEqual([]);
  });

  test('an expression that can’t be compiled, with its place', async () => {
    const ran = await applyWith(
      configText(sandbox.apiUrl).replace(
        '      unconfirmed',
        '      attributes: {X: {sql: "no_such_column + 1"}}\n      unconfirmed',
      ),
    );
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/error RC_SQL_EXPRESSION: .*\n {2}at .*rollcall\.yaml:\d+:\d+\n/);
  });

  test('--skip-destinations works while the destination is away', async () => {
    await sandbox.close();
    const ran = await run(['apply', '--yes', '--skip-destinations']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('Destinations are left out: fields that are missing there stay missing.\n');
    expect((await run(['status'])).code).toBe(0);
  });

  test('a right that is missing is named', async () => {
    const role = `weak_${db.name.slice(2, 14)}`;
    await db.app.query(`create role ${role} login password 'postgres'; grant usage on schema auth to ${role}`);
    onCleanup(async () => {
      await db.app.query(`drop owned by ${role}; drop role ${role}`);
    });
    const url = new URL(db.hostedUrl);
    url.username = role;
    const ran = await run(['apply', '--yes'], { url: url.toString() });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /^error RC_DATABASE_PERMISSION: This database role lacks a right: CREATE on the database t_/,
    );
    expect(ran.stderr).toContain('Use the role "postgres" of the Supabase project');
    await run(['apply', '--yes']);
    const status = await run(['status'], { url: url.toString() });
    expect(status.stderr).toMatch(
      /lacks a right: USAGE on the schema rollcall: Rollcall was installed by another role\./,
    );
  });
});

describe('rebind', () => {
  test('a clone sends nothing until it is bound', async () => {
    await run(['apply', '--yes']);
    // A database is copied only while nobody is connected to it.
    await db.app.end();
    const clone = `c_${db.name.slice(2)}`;
    const maintenance = await db.connect(inject('postgres'));
    onCleanup(async () => {
      await maintenance.query(`drop database if exists ${clone} with (force)`);
    });
    await maintenance.query(`create database ${clone} template ${db.name}`);
    const url = new URL(db.hostedUrl);
    url.pathname = `/${clone}`;
    const at = { url: url.toString() };

    const started = await run(['start', '--no-health'], at);
    expect(started.code).toBe(1);
    expect(started.stderr).toContain(
      'error RC_NOT_BOUND: This database is not the one Rollcall was bound to (database name differs)',
    );
    const applied = await run(['apply', '--yes'], at);
    expect(applied).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('RC_NOT_BOUND') as unknown });
    const status = await run(['status', '--json'], at);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({ healthy: false, problems: [{ code: 'RC_NOT_BOUND' }] });

    const refused = await run(['rebind'], at);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      new RegExp(`^ +bound to +this database\\n(?:.*\\n)*database +${db.name} +${clone} +\\*\\n`),
    );
    expect((await run(['rebind'], { ...at, answers: [true] })).stdout).toMatch(
      /\nBound\. When a worker starts, everybody is sent again/,
    );
    expect((await run(['status'], at)).code).toBe(0);
    expect((await run(['rebind'], at)).stdout).toBe('This install is bound to this database already: nothing to do.\n');
  });

  test('--environment binds to another one and says what the config lacks', async () => {
    await run(['apply', '--yes']);
    const ran = await run(['rebind', '--environment', 'staging', '--yes']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe(`Set \`environment: staging\` in ${config} too: a worker with another one stops.\n`);
    const status = await run(['status']);
    expect(status.code).toBe(1);
    expect(status.stdout).toMatch(/bound to \(environment\s+differs\)/);
  });

  test('nothing to bind', async () => {
    expect((await run(['rebind', '--yes'])).stderr).toContain('error RC_NOT_INSTALLED');
  });
});

describe('status', () => {
  test.each([
    ['a missing trigger', 'drop function rollcall.capture_users() cascade', 'RC_TRIGGERS_MISSING'],
    [
      'a paused destination',
      `select rollcall.pause_destination(id, 'unauthorized', 'Incorrect API token', 60000) from rollcall.destinations`,
      'RC_DESTINATION_PAUSED',
    ],
    [
      'a paused source',
      `update rollcall.sources set pause_code = '42703', pause_message = 'column is gone', paused_at = now()`,
      'RC_SOURCE_PAUSED',
    ],
    [
      'a dead letter',
      `insert into rollcall.dead_letters (destination_id, contact_id, stage, code, message) select id, 1, 'map', 'x', 'y' from rollcall.destinations`,
      'RC_FAILED',
    ],
    [
      'the brake',
      `insert into rollcall.due (destination_id, contact_id, due_at, lane) select id, 1, now(), 2 from rollcall.destinations`,
      'RC_BRAKE',
    ],
    [
      'an old change',
      `insert into rollcall.due (destination_id, contact_id, due_at, since) select id, 1, now(), now() - interval '11 minutes' from rollcall.destinations`,
      'RC_BEHIND',
    ],
    ['no binding', `update rollcall.install set identity = null`, 'RC_NOT_BOUND'],
    ['another config', `update rollcall.install set config_hash = 'other'`, 'RC_CONFIG_NOT_APPLIED'],
  ])('%s makes it unhealthy', async (_what, sql, code) => {
    await run(['apply', '--yes']);
    expect(await health()).toEqual({ code: 0, problems: [] });
    await db.app.query(sql);
    expect(await health()).toEqual({ code: 1, problems: [code] });
  });

  test('a change that waits for less than ten minutes is no problem', async () => {
    await run(['apply', '--yes']);
    await db.app.query(
      `insert into rollcall.due (destination_id, contact_id, due_at, since) select id, 1, now(), now() - interval '9 minutes' from rollcall.destinations`,
    );
    expect((await run(['status'])).code).toBe(0);
  });
});
