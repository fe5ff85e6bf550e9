import { expect, test } from 'vitest';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { alertStore } from '../../../src/sql/store/alerts.ts';
import { eventually, signUpMany } from '../../support/people.ts';
import { ALERT_SECRET, createReceiver, type Receiver } from '../../support/alert-receiver.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { alertsEveryMs: 100, upkeepEveryMs: 200 };

const alertsTo = (receiver: Receiver, more = ''): string =>
  `alerts: { url: ${JSON.stringify(receiver.url)}, secret: ${ALERT_SECRET}${more} }`;

/** As `type subject`, in the order they came. */
const told = ({ got }: Receiver): readonly string[] =>
  got.map(
    ({ type, data }) => `${type.replace('rollcall.alert.', '')} ${String(data['alert'])} ${String(data['subject'])}`,
  );

const dead = (world: World, count: number): Promise<unknown> =>
  world.db.app.query(
    `insert into rollcall.dead_letters (destination_id, contact_id, stage, code, message)
     select d.id, -n, 'deliver', 'invalid_email', 'ann@example.com is none' from rollcall.destinations d, generate_series(1, $1::int) n`,
    [count],
  );

test('a pause is told once by three workers, signed, and once more when it is over', async () => {
  const receiver = await createReceiver();
  const world = await createWorld({ more: alertsTo(receiver) });
  world.sandbox.addFaults([{ status: 401 }]);
  const breaker = { firstPauseMs: 500, longestPauseMs: 500 };
  for (let n = 0; n < 3; n += 1) await world.start(world.config, { times: { ...TIMES, breaker } });
  await signUpMany(world, 5);
  await eventually(() => receiver.got.length > 0);
  expect(receiver.got[0]).toMatchObject({
    signed: true,
    type: 'rollcall.alert.begun',
    data: { alert: 'paused', subject: 'mailtrap', environment: 'test', ended_at: null, code: 'unauthorized' },
  });
  // Ten more looks of each.
  const { rows } = await world.db.app.query<{ at: Date }>('select clock_timestamp() as at');
  await eventually(async () => {
    const seen = await world.db.app.query(
      "select from rollcall.alerts where seen_at > $1::timestamptz + interval '1 second'",
      [rows[0]?.at],
    );
    return seen.rows.length > 0;
  });
  expect(told(receiver)).toEqual(['begun paused mailtrap']);
  world.sandbox.clearFaults();
  await eventually(() => receiver.got.length > 1);
  expect(told(receiver)).toEqual(['begun paused mailtrap', 'ended paused mailtrap']);
  expect(receiver.got[1]).toMatchObject({ signed: true, data: { began_at: receiver.got[0]?.data['began_at'] } });
  expect(new Set(receiver.got.map(({ id }) => id)).size).toBe(2);
  expect(JSON.stringify([receiver.got, world.logs])).not.toMatch(/secret-of-the-path|whsec_|p\d@example/);
});

test('a receiver that fails is tried again under the same id, after the wait it asks for, and delivery goes on', async () => {
  const receiver = await createReceiver();
  const world = await createWorld({ more: alertsTo(receiver, ', failed: 2') });
  receiver.answer(503, { 'retry-after': '1' });
  await dead(world, 2);
  await world.start(world.config, { times: TIMES });
  await eventually(() => receiver.got.length === 1);
  const failedAt = performance.now();
  await signUpMany(world, 10);
  await world.settled();
  receiver.answer(204);
  await eventually(() => receiver.got.length === 2);
  expect(performance.now() - failedAt).toBeGreaterThan(900);
  expect(receiver.got[1]).toEqual(receiver.got[0]);
  expect(receiver.got[0]).toMatchObject({ data: { alert: 'failing', in_an_hour: 2, code: 'invalid_email' } });
  expect(JSON.stringify(receiver.got)).not.toContain('ann');
  await eventually(async () => {
    const { rows } = await world.db.app.query(`select from rollcall.alerts where told = 'begun' and tries = 0`);
    return rows.length === 1;
  });
});

test('what was over before anybody could be told is told in one message', async () => {
  const receiver = await createReceiver();
  const world = await createWorld({ more: alertsTo(receiver, ', failed: 1') });
  receiver.answer(500);
  await dead(world, 1);
  await world.start(world.config, { times: TIMES });
  await eventually(() => receiver.got.length > 0);
  await world.db.app.query('delete from rollcall.dead_letters');
  await eventually(async () => {
    const { rows } = await world.db.app.query('select from rollcall.alerts where ended_at is not null');
    return rows.length > 0;
  });
  receiver.answer(200);
  await world.db.app.query('update rollcall.alerts set next_at = now()');
  await eventually(async () => {
    const { rows } = await world.db.app.query(`select from rollcall.alerts where told = 'ended'`);
    return rows.length > 0;
  });
  expect(told(receiver).at(-1)).toBe('ended failing mailtrap');
  const over = receiver.got.filter(({ type }) => type.endsWith('ended'));
  expect(new Set(over.map(({ id }) => id)).size).toBe(1);
  const { rows } = await world.db.app.query('select told, ended_at >= began_at as over from rollcall.alerts');
  expect(rows).toEqual([{ told: 'ended', over: true }]);
});

test('stuck, held by a brake, a table that cannot be read, much found by a sweep', async () => {
  const receiver = await createReceiver();
  const world = await createWorld({
    ddl: 'create table public.people (user_id uuid primary key references auth.users, plan text)',
    fields: { FIRSTNAME: 'text', N: 'text', PLAN: 'text' },
    more: `${alertsTo(receiver, ', stuck_after: 1s, drift: 3')}
table_mapping: { people: { contact: { user_id: user_id }, plan: PLAN } }
brakes: { deletes: { share: 1%, least: 2 } }`,
  });
  await signUpMany(world, 6);
  const first = await world.start(world.config, { times: TIMES });
  await world.settled();
  await first.stop();
  await world.db.app.query('delete from auth.users where email < $1', ['p4']);
  await world.db.app.query('alter table public.people rename column plan to tier');
  await world.db.app.query('alter table auth.users disable trigger all');
  await signUpMany(world, 3, 11);
  await world.db.app.query('alter table auth.users enable trigger all');
  // One contact alone: were all refused, the breaker would pause the destination, which is told instead of `stuck`.
  world.sandbox.addFaults([{ match: { email: 'slow@example.com' }, status: 500, retryAfter: 60 }]);
  await world.db.app.query(
    `insert into public.people select id, 'gold' from auth.users where email = 'p5@example.com'`,
  );
  await world.start(world.config, { times: TIMES });
  // Whom a sweep finds is in the backfill lane, which takes its time.
  await eventually(() => told(receiver).includes('begun drift '));
  await world.signUp('slow@example.com');
  const wanted = ['source public.people', 'brake mailtrap', 'stuck mailtrap', 'drift '];
  await eventually(() => wanted.every((each) => told(receiver).includes(`begun ${each}`)));
  const texts = receiver.got.map(({ text }) => text).join('\n');
  expect(texts).toContain('a brake holds 3 deletions');
  expect(texts).toMatch(/a sweep found [3-9] contacts out of step \([a-z_, ]+\)/);
  expect(texts).not.toMatch(/@example/);
});

test('a copy of the database tells nobody', async () => {
  const receiver = await createReceiver();
  const world = await createWorld({ more: alertsTo(receiver, ', failed: 1') });
  await dead(world, 1);
  await world.db.app.query(`update rollcall.install set identity = identity || '{"database": "another"}'`);
  await expect(world.start(world.config, { times: TIMES })).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  // Nor does one that was running when it was told apart.
  const ref = projectRef(world.db.hostedUrl, undefined);
  const store = alertStore(world.db.sql, { configHash: world.config.hash, projectRef: ref, environment: 'test' });
  await expect(store.note([{ kind: 'failing', subject: 'mailtrap', detail: {} }], 1_000)).rejects.toMatchObject({
    code: 'RC002',
  });
  expect([receiver.got, await store.take(1_000, 10)]).toEqual([[], []]);
});

test('workers take turns to look, and a turn that a dead one took is over by itself', async () => {
  const world = await createWorld();
  const ref = projectRef(world.db.hostedUrl, undefined);
  const store = alertStore(world.db.sql, { configHash: world.config.hash, projectRef: ref, environment: 'test' });
  const turns = await Promise.all(Array.from({ length: 8 }, () => store.myTurn(60_000)));
  expect(turns.filter(Boolean)).toHaveLength(1);
  expect(await store.myTurn(60_000)).toBe(false);
  await world.db.app.query(`update rollcall.alert_turn set taken_at = taken_at - interval '55 seconds'`);
  expect(await store.myTurn(60_000)).toBe(true);
});

test('what one worker has taken is not sent by another until its time is over, and then under the same id', async () => {
  const world = await createWorld();
  const ref = projectRef(world.db.hostedUrl, undefined);
  const store = alertStore(world.db.sql, { configHash: world.config.hash, projectRef: ref, environment: 'test' });
  const alert = { kind: 'paused', subject: 'mailtrap', detail: { code: 'unauthorized' } } as const;
  await store.note([alert], 60_000);
  await store.note([alert], 60_000);
  const taken = await Promise.all(Array.from({ length: 8 }, () => store.take(60_000, 10)));
  const [message, ...more] = taken.flat();
  expect([message, more]).toMatchObject([{ ...alert, endedAt: null, tries: 1 }, []]);
  await world.db.app.query(`update rollcall.alerts set next_at = now()`);
  expect(await store.take(60_000, 10)).toMatchObject([{ id: message?.id, tries: 2 }]);
  await store.told(message!);
  expect(await store.take(60_000, 10)).toEqual([]);
  // It comes again a little later: the same one. It stays away: over, and the next one is another.
  await store.note([], 60_000);
  await store.note([alert], 60_000);
  expect(await store.take(60_000, 10)).toEqual([]);
  await world.db.app.query(`update rollcall.alerts set seen_at = now() - interval '61 seconds'`);
  await store.note([], 60_000);
  await store.note([alert], 60_000);
  const next = await store.take(60_000, 10);
  expect(next.map(({ endedAt }) => endedAt !== null)).toEqual([true, false]);
  expect(new Set([message, ...next].map((each) => each?.id)).size).toBe(3);
});
