import { expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../support/mailtrap-sandbox.ts';
import { DEFAULT_TIMES } from '../../../src/engine/times.ts';
import { onCleanup } from '../../support/database.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { ...DEFAULT_TIMES, breaker: { firstPauseMs: 300, longestPauseMs: 600 } };

/** A second account beside the first, with a list by its name. */
async function beside(token?: string): Promise<{ world: World; other: Sandbox }> {
  const other = await startSandbox({ limitsScale: 10_000 });
  onCleanup(() => other.close());
  other.state.addField('FIRSTNAME', 'text');
  other.state.addField('N', 'text');
  const world = await createWorld({
    destinations: `other:
  type: mailtrap
  api_token: ${token ?? other.token}
  base_url: ${other.apiUrl}
  lists: [News]
  limits_scale: 10000`,
  });
  return { world, other };
}

test('a list that nobody made pauses its destination alone, says why, and heals by itself', async () => {
  const { world, other } = await beside();
  await world.start(undefined, { times: TIMES });
  await signUpMany(world, 30);
  await world.sandbox.until((state) => state.contactCount === 30);
  await expectInStep(world);
  await eventually(async () => (await pauseOf(world)) !== null);
  expect(await pauseOf(world)).toBe('RC_LIST_UNKNOWN');
  expect(other.state.contactCount).toBe(0);

  const { id } = other.state.addList('News');
  await other.until((state) => state.contactCount === 30);
  await world.settled();
  expect(other.state.contacts().every((contact) => contact.list_ids.includes(id))).toBe(true);
  await eventually(async () => (await pauseOf(world)) === null);
});

test('a key that is wrong from the start is its own affair too, and its text is in no log', async () => {
  const { world, other } = await beside('not-the-key-of-this-account');
  await world.start(undefined, { times: TIMES });
  await signUpMany(world, 30);
  await world.sandbox.until((state) => state.contactCount === 30);
  await eventually(async () => (await pauseOf(world)) !== null);
  expect(await pauseOf(world)).toBe('RC_LISTS_UNREADABLE');
  expect(other.state.contactCount).toBe(0);
  expect(world.logs.join('\n')).not.toContain('not-the-key');
});

async function pauseOf(world: World): Promise<string | null | undefined> {
  return (await world.status()).destinations.find(({ name }) => name === 'other')?.pause_code;
}
