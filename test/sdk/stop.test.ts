import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { Rollcall } from '../../src/sdk/index.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/people.ts';

let db: TestDatabase;
let end: () => Promise<void>;
let sandbox: Sandbox;
let rollcall: Rollcall;
const logged: string[] = [];

beforeAll(async () => {
  [db, end] = await createLastingDatabase(true);
  sandbox = await startSandbox({ only: ['brevo'], limitsScale: Infinity });
  const note = (_fields: object, message: string): void => void logged.push(message);
  rollcall = new Rollcall({
    env: { DATABASE_URL: db.hostedUrl, ROLLCALL_SANDBOX_URL: sandbox.url },
    log: { error: note, warn: note, info: note, debug: note },
    config: {
      environment: 'development',
      connectors: { supabase: { user_mapping: { email: 'email', unconfirmed: true } } },
      destinations: { brevo: { limits_scale: 10_000 } },
      consent: { everyone: 'they agreed to the terms' },
    },
  });
  await rollcall.connectors.connect('supabase');
}, 120_000);

afterAll(async () => {
  await rollcall?.stop();
  await sandbox?.close();
  await end?.();
});

/** How much of what the app told is in the log: no worker takes it out. */
async function told(): Promise<number> {
  const { rows: found } = await db.app.query<{ n: number }>(
    `select coalesce(sum(cardinality(c.events)), 0)::int as n
       from (table rollcall.changes_0 union all table rollcall.changes_1 union all table rollcall.changes_2) c
      where c.source = 'rollcall.app'`,
  );
  return found[0]!.n;
}

/** Rows of which the first piece is there at once, and the others after something else. */
async function* rows(meanwhile: () => Promise<unknown>) {
  for (let n = 0; n < 1_000; n += 1) yield { email: `n${n}@example.com` };
  await meanwhile();
  for (let n = 0; n < 1_500; n += 1) yield { email: `m${n}@example.com` };
}

async function connections(): Promise<number> {
  const { rows: found } = await db.app.query(
    `select from pg_stat_activity where datname = current_database() and usename = 'hosted'`,
  );
  return found.length;
}

test('a list that is long in coming: stopped it says so, and connected anew it goes on', async () => {
  const before = await told();
  await expect(
    rollcall.lists.addContacts(
      1,
      rows(() => rollcall.stop()),
    ),
  ).rejects.toMatchObject({ code: 'RC_STOPPED' });
  expect(await told()).toBe(before + 1_000);
  const all = rows(() => rollcall.connectors.connect('supabase'));
  expect(await rollcall.lists.addContacts(1, all)).toMatchObject({ taken: 2_500 });
  expect(await told()).toBe(before + 3_500);
  await rollcall.stop();
  await eventually(async () => (await connections()) === 0);
});

test('what is under way when it is stopped or connected anew comes to its end, and no connection is left', async () => {
  const events = Array.from({ length: 2_000 }, (_, n) => ({ email: `n${n}@example.com`, event: 'x' }));
  const before = await told();
  const tracked = rollcall.events.track(events);
  const [may] = await Promise.all([
    rollcall.canEmail('nobody@example.com'),
    tracked,
    rollcall.connectors.connect('supabase'),
    rollcall.connectors.connect('supabase'),
    rollcall.stop(),
  ]);
  expect(may).toBe(false);
  expect(await told()).toBe(before + 2_000);
  const synced = rollcall.connectors.sync('supabase', { type: 'full' });
  await eventually(() => logged.includes('worker started'));
  await rollcall.stop();
  expect(Array.isArray(await synced)).toBe(true);
  await eventually(async () => (await connections()) === 0);
});

test('one that is being stopped is started anew, and a listener that fails ends nothing', async () => {
  const seen: string[] = [];
  rollcall.on('started', () => {
    seen.push('started');
    throw new Error('of the app');
  });
  rollcall.on('stopped', () => {
    seen.push('stopped');
    throw new Error('of the app');
  });
  await Promise.all([rollcall.start(), rollcall.start()]);
  expect(logged).toContain('a listener of the app failed');
  const stopped = rollcall.stop();
  await rollcall.start();
  await stopped;
  expect(seen).toEqual(['started', 'stopped', 'started']);
  await Promise.all([rollcall.stop(), rollcall.stop()]);
  expect(seen).toHaveLength(4);
  await eventually(async () => (await connections()) === 0);
});

test('a list that is none is refused, and a row that is none is counted', async () => {
  for (const list of [Number.NaN, 0, -1, 1.5, '', 'x'.repeat(256), undefined])
    await expect(rollcall.lists.addContacts(list as number, [])).rejects.toMatchObject({ code: 'RC_LIST_UNKNOWN' });
  const some = [null, 'ann@example.com', { email: 7 }] as unknown as { email: string }[];
  expect(await rollcall.lists.addContacts(1, some)).toMatchObject({ taken: 0, invalid: 3 });
  for (const nobody of ['', 'a\u0000b@example.com', 'no address', undefined])
    expect(await rollcall.canEmail(nobody as string)).toBe(false);
});
