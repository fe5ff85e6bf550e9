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

const ROWS = `Rows
  auth.users
    id "${ANN}", email "ann@x.test", deleted_at
    null, banned_until null, is_anonymous false, user_metadata
    {"full_name":"Ann"}, email_confirmed_at null, phone_confirmed_at null
`;

describe('one person, from the sign-up on', () => {
  test('nobody has looked at them yet', async () => {
    await db.app.query(
      `insert into auth.users (id, email, raw_user_meta_data, email_confirmed_at) values ($1, 'ann@x.test', '{"full_name": "Ann"}', null)`,
      [ANN],
    );
    expect(await text(ANN)).toBe(`user ${ANN}: no contact yet

${ROWS}
mailtrap: nothing decided yet
  rows say  contact nothing -> "unconfirmed"
  to do     Nobody has looked at it yet. Nobody delivers: run \`rollcall start\`.

They have said nothing of being mailed that was recorded.
`);
  });

  test('no contact, and why', async () => {
    await one.foldAll();
    expect(await text(ANN)).toContain(`mailtrap: no contact
  shall be  no contact (unconfirmed)
  to do     The address is not confirmed yet. They are sent once it is;
            \`unconfirmed: true\` in the mapping sends them before.
`);
  });

  test('in step, with the rows of tables and those that a condition leaves out', async () => {
    await db.app
      .query(`insert into customers values (1, 'ann@x.test', 'free', 9007199254740993.10, false), (2, 'ANN@x.test', 'old', 1, true);
      insert into "Or""ders" values (1, 'ann@x.test'); update auth.users set email_confirmed_at = now()`);
    await one.foldAll();
    await one.deliverAll();
    expect((await text(' ANN@x.test')).replace(/^.*?contact \d+$/m, 'user: contact')).toBe(`user: contact

${ROWS.replace('email_confirmed_at null, phone_confirmed_at null', 'email_confirmed_at "<time>",\n    phone_confirmed_at null')}  public.customers
    id 2, mrr 1, plan "old", email "ANN@x.test", archived true
      left out: not archived is not true
    id 1, mrr 9007199254740993.10, plan "free", email "ann@x.test", archived
    false
  public.Or"ders
    id 1, customer_email "ann@x.test"

mailtrap: in step
  shall be  address  "ann@x.test"
            consent  "basis"
            MRR  9007199254740993.10
            PLAN  "free"
            ORDERS  1
            FIRSTNAME  "Ann"
  there     ann@x.test, version 2 of 2
  tried     <minute, in UTC    >  upsert 2  delivered

They have said nothing of being mailed that was recorded.
`);
  });

  test('a change that nobody has looked at', async () => {
    await db.app.query(`update customers set plan = 'pro', mrr = null where id = 1`);
    expect(await text(ANN)).toContain(`
  rows say  MRR 9007199254740993.10 -> nothing, PLAN "free" -> "pro"
  there     ann@x.test, version 2 of 2
  tried     <minute, in UTC    >  upsert 2  delivered
  to do     Nobody has looked at it yet. Nobody delivers: run \`rollcall start\`.
`);
  });

  const changed = `
  shall be  address  "ann@x.test"
            consent  "basis"
            PLAN  "free" -> "pro"
            ORDERS  1
            FIRSTNAME  "Ann"
            MRR  9007199254740993.10 -> nothing
  there     ann@x.test, version 2 of 3
`;

  test('due, and how it differs from what was delivered', async () => {
    await one.foldAll();
    const told = await text(ANN);
    expect(told).toContain(`mailtrap: due since <minute, in UTC    >, next try now${changed}`);
    expect(told).toContain('  to do     Nobody delivers: run `rollcall start`.\n');
  });

  test('refused, in the words of the destination; it is known still what was delivered', async () => {
    const [claimed] = await one.claim();
    const message = 'PLAN: "pro" is\n no plan of ann@x.test';
    await one.settle(claimed!, { kind: 'reject', code: 'invalid_field', field: 'PLAN', message });
    expect(await text(ANN)).toContain(`mailtrap: failed <minute, in UTC    >, not tried again by itself${changed}`);
    expect(await text(ANN)).toContain(`  tried     <minute, in UTC    >  upsert 3  reject  invalid_field: PLAN: "pro"
            is no plan of ann@x.test
            <minute, in UTC    >  upsert 2  delivered
  failed    invalid_field (PLAN): PLAN: "pro" is no plan of ann@x.test
  to do     Mailtrap does not take this value for PLAN. Compare the type of the
            field under Contacts, Fields with that of the attribute, and correct
            the value or map it with another type.
`);
  });

  test('tried again, with another change on the way, and an opt-out', async () => {
    await db.app.query(`select rollcall.retry_failures(d.id, null, null, null) from rollcall.destinations d`);
    expect(await text(ANN)).toContain(changed);
    await db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [
      JSON.stringify([{ id: '1', kind: 'opt_out', address: 'ann@x.test', at: 1_767_322_800 }]),
    ]);
    await one.foldAll();
    expect(await text(ANN)).toContain(`consent  "basis" -> "opted_out"\n            PLAN  "free" -> "pro"\n`);
    await one.deliverAll();
    const told = await text(ANN);
    expect(told).toContain('mailtrap: in step\n  shall be  address  "ann@x.test"\n            consent  "opted_out"\n');
    expect(told).toContain('Said of being mailed\n  <minute, in UTC    >  opt_out, from destination:mailtrap\n');
  });

  test('as JSON, its numbers exact; the same by any of their addresses', async () => {
    await db.app.query(`update customers set mrr = 9007199254740993.10 where id = 1`);
    await one.foldAll();
    const { code, stdout } = await why(ANN, '--json');
    expect(code).toBe(0);
    expect(stdout).toContain('"MRR": 9007199254740993.10');
    const { contacts, ...rest } = JSON.parse(stdout) as { contacts: { destinations: unknown[] }[] };
    expect(rest).toMatchObject({ known: true, consent: [{ kind: 'opt_out' }], rows: [{}, {}, {}] });
    expect(contacts).toMatchObject([
      {
        user: ANN,
        destinations: [
          {
            destination: 'mailtrap',
            in_step: false,
            delivered: { attributes: { PLAN: 'pro' } },
            differs: [{ name: 'MRR' }],
            changed: [],
            attempts: [{ outcome: 'delivered' }, { outcome: 'reject' }, { outcome: 'delivered' }],
            advice: ['Nobody delivers: run `rollcall start`.'],
          },
        ],
      },
    ]);
    const { rows } = await db.app.query<{ same: boolean }>(
      `select rollcall.why('ann@x.test') #> '{contacts,0}' = rollcall.why($1) #> '{contacts,0}' as same`,
      [ANN],
    );
    expect(rows).toEqual([{ same: true }]);
  });
});

test('known by an address alone, before and after somebody has looked', async () => {
  await db.app.query(`insert into customers values (7, 'Guest@x.test', 'free', 5, null)`);
  expect(await text('guest@x.test')).toContain(
    `  rows say  address nothing -> "guest@x.test", consent nothing -> "basis", MRR
            nothing -> 5, ORDERS nothing -> 0, PLAN nothing -> "free"
`,
  );
  await one.foldAll();
  expect(await text('guest@x.test')).toMatch(/^guest@x\.test: contact \d+\n/);
});

test('whom nobody knows, and what is neither an id nor an address', async () => {
  for (const who of ['nobody@x.test', '00000000-0000-4000-8000-000000000000', "x' or true --", '%']) {
    const { code, stdout, stderr } = await why(who);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('error RC_PERSON_UNKNOWN: ');
  }
});

test('rows that cannot be read keep nobody from the rest of the story', async () => {
  await db.app.query('alter table customers rename column mrr to monthly');
  const { code, stdout } = await why(ANN);
  await db.app.query('alter table customers rename column monthly to mrr');
  expect(code).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    `can't be read: RC_CONFIG_COLUMN_UNKNOWN: public.customers has no column "mrr".`,
  );
  expect(stdout).toContain('mailtrap: due since ');
});

test('rows that make nobody a contact, and an address that was passed on', async () => {
  await db.app.query(`insert into "Or""ders" values (8, 'lone@x.test')`);
  const rows = `\n\nRows\n  public.Or"ders\n    id 8, customer_email "lone@x.test"\n`;
  expect(await text(' lone@x.test')).toContain(`lone@x.test: no contact${rows}`);
  await one.foldAll();
  const none = `
mailtrap: no contact
  shall be  no contact (gone)
  to do     There is no user and no row that makes a contact of them.
`;
  expect((await text('lone@x.test')).replace(/contact \d+$/m, 'contact 1')).toContain(
    `lone@x.test: contact 1${rows}${none}`,
  );
  const [first, second] = ['00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000012'];
  await db.app.query(
    `insert into auth.users (id, email, email_confirmed_at) values ($1, 'shared@x.test', now()), ($2, 'other@x.test', now())`,
    [first, second],
  );
  await one.foldAll();
  await one.deliverAll();
  for (const [id, email] of [
    [first, 'moved@x.test'],
    [second, 'shared@x.test'],
  ]) {
    await db.app.query('update auth.users set email = $2 where id = $1', [id, email]);
    await one.foldAll();
    await one.deliverAll();
  }
  const shared = await text('shared@x.test');
  expect([...shared.matchAll(/^mailtrap.*$/gm)].map(([line]) => line)).toEqual([
    `mailtrap (${first}): in step`,
    `mailtrap (${second}): in step`,
  ]);
  const env = { ...ENV, DATABASE_URL: db.hostedUrl };
  const config = await tempFile('rollcall.yaml', YAML);
  const { stdout } = await rollcall(['logs', '--json', '--person', 'other@x.test', '--config', config], { env });
  expect(stdout.trim().split('\n').length).toBe(2);
});
