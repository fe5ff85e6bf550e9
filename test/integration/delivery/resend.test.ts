import { expect, test } from 'vitest';
import { startSandbox } from '../../support/mailtrap-sandbox.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { onCleanup } from '../../support/database.ts';
import { createWorld, parseWorld, worldYaml } from '../../support/world.ts';

test('another account at the destination: a worker stops until apply, and then everybody is sent there', async () => {
  const world = await createWorld();
  const first = await world.start();
  for (const name of ['ann', 'bob', 'cleo']) await world.signUp(`${name}@example.com`, { full_name: name });
  await world.settled();
  await first.stop();

  const other = await startSandbox({ limitsScale: 10_000 });
  onCleanup(() => other.close());
  other.state.addField('FIRSTNAME', 'text');
  other.state.addField('N', 'text');
  const moved = parseWorld(worldYaml({}, world.db.hostedUrl, other));
  await expect(world.start(moved)).rejects.toMatchObject({ code: 'RC_CONFIG_NOT_APPLIED' });

  await applyInstall(world.db.sql, moved, projectRef(world.db.hostedUrl, undefined));
  await world.start(moved);
  await world.settled();
  expect(
    other.state
      .contacts()
      .map((c) => c.email)
      .toSorted(),
  ).toEqual(['ann@example.com', 'bob@example.com', 'cleo@example.com']);
  // Nothing known of the old account's contacts was used: each was made by its address.
  expect(other.state.calls().every((call) => call.path.includes('%40'))).toBe(true);
});

test('rebind: what this copy holds as delivered is sent again, once', async () => {
  const world = await createWorld();
  const first = await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await first.stop();
  // The destination saw a newer state than this copy knows of, as after a restore.
  const contact = world.sandbox.state.contact('ann@example.com');
  await fetch(`${world.sandbox.apiUrl}/api/contacts/${contact?.id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.sandbox.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contact: { email: 'ann@example.com', fields: { FIRSTNAME: 'newer' } } }),
  });
  await world.db.app.query(`update rollcall.install set identity = identity || '{"timeline": "0000FFFF"}'`);
  await world.db.app.query('select rollcall.bind($1, $2)', [projectRef(world.db.hostedUrl, undefined), 'test']);
  await world.start();
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Ann' });
  expect(world.sandbox.state.contactCount).toBe(1);
});

test('an apply of another config tries again what a destination refused; the same config does not', async () => {
  const world = await createWorld({ fields: { N: 'text' } });
  const worker = await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 1, causes: [{ code: 'unknown_field' }] });

  world.sandbox.state.addField('FIRSTNAME', 'text');
  await applyInstall(world.db.sql, world.config, projectRef(world.db.hostedUrl, undefined));
  await world.settled();
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 1, in_step: 0 });

  // What is sent for Ann stays the same: it is the config that is another one.
  const changed = parseWorld(world.yaml.replace('user_metadata.n: N', 'user_metadata.other: N'));
  await worker.stop();
  await applyInstall(world.db.sql, changed, projectRef(world.db.hostedUrl, undefined));
  await world.start(changed);
  await world.settled();
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 0, in_step: 1 });
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Ann' });
});

test('a restart ends a pause: one contact goes first', async () => {
  const world = await createWorld();
  world.sandbox.addFaults([{ status: 401, count: 1 }]);
  const first = await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.sandbox.until((state) => state.calls().length === 1);
  await first.stop();
  expect((await world.status()).destinations[0]).toMatchObject({ pause_code: 'unauthorized' });
  await world.start();
  await world.settled();
  expect((await world.status()).destinations[0]).toMatchObject({ pause_code: null, in_step: 1 });
});

test('changes that no worker has folded yet are shown', async () => {
  const world = await createWorld();
  await world.signUp('ann@example.com');
  await world.signUp('bob@example.com');
  expect(await world.status()).toMatchObject({ unfolded: 2 });
  await world.start();
  await world.settled();
  expect(await world.status()).toMatchObject({ unfolded: 0 });
});
