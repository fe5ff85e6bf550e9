import { expect, test } from 'vitest';
import { KeptEvents } from './kept-events.ts';

test('the last 100,000 are always there, and all are counted', () => {
  const kept = new KeptEvents<number>();
  const forgotten: number[] = [];
  for (let n = 1; n <= 200_001; n += 1) for (const event of kept.add(n)) forgotten.push(event);
  expect([kept.total, kept.list.length, kept.list[0], kept.list.at(-1)]).toEqual([200_001, 100_000, 100_002, 200_001]);
  expect([forgotten.length, forgotten[0], forgotten.at(-1)]).toEqual([100_001, 1, 100_001]);
  kept.clear();
  expect([kept.total, kept.list]).toEqual([0, []]);
});

test('as many as can be kept are taken back', () => {
  const kept = new KeptEvents<number>();
  kept.add(7);
  kept.restore(
    Array.from({ length: 200_000 }, (_, n) => n),
    1_000_000,
  );
  expect([kept.total, kept.list.length, kept.list[0]]).toEqual([1_000_000, 200_000, 0]);
});
