import { expect, test } from 'vitest';
import { eventually, signUpMany } from '../../support/people.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { upkeepEveryMs: 200 };

type Brakes = readonly { readonly kind: string; readonly held: number }[];

async function brakes(world: World): Promise<Brakes> {
  return (await world.status()).destinations[0]?.brakes ?? [];
}

async function release(world: World, kind: 'deletes' | 'changes', n: number): Promise<void> {
  await world.db.app.query('select rollcall.release_held(id, $1, $2) from rollcall.destinations', [kind, n]);
}

/** Somebody who signs up now is there: the workers have been at work since. */
async function signsUp(world: World, email: string): Promise<void> {
  await world.signUp(email, { full_name: 'New', n: 0 });
  await world.sandbox.until((state) => state.contact(email) !== undefined);
}

test('two workers obey: too many deletions wait for a person while sign-ups go on, and only the released ones go', async () => {
  const world = await createWorld({ sandbox: { keepCalls: 5_000 } });
  await world.start(undefined, { times: TIMES });
  await world.start(undefined, { times: TIMES });
  await signUpMany(world, 100);
  await world.settled();
  await world.db.app.query(`delete from auth.users where email like 'p1%' or email like 'p2%'`);
  await eventually(async () => (await brakes(world)).length > 0);
  expect(await brakes(world)).toMatchObject([{ kind: 'deletes', held: 23 }]);
  await signsUp(world, 'one@example.com');
  expect(world.sandbox.state.contactCount).toBe(101);

  await release(world, 'deletes', 3);
  await world.sandbox.until((state) => state.contactCount === 98);
  // A third worker comes, and a sweep looks at everybody again.
  await world.start(undefined, { times: TIMES });
  await world.db.app.query(`select nextval('rollcall.uncaptured')`);
  await eventually(async () => !(await world.status()).sweep_wanted);
  await signsUp(world, 'two@example.com');
  expect(world.sandbox.state.contactCount).toBe(99);
  expect(world.sandbox.state.calls().filter((call) => call.method === 'DELETE')).toHaveLength(3);

  await release(world, 'deletes', 20);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(79);
});

test('too many changes wait; opt-outs, sign-ups and a few deletions pass meanwhile', async () => {
  const world = await createWorld({
    consent: '{ column: user_metadata.yes }',
    more: 'brakes: { changes: { share: 20%, least: 20 } }',
  });
  await world.start(undefined, { times: TIMES });
  await world.start(undefined, { times: TIMES });
  await world.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com', '{"full_name": "Person", "n": 0, "yes": true}', now() from generate_series(1, 100) i`,
  );
  await world.settled();
  // A sweep could come to some of them before the fold does.
  await eventually(async () => !(await world.status()).sweep_wanted);
  const edit = (json: string, where: string): Promise<unknown> =>
    world.db.app.query(`update auth.users set raw_user_meta_data = raw_user_meta_data || '${json}' where ${where}`);
  await edit('{"n": 1}', 'true');
  await eventually(async () => (await brakes(world)).length > 0);
  expect(await brakes(world)).toMatchObject([{ kind: 'changes', held: 100 }]);
  await edit('{"yes": false}', `email in ('p1@example.com', 'p2@example.com')`);
  await world.db.app.query(`delete from auth.users where email = 'p3@example.com'`);
  await world.sandbox.until((state) => state.contact('p3@example.com') === undefined);
  await signsUp(world, 'new@example.com');
  const { state } = world.sandbox;
  await eventually(() => ['p1', 'p2'].every((p) => state.contact(`${p}@example.com`)?.status === 'unsubscribed'));
  const changed = state.contacts().filter((c) => c.fields['N'] === '1');
  expect(changed.map((c) => c.email).toSorted()).toEqual(['p1@example.com', 'p2@example.com']);
  await release(world, 'changes', 97);
  await world.settled();
  expect(state.contacts().filter((c) => c.fields['N'] === '1')).toHaveLength(99);
});
