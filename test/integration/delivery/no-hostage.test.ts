import { expect, test } from 'vitest';
import { startSandbox } from '../../support/mailtrap-sandbox.ts';
import { onCleanup } from '../../support/database.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

const BREAKER = { firstPauseMs: 500, longestPauseMs: 1_000 };

test('a poison record becomes a dead letter in the vendor’s words, the others go on, a new address heals it', async () => {
  const world = await createWorld({ sandbox: { faults: [{ reject: 'poison@example.com' }] } });
  await world.start();
  const id = await world.signUp('poison@example.com', { full_name: 'P', n: 0 });
  await signUpMany(world, 50);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(50);
  const { rows } = await world.db.app.query('select stage, code, field, message from rollcall.dead_letters');
  expect(rows).toEqual([
    {
      stage: 'deliver',
      code: 'invalid_email',
      field: 'email',
      message: expect.stringContaining('is invalid') as string,
    },
  ]);
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 1, pending: 0 });
  // It was tried once, not again and again.
  expect(world.sandbox.state.calls().filter((call) => call.body.includes('poison')).length).toBe(1);

  await world.db.app.query(`update auth.users set email = 'fine@example.com' where id = $1`, [id]);
  await world.settled();
  await expectInStep(world);
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 0, in_step: 51 });
});

test('a slow destination, and one that is gone, delay nothing at the one beside them', async () => {
  const slow = await startSandbox({ limitsScale: 10_000, faults: [{ latencyMs: 3_000 }] });
  onCleanup(() => slow.close());
  slow.state.addField('FIRSTNAME', 'text');
  slow.state.addField('N', 'text');
  const world = await createWorld({
    destinations: `slow:
  type: mailtrap
  api_token: ${slow.token}
  base_url: ${slow.apiUrl}
  limits_scale: 10000
gone:
  type: mailtrap
  api_token: x
  base_url: http://127.0.0.1:9
  limits_scale: 10000`,
  });
  await world.start();
  await signUpMany(world, 500);
  await world.sandbox.until((state) => state.contactCount === 500);
  // Ten at a time take three seconds each.
  expect(slow.state.contactCount).toBeLessThan(200);
  await expectInStep(world);
  slow.clearFaults();
  await slow.until((state) => state.contactCount === 500);
  const { destinations } = await world.status();
  expect(destinations.find((d) => d.name === 'gone')).toMatchObject({ pending: 500, failed: 0, pause_code: null });
});

test('a revoked key pauses its destination, burns no record, and sends resume by themselves', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 401 }] } });
  const workers = [
    await world.start(undefined, { times: { breaker: BREAKER } }),
    await world.start(undefined, { times: { breaker: BREAKER } }),
  ];
  await signUpMany(world, 200);
  await eventually(async () => (await world.status()).destinations[0]?.pause_code === 'unauthorized');
  await eventually(async () => {
    const { rows } = await world.db.app.query('select 1 from rollcall.destinations where pauses >= 3');
    return rows.length === 1;
  });
  // What was in flight when the key failed, then one for each pause and worker.
  expect(world.sandbox.state.counters().calls).toBeLessThan(40);
  const { rows: burned } = await world.db.app.query('select 1 from rollcall.due where tries > 0');
  expect(burned).toEqual([]);
  expect((await world.status()).destinations[0]).toMatchObject({ pending: 200, failed: 0 });
  world.sandbox.clearFaults();
  await world.settled();
  await expectInStep(world);
  expect((await world.status()).destinations[0]).toMatchObject({ pause_code: null, failed: 0, in_step: 200 });
  await Promise.all(workers.map((worker) => worker.stop()));
});

test('answers to requests from before a pause do not lift it', async () => {
  const world = await createWorld({
    sandbox: {
      faults: [
        { status: 403, match: { email: 'p1@example.com' } },
        { latencyMs: 400, match: { path: 'p[2-9]' } },
      ],
    },
  });
  await world.start(undefined, { times: { breaker: { ...BREAKER, firstPauseMs: 5_000, longestPauseMs: 5_000 } } });
  await signUpMany(world, 9);
  await eventually(async () => {
    const { rows } = await world.db.app.query(`select 1 from rollcall.attempts where outcome = 'delivered'`);
    return rows.length >= 5;
  });
  expect((await world.status()).destinations[0]?.pause_code).toBe('forbidden');
});

test('rows that cannot be mapped are dead letters with a reason; a mended row comes in', async () => {
  const world = await createWorld({
    mapping: `unconfirmed: true
email: email
user_metadata.full_name: FIRSTNAME
attributes: {N: {sql: "(user_metadata->>'n')::int", type: integer}}`,
    fields: { FIRSTNAME: 'text', N: 'integer' },
  });
  await world.start();
  await world.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com',
            jsonb_build_object('n', case when i % 50 = 0 then 'bad' else i::text end), now() from generate_series(1, 1000) i`,
  );
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(980);
  expect((await world.status()).destinations[0]).toMatchObject({
    failed: 20,
    causes: [{ stage: 'map', code: '22P02', count: 20 }],
  });
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = '{"n": "7"}' where raw_user_meta_data ->> 'n' = 'bad'`,
  );
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(1_000);
  expect((await world.status()).destinations[0]?.failed).toBe(0);
});
