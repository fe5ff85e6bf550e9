import { expect, test } from 'vitest';
import { createVault, putSecret } from '../support/vault.ts';
import { createCron } from '../support/platform/cron.ts';
import { createNet } from '../support/platform/net.ts';
import { createWorld, type World } from '../support/world.ts';
import { createWebhooks, webhook } from '../support/recipes/database-webhooks.ts';
import { sendryRecipe } from '../support/recipes/sendry.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

interface Found {
  readonly area: string;
  readonly severity: 'ok' | 'warn' | 'error';
  readonly code: string | null;
  readonly what: string;
  readonly fix: string | null;
}

interface Report {
  readonly code: number;
  readonly healthy: boolean;
  readonly findings: readonly Found[];
  readonly codes: readonly (string | null)[];
  readonly of: (code: string) => Found;
}

/** Runs it in a world. */
async function doctor(world: Pick<World, 'yaml'>): Promise<Report> {
  const ran = await run(world, 'doctor', '--json');
  expect(ran.stderr).toBe('');
  const { healthy, findings } = JSON.parse(ran.stdout) as { healthy: boolean; findings: Found[] };
  const codes = findings.flatMap(({ code }) => code ?? []);
  const of = (code: string): Found => {
    const found = findings.find((each) => each.code === code);
    if (found === undefined) throw new Error(`${code} was not found, but ${codes.join(', ')}`);
    return found;
  };
  return { code: ran.code, healthy, findings, codes, of };
}

async function run(world: Pick<World, 'yaml'>, ...argv: string[]): Promise<Ran> {
  return rollcall([...argv, '--config', await tempFile('rollcall.yaml', world.yaml)], { columns: 100 });
}

test('a healthy install: everything is well, in a line each', async () => {
  const world = await createWorld();
  const worker = await world.start();
  const report = await doctor(world);
  await worker.stop();
  expect(report.findings.filter(({ severity }) => severity !== 'ok')).toEqual([]);
  expect(report).toMatchObject({ code: 0, healthy: true });
});

const trigger = (name: string, body: string, options: string): string => `
  create function public.${name}() returns trigger language plpgsql ${options} as $$ begin ${body} end $$;
  create trigger ${name} after insert on auth.users for each row execute function public.${name}();`;

const SAFE = `security definer set search_path = ''`;

/** A project in which much is wrong that does not hide each other. */
const BROKEN = `
  alter table auth.users disable trigger rollcall_insert;
  grant select on rollcall.desired to public; grant usage on schema rollcall to public;
  create table public.profiles (id uuid); create table public.orders (id int);
  ${trigger('invoker', 'insert into public.profiles (id) values (new.id); return new;', '')}
  ${trigger('no_path', 'return new; exception when others then return new;', 'security definer')}
  ${trigger('fails', 'return new;', SAFE)}
  ${trigger('sends', `perform net.http_post('https://hooks.example.com'); return new; exception when others then return new;`, SAFE)}
  create schema storage; create table storage.objects (id uuid);
  ${trigger('uploads', 'return new;', SAFE).replace('on auth.users', 'on storage.objects')}
  ${webhook('everything', 'insert or update', 'auth.users', 'https://hooks.example.com/users')};
  ${webhook('keyed', 'insert', 'public.orders', 'https://hooks.example.com/x', 'a-secret-key')};
  ${webhook('renamed', 'update', 'public.profiles', 'https://x.supabase.co/functions/v1/update-contact')};
  ${webhook('to_tajo', 'insert', 'public.orders', 'https://api.tajo.io/hooks/1')};
  ${sendryRecipe('https://api.sendry.online', { function: 'other_name', trigger: 'another' })}
  insert into net._http_response (id, status_code) values (1, 401), (2, 200), (3, null);
  insert into vault.secrets (name, secret) values ('plain', 'sn_live_%%%');
  set role hosted;
  select cron.schedule('rollcall-tick', '* * * * *', 'select nothing'), cron.schedule('rollcall-off', '0 0 * * *', 'select 1');
  select cron.alter_job(2, active := false);
  reset role;
  insert into cron.job_run_details (jobid, username, status, return_message, start_time)
    values (1, 'hosted', 'failed', 'ERROR: no column', now() - interval '1 hour');
  update rollcall.sources set pause_code = '42703', pause_message = 'no column';`;

/** What of it is found, and the mending that must stand beside it. */
const FOUND: readonly (readonly [code: string, severity: 'warn' | 'error', fix: string])[] = [
  ['RC_TRIGGERS_MISSING', 'error', 'rollcall apply'],
  ['RC_GRANTS_TOO_MANY', 'error', 'revoke all on all tables in schema rollcall from public;'],
  ['RC_TRIGGER_INVOKER', 'warn', "alter function public.invoker() security definer set search_path = '';"],
  ['RC_TRIGGER_SEARCH_PATH', 'warn', "alter function public.no_path() set search_path = '';"],
  ['RC_TRIGGER_CAN_FAIL', 'warn', 'exception when others'],
  ['RC_TRIGGER_HTTP', 'warn', 'drop the trigger'],
  ['RC_WEBHOOK_LEAKS_HASHES', 'error', 'drop trigger "everything" on auth.users;'],
  ['RC_WEBHOOK_SECRET', 'warn', 'opens nothing else'],
  ['RC_RECIPE_SENDRY', 'warn', 'rollcall adopt --recipe'],
  ['RC_RECIPE_MAILTRAP', 'warn', 'rollcall adopt --recipe'],
  ['RC_RECIPE_TAJO', 'warn', 'rollcall adopt --recipe'],
  ['RC_NET_WORKER_DOWN', 'error', 'select net.worker_restart();'],
  ['RC_NET_FAILED', 'warn', 'net._http_response'],
  ['RC_CRON_FAILED', 'error', 'where jobid = 1'],
  ['RC_CRON_OFF', 'error', 'select cron.alter_job(2, active := true);'],
  ['RC_CRON_STOPPED', 'error', 'pg_cron'],
  ['RC_NOBODY_DELIVERS', 'warn', 'rollcall start'],
  ['RC_EDGE_SECRET', 'error', "'rollcall_edge_url');"],
  ['RC_VAULT_BROKEN', 'error', 'select vault.update_secret('],
  ['RC_SOURCE_PAUSED', 'error', 'rollcall apply'],
];

test('much that is wrong at once: each of it is found, with its fix, and no secret is shown', async () => {
  const world = await createWorld();
  const { db } = world;
  await createNet(db);
  await createCron(db);
  await createVault(db);
  await createWebhooks(db);
  await putSecret(db, 'good', 'value');
  await db.app.query(BROKEN);
  const report = await doctor(world);
  for (const [code, severity, fix] of FOUND) {
    expect(report.of(code)).toMatchObject({ severity, fix: expect.stringContaining(fix) });
  }
  expect(report.findings.filter(({ severity }) => severity === 'ok').map(({ area }) => area)).toEqual([
    'connection',
    'role',
    'extensions',
    'tables',
    'sql home',
    'slots',
    'destinations',
  ]);
  expect(report.findings.map(({ what }) => what).join('\n')).toContain(
    'storage.objects.uploads runs public.uploads() of postgres without an exception block: uploads fail with it',
  );
  expect(report).toMatchObject({ code: 1, healthy: false });
  expect(JSON.stringify(report.findings)).not.toMatch(/a-secret-key|sn_live/);
  const text = (await run(world, 'doctor')).stdout;
  expect(text).toMatch(/^ {2}error {2}triggers: RC_TRIGGERS_MISSING: /m);
  expect(text).toMatch(/\d+ errors, \d+ warnings\.\n$/);
});

test('what is wrong with the config, and at the destination', async () => {
  const world = await createWorld();
  const cases: readonly (readonly [from: string | RegExp, to: string, code: string, severity: string, fix: string])[] =
    [
      [
        /api_token: \S+/,
        'api_token: "${vault:no_such_secret}"',
        'RC_VAULT_SECRET',
        'error',
        'create extension supabase_vault',
      ],
      [/api_token: \S+/, 'api_token: "${vault:no_such_secret}"', 'RC_NOT_LOOKED_AT', 'warn', 'Vault'],
      [/api_token: \S+/, 'api_token: another-token-0123456789', 'RC_DESTINATION_REFUSES', 'error', 'full access'],
      ['user_metadata.n: N', 'user_metadata.m: N', 'RC_CONFIG_NOT_APPLIED', 'error', 'rollcall apply'],
      ['user_metadata.n: N', 'user_metadata.n: NOT_THERE', 'RC_FIELDS_MISSING', 'warn', 'rollcall apply'],
      [
        'limits_scale: 10000',
        'limits_scale: 10000\n    lists: [Nowhere]',
        'RC_LIST_UNKNOWN',
        'error',
        'create_missing',
      ],
      [
        'user_metadata.n: N',
        'last_sign_in_at: N\n      attributes: { X: { sql: "nonsense(email)" } }',
        'RC_SQL_EXPRESSION',
        'error',
        '',
      ],
      ['connectors:', 'consent_readers: [nobody_there]\nconnectors:', 'RC_GRANTS_MISSING', 'error', 'rollcall apply'],
      ['database_url: "', 'wake: poll\ndatabase_url: "', 'RC_NOBODY_DELIVERS', 'warn', 'rollcall start'],
    ];
  for (const [from, to, code, severity, fix] of cases) {
    const yaml = world.yaml.replace(from, to);
    expect(yaml).not.toBe(world.yaml);
    const report = await doctor({ yaml });
    expect(report.of(code)).toMatchObject({ severity, fix: expect.stringContaining(fix) });
    expect(report.code).toBe(report.findings.some((each) => each.severity === 'error') ? 1 : 0);
    expect(JSON.stringify(report.findings)).not.toContain('another-token');
  }
  await world.sandbox.close();
  expect((await doctor(world)).of('RC_DESTINATION_AWAY')).toMatchObject({ severity: 'error' });
});

test('what is wrong with the install, one after the other in the same database', async () => {
  const world = await createWorld();
  const { db } = world;
  const cases: readonly (readonly [broken: string, code: string, fix: string, mended: string])[] = [
    [
      `alter database ${db.name} set session_replication_role = replica`,
      'RC_REPLICA_ROLE',
      `alter database ${db.name} reset session_replication_role;`,
      `alter database ${db.name} reset session_replication_role`,
    ],
    [
      `alter database ${db.name} set "pgrst.db_schemas" = 'public, rollcall'`,
      'RC_SCHEMA_EXPOSED',
      'exposed schemas',
      `alter database ${db.name} reset "pgrst.db_schemas"`,
    ],
    [`select rollcall.note_home('edge')`, 'RC_EXTENSION_MISSING', 'pg_cron', ''],
    [
      `update rollcall.homes set seen_at = now() - interval '1 hour'`,
      'RC_NOBODY_DELIVERS',
      'rollcall deploy edge',
      `delete from rollcall.homes`,
    ],
    [
      'revoke select, trigger on auth.users from hosted',
      'RC_ROLE_RIGHTS',
      'grant select, trigger on auth.users to hosted;',
      'grant all on auth.users to hosted',
    ],
    ['update rollcall.install set identity = null', 'RC_NOT_BOUND', 'rollcall rebind', ''],
    [
      'alter schema rollcall owner to supabase_auth_admin',
      'RC_ROLE_OWNER',
      'grant supabase_auth_admin to hosted;',
      'alter schema rollcall owner to hosted',
    ],
    [
      `insert into rollcall.migrations (version, name) values (9999, 'later')`,
      'RC_INSTALL_NEWER',
      'rollcall@latest',
      'delete from rollcall.migrations where version = 9999',
    ],
    ['delete from rollcall.migrations where version > 13', 'RC_INSTALL_OLDER', 'rollcall apply', ''],
    ['drop schema rollcall cascade', 'RC_NOT_INSTALLED', 'rollcall apply', ''],
    ['drop table auth.users cascade', 'RC_NO_AUTH_USERS', 'Supabase', ''],
  ];
  for (const [broken, code, fix, mended] of cases) {
    await db.app.query(broken);
    const report = await doctor(world);
    const found = report.of(code);
    expect([code, found.fix]).toEqual([code, expect.stringContaining(fix)]);
    expect(report.code).toBe(report.findings.some((each) => each.severity === 'error') ? 1 : 0);
    if (mended !== '') await db.app.query(mended);
  }
});

test('without a database it says so, and looks at config and destinations all the same', async () => {
  const world = await createWorld();
  const nowhere = world.yaml.replace(/database_url: .*/, 'database_url: postgresql://postgres:x@127.0.0.1:1/postgres');
  const away = await doctor({ yaml: nowhere });
  expect(away.findings).toMatchObject([
    { area: 'database', severity: 'error', code: 'RC_DATABASE_UNREACHABLE' },
    { area: 'destinations', severity: 'ok', what: 'mailtrap: reachable, and the key is taken' },
  ]);
  expect(away.code).toBe(1);
  const none = await doctor({ yaml: world.yaml.replace(/database_url: .*/, '') });
  expect(none.findings[0]).toMatchObject({
    code: 'RC_DATABASE_URL',
    what: expect.stringContaining('Nothing in the database was looked at'),
  });
  const vault = await doctor({ yaml: nowhere.replace(/api_token: \S+/, 'api_token: "${vault:key}"') });
  expect(vault.of('RC_NOT_LOOKED_AT').what).toContain('mailtrap was not asked');
  const nobody = await doctor({
    yaml: world.yaml.replace(/\ndestinations:\n[\s\S]*?\nconsent:/, '\ndestinations: {}\nconsent:'),
  });
  expect(nobody.of('RC_NO_DESTINATIONS')).toMatchObject({ severity: 'warn' });
  await createCron(world.db);
  await world.db.app.query(`select rollcall.note_home('sql')`);
  expect((await doctor(world)).of('RC_CRON_MISSING')).toMatchObject({ severity: 'error', fix: 'rollcall deploy sql' });
  expect((await run(world, 'doctor', '--help')).stdout).toContain('$ rollcall doctor --json');
});
