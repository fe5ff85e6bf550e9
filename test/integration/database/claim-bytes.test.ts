import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { everyLane, installed, LEASE } from './support.ts';

const LARGE = 'x'.repeat(1_000);

test('a claim stops at its bytes: the first is always taken, and what does not fit is due at once, with no try counted', async () => {
  const one = await installed();
  for (const n of [1, 2, 3, 4, 5]) await one.insert(`p${n}@example.com`, { full_name: LARGE + n });
  await one.foldAll();
  const claim = async (bytes: number): Promise<readonly string[]> => {
    const lease = { ...LEASE, token: randomUUID() };
    const claimed = await one.store.claim(one.destination, lease, { ...everyLane(10), bytes });
    expect(claimed.every(({ size }) => size > 1_000)).toBe(true);
    return claimed.map(({ attributes }) => JSON.stringify(attributes['FIRSTNAME']).at(-2) ?? '');
  };
  // All are due since the same moment: whoever comes first, each comes once.
  const all: string[] = [];
  const take = async (bytes: number): Promise<number> => {
    const names = await claim(bytes);
    all.push(...names);
    return names.length;
  };
  expect(await take(1)).toBe(1);
  const { rows: left } = await one.db.app.query(
    `select due_at <= clock_timestamp() as due, tries from rollcall.due
     where token is null and unknown_until is null order by contact_id`,
  );
  expect(left).toEqual(Array.from({ length: 4 }, () => ({ due: true, tries: 0 })));
  // Up to the one with which it is used up.
  expect(await take(1_500)).toBe(2);
  expect(await take(1_000_000)).toBe(2);
  expect(await take(1_000_000)).toBe(0);
  expect(all.toSorted()).toEqual(['1', '2', '3', '4', '5']);
});
