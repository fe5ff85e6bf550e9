import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { everyLane, installed, LEASE } from './support.ts';

const LARGE = 'x'.repeat(1_000);

test('a claim stops at its bytes: the first is always taken, and what does not fit is due at once, as if nobody had asked', async () => {
  const one = await installed();
  for (const n of [1, 2, 3, 4, 5]) await one.insert(`p${n}@example.com`, { full_name: LARGE + n });
  await one.foldAll();
  const before = (await one.db.app.query('select contact_id, due_at, tries from rollcall.due order by contact_id'))
    .rows;
  const claim = async (bytes: number): Promise<readonly string[]> => {
    const lease = { ...LEASE, token: randomUUID() };
    const claimed = await one.store.claim(one.destination, lease, { ...everyLane(10), bytes });
    expect(claimed.every(({ size }) => size > 1_000)).toBe(true);
    return claimed.map(({ attributes }) => JSON.stringify(attributes['FIRSTNAME']).at(-2) ?? '');
  };
  expect(await claim(1)).toEqual(['1']);
  const left = await one.db.app.query(
    'select contact_id, due_at, tries from rollcall.due where token is null and unknown_until is null order by contact_id',
  );
  expect(left.rows).toEqual(before.slice(1));
  // Up to the one with which it is used up.
  expect(await claim(1_500)).toEqual(['2', '3']);
  expect(await claim(1_000_000)).toEqual(['4', '5']);
  expect(await claim(1_000_000)).toEqual([]);
});
