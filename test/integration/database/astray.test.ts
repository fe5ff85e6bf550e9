import { expect, test } from 'vitest';
import type { Claimed } from '../../../src/engine/ports.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { delivered, move } from './people.ts';
import { installed, type Installed } from './support.ts';

const UNKNOWN: Outcome = { kind: 'unknown', code: 'connection_closed', message: '' };

/** Moves somebody, loses the answer, and moves them back. Returns their next delivery. */
async function movedAndBack(one: Installed, id: string): Promise<Claimed> {
  await move(one, id, 'b@x.y');
  await one.foldAll();
  const [toB] = await one.claim();
  await one.settle(toB!, UNKNOWN);
  await move(one, id, 'a@x.y');
  await one.foldAll();
  const [back] = await one.claim();
  return back!;
}

test('who moves back while an attempt to move them is in doubt is looked for, as their id may stand elsewhere', async () => {
  const one = await installed();
  const id = await delivered(one, 'a@x.y');
  const back = await movedAndBack(one, id);
  expect(back).toMatchObject({ address: 'a@x.y', astray: true, remote: { id: 'id of a@x.y' } });
});

test('who never moved, or has no id there, is sent again without a look', async () => {
  const one = await installed();
  await delivered(one, 'a@x.y');
  await one.insert('n@x.y');
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A"}'`);
  await one.foldAll();
  for (const each of await one.claim()) await one.settle(each, UNKNOWN);
  const again = await one.claim();
  expect(again).toHaveLength(2);
  for (const each of again) expect(each.astray).toBe(false);
});

test('whoever has the address where somebody was found is sent once more, and that ends', async () => {
  const one = await installed();
  const id = await delivered(one, 'a@x.y');
  const back = await movedAndBack(one, id);
  const other = await one.insert('b@x.y');
  await one.foldAll();
  await one.store.settle(one.destination, one.lease, [
    { delivery: back, outcome: { kind: 'delivered' }, foundAt: 'b@x.y', waitMs: 0, latencyMs: 1 },
  ]);
  expect(await one.desired(other)).toMatchObject({ due: true });
  await one.db.app.query(`update rollcall.due set due_at = now(), not_before = null, unknown_until = now()`);
  const sent = await one.deliverAll();
  expect(sent.map(({ address }) => address ?? '').toSorted()).toEqual(['a@x.y', 'b@x.y']);
  expect(await one.desired(other)).toMatchObject({ due: false, delivered_version: 1 });
  // Accepted before somebody is found at their address: what they had there left with it.
  await one.store.settle(one.destination, one.lease, [
    { delivery: back, outcome: { kind: 'delivered' }, foundAt: 'b@x.y', waitMs: 0, latencyMs: 1 },
  ]);
  expect(await one.desired(other)).toMatchObject({ due: true });
  const once = (await one.deliverAll()).filter(({ address }) => address === 'b@x.y');
  expect(once).toHaveLength(1);
  expect(await one.desired(other)).toMatchObject({ due: false });
});
