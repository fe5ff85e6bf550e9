import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createPlatform } from '../integration/sql-home/support.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { startSandbox } from '../support/mailtrap-sandbox.ts';
import { configText, type Ran, rollcall, tempFile, tempFolder } from './run-cli.ts';

let db: TestDatabase;
let config: string;
let folder: string;

beforeEach(async () => {
  db = await createDatabase();
  config = await tempFile('rollcall.yaml', inVault(configText('http://127.0.0.1:9')));
  folder = join(await tempFolder(), 'supabase');
});

const inVault = (yaml: string): string => yaml.replace('"${MAILTRAP_TOKEN}"', '"${vault:mailtrap_token}"');

async function change(from: string, to: string): Promise<void> {
  const before = await readFile(config, 'utf8');
  expect(before).toContain(from);
  await writeFile(config, before.replace(from, to));
}

function deploy(...more: readonly string[]): Promise<Ran> {
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: 'the-token-of-mailtrap' };
  return rollcall(['deploy', 'sql', '--folder', folder, ...more, '--config', config], { env });
}

const migrations = (): readonly string[] => readdirSync(join(folder, 'migrations'));
const migration = (n = 0): Promise<string> => readFile(join(folder, 'migrations', migrations()[n] ?? ''), 'utf8');

test('writes a migration; a second time nothing, and after a change another one', async () => {
  await createPlatform(db, { mailtrap_token: 'the-token-of-mailtrap' });
  const first = await deploy();
  expect(first.stderr).toBe('');
  const [written = ''] = migrations();
  expect(first).toMatchObject({
    code: 0,
    stdout: `Wrote ${join(folder, 'migrations', written)}

Next:
  supabase db push
  rollcall rebind
  select vault.create_secret('<the value>', 'mailtrap_token');

What begins with \`select\` is for the SQL editor. Nothing is sent before
\`rollcall rebind\`, or \`select rollcall.bind('<project ref>', '<environment>');\`.
\`select * from rollcall.test();\` tells what is missing: docs/sql.md.
`,
  });
  expect(await migration()).not.toContain('the-token-of-mailtrap');

  const again = await deploy();
  expect(again.stdout).toMatch(/^All of it is as it shall be already: nothing was written\.\n/);
  expect(migrations()).toEqual([written]);

  await change('FIRSTNAME', 'NAME');
  expect((await deploy()).stdout.match(/^Wrote .*$/gm)).toHaveLength(1);
  expect(migrations()).toHaveLength(2);
});

test('the migration goes through twice as the hosted role, and nothing is sent before the install is bound', async () => {
  await createPlatform(db, { mailtrap_token: 'the-token-of-mailtrap' });
  await deploy();
  const script = await migration();
  for (const _ of [1, 2]) await db.sql.transaction((tx) => tx.script(script));
  const may = async (): Promise<string | undefined> =>
    (await db.app.query<{ may: string }>('select rollcall.pump_may() as may')).rows[0]?.may;
  expect(await may()).toBe('not_bound');
  const jobs = await db.app.query<{ command: string }>('select command from cron.job order by command');
  expect(jobs.rows.map(({ command }) => command)).toEqual(
    expect.arrayContaining(['call rollcall.pump()', 'call rollcall.upkeep()']),
  );
  await db.app.query(`select rollcall.bind('a-project', 'production')`);
  expect(await may()).toBe('may');
});

test('--print writes nothing', async () => {
  await createPlatform(db, { mailtrap_token: 'the-token-of-mailtrap' });
  const { code, stdout } = await deploy('--print');
  expect(code).toBe(0);
  for (const part of [
    'create schema if not exists rollcall',
    'call rollcall.pump()',
    'insert into rollcall.declared',
  ]) {
    expect(stdout).toContain(part);
  }
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

test('a policy that SQL alone cannot keep is refused, and told where it stands', async () => {
  await createPlatform(db, { mailtrap_token: 'the-token-of-mailtrap' });
  await change('    api_token:', '    on_delete: unsubscribe\n    api_token:');
  const { code, stdout, stderr } = await deploy();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/RC_HOME_POLICY: Mailtrap can't be told of an opt-out by SQL alone\./);
  expect(stderr).toMatch(/rollcall\.yaml:\d+:\d+/);
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

test('a secret that is not in Vault is refused, and how to put it there is told', async () => {
  await change('"${vault:mailtrap_token}"', '"${MAILTRAP_TOKEN}"');
  const { code, stderr } = await deploy();
  expect(code).toBe(1);
  expect(stderr).toMatch(/RC_DEPLOY_SECRET: api_token of mailtrap does not stand in Vault\./);
  expect(stderr).toContain('vault:mailtrap_api_token');
  expect(stderr).not.toContain('the-token-of-mailtrap');
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

test('lists that are named are written as their ids, which needs the secret', async () => {
  const sandbox = await startSandbox();
  onCleanup(() => sandbox.close());
  const list = sandbox.state.addList('Newsletter');
  await createPlatform(db, {});
  await writeFile(config, inVault(configText(sandbox.apiUrl, { destination: 'lists: [Newsletter]' })));
  const without = await deploy();
  expect(without.code).toBe(1);
  expect(without.stderr).toMatch(/mailtrap_token/);
  await db.app.query(`select vault.create_secret($1, 'mailtrap_token')`, [sandbox.token]);
  expect(await deploy()).toMatchObject({ code: 0, stderr: '' });
  expect(await migration()).toContain(`"lists":{"all":[${list.id}],`);
});

test('without names of lists it is written before the secret is in Vault', async () => {
  await createPlatform(db, {});
  expect(await deploy()).toMatchObject({ code: 0, stderr: '' });
  expect(migrations()).toHaveLength(1);
});

test('--help', async () => {
  const { code, stdout } = await rollcall(['deploy', 'sql', '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: rollcall deploy sql \[options\]\n\nWrites a migration with the install of `rollcall/);
  expect(stdout).toMatch(/Examples:\n {2}\$ rollcall deploy sql\n {2}\$ rollcall deploy sql --print\n/);
});
