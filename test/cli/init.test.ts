import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { rollcall, tempFolder } from './run-cli.ts';

const SECRETS = { MAILTRAP_TOKEN: 'token-1', DATABASE_URL: 'postgres://localhost/x', MY_DB: 'postgres://localhost/y' };

const consents = [
  [['--consent', 'nobody'], { kind: 'nobody' }],
  [
    ['--consent', 'column:user_metadata.marketing_opt_in'],
    { kind: 'column', path: ['user_metadata', 'marketing_opt_in'] },
  ],
  [
    ['--consent', 'everyone:customers: "soft opt-in" #1, ${NOT_A_VARIABLE}'],
    { kind: 'everyone', basis: 'customers: "soft opt-in" #1, ${NOT_A_VARIABLE}' },
  ],
] as const;
const urls = [[], ['--database-url-env', 'MY_DB']] as const;
const accounts = [[], ['--account-id', '12345']] as const;
const lists = [[], ['--list', '42'], ['--list', '42', '--list', 'News: "all"', '--list', '007']] as const;
const combinations = consents.flatMap(([consent, basis]) =>
  urls.flatMap((url) =>
    accounts.flatMap((account) =>
      lists.map((list) => ({
        flags: [...consent, ...url, ...account, ...list],
        basis,
        url,
        account,
        list,
        title: [...consent, ...url, ...account, ...list].join(' '),
      })),
    ),
  ),
);

describe('the file it writes loads', () => {
  test.each(combinations)('$title', async ({ flags, basis, url, account, list }) => {
    const file = join(await tempFolder(), 'rollcall.yaml');
    const ran = await rollcall(['init', '--output', file, ...flags]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const text = await readFile(file, 'utf8');
    for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
    const config = parseConfig(text, { file, env: SECRETS, registry });
    expect(config.warnings).toEqual([]);
    expect(config.consent).toMatchObject(basis);
    expect(config.environment).toBe('production');
    expect(config.databaseUrl).toBe(url.length === 0 ? SECRETS.DATABASE_URL : SECRETS.MY_DB);
    expect(config.userMapping.address).toEqual(['email']);
    expect(config.userMapping.attributes.map((a) => a.name)).toEqual([
      'SMS',
      'FIRSTNAME',
      'AVATAR_URL',
      'SIGNUP_DATE',
      'LAST_SIGN_IN',
      'PROVIDER',
      'CONFIRMED_AT',
    ]);
    expect(config.destinations).toHaveLength(1);
    expect(config.destinations[0]).toMatchObject({
      name: 'mailtrap',
      type: 'mailtrap',
      options: {
        api_token: 'token-1',
        lists: [[], [42], [42, 'News: "all"', '007']][lists.indexOf(list)],
      },
    });
    const { account_id: id } = config.destinations[0]!.options as { account_id?: string };
    expect(id).toBe(account.length === 0 ? undefined : '12345');
  });

  test('its mapping is the default mapping, spelled out', async () => {
    const file = join(await tempFolder(), 'rollcall.yaml');
    await rollcall(['init', '--output', file, '--consent', 'nobody']);
    const written = parseConfig(await readFile(file, 'utf8'), { file, env: SECRETS, registry });
    const without = parseConfig('environment: production\n', { file, env: SECRETS, registry });
    const bare = written.userMapping.attributes.map(({ name, source, transforms }) => ({ name, source, transforms }));
    expect(bare).toEqual(
      without.userMapping.attributes.map(({ name, source, transforms }) => ({ name, source, transforms })),
    );
  });

  test('MAILTRAP_ACCOUNT_ID is used where it is set', async () => {
    const file = join(await tempFolder(), 'rollcall.yaml');
    await rollcall(['init', '--output', file, '--consent', 'nobody']);
    const env = { ...SECRETS, MAILTRAP_ACCOUNT_ID: '777' };
    const config = parseConfig(await readFile(file, 'utf8'), { file, env, registry });
    expect(config.destinations[0]?.options).toMatchObject({ account_id: '777' });
  });
});

test('says what comes next', async () => {
  const file = join(await tempFolder(), 'rollcall.yaml');
  const init = ['init', '--config', file, '--consent', 'nobody'];
  const then = `then run\n  rollcall --config ${file} apply\n  rollcall --config ${file} start\n`;
  const ran = await rollcall(init);
  expect(ran.stdout).toBe(`Wrote ${file}.\nNext: set DATABASE_URL and MAILTRAP_TOKEN, ${then}`);
  const known = await rollcall([...init, '--force'], { env: { DATABASE_URL: 'postgresql://x/y' } });
  expect(known.stdout).toBe(`Wrote ${file}.\nNext: set MAILTRAP_TOKEN, ${then}`);
});

describe('what it refuses', () => {
  const consent = ['--consent', 'nobody'];

  test('no consent basis: there is no default, and the three are explained', async () => {
    expect(await rollcall(['init', '--list', '3'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `error RC_INIT_CONSENT: Say who may be mailed; there is no default.
  --consent nobody             nobody is subscribed until an opt-in
  --consent column:<path>      people for whom it is true, for example
                               column:user_metadata.marketing_opt_in
  --consent everyone:<basis>   everyone, on a basis you state and can show
`,
    });
  });

  test.each([
    [['--consent', 'yes'], 'RC_INIT_CONSENT: --consent is not one of its forms.'],
    [['--consent', 'column:'], 'RC_INIT_CONSENT'],
    [['--consent', 'everyone: '], 'RC_INIT_CONSENT'],
    [['--consent', 'column:encrypted_password'], 'RC_INIT_OPTION: These answers make no valid config: '],
    [['--consent', 'column:user_metdata.x'], 'Did you mean'],
    [[...consent, '--destination', 'brevo'], 'RC_INIT_OPTION: There is no destination "brevo".'],
    [
      [...consent, '--database-url-env', 'postgres://u:hunter2@h/d'],
      'RC_INIT_OPTION: --database-url-env takes the name',
    ],
    [[...consent, '--account-id', 'abc'], 'RC_INIT_OPTION: --account-id takes a number.'],
    [[...consent, '--list', ''], 'RC_INIT_OPTION: These answers make no valid config: '],
  ] as const)('%j', async (flags, says) => {
    const file = join(await tempFolder(), 'rollcall.yaml');
    const ran = await rollcall(['init', '--output', file, ...flags]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(says);
    expect(ran.stderr).not.toContain('hunter2');
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a file that is there already, unless --force', async () => {
    const file = join(await tempFolder(), 'rollcall.yaml');
    await writeFile(file, 'mine');
    expect(await rollcall(['init', '--output', file, ...consent])).toEqual({
      code: 1,
      stdout: '',
      stderr: `error RC_INIT_EXISTS: ${file} exists already.\n  Use --force to overwrite it, or --output to write another file.\n`,
    });
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await rollcall(['init', '--output', file, ...consent, '--force'])).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('consent: nobody');
  });

  test('a place that can’t be written', async () => {
    const file = join(await tempFolder(), 'missing', 'rollcall.yaml');
    const ran = await rollcall(['init', '--output', file, ...consent]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('RC_INIT_WRITE') as unknown });
  });
});
