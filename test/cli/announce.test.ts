import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { createDatabase } from '../support/database.ts';
import { configText, type Ran, rollcall, tempFile } from './run-cli.ts';

test('apply says how many contacts change and leave before it asks, and lets as many pass', async () => {
  const db = await createDatabase();
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: '0123456789abcdef' };
  const text = configText('http://127.0.0.1:9');
  const apply = async (yaml: string, answers: readonly boolean[]): Promise<Ran> =>
    rollcall(['apply', '--skip-destinations', '--config', await tempFile('rollcall.yaml', yaml)], { env, answers });
  expect((await apply(text, [true])).stdout).not.toContain('Contacts at');
  await db.app.query(
    `insert into auth.users (id, email, created_at) select gen_random_uuid(), 'u' || i || '@x.test', now() from generate_series(1, 50) i`,
  );
  const { hash } = parseConfig(text, { file: 'rollcall.yaml', env, registry });
  await db.app.query('select rollcall.fold($1, 1000)', [hash]);
  await db.app.query(
    `update rollcall.desired set delivered_version = version, remote_address = address; delete from rollcall.due`,
  );
  expect((await apply(text, [true])).stdout).not.toContain('Contacts at');

  const other = text.replace('unconfirmed: true', `unconfirmed: true\n      where: "email <> 'u7@x.test'"`);
  const { stdout } = await apply(other.replace('created_at: SIGNUP_DATE', 'created_at: SINCE'), [true]);
  expect(stdout).toContain(`
Contacts at mailtrap: 49 will change, 1 will leave. Once confirmed, they pass
the brakes within the next hour.

? Apply these changes?
Applied.`);
  const { rows } = await db.app.query('select kind, allowance::int as n from rollcall.brakes order by 1');
  expect(rows).toEqual([
    { kind: 'changes', n: 49 },
    { kind: 'deletes', n: 1 },
  ]);
  expect((await apply(text, [false])).stdout).toContain('Contacts at mailtrap: 0 will change, 0 will leave.\n');
});
