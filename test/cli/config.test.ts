import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { rollcall, tempFile } from './run-cli.ts';

const FULL = `environment: staging
connectors:
  supabase:
    sync: {users: true, tables: [orders]}
    user_mapping:
      email: email
      phone: {to: SMS, transform: e164}
      created_at: [SIGNUP_DATE, {to: COHORT, transform: date, type: date}]
      attributes:
        SOURCE: {const: supabase}
        TENURE: {sql: "extract(day from now() - created_at)::int", type: integer}
      where: "user_metadata->>'plan' is not null"
      unconfirmed: true
destinations:
  crm: {type: mailtrap, api_token: "\${TOKEN}"}
consent: {column: user_metadata.opt_in}
`;

describe('config check', () => {
  test('what a config means', async () => {
    const file = await tempFile('rollcall.yaml', FULL);
    const ran = await rollcall(['config', 'check', '--config', file], { env: { TOKEN: 'secret-token' } });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const [warnings = '', summary = ''] = ran.stdout.split('1 warning.\n\n');
    expect(warnings).toMatch(/^warning RC_\w+:\s.*rollcall\.yaml:4:/s);
    expect(summary).toBe(`ok ${file}, environment staging

destinations  crm (mailtrap)
on_delete     delete
consent       people whose user_metadata.opt_in is true
address       email, also unconfirmed ones
only where    user_metadata->>'plan' is not null
attributes
  phone (e164)                          ->  SMS
  created_at                            ->  SIGNUP_DATE
  created_at (date)                     ->  COHORT       date
  constant "supabase"                   ->  SOURCE
  sql: extract(day from now() - creat…  ->  TENURE       integer
database      not checked: no database URL is set
`);
    expect(ran.stdout).not.toContain('secret-token');
  });

  test('an empty config: no destinations', async () => {
    const file = await tempFile('rollcall.yaml', 'environment: test\nconnectors: {supabase: {enabled: false}}\n');
    const { code, stdout } = await rollcall(['config', 'check', '--config', file]);
    expect(code).toBe(0);
    expect(stdout).toContain('destinations  none: nothing is sent\nenabled       false: nothing is captured or sent\n');
  });

  test('what a worker logs, where the config asks for more or less of it', async () => {
    const check = async (log: string): Promise<string> => {
      const file = await tempFile('rollcall.yaml', `environment: test\nconnectors: {supabase: {${log}}}\n`);
      return (await rollcall(['config', 'check', '--config', file])).stdout;
    };
    const page = 'debug: true, log_level: verbose, log_queries: true, log_realtime: true';
    expect(await check(page)).toContain(
      `logging       debug: a line for each attempt; the text of queries, without
              values; batches of changes, as counts\n`,
    );
    expect(await check('log_level: error')).toContain('logging       error and above\n');
    expect(await check('log_level: info')).not.toContain('logging');
  });

  test('every mistake at once, with place, line and suggestion', async () => {
    const file = await tempFile('rollcall.yaml', 'enviroment: test\ndestinations: {mailtrap: {api_token: "${NO}"}}\n');
    const ran = await rollcall(['config', 'check', '--config', file]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain(`error RC_CONFIG_INVALID: ${file} has 3 mistakes.`);
    expect(ran.stderr).toContain(`${file}:1:1`);
    expect(ran.stderr).toContain('Did you mean "environment"?');
    expect(ran.stderr).toContain('the environment variable NO is not set');
    expect(ran.stderr).toContain('consent is missing');
  });

  test('--json for a good config holds no secret', async () => {
    const file = await tempFile('rollcall.yaml', FULL);
    const ran = await rollcall(['config', 'check', '--config', file, '--json'], { env: { TOKEN: 'secret-token' } });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ok: true,
      environment: 'staging',
      destinations: [{ name: 'crm', type: 'mailtrap', on_delete: 'delete' }],
      database: { checked: false, reason: 'no database URL is set' },
      consent: 'people whose user_metadata.opt_in is true',
      warnings: [{ line: 4 }],
    });
    expect(ran.stdout).not.toContain('secret-token');
  });

  test('--json for mistakes, and for a file that is not there', async () => {
    const file = await tempFile('rollcall.yaml', 'enviroment: test\n');
    const ran = await rollcall(['config', 'check', '--config', file, '--json']);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, errors: [{ place: { line: 1, column: 1 } }] });
    const missing = await rollcall(['config', 'check', '--config', '/nowhere.yaml', '--json']);
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.stdout)).toMatchObject({ ok: false, errors: [{ code: 'RC_CONFIG_NOT_FOUND' }] });
  });
});

test('config schema prints a JSON Schema that compiles', async () => {
  const ran = await rollcall(['config', 'schema']);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const validate = new Ajv2020({ strict: false, code: { optimize: false } }).compile(JSON.parse(ran.stdout) as object);
  expect(validate({ environment: 'test' })).toBe(true);
  expect(validate({ enviroment: 'test' })).toBe(false);
});
