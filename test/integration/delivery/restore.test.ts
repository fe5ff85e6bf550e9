import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { rollcall, tempFile } from '../../cli/run-cli.ts';
import { createOwnDatabase, type OwnDatabase } from '../../support/own-cluster.ts';
import { onCleanup } from '../../support/database.ts';
import { signUpMany } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

/** With owners and rights: a server reads no files of somebody else's. */
const copy = (from: string, to: string): Promise<unknown> => promisify(execFile)('cp', ['-a', from, to]);

/** Copies the data directory of a stopped server; gives back what puts the copy in its place. */
async function backUp({ cluster }: OwnDatabase): Promise<() => Promise<void>> {
  const backup = `${cluster.directory}-backup`;
  await copy(cluster.directory, backup);
  onCleanup(() => rm(backup, { recursive: true, force: true }));
  return async () => {
    await rm(cluster.directory, { recursive: true, force: true });
    await copy(backup, cluster.directory);
  };
}

test('a database set back under a running worker, same cluster and timeline: it sends nothing and says so, and so do all others', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({ db });
  const first = await world.start();
  await signUpMany(world, 20);
  await world.settled();
  await first.stop();
  await db.cluster.crash();
  const restore = await backUp(db);
  await db.cluster.start();
  await db.reconnect();

  const worker = await world.start();
  await signUpMany(world, 30, 21);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(50);
  await db.cluster.crash();
  await restore();
  const calls = world.sandbox.state.counters().calls;
  await db.cluster.start();
  await db.reconnect();
  // Something to send, that the restored database takes for new.
  await world.signUp('late@example.com');
  await expect(worker.ended).rejects.toMatchObject({
    code: 'RC_NOT_BOUND',
    hint: expect.stringContaining('rollcall recover'),
    message: expect.stringContaining('set back'),
  });
  expect(world.sandbox.state.counters().calls).toBe(calls);

  // Whoever starts later has seen nothing, and knows all the same.
  await expect(world.start()).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  expect(world.sandbox.state.counters().calls).toBe(calls);

  // Recovered: of those born after the backup, who are users no more, nobody is deleted; the others are not sent again.
  world.sandbox.state.suppress('p1@example.com');
  const config = await tempFile('rollcall.yaml', world.yaml);
  const ran = await rollcall(['recover', '--yes', '--json', '--config', config]);
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ destinations: [{ there: 50, equal: 20, optedOut: 1, unknown: 30 }] });
  const before = world.sandbox.state.calls().length;
  const after = await world.start();
  await world.sandbox.until((state) => state.contact('late@example.com') !== undefined);
  await world.settled();
  await after.stop();
  const sent = world.sandbox.state.calls().slice(before);
  expect(sent.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)).toEqual([
    'PATCH /api/contacts/late@example.com',
  ]);
  expect(world.sandbox.state.contactCount).toBe(51);
  expect(world.sandbox.state.contact('p1@example.com')?.status).toBe('unsubscribed');
});

test('a crash without a restore is none, though what was not flushed is lost', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({ db });
  const worker = await world.start();
  for (let round = 0; round < 3; round += 1) {
    await signUpMany(world, 20, round * 20 + 1);
    // Positions that are seen while much is written and nothing flushed.
    await db.app.query(
      `set synchronous_commit = off; create table if not exists public.noise (t text); insert into public.noise select repeat('x', 500) from generate_series(1, 5000)`,
    );
    await db.cluster.crash();
    await db.cluster.start();
    await db.reconnect();
  }
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(60);
  await worker.stop();
});
