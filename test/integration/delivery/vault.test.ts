import { expect, test } from 'vitest';
import { DEFAULT_TIMES } from '../../../src/engine/times.ts';
import { createDatabase, onCleanup } from '../../support/database.ts';
import { startSandbox } from '../../support/mailtrap-sandbox.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createVault, putSecret } from '../../support/vault.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { ...DEFAULT_TIMES, breaker: { firstPauseMs: 200, longestPauseMs: 400 } };

async function pauseOf(world: World): Promise<string | null | undefined> {
  return (await world.status()).destinations.find(({ name }) => name === 'other')?.pause_code;
}

test('a secret that is missing, wrong, mended and rotated: its destination waits alone, and looks again by itself', async () => {
  const db = await createDatabase();
  await createVault(db);
  const other = await startSandbox({ limitsScale: 10_000, token: 'the-key-in-vault' });
  onCleanup(() => other.close());
  for (const name of ['FIRSTNAME', 'N']) other.state.addField(name, 'text');
  const world = await createWorld({
    db,
    destinations: `other:
  type: mailtrap
  api_token: "\${vault:OTHER_KEY}"
  base_url: ${other.apiUrl}
  limits_scale: 10000`,
  });
  await world.start(undefined, { times: TIMES });
  await signUpMany(world, 20);
  await world.sandbox.until((state) => state.contactCount === 20);
  await expectInStep(world);
  await eventually(async () => (await pauseOf(world)) === 'RC_VAULT_SECRET');

  await putSecret(db, 'OTHER_KEY', 'a-key-of-long-ago');
  await eventually(async () => (await pauseOf(world)) === 'unauthorized');
  expect(other.state.contactCount).toBe(0);

  await putSecret(db, 'OTHER_KEY', 'the-key-in-vault');
  await other.until((state) => state.contactCount === 20);
  await eventually(async () => (await pauseOf(world)) === null);
  expect(world.logs.join('\n')).not.toMatch(/the-key-in-vault|a-key-of-long-ago|placeholder/);
});
