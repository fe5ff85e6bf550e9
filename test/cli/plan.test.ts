import { afterAll, beforeAll, expect, test } from 'vitest';
import { planDatabase } from '../../src/cli/apply-plan.ts';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { planPeople } from '../../src/sql/plan/run.ts';
import type { Sql } from '../../src/sql/port.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { type Sandbox, startSandbox } from '../support/mailtrap-sandbox.ts';
import { configText, type Ran, rollcall, tempFile } from './run-cli.ts';

let db: TestDatabase;
let end: () => Promise<void>;
let sandbox: Sandbox;

beforeAll(async () => {
  [db, end] = await createLastingDatabase();
  sandbox = await startSandbox({ limitsScale: 100 });
  await db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, banned_until, created_at)
     select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'u' || i || '@x.test',
            jsonb_build_object('full_name', 'Person ' || i, 'work', 'w' || i || '@y.test'), case when i = 4 then now() + interval '1 day' end, '2026-01-02'
       from generate_series(1, 4) i`,
  );
});

afterAll(async () => {
  await sandbox.close();
  await end();
});

const text = (): string => configText(sandbox.apiUrl, { extra: 'brakes: off' });

async function run(argv: readonly string[], yaml: string, more: { readonly columns?: number } = {}): Promise<Ran> {
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token };
  const ran = await rollcall([...argv, '--config', await tempFile('rollcall.yaml', yaml)], { env, ...more });
  return { ...ran, stdout: ran.stdout.replaceAll(new URL(db.hostedUrl).host, 'host').replaceAll(db.name, 'app') };
}

const PEOPLE = 'People at mailtrap';
const people = ({ stdout }: Ran): string => stdout.slice(stdout.indexOf(PEOPLE));
/** Anything but what everybody else does there. */
const LEFT_BEHIND = `select (select count(*) from pg_namespace where nspname like 'rollcall%')::int as schemas,
  (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'rollcall')::int as relations`;

test('before the first install everybody is made, and nothing is left behind', async () => {
  const { code, stdout, stderr } = await run(['plan'], text());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('First install, environment test\n  host/app\n\nDatabase\n  + schema rollcall\n');
  expect(stdout).toContain('Fields at mailtrap that will be created: FIRSTNAME (text), SIGNUP_DATE (date)\n');
  expect(people({ code, stdout, stderr })).toBe(`People at mailtrap
  create    3
  left out  1  banned 1
  3 calls, at least 1 s at its limits:
    3  PATCH  /api/contacts/{address}
  For example:
    create u***@x.test
      FIRSTNAME    "Person 1"
      SIGNUP_DATE  "2026-01-02T00:00:00.000000Z"
    create u***@x.test
      FIRSTNAME    "Person 2"
      SIGNUP_DATE  "2026-01-02T00:00:00.000000Z"

4 people were looked at. Nothing was sent, and nothing was changed.
`);
  expect((await db.app.query(LEFT_BEHIND)).rows).toEqual([{ schemas: 0, relations: 0 }]);
  expect(sandbox.state.contacts()).toEqual([]);
  const sample = await run(['plan', '--sample', '--skip-destinations'], text());
  expect(people(sample)).toContain(
    'People at mailtrap (estimate)\n  create    3\n  left out  1  banned 1\n  About 3 calls',
  );
  expect(people(sample)).toContain(
    '\nAn estimate: 4 of about 4 people were looked at. Without --sample it is exact.\n',
  );
});

test('under another config it says who is changed by what, and who leaves', async () => {
  expect((await run(['apply', '--yes'], text())).code).toBe(0);
  await db.app.query(`select rollcall.fold_keys(array(select id::text from auth.users), 1::smallint)`);
  await db.app.query(
    `update rollcall.desired set delivered_version = version, remote_address = address, remote_id = 'r' || contact_id where address is not null`,
  );
  await db.app.query('delete from rollcall.due');
  const { rows: before } = await db.app.query(LEFT_BEHIND);
  expect((await run(['plan', '--check'], text())).code).toBe(0);
  await db.app.query(`delete from auth.users where email = 'u3@x.test'`);
  const other = text().replace('created_at: SIGNUP_DATE', 'user_metadata.work: WORK');
  const next = await run(['plan', '--check'], other);
  expect(next.code).toBe(1);
  expect(people(next)).toBe(`People at mailtrap
  update    2  SIGNUP_DATE 2, WORK 2
  delete    1
  left out  1  banned 1
  3 calls, at least 1 s at its limits:
    2  PATCH   /api/contacts/{id}
    1  DELETE  /api/contacts/{id}
  For example:
    update u***@x.test
      SIGNUP_DATE  "2026-01-02T00:00:00.000000Z"  ->  -
      WORK         -                              ->  "w***@y.test"
    update u***@x.test
      SIGNUP_DATE  "2026-01-02T00:00:00.000000Z"  ->  -
      WORK         -                              ->  "w***@y.test"
    delete u***@x.test

4 people were looked at. Nothing was sent, and nothing was changed.
`);
  const { stdout } = await run(['plan', '--json', '--reveal'], other);
  const [destination] = (JSON.parse(stdout) as { destinations: readonly Record<string, unknown>[] }).destinations;
  expect(destination).toMatchObject({
    name: 'mailtrap',
    problem: null,
    people: { create: 0, update: 2, delete: 1, skipped: 1 },
    updated_fields: { SIGNUP_DATE: 2, WORK: 2 },
    calls: [
      { method: 'PATCH', path: '/api/contacts/{id}', for: 'contact', count: 2 },
      { method: 'DELETE', path: '/api/contacts/{id}', for: 'contact', count: 1 },
    ],
  });
  const [sample] = (destination?.['samples'] ?? []) as readonly object[];
  expect(sample).toEqual({
    what: 'update',
    address: 'u1@x.test',
    changes: ['SIGNUP_DATE', 'WORK'],
    before: {
      address: 'u1@x.test',
      attributes: { FIRSTNAME: 'Person 1', SIGNUP_DATE: '2026-01-02T00:00:00.000000Z' },
    },
    after: { address: 'u1@x.test', attributes: { FIRSTNAME: 'Person 1', WORK: 'w1@y.test' } },
  });
  expect((await db.app.query(LEFT_BEHIND)).rows).toEqual(before);
});

test('while it looks, nothing of the app and nothing in use is locked in the way of anybody', async () => {
  const config = parseConfig(text(), {
    file: 'rollcall.yaml',
    env: { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token },
    registry,
  });
  const { sources, installed } = await planDatabase(db.sql, config);
  const looked = db.sql.transaction.bind(db.sql);
  const locks: unknown[] = [];
  const sql: Sql = {
    ...db.sql,
    transaction: (work) =>
      looked((tx) =>
        work({
          script: (script) => tx.script(script),
          async query(query, values) {
            const found = await tx.query<never>(query, values);
            const { rows } = await db.app.query(
              `select n.nspname || '.' || c.relname as name, l.mode from pg_locks l join pg_class c on c.oid = l.relation
                 join pg_namespace n on n.oid = c.relnamespace
                where l.database = (select oid from pg_database where datname = current_database()) and l.pid <> pg_backend_pid()
                  and (n.nspname in ('auth', 'public') or n.nspname = 'rollcall' and l.mode <> 'AccessShareLock')`,
            );
            locks.push(...rows);
            return found;
          },
        }),
      ),
  };
  let steps = 0;
  await planPeople(sql, config, sources, {
    installed: installed !== undefined,
    forgotten: [],
    mended: [],
    onProgress: () => {
      steps += 1;
    },
    onRow: () => undefined,
  });
  expect(steps).toBeGreaterThan(2);
  expect(locks).toEqual([]);
});

test('whoever cannot be mapped stays as they are, and the others of the page are told', async () => {
  await db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"visits": "none"}' where email = 'u1@x.test'`,
  );
  await db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"visits": 7}' where email = 'u2@x.test'`,
  );
  const visits = `attributes: { VISITS: { sql: "(user_metadata ->> 'visits')::int" } }`;
  const { stdout } = await run(['plan', '--json'], text().replace('created_at: SIGNUP_DATE', visits));
  expect((JSON.parse(stdout) as { destinations: readonly object[] }).destinations).toMatchObject([
    {
      people: { update: 1, delete: 1, skipped: 1, unchanged: 1 },
      updated_fields: { VISITS: 1, SIGNUP_DATE: 1 },
    },
  ]);
});

test('what is wrong is said, and ends with 1', async () => {
  const refused = await run(
    ['plan'],
    text().replace('api_token: "${MAILTRAP_TOKEN}"', 'api_token: another-token-0123'),
  );
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain("mailtrap: it can't be used\n");
  expect(refused.stdout).not.toContain(PEOPLE);
  expect(refused.stderr).toMatch(/^error RC_FIELDS_UNREADABLE: /);
  const unknown = await run(['plan', '--smaple'], text());
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('Did you mean --sample?');
  const help = await run(['plan', '--help'], text(), { columns: 80 });
  expect(help.stdout).toContain('Nothing is sent, and nothing is changed.');
  expect(help.stdout).toContain('  $ rollcall plan --sample\n');
  for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
