import { expect, test } from 'vitest';
import { testConfig } from '../../../test/support/config.ts';
import { connection } from './check-connection.ts';
import { cron } from './check-cron.ts';
import { extensions } from './check-extensions.ts';
import { net } from './check-net.ts';
import { role } from './check-role.ts';
import { slots } from './check-slots.ts';
import { sqlHome } from './check-sql-home.ts';
import { wal } from './check-wal.ts';
import type { Check, Finding } from './finding.ts';
import { type ForeignTrigger } from './trigger-facts.ts';
import { recipeTriggers } from './recipes.ts';

/** Codes of what is not well. */
function codes<Facts>(check: Check<Facts>, facts: Facts): readonly (string | null)[] {
  return unwell(check.judge(facts, testConfig())).map(({ code }) => code);
}

function unwell(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity !== 'ok');
}

const QUIET = {
  installed: true,
  up: true,
  first: { n: 0, oldest: null },
  second: { n: 0, oldest: null },
  answers: { all: 0, failed: 0, refused: 0 },
  needed: false,
};

test.each([
  [{}, []],
  [{ first: { n: 3, oldest: '7' }, second: { n: 3, oldest: '7' } }, ['RC_NET_QUEUE_STUCK']],
  [{ first: { n: 3, oldest: '7' }, second: { n: 4, oldest: '8' } }, []],
  [{ up: null, first: { n: 3, oldest: '7' }, second: { n: 3, oldest: '7' } }, ['RC_NET_QUEUE_STUCK']],
  [{ up: false }, ['RC_NET_WORKER_DOWN']],
  [{ first: { n: 90_000, oldest: '7' }, second: { n: 90_000, oldest: '900' } }, ['RC_NET_QUEUE_LONG']],
  [{ answers: { all: 9, failed: 2, refused: 1 } }, ['RC_NET_FAILED']],
  [{ installed: false, needed: true }, []],
])('pg_net %#', (facts, expected) => {
  expect(codes(net, { ...QUIET, ...facts })).toEqual(expected);
});

const WAY = { host: 'db.abc.supabase.co', tls: true, heard: true, readOnly: false, skewMs: 20, roundTripMs: 40 };

test.each([
  [{}, []],
  [{ heard: null }, []],
  [{ heard: false }, ['RC_POOLER_TRANSACTION']],
  [{ tls: false }, ['RC_TLS_OFF']],
  [{ tls: false, host: '127.0.0.1' }, []],
  [{ readOnly: true }, ['RC_DATABASE_READ_ONLY']],
  [{ skewMs: -9_000 }, ['RC_CLOCK']],
  [{ skewMs: 9_000, roundTripMs: 10_000 }, []],
])('the way to the database %#', (facts, expected) => {
  expect(codes(connection, { ...WAY, ...facts })).toEqual(expected);
});

test('clocks that are minutes apart are an error', () => {
  expect(connection.judge({ ...WAY, skewMs: 300_000 }, testConfig())).toMatchObject([
    { severity: 'error', what: 'The clocks of this machine and of the database are 300 s apart.' },
  ]);
});

const SLOT = { name: "o'slot", active: false, status: 'reserved', kept: 0 };

test.each([
  [{}, []],
  [{ kept: 3 * 1_073_741_824 }, ['RC_SLOT_KEEPS_WAL']],
  [{ kept: 3 * 1_073_741_824, active: true }, []],
  [{ status: 'unreserved', active: true }, ['RC_SLOT_LOST']],
  [{ status: 'lost' }, ['RC_SLOT_LOST']],
])('slots %#', (facts, expected) => {
  const found = unwell(slots.judge({ slots: [{ ...SLOT, ...facts }], most: 5 }, testConfig()));
  expect(found.map(({ code }) => code)).toEqual(expected);
  for (const { fix } of found) expect(fix).toContain(`pg_drop_replication_slot('o''slot');`);
});

const WAL = {
  wanted: true,
  slot: 'rollcall_5',
  given_up: null,
  reading: true,
  status: 'reserved',
  kept: 1e6,
  by_wal: 3,
  by_triggers: [],
};
const READ = { refused: null, level: 'logical', free: 3, mostMb: 4_096, wal: WAL };

test.each([
  [{}, []],
  [{ level: 'replica' }, ['RC_WAL_LEVEL']],
  [{ refused: { code: 'RC_WAL_POOLER', message: 'x', hint: 'y' } }, ['RC_WAL_POOLER']],
  [{ free: 0, wal: { ...WAL, slot: null, status: null, reading: false } }, ['RC_WAL_NO_SLOT']],
  [{ mostMb: -1 }, ['RC_WAL_UNBOUNDED']],
  [{ wal: { ...WAL, given_up: 'budget' } }, ['RC_WAL_GIVEN_UP']],
  [{ wal: { ...WAL, status: 'lost', reading: false } }, ['RC_WAL_SLOT_LOST']],
  [{ wal: { ...WAL, reading: false, kept: 1e9 } }, ['RC_WAL_NOT_READ']],
])('the write-ahead log %#', (facts, expected) => {
  expect(codes(wal, { ...READ, ...facts })).toEqual(expected);
});

test('of a write-ahead log that nobody wants to read nothing is said', () => {
  expect(wal.judge(undefined, testConfig())).toEqual([]);
});

const ALL = { pg_net: '0.20.4', pg_cron: '1.6.4', supabase_vault: '0.3.1' };
const SQL_HOME = [{ home: 'sql', seen_s: 3, at_work: true, current: true }] as const;

test.each([
  [{}, []],
  [{ extensions: { pg_cron: '1.4-1' } }, []],
  [{ homes: SQL_HOME }, []],
  [{ homes: SQL_HOME, extensions: { ...ALL, pg_cron: '1.4-1' } }, ['RC_CRON_SECONDS']],
  [{ homes: SQL_HOME, extensions: { pg_cron: '1.6', pg_net: null } }, ['RC_EXTENSION_MISSING', 'RC_EXTENSION_MISSING']],
  [{ server: 140_010 }, ['RC_POSTGRES_OLD']],
])('extensions %#', (facts, expected) => {
  expect(codes(extensions, { server: 170_004, version: '17.4', extensions: ALL, homes: [], ...facts })).toEqual(
    expected,
  );
});

test('the SQL home: what its own test says, unless another home delivers', () => {
  const rows = [
    { ok: true, what: 'pg_net is installed', fix: null },
    { ok: false, what: 'pg_cron runs the pump', fix: 'create extension pg_cron;' },
  ];
  expect(codes(sqlHome, { rows: undefined, aside: false })).toEqual([]);
  expect(codes(sqlHome, { rows, aside: true })).toEqual([]);
  expect(unwell(sqlHome.judge({ rows, aside: false }, testConfig()))).toMatchObject([
    { code: 'RC_SQL_HOME', what: 'It is not so that pg_cron runs the pump.', fix: 'create extension pg_cron;' },
  ]);
});

test('a role under row security, and one that may not make a schema', () => {
  const may = {
    role: 'app',
    superuser: false,
    users: true,
    usage: true,
    read: true,
    trigger: true,
    hidden: false,
    create: true,
    database: 'postgres',
    owner: null,
    owns: false,
  };
  expect(codes(role, may)).toEqual([]);
  expect(codes(role, { ...may, hidden: true })).toEqual(['RC_ROLE_ROW_SECURITY']);
  expect(role.judge({ ...may, create: false }, testConfig())).toMatchObject([
    { code: 'RC_ROLE_RIGHTS', fix: 'grant create on database postgres to app;' },
  ]);
});

test('a job of others that fails is a warning without its command; a history that nobody prunes is one too', () => {
  const job = {
    id: '4',
    name: "it's",
    schedule: '0 0 * * *',
    active: true,
    last: 'failed',
    message: 'ERROR: key ann@example.com',
    failed: 1,
    runs: 2,
    age_s: 60,
  };
  const found = unwell(cron.judge({ installed: true, jobs: [job], history: 200_000, homes: [] }, testConfig()));
  expect(found).toMatchObject([
    { severity: 'warn', code: 'RC_CRON_FAILED', fix: expect.stringContaining("select cron.unschedule('it''s');") },
    { severity: 'warn', code: 'RC_CRON_HISTORY' },
  ]);
  expect(found[0]?.what).not.toContain('ann@');
});

const TRIGGER: ForeignTrigger = {
  oid: 1,
  table: 'auth.users',
  name: 'x',
  events: ['insert'],
  enabled: true,
  silenced: false,
  function: 'public.f',
  owner: 'postgres',
  language: 'plpgsql',
  definer: true,
  searchPath: true,
  body: '',
  callees: [],
  args: [],
  definition: '',
};
const WEBHOOK = { ...TRIGGER, function: 'supabase_functions.http_request' };

test.each<readonly [string, Partial<ForeignTrigger>, string | undefined]>([
  ['its address', { body: `perform net.http_post(url := 'https://api.sendry.online/v1/contacts')` }, 'sendry'],
  [
    'its secret',
    { body: `select 1 from vault.decrypted_secrets where name = 'sendry_api_key'; perform net.http_post(u)` },
    'sendry',
  ],
  [
    'what it calls',
    { body: 'perform push(new);', callees: [`select net.http_post('https://api.sendry.online/v1/contacts')`] },
    'sendry',
  ],
  ['a name alone, of what sends nothing', { name: 'on_auth_user_created_sync_sendry', body: 'return new;' }, undefined],
  ['another sender', { body: `perform net.http_post('https://hooks.slack.com/x')` }, undefined],
  [
    'a webhook by its function',
    { ...WEBHOOK, args: ['https://x.supabase.co/functions/v1/create-contact', 'POST'] },
    'mailtrap',
  ],
  [
    'a webhook by its name',
    { ...WEBHOOK, name: 'update_contact', args: ['https://x.supabase.co/functions/v1/other', 'POST'] },
    'mailtrap',
  ],
  [
    'another webhook',
    { ...WEBHOOK, args: ['https://x.supabase.co/functions/v1/create-contacts-report', 'POST'] },
    undefined,
  ],
  ['Tajo', { ...WEBHOOK, args: ['https://hooks.tajo.io/1', 'POST'] }, 'tajo'],
])('a recipe is recognised by %s', (_, facts, expected) => {
  expect(recipeTriggers([{ ...TRIGGER, ...facts }]).map(({ recipe }) => recipe)).toEqual(
    expected === undefined ? [] : [expected],
  );
});

test('somebody may name a webhook that nothing tells of', () => {
  const webhook = { ...WEBHOOK, args: ['https://x.supabase.co/functions/v1/other', 'POST'] };
  expect(recipeTriggers([webhook], ['auth.users.x'])).toMatchObject([
    { urls: ['https://x.supabase.co/functions/v1/other'] },
  ]);
});
