import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { installed, type Installed } from '../integration/database/support.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

const YAML = `
environment: test
database_url: "\${DATABASE_URL}"
connectors:
  supabase:
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      attributes: { ORDERS: { sql: "count(*)", from: 'Or"ders', contact: { customer_email: null } } }
      unconfirmed: false
    table_mapping:
      customers:
        email: email
        plan: PLAN
        mrr: MRR
        where: archived is not true
destinations: { mailtrap: { api_token: "\${MAILTRAP_TOKEN}", base_url: "http://127.0.0.1:9" } }
consent: { everyone: "they agreed to the terms" }
`.replace(`, contact: { customer_email: null }`, '');
const ENV = { MAILTRAP_TOKEN: '0123456789abcdef' };
const TABLES = `
  create table customers (id bigint primary key, email text, plan text, mrr numeric, archived boolean);
  create table "Or""ders" (id bigint primary key, customer_email text);
  grant select, trigger on all tables in schema public to hosted;`;
const ANN = '00000000-0000-4000-8000-00000000000a';

let db: TestDatabase;
let end: () => Promise<void>;
let one: Installed;

beforeAll(async () => {
  [db, end] = await createLastingDatabase(true);
  await db.app.query(TABLES);
  one = await installed(
    parseConfig(YAML, { file: 'rollcall.yaml', env: { ...ENV, DATABASE_URL: db.hostedUrl }, registry }),
    db,
  );
});
afterAll(() => end());

async function why(who: string, ...more: string[]): Promise<Ran> {
  const file = await tempFile('rollcall.yaml', YAML);
  return rollcall(['why', who, ...more, '--config', file], { env: { ...ENV, DATABASE_URL: db.hostedUrl } });
}

/** The text with the moments of this run put away. */
async function text(who: string): Promise<string> {
  const { code, stdout, stderr } = await why(who);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  return stdout
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<minute, in UTC    >')
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.+]+"/g, '"<time>"');
}

test('from the sign-up on', async () => {
  await db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, email_confirmed_at) values ($1, 'ann@x.test', '{"full_name": "Ann"}', null)`,
    [ANN],
  );
  await db.app
    .query(`insert into customers values (1, 'ann@x.test', 'free', 9007199254740993.10, false), (2, 'ANN@x.test', 'old', 1, true);
    insert into "Or""ders" values (1, 'ann@x.test')`);
  console.log(await text('ann@x.test'));
  await one.foldAll();
  console.log(await text(ANN));
  await db.app.query(`update auth.users set email_confirmed_at = now()`);
  await one.foldAll();
  console.log(await text(ANN));
  await one.deliverAll();
  console.log(await text(ANN));
  await db.app.query(`update customers set plan = 'pro', mrr = null where id = 1`);
  console.log(await text(ANN));
  await one.foldAll();
  console.log(await text(ANN));
  const [claimed] = await one.claim();
  await one.settle(claimed!, {
    kind: 'reject',
    code: 'invalid_field',
    field: 'PLAN',
    message: 'PLAN: "pro" is\n no plan of ann@x.test',
  });
  console.log(await text(ANN));
  console.log((await why(ANN, '--json')).stdout);
  console.log(await why('nobody@x.test'));
});
