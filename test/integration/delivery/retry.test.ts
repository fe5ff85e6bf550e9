import { expect, test } from 'vitest';
import { createWorld, parseWorld } from '../../support/world.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';

const FAST = 'first: 20ms, longest: 50ms';

test('a retry sends what is so now, never what failed', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 503 }] } });
  const config = parseWorld(world.yaml.replace('grace: 300ms', `grace: 300ms, retry: { ${FAST} }`));
  await world.start(config);
  await signUpMany(world, 20);
  const sent = (name: string): number => world.sandbox.state.calls().filter(({ body }) => body.includes(name)).length;
  await eventually(() => sent('Person 1"') >= 3);
  for (let n = 1; n <= 5; n += 1) {
    await world.db.app.query(
      `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $1::text, 'n', 0)`,
      [`Name ${n}`],
    );
    await eventually(() => sent(`"Name ${n}"`) >= 20);
  }
  // What is in flight when a change commits may be of before it; what is begun after the next answer is not.
  const since = world.sandbox.state.calls().length;
  await eventually(() => world.sandbox.state.calls().length > since + 60);
  const late = world.sandbox.state.calls().slice(since + 20);
  expect(late.filter(({ body }) => !body.includes('"Name 5"'))).toEqual([]);
  world.sandbox.clearFaults();
  await world.settled();
  await expectInStep(world);
});

test('what fails for its window is given up, and comes back by a change or when a person says so', async () => {
  const world = await createWorld({ sandbox: { faults: [{ status: 500, match: { email: 'ann@example.com' } }] } });
  const retry = `retry: { ${FAST}, window: 1s }`;
  await world.start(parseWorld(world.yaml.replace('grace: 300ms', `grace: 300ms, ${retry}`)));
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.signUp('bob@example.com', { full_name: 'Bob' });
  const failed = async (): Promise<number | undefined> => (await world.status()).destinations[0]?.failed;
  await eventually(async () => (await failed()) === 1);
  expect((await world.status()).destinations[0]).toMatchObject({
    pending: 0,
    in_step: 1,
    causes: [{ stage: 'deliver', code: 'gave_up', count: 1 }],
  });
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}' where id = $1`, [ann]);
  await eventually(async () => (await failed()) === 0);
  await eventually(async () => (await failed()) === 1);
  world.sandbox.clearFaults();
  const { rows } = await world.db.app.query(
    `select (rollcall.retry_failures(id, 'gave_up', null, null)).contacts from rollcall.destinations`,
  );
  expect(rows).toEqual([{ contacts: 1 }]);
  await world.settled();
  await expectInStep(world);
});

test('a wait that a destination asks for is a floor, and clamped', async () => {
  const world = await createWorld();
  world.sandbox.addFaults([
    { status: 503, retryAfter: 1, count: 1, match: { email: 'ann@example.com' } },
    { status: 503, retryAfter: 9_999_999, count: 1, match: { email: 'bob@example.com' } },
  ]);
  const retry = `retry: { ${FAST}, retry_after_most: 3s }`;
  await world.start(parseWorld(world.yaml.replace('grace: 300ms', `grace: 300ms, ${retry}`)));
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.signUp('bob@example.com', { full_name: 'Bob' });
  await world.settled();
  await expectInStep(world);
  const wait = (email: string): number => {
    const [first, second, ...more] = world.sandbox.state
      .calls()
      .filter((call) => call.body.includes(email) || call.path.includes(encodeURIComponent(email)));
    expect(more).toEqual([]);
    return second!.at - first!.at;
  };
  expect(wait('ann@example.com')).toBeGreaterThanOrEqual(995);
  expect(wait('ann@example.com')).toBeLessThan(2_900);
  expect(wait('bob@example.com')).toBeGreaterThanOrEqual(2_995);
});
