import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { install } from '../support/install.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

const ANN = '00000000-0000-4000-8000-00000000000a';
// Names that break whatever is not quoted.
const YAML = `
environment: test
database_url: "\${DATABASE_URL}"
connectors:
  supabase:
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      unconfirmed: true
      user_metadata.n: { to: N, type: integer }
    table_mapping:
      "we'ird.Cust\\"omers $rollcall$":
        email: email
        'pl''an "x"': "PL'AN"
        where: '"or" is not true'
      orders:
        sync_as: events
        event_name: order_placed
        contact: { email: customer_email }
        when: total > 0
        properties: { total: amount }
    events: { user.signed_up: true }
destinations:
  mailtrap: { api_token: token-0123456789, base_url: "http://127.0.0.1:9" }
  second: { type: mailtrap, api_token: token-0123456789, base_url: "http://127.0.0.1:9/2", where: "n > 5" }
consent: { everyone: "they agreed to the terms" }
`;
/** What is applied: one destination fewer, and nothing of the tables. */
const OTHER = `${YAML.slice(0, YAML.indexOf('    table_mapping:'))}
destinations: { mailtrap: { api_token: token-0123456789, base_url: "http://127.0.0.1:9" } }
consent: { everyone: "they agreed to the terms" }
`;
const TABLES = `
  create schema "we'ird";
  create table "we'ird"."Cust""omers $rollcall$" (a int, "b;--" text, email text, "pl'an ""x""" text, "or" boolean, primary key (a, "b;--"));
  create table orders (id bigint primary key, customer_email text, total numeric);
  grant usage on schema "we'ird" to hosted;
  grant select, trigger on all tables in schema public, "we'ird" to hosted;
  insert into auth.users (id, email, raw_user_meta_data) values ('${ANN}', 'ann@x.test', '{"full_name": "Ann", "n": "7"}');
  insert into "we'ird"."Cust""omers $rollcall$" values (1, 'x', 'ann@x.test', 'pro', false), (2, 'y', 'bob@x.test', 'free', null), (3, 'z', 'eve@x.test', 'free', true);
  insert into orders values (1, 'bob@x.test', 9007199254740993.10), (2, 'bob@x.test', 0), (3, null, 1);`;

let db: TestDatabase;
let end: () => Promise<void>;

beforeAll(async () => {
  [db, end] = await createLastingDatabase();
  await db.app.query(TABLES);
});
afterAll(() => end());

async function run(argv: readonly string[], yaml = YAML): Promise<Ran> {
  const file = await tempFile('rollcall.yaml', yaml);
  return rollcall([...argv, '--config', file], { env: { DATABASE_URL: db.hostedUrl } });
}

const HOSTILE = `we'ird.Cust"omers $rollcall$`;

/** What of Rollcall is in the database: nothing of a preview may stay. */
async function traces(): Promise<unknown> {
  const { rows } = await db.app.query(`select to_regnamespace('rollcall') is not null as installed,
    (select md5(string_agg(p.oid::text || p.xmin, ' ' order by p.oid)) from pg_proc p where p.pronamespace = to_regnamespace('rollcall')) as functions,
    (select count(*)::int from pg_trigger where not tgisinternal) as triggers`);
  return rows[0];
}

test('nothing is installed: rows of a table whose names break whatever is not quoted', async () => {
  const before = await traces();
  expect(await run(['preview', HOSTILE, '--limit', '5'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `we'ird.Cust"omers $rollcall$ [1, "x"]
  row       a 1, or false, b;-- "x", email "ann@x.test", pl'an "x" "pro"
  leads to  whoever has ann@x.test
  mailtrap  address  "ann@x.test" (user 00000000-0000-4000-8000-00000000000a)
            consent  "basis"
            N  7
            PL'AN  "pro"
            FIRSTNAME  "Ann"
  second    address  "ann@x.test" (user 00000000-0000-4000-8000-00000000000a)
            consent  "basis"
            N  7
            PL'AN  "pro"
            FIRSTNAME  "Ann"

we'ird.Cust"omers $rollcall$ [2, "y"]
  row       a 2, or null, b;-- "y", email "bob@x.test", pl'an "x" "free"
  leads to  whoever has bob@x.test
  mailtrap  address  "bob@x.test"
            consent  "basis"
            PL'AN  "free"
  second    no contact: A condition of the config (\`where\`) is not true of them.

we'ird.Cust"omers $rollcall$ [3, "z"]
  row       a 3, or true, b;-- "z", email "eve@x.test", pl'an "x" "free"
  left out  the condition of the mapping (\`where\`) is not true of it
  leads to  whoever has eve@x.test
  mailtrap  no contact: No row makes one of them.
  second    no contact: No row makes one of them.

Nothing is installed: compiled in one transaction, and rolled back.
`,
  });
  expect(await traces()).toEqual(before);
});

test('a row of a key of several columns, however its JSON is spaced', async () => {
  for (const row of ['[2,"y"]', ' [ "2" , "\\u0079" ]']) {
    const { code, stdout } = await run(['preview', HOSTILE, '--row', row]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^we'ird\.Cust"omers \$rollcall\$ \[2, "y"\]\n/)]);
  }
  for (const row of ['[2, "y", null]', '2', '[']) {
    expect((await run(['preview', HOSTILE, '--row', row])).stderr).toMatch(
      /^error RC_PREVIEW_ROW: .*\n {2}--row takes a JSON array of its primary key: a, b;--\.\n$/,
    );
  }
});

describe('beside an install of another config', () => {
  let before: unknown;
  beforeAll(async () => {
    await install(
      db,
      parseConfig(OTHER, { file: 'rollcall.yaml', env: { DATABASE_URL: db.hostedUrl }, registry }),
      'test',
    );
    before = await traces();
  });
  afterEach(async () => {
    expect(await traces()).toEqual(before);
    const { rows } = await db.app.query('select count(*)::int as n from rollcall.contacts');
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('events of a row, and a row of nobody', async () => {
    const { code, stdout } = await run(['preview', 'public.orders', '--limit', '3']);
    expect(code).toBe(0);
    expect(stdout).toBe(`public.orders 1
  row       id 1, total 9007199254740993.10, customer_email "bob@x.test"
  leads to  whoever has bob@x.test
  mailtrap  address  "bob@x.test"
            consent  "basis"
            PL'AN  "free"
  second    no contact: A condition of the config (\`where\`) is not true of them.
  insert    event order_placed  {"amount":9007199254740993.10}

public.orders 2
  row       id 2, total 0, customer_email "bob@x.test"
  leads to  whoever has bob@x.test
  mailtrap  address  "bob@x.test"
            consent  "basis"
            PL'AN  "free"
  second    no contact: A condition of the config (\`where\`) is not true of them.
  insert    no event: its condition is not true

public.orders 3
  row       id 3, total 1, customer_email null
  leads to  nobody
  insert    event order_placed  {"amount":1}

Compiled beside what is installed, and rolled back.
`);
  });

  test('one row by its key, of one column or of several, as JSON', async () => {
    const user = JSON.parse((await run(['preview', 'users', '--row', ANN, '--json'])).stdout) as object;
    expect(user).toMatchObject({
      table: 'auth.users',
      installed: true,
      rows: [
        {
          id: ANN,
          key: ANN,
          row: { email: 'ann@x.test', user_metadata: { full_name: 'Ann' } },
          destinations: [
            { destination: 'mailtrap', verdict: 'ok', attributes: { FIRSTNAME: 'Ann', N: 7, "PL'AN": 'pro' } },
            { destination: 'second', verdict: 'ok' },
          ],
          events: [{ operation: 'insert', name: 'user.signed_up', verdict: 'ok' }],
          problems: [],
        },
      ],
    });
    const several = JSON.parse((await run(['preview', HOSTILE, '--row', '[3, "z"]', '--json'])).stdout) as object;
    expect(several).toMatchObject({ rows: [{ id: '[3, "z"]', holds: false, key: 'email:eve@x.test' }] });
  });

  test('a value that cannot be mapped is told with its place', async () => {
    await db.app.query(`update auth.users set raw_user_meta_data = '{"n": "seven"}'`);
    const { code, stdout } = await run(['preview', 'users', '--row', ANN]);
    await db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Ann", "n": "7"}'`);
    expect(code).toBe(1);
    expect(stdout).toContain(`mailtrap  can't be mapped: 22P02 invalid input syntax for type bigint: "seven"`);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /22P02 at \S+rollcall\.yaml:10:7 \(connectors\.supabase\.user_mapping\.user_metadata\.n\): invalid input/,
    );
  });

  test.each([
    [['nothing'], 'RC_PREVIEW_TABLE: The config reads no table "nothing".\n  It reads auth.users, '],
    [
      ['orders', '--row', 'x'],
      'RC_PREVIEW_ROW: There is no such row of public.orders.\n  --row takes a value of its primary key, id.',
    ],
    [['orders', '--row', '17'], 'RC_PREVIEW_ROW: '],
    [[HOSTILE, '--row', '1'], 'RC_PREVIEW_ROW: '],
  ])('%j', async (argv, words) => {
    const { code, stdout, stderr } = await run(['preview', ...argv]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`error ${words}`);
  });

  test('a mistake in the mapping is told with its place, and an earlier version is to be upgraded first', async () => {
    const wrong = await run(['preview', 'orders'], YAML.replace('total: amount', 'totl: amount'));
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/^error RC_CONFIG_COLUMN_UNKNOWN: .*\n.*rollcall\.yaml:21:23\n/),
    ]);
    const last = '(select max(version) from rollcall.migrations)';
    const { rows } = await db.app.query(`delete from rollcall.migrations where version = ${last} returning *`);
    const old = await run(['preview', 'orders']);
    const { version, name } = rows[0];
    await db.app.query('insert into rollcall.migrations (version, name) values ($1, $2)', [version, name]);
    expect([old.code, old.stderr]).toEqual([1, expect.stringContaining('error RC_PREVIEW_UPGRADE: ')]);
  });
});
