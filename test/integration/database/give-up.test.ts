import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Claimed } from '../../../src/engine/ports.ts';
import { installed, type Installed } from './support.ts';

const DAY_MS = 86_400_000;
const WINDOW_MS = 3 * DAY_MS;
const RETRY: Outcome = { kind: 'retry', code: 'http_503', message: 'Down for maintenance.' };
const UNKNOWN: Outcome = { kind: 'unknown', code: 'timeout', message: 'No answer.' };
const THROTTLE: Outcome = { kind: 'throttle', code: 'http_429', message: 'Too many.' };
const CONFIG: Outcome = { kind: 'config', code: 'unauthorized', message: 'Key?' };

let one: Installed;
let user: string;

beforeEach(async () => {
  one = await installed();
  user = await one.insert('a@example.com', { full_name: 'A' });
  await one.foldAll();
});

/** Claims the one contact, whenever it is due, and settles it. */
async function attempt(outcome: Outcome, windowMs: number | null = WINDOW_MS): Promise<Claimed> {
  await one.db.app.query(`update rollcall.due set due_at = now() where token is null`);
  const [delivery] = await one.claim();
  if (delivery === undefined) throw new Error('nothing to claim');
  await one.store.settle(one.destination, one.lease, [
    { delivery, outcome, waitMs: 1_000, windowMs: windowMs ?? undefined, latencyMs: 1 },
  ]);
  return delivery;
}

/** So many days pass, with a worker running. */
async function days(n: number): Promise<void> {
  await one.db.app.query(`update rollcall.due set failing_since = failing_since - $1 * interval '24 hours'`, [n]);
}

const letters = async (): Promise<unknown[]> =>
  (await one.db.app.query('select stage, version::int, code, field, message from rollcall.dead_letters')).rows;
const due = async (): Promise<{ tries: number; failing: boolean; doubt: boolean } | undefined> =>
  (
    await one.db.app.query(
      'select tries, failing_since is not null as failing, unknown_until is not null as doubt from rollcall.due',
    )
  ).rows[0] as { tries: number; failing: boolean; doubt: boolean } | undefined;

const GAVE_UP = {
  stage: 'deliver',
  version: 1,
  code: 'gave_up',
  field: null,
  message: 'http_503: Down for maintenance.',
};

describe('a delivery that fails for its window', () => {
  test('is a dead letter in the last words of the destination', async () => {
    for (let n = 0; n < 5; n += 1) await attempt(RETRY);
    await days(2.9);
    await attempt(RETRY);
    expect(await letters()).toEqual([]);
    await days(0.2);
    await attempt(RETRY);
    expect(await letters()).toEqual([GAVE_UP]);
    expect(await due()).toBeUndefined();
    expect(await one.desired(user)).toMatchObject({ delivered_version: null, version: 1 });
  });

  test('was tried five times at least', async () => {
    await attempt(RETRY);
    await days(9);
    for (let n = 0; n < 3; n += 1) await attempt(RETRY);
    expect(await letters()).toEqual([]);
    await attempt(RETRY);
    expect(await letters()).toEqual([GAVE_UP]);
  });

  test('starts anew with a change, also while it is in flight', async () => {
    for (let n = 0; n < 6; n += 1) await attempt(RETRY);
    await days(4);
    await one.db.app.query(`update rollcall.due set due_at = now()`);
    const [delivery] = await one.claim();
    await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}'`);
    await one.foldAll();
    await one.store.settle(one.destination, one.lease, [
      { delivery: delivery!, outcome: RETRY, waitMs: 0, windowMs: WINDOW_MS, latencyMs: 1 },
    ]);
    expect(await letters()).toEqual([]);
    expect(await attempt(RETRY)).toMatchObject({ version: '2', attributes: { FIRSTNAME: 'B' } });
    expect(await due()).toMatchObject({ failing: true });
    expect(await letters()).toEqual([]);
  });

  test('starts anew with what is accepted', async () => {
    for (let n = 0; n < 6; n += 1) await attempt(RETRY);
    await days(4);
    await attempt({ kind: 'delivered' });
    expect(await due()).toBeUndefined();
  });

  test('is not given up for being throttled, for a key that is wrong, nor without a window', async () => {
    for (let n = 0; n < 6; n += 1) await attempt(RETRY);
    await days(9);
    await attempt(THROTTLE);
    await attempt(CONFIG);
    await attempt(RETRY, null);
    expect(await letters()).toEqual([]);
    expect(await due()).toMatchObject({ tries: 7, failing: true });
  });

  test('a throttle alone begins no window', async () => {
    await attempt(THROTTLE);
    expect(await due()).toMatchObject({ tries: 0, failing: false });
  });
});

describe('the clock of the window', () => {
  const clock = async (): Promise<number> =>
    (await one.db.app.query('select extract(epoch from rollcall.trying_clock($1))::float8 as s', [one.destination]))
      .rows[0].s as number;
  const set = (sql: string): Promise<unknown> => one.db.app.query(`update rollcall.destinations set ${sql}`);

  test('stands still while the destination is paused', async () => {
    const before = await clock();
    await one.store.pause(one.destination, 'unauthorized', 'Key?', 1_000);
    await set(`paused_since = paused_since - interval '4 days', paused_until = now()`);
    // As if it had begun four days ago: the clock stands where it stood then.
    expect((await clock()) - before).toBeCloseTo(-4 * 86_400, -1);
    await one.store.pause(one.destination, 'unauthorized', 'Key?', 1_000);
    await one.store.resume(one.destination);
    expect((await clock()) - before).toBeCloseTo(-4 * 86_400, -1);
    expect((await one.db.app.query('select paused_since, pause_code, pauses from rollcall.destinations')).rows).toEqual(
      [{ paused_since: null, pause_code: null, pauses: 0 }],
    );
  });

  test('stands still while no worker runs, and a pause is not left out twice', async () => {
    const before = await clock();
    await one.store.endPauses();
    await set(`alive_at = alive_at - interval '90 seconds'`);
    await one.store.endPauses();
    expect((await clock()) - before).toBeCloseTo(0, -1);
    await set(`alive_at = alive_at - interval '4 days'`);
    await one.store.endPauses();
    expect((await clock()) - before).toBeCloseTo(-4 * 86_400, -1);
    await one.store.pause(one.destination, 'unauthorized', 'Key?', 1_000);
    await set(`alive_at = alive_at - interval '2 days', paused_since = paused_since - interval '2 days'`);
    await one.store.endPauses();
    await one.store.resume(one.destination);
    expect((await clock()) - before).toBeCloseTo(-6 * 86_400, -1);
  });
});

test('given up without an answer: what comes next is sent once more after the grace, as that one may still arrive', async () => {
  for (let n = 0; n < 6; n += 1) await attempt(UNKNOWN);
  await days(4);
  await attempt(UNKNOWN);
  expect(await letters()).toEqual([{ ...GAVE_UP, message: 'timeout: No answer.' }]);
  expect(await due()).toBeUndefined();
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}'`);
  await one.foldAll();
  expect(await letters()).toEqual([]);
  await attempt({ kind: 'delivered' });
  expect(await one.desired(user)).toMatchObject({ delivered_version: 2, due: true });
  expect((await one.desired(user))?.unknown_in_s).toBeGreaterThan(60);
});

test('refused without certainty of an earlier attempt: the same', async () => {
  await attempt(UNKNOWN);
  await attempt({ kind: 'reject', code: 'invalid_email', message: 'No.', field: 'email' });
  expect(await letters()).toEqual([
    { stage: 'deliver', version: 1, code: 'invalid_email', field: 'email', message: 'No.' },
  ]);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}'`);
  await one.foldAll();
  expect((await one.desired(user))?.unknown_in_s).toBeGreaterThan(60);
});

test('who has failed for the window in requests for many goes alone, and is then given up like any other', async () => {
  const together = async (): Promise<number> => {
    const job = { token: randomUUID(), holder: randomUUID(), holdMs: 5_000 };
    await one.db.app.query('update rollcall.due set due_at = now() where token is null');
    const scope = { lane: 0, most: 10, mostBytes: 10_000, consents: ['basis'], atOnce: 1, jobMs: 60_000 } as const;
    const claimed = await one.store.claimJob(one.destination, job, scope);
    await one.store.releaseJob(job, { waitMs: 0, failed: true, single: false, windowMs: WINDOW_MS });
    return claimed.length;
  };
  for (let n = 0; n < 5; n += 1) expect(await together()).toBe(1);
  await days(4);
  expect(await together()).toBe(1);
  expect(await together()).toBe(0);
  expect(await letters()).toEqual([]);
  await attempt(RETRY);
  expect(await letters()).toEqual([GAVE_UP]);
});

test('a deletion is given up too, and what stands there is remembered', async () => {
  await attempt({ kind: 'delivered', remoteId: 'r1' });
  await one.db.app.query('delete from auth.users');
  await one.foldAll();
  for (let n = 0; n < 6; n += 1) await attempt(RETRY);
  await days(4);
  await attempt(RETRY);
  expect(await letters()).toMatchObject([{ code: 'gave_up' }]);
  expect(await one.desired(user)).toMatchObject({ action: 'delete', remote_id: 'r1', remote_address: 'a@example.com' });
});

test('refused, then not to be mapped, then as it was: it is sent again, as nobody remembers the refusal', async () => {
  await attempt({ kind: 'reject', code: 'invalid_email', message: 'No.' });
  const name = (sql: string): Promise<unknown> => one.db.app.query(`update auth.users set raw_user_meta_data = ${sql}`);
  // As if its row had been unreadable meanwhile.
  await one.db.app.query(`update rollcall.dead_letters set stage = 'map', version = null, code = '22P02'`);
  await name(`raw_user_meta_data || '{"unmapped": 1}'`);
  await one.foldAll();
  await one.db.app.query('select rollcall.capture(array[$1::text])', [user]);
  await one.foldAll();
  expect(await letters()).toEqual([]);
  expect(await one.desired(user)).toMatchObject({ due: true, delivered_version: null });
});

test('a deletion that was refused while an earlier one may arrive is void when the address is taken, and who took it is sent again after that', async () => {
  await attempt({ kind: 'delivered', remoteId: 'r1' });
  await one.db.app.query('delete from auth.users');
  await one.foldAll();
  await attempt(UNKNOWN);
  await attempt({ kind: 'reject', code: 'locked', message: 'No.' });
  const next = await one.insert('a@example.com', { full_name: 'B' });
  await one.foldAll();
  expect(await letters()).toEqual([]);
  expect((await one.desired(next))?.unknown_in_s).toBeGreaterThan(60);
});

test('refused, and then a late answer under a lost lease: it is tried again, and is no dead letter once it is accepted', async () => {
  const late = { ...one.lease, token: randomUUID() };
  const [lost] = await one.claim(10, late);
  await one.db.app.query(`update rollcall.due set due_at = clock_timestamp() - interval '1 second'`);
  const [delivery] = await one.claim();
  await one.settle(delivery!, { kind: 'reject', code: 'invalid_email', message: 'No.' });
  expect(await letters()).toHaveLength(1);
  await one.settle(lost!, 'delivered', 0, late);
  expect(await letters()).toEqual([]);
  await attempt({ kind: 'delivered' });
  expect(await letters()).toEqual([]);
  expect(await one.desired(user)).toMatchObject({ delivered_version: 1, due: true });
});

test('a copy that is bound anew forgets no attempt that may still arrive', async () => {
  await attempt(UNKNOWN);
  await one.db.app.query('select rollcall.send_again($1, false)', [one.destination]);
  expect((await one.desired(user))?.unknown_in_s).toBeGreaterThan(60);
  await attempt({ kind: 'delivered' });
  expect(await one.desired(user)).toMatchObject({ due: true });
  // At another account nothing of it can arrive.
  await one.db.app.query('select rollcall.send_again($1, true)', [one.destination]);
  expect((await one.desired(user))?.unknown_in_s).toBeNull();
});
