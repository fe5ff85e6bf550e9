import { expect, test } from 'vitest';
import { dumpOf, foundIn } from '../support/dump.ts';
import { erase, eraseWorld } from '../support/erasing.ts';
import { eventually } from '../support/people.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

const PEOPLE = 2;
/** Short, so that whoever dies is soon followed. */
const TIMES = {
  leaseMs: 2_000,
  requestMs: 800,
  settleMs: 200,
  leastRequestMs: 200,
  eraseLookMs: 20,
  upkeepEveryMs: 100,
};

test('kill -9 at each request of an erasure, before and after its answer: each ends deleted, read back and purged', async () => {
  const world = await eraseWorld({ grace: '200ms' });
  const all = Array.from({ length: PEOPLE }, (_, n) => `person${n}@example.com`);
  const first = await startWorkerProcess(world.yaml, TIMES);
  const ids = [];
  for (const email of all) ids.push(await world.signUp(email, { full_name: `Name of ${email}` }));
  await world.signUp('stays@example.com');
  await world.settled();
  first.signal('SIGTERM');
  await first.ended;
  for (const email of all) await erase(world, email);

  const over = async (): Promise<boolean> => {
    const { rows } = await world.db.app.query(
      `select not exists (select from rollcall.erasures where finished_at is null) and rotate_xid is null as over from rollcall.install`,
    );
    return rows[0].over === true;
  };
  let kills = 0;
  for (let n = 1; !(await over()); n += 1) {
    const worker = await startWorkerProcess(world.yaml, TIMES);
    let left = 1 + (n % 3);
    // A call is told of before its answer is on its way: whether it gets there is for the two to find out.
    const stop = world.sandbox.onCall(() => {
      left -= 1;
      if (left > 0 || n > 8) return;
      worker.signal('SIGKILL');
      kills += 1;
    });
    await Promise.race([worker.ended, eventually(over)]);
    if (typeof stop === 'function') stop();
    if (await over()) worker.signal('SIGTERM');
    await worker.ended;
  }
  expect(kills).toBeGreaterThan(3);
  expect(world.sandbox.state.contactCount).toBe(1);
  expect(foundIn(await dumpOf(world.db.app), [...all, ...ids, 'Name of'])).toEqual([]);
  const { rows } = await world.db.app.query(
    `select distinct destinations -> 'mailtrap' ->> 'read_back' as said from rollcall.erasures`,
  );
  expect(rows).toEqual([{ said: 'gone' }]);
});
