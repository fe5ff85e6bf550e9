import { beforeEach, expect, test } from 'vitest';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { type Sandbox, startSandbox } from '../support/mailtrap-sandbox.ts';
import { createVault, putSecret } from '../support/vault.ts';
import { configText, type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let good: Sandbox;
let other: Sandbox;

beforeEach(async () => {
  db = await createDatabase();
  good = await startSandbox({ limitsScale: 100 });
  other = await startSandbox({ limitsScale: 100, token: 'the-key-of-the-other' });
  onCleanup(() => good.close());
  onCleanup(() => other.close());
});

/** Two destinations; \`lines\` are of the second. */
async function apply(
  lines: readonly string[],
  argv: readonly string[] = ['--yes'],
  more: RunOptions = {},
): Promise<Ran> {
  const second = ['type: mailtrap', `base_url: ${other.apiUrl}`, 'limits_scale: 100', ...lines];
  const text = configText(good.apiUrl).replace(
    'consent: nobody',
    `  other:\n${second.map((line) => `    ${line}\n`).join('')}consent: nobody`,
  );
  const config = await tempFile('rollcall.yaml', text);
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: good.token, ...more.env };
  return rollcall(['apply', '--config', config, ...argv], { ...more, env });
}

async function installed(): Promise<unknown[]> {
  const { rows } = await db.app.query<{ there: boolean }>(
    `select to_regclass('rollcall.destinations') is not null as there`,
  );
  if (rows[0]?.there !== true) return [];
  return (await db.app.query('select name from rollcall.destinations where enabled order by name')).rows;
}

const names = (sandbox: Sandbox): string[] => sandbox.state.fields().map((field) => field.merge_tag);
const WRONG = ['api_token: not-the-key-of-it'];
const BOTH = [{ name: 'mailtrap' }, { name: 'other' }];

test('a wrong key at one keeps nobody from the other, and is not hidden', async () => {
  const ran = await apply(WRONG);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('other: it can not be used\n');
  expect(ran.stdout).toContain('Created 2 fields at mailtrap.\nApplied.');
  expect(ran.stderr).toContain("error RC_FIELDS_UNREADABLE: The fields of other can't be read: ");
  expect(ran.stderr).toMatch(/\nLeft as it is: other\. Mend what is said above, and run `rollcall apply` again\.\n$/);
  expect(ran.stdout + ran.stderr).not.toContain('not-the-key-of-it');
  expect(names(good)).toContain('SIGNUP_DATE');
  expect(await installed()).toEqual(BOTH);
});

test('a person is asked, with the name of the one that is left', async () => {
  const no = await apply(WRONG, [], { answers: [false] });
  expect(no.stdout).toContain('? Apply these changes, and leave other as it is?\n');
  expect(no.code).toBe(1);
  expect(await installed()).toEqual([]);
  expect(names(good)).not.toContain('SIGNUP_DATE');
});

test('one that is skipped by its name is not asked, and is no problem', async () => {
  const ran = await apply(WRONG, ['--yes', '--skip-destinations', 'other']);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toContain('\nLeft out: other: fields that are missing there stay missing.\n');
  expect(names(good)).toContain('SIGNUP_DATE');
  const unknown = await apply(WRONG, ['--yes', '--skip-destinations', 'otter']);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain('error RC_DESTINATION_UNKNOWN: No destination of the config is called otter.');
});

test('a field of another type stops that destination alone', async () => {
  other.state.addField('SIGNUP_DATE', 'text');
  const ran = await apply(['api_token: the-key-of-the-other']);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('error RC_FIELD_TYPE: Fields at other');
  expect(ran.stdout).toContain('Fields at other: they do not fit\n');
  expect(names(other)).not.toContain('FIRSTNAME');
  expect(await installed()).toEqual(BOTH);
  // As a text there it fits.
  const mended = await apply([
    'api_token: the-key-of-the-other',
    'attributes: {retype: {SIGNUP_DATE: text}, rename: {FIRSTNAME: NAME}}',
  ]);
  expect(mended).toMatchObject({ code: 0, stderr: '' });
  expect(mended.stdout).toContain('\nContacts at other: FIRSTNAME as NAME, SIGNUP_DATE as text.\n');
  expect(mended.stdout).toContain('\nCreated 1 field at other.\n');
  expect(names(other)).toContain('NAME');
});

test('where all have a problem nothing is changed, and all are told', async () => {
  const ran = await apply(WRONG, ['--yes'], { env: { MAILTRAP_TOKEN: 'wrong-too-wrong' } });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('The fields of mailtrap');
  expect(ran.stderr).toContain('The fields of other');
  expect(await installed()).toEqual([]);
});

test('a secret that Vault does not have, and then has', async () => {
  await createVault(db);
  const key = ['api_token: "${vault:OTHER_KEY}"'];
  const ran = await apply(key);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    'error RC_VAULT_SECRET: Vault has nothing as "OTHER_KEY", which destinations.other needs.',
  );
  expect(await installed()).toEqual(BOTH);
  await putSecret(db, 'OTHER_KEY', 'the-key-of-the-other');
  expect(await apply(key)).toMatchObject({ code: 0, stderr: '' });
  expect(names(other)).toContain('FIRSTNAME');
});

test('audit reads those whose secrets are there', async () => {
  await createVault(db);
  const key = ['api_token: "${vault:OTHER_KEY}"'];
  await apply(key);
  const config = await tempFile(
    'rollcall.yaml',
    configText(good.apiUrl).replace(
      'consent: nobody',
      `  other:\n    type: mailtrap\n    base_url: ${other.apiUrl}\n    limits_scale: 100\n    ${key.join('')}\nconsent: nobody`,
    ),
  );
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: good.token };
  const ran = await rollcall(['audit', '--config', config], { env });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('error RC_VAULT_SECRET');
  expect(ran.stdout).toContain('mailtrap');
});

test('a list of the config is created where that is allowed, and said before', async () => {
  const refused = await apply(['api_token: the-key-of-the-other', 'lists: [News]']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('create_missing: [fields, lists]');
  const ran = await apply(['api_token: the-key-of-the-other', 'lists: [News]', 'create_missing: true']);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toContain('\nLists at other that will be created: News\n');
  expect(ran.stdout).toContain('Created 1 list at other.\n');
  expect(other.state.lists().map(({ name }) => name)).toEqual(['News']);
});
