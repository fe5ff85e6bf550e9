import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import type { DestinationConfig } from '../../../src/config/types.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { resolveConfig, resolveOptions } from '../../../src/homes/resolve-options.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { createDatabase } from '../../support/database.ts';
import { createVault, putSecret } from '../../support/vault.ts';
import { REF } from './support.ts';

const text = (...options: readonly string[]): string =>
  `environment: test\nconsent: nobody\ndestinations:\n  mailtrap:\n${options.map((line) => `    ${line}\n`).join('')}`;
const configOf = (...options: readonly string[]) =>
  parseConfig(text(...options), { file: 'rollcall.yaml', env: {}, registry });
const entryOf = (...options: readonly string[]): DestinationConfig => configOf(...options).destinations[0]!;

const ENTRY = entryOf('api_token: "${vault:mailtrap token}"');
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

test('a secret is read, and read again when it has changed', async () => {
  const db = await createDatabase();
  await createVault(db);
  await putSecret(db, 'mailtrap token', 'the-first-token');
  expect(await resolveOptions(ENTRY, db.sql, registry)).toMatchObject({ api_token: 'the-first-token' });
  await putSecret(db, 'mailtrap token', 'the-second-token');
  expect(await resolveOptions(ENTRY, db.sql, registry)).toMatchObject({ api_token: 'the-second-token' });
});

test('without secrets in Vault nobody asks for it', async () => {
  const db = await createDatabase();
  const entry = entryOf('api_token: "0123456789"');
  expect(await resolveOptions(entry, db.sql, registry)).toBe(entry.options);
});

test('what is missing is named, with what creates it', async () => {
  const db = await createDatabase();
  await createVault(db);
  await putSecret(db, 'EMPTY', '');
  const entry = entryOf('api_token: "${vault:it\'s}"', 'account_id: "${vault:EMPTY}"');
  expect(await caught(resolveOptions(entry, db.sql, registry))).toMatchObject({
    code: 'RC_VAULT_SECRET',
    message: `Vault has nothing as "it's", "EMPTY", which destinations.mailtrap needs.`,
    hint: `Create it: select vault.create_secret('<the value>', 'it''s');`,
  });
});

test('no Vault, no right, and a row that is no secret', async () => {
  const db = await createDatabase();
  expect(await caught(resolveOptions(ENTRY, db.sql, registry))).toMatchObject({
    code: 'RC_VAULT_SECRET',
    message: expect.stringContaining('There is no Vault in this database') as unknown,
  });
  await createVault(db, false);
  await putSecret(db, 'mailtrap token', 'the-first-token');
  expect(await caught(resolveOptions(ENTRY, db.sql, registry))).toMatchObject({
    code: 'RC_VAULT_SECRET',
    message: expect.stringContaining('The role "hosted" may not read Vault') as unknown,
    hint: expect.stringContaining('grant select on vault.decrypted_secrets to "hosted"') as unknown,
  });
  await db.app.query(`grant usage on schema vault to hosted; grant select on vault.decrypted_secrets to hosted`);
  await db.app.query(`insert into vault.secrets (name, secret) values ('plain', 'not encrypted')`);
  // One that was inserted past create_secret spoils itself alone.
  expect(await resolveOptions(ENTRY, db.sql, registry)).toMatchObject({ api_token: 'the-first-token' });
  const plain = await caught(resolveOptions(entryOf('api_token: "${vault:plain}"'), db.sql, registry));
  expect(plain).toMatchObject({
    code: 'RC_VAULT_SECRET',
    message: `Vault can't decrypt "plain", which destinations.mailtrap needs.`,
  });
});

test('a value that does not fit is not shown', async () => {
  const db = await createDatabase();
  await createVault(db);
  await putSecret(db, 'mailtrap token', 'two words of a secret\nand a line');
  const error = await caught(resolveOptions(ENTRY, db.sql, registry));
  expect(error).toMatchObject({
    code: 'RC_VAULT_SECRET',
    message: expect.stringContaining('"mailtrap token"') as unknown,
  });
  expect(JSON.stringify(error) + String(error)).not.toMatch(/two words|a line/);
});

test('one that is missing stands in no other way', async () => {
  const db = await createDatabase();
  await createVault(db);
  await putSecret(db, 'GOOD', 'a-good-token');
  const config = configOf('api_token: "${vault:GONE}"');
  const [entry] = config.destinations;
  const both = { ...config, destinations: [entry!, { ...entryOf('api_token: "${vault:GOOD}"'), name: 'other' }] };
  const { config: resolved, problems } = await resolveConfig(both, db.sql, registry);
  expect([...problems.keys()]).toEqual(['mailtrap']);
  expect(resolved.destinations[0]).toBe(entry);
  expect(resolved.destinations[1]?.options).toMatchObject({ api_token: 'a-good-token' });
});

test('the account that Vault names must be the one that was applied', async () => {
  const db = await createDatabase();
  await createVault(db);
  const config = configOf('api_token: "${vault:KEY}"', 'account_id: "${vault:ACCOUNT}"');
  const [entry] = config.destinations;
  // Applied without the secrets, nobody knows the account; the first that is named is it.
  await applyInstall(db.sql, config, REF);
  const account = async (): Promise<unknown> =>
    (await db.app.query('select account from rollcall.destinations')).rows[0].account;
  expect(await account()).toBe('');
  await putSecret(db, 'KEY', 'a-good-token');
  await putSecret(db, 'ACCOUNT', '5');
  expect(await resolveOptions(entry!, db.sql, registry)).toMatchObject({ account_id: '5' });
  expect(await account()).toBe('https://mailtrap.io 5');
  await applyInstall(db.sql, config, REF);
  expect(await account()).toBe('https://mailtrap.io 5');
  await putSecret(db, 'ACCOUNT', '6');
  expect(await caught(resolveOptions(entry!, db.sql, registry))).toMatchObject({ code: 'RC_VAULT_ACCOUNT' });
  await applyInstall(db.sql, (await resolveConfig(config, db.sql, registry)).config, REF);
  expect(await resolveOptions(entry!, db.sql, registry)).toMatchObject({ account_id: '6' });
});
