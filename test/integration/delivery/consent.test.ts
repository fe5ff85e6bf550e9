import { afterEach, expect, test } from 'vitest';
import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import { bodyOf } from '../../support/people.ts';
import { createWorld, type World, type WorldOptions } from '../../support/world.ts';

let seen: readonly SandboxCall[] = [];

/** A world whose every call is scanned after the test: nothing may ever subscribe anybody. */
async function consentWorld(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld(options);
  const calls: SandboxCall[] = [];
  seen = calls;
  world.sandbox.onCall((call) => void calls.push(call));
  await world.start();
  return world;
}

afterEach(() => {
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((call) => bodyOf(call)?.unsubscribed === false)).toEqual([]);
});

const statusOf = (world: World, email: string): string | undefined => world.sandbox.state.contact(email)?.status;

test('nobody opted in: contacts are created unsubscribed', async () => {
  const world = await consentWorld({ consent: 'nobody' });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  expect(seen.map((call) => bodyOf(call)?.unsubscribed)).toEqual([true]);
});

test('a metadata path decides: yes, no, nothing', async () => {
  const world = await consentWorld({ consent: '{ column: user_metadata.marketing }' });
  await world.signUp('yes@example.com', { marketing: true });
  await world.signUp('no@example.com', { marketing: false });
  await world.signUp('null@example.com', { marketing: null });
  await world.signUp('absent@example.com', {});
  await world.signUp('odd@example.com', { marketing: 'perhaps' });
  await world.settled();
  expect(statusOf(world, 'yes@example.com')).toBe('subscribed');
  for (const name of ['no', 'null', 'absent', 'odd'])
    expect(statusOf(world, `${name}@example.com`)).toBe('unsubscribed');
});

test('an answer that is taken back is a no, said in every write', async () => {
  const world = await consentWorld({ consent: '{ column: user_metadata.marketing }' });
  const id = await world.signUp('ann@example.com', { marketing: true });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('subscribed');
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data - 'marketing' where id = $1`,
    [id],
  );
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Ann"}' where id = $1`, [id]);
  await world.settled();
  expect(seen.map((call) => bodyOf(call)?.unsubscribed)).toEqual([undefined, true, true]);
});

test('nobody: who opted in at the destination stays so, after an edit and at a new address', async () => {
  const world = await consentWorld({ consent: 'nobody' });
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  world.sandbox.state.unsuppress('ann@example.com');
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Anna"}' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('subscribed');
  await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'anna@example.com')).toBe('subscribed');
});

test('who opted out edits the profile 20 times and changes the address: never subscribed', async () => {
  const world = await consentWorld({ consent: '{ column: user_metadata.marketing }' });
  const id = await world.signUp('out@example.com', { marketing: false, n: 0 });
  await world.settled();
  for (let n = 1; n <= 20; n += 1) {
    await world.db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $2::int) where id = $1`,
      [id, n],
    );
    if (n % 4 === 0) await world.settled();
  }
  await world.db.app.query(`update auth.users set email = 'out2@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'out2@example.com')).toBe('unsubscribed');
  expect(world.sandbox.state.contact('out@example.com')).toBeUndefined();
  for (const call of seen) expect(bodyOf(call)?.unsubscribed).toBe(true);
});

test('who unsubscribed at Mailtrap stays so: after an edit, and at a new address', async () => {
  const world = await consentWorld();
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('subscribed');
  world.sandbox.state.suppress('ann@example.com');
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');

  await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'anna@example.com')).toBe('unsubscribed');
  expect(world.sandbox.state.contactCount).toBe(1);
  // Between the read and the write nothing showed the person as subscribed: the write itself says it.
  const move = seen.find((call) => bodyOf(call)?.email === 'anna@example.com');
  expect(bodyOf(move!)?.unsubscribed).toBe(true);
});

test('a lookup that fails delays an address change and never guesses', async () => {
  const world = await consentWorld();
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  world.sandbox.state.suppress('ann@example.com');
  world.sandbox.addFaults([
    { match: { method: 'GET' }, status: 500, count: 2 },
    { match: { method: 'GET' }, drop: 'after', count: 1 },
  ]);
  await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'anna@example.com')).toBe('unsubscribed');
});

test('a lost answer to an address change: the opt-out still moves', async () => {
  const world = await consentWorld();
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  world.sandbox.state.suppress('ann@example.com');
  world.sandbox.addFaults([{ match: { method: 'PATCH' }, drop: 'after', count: 1 }]);
  await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'anna@example.com')).toBe('unsubscribed');
  await world.db.app.query(`update auth.users set email = 'anne@example.com' where id = $1`, [id]);
  await world.settled();
  expect(statusOf(world, 'anne@example.com')).toBe('unsubscribed');
  expect(world.sandbox.state.contactCount).toBe(1);
});

test('deleted and signed up again: the opt-out of the address outlives the contact', async () => {
  const world = await consentWorld();
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  world.sandbox.state.suppress('ann@example.com');
  await world.db.app.query('delete from auth.users where id = $1', [id]);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(0);
  await world.signUp('ann@example.com', { full_name: 'Ann again' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
});

test('an opted-out address taken over by another person: nothing subscribes it', async () => {
  const world = await consentWorld({ consent: '{ column: user_metadata.marketing }' });
  const id = await world.signUp('shared@example.com', { marketing: false, full_name: 'One' });
  await world.settled();
  await world.db.app.query('delete from auth.users where id = $1', [id]);
  await world.signUp('shared@example.com', { marketing: true, full_name: 'Two' });
  await world.settled();
  expect(world.sandbox.state.contact('shared@example.com')).toMatchObject({
    status: 'unsubscribed',
    fields: { FIRSTNAME: 'Two' },
  });
});
