import { expect, test } from 'vitest';
import { createPacer, nextPageSize, restAfter } from './sweep-pace.ts';

test('pages grow while they are quick and shrink when they are slow, within bounds', () => {
  let size = 500;
  for (let n = 0; n < 10; n++) size = nextPageSize(size, size * 0.001);
  expect(size).toBe(1_000);
  expect(nextPageSize(1_000, 5_000)).toBe(500);
  for (let n = 0; n < 10; n++) size = nextPageSize(size, size * 20);
  expect(size).toBe(50);
  // A tenth of a millisecond a row: pages of what is aimed at.
  for (let n = 0; n < 10; n++) size = nextPageSize(size, size / 10);
  expect(size).toBe(200);
});

test('a million rows take less than 50 s with their rests, and a slow page rests too', () => {
  const rest = (kind: 'compare' | 'absent', ms: number): number => (ms + restAfter(kind, 1_000, ms)) * 1_000;
  expect(rest('compare', 12) + rest('absent', 3)).toBeLessThan(50_000);
  expect(restAfter('compare', 1_000, 400)).toBe(60);
  expect(restAfter('compare', 0, 0)).toBe(0);
});

test('a pacer gives each page the size that the one before earned', async () => {
  const pacer = createPacer('absent', new AbortController().signal);
  const sizes: number[] = [];
  for (let n = 0; n < 4; n++) {
    await pacer(async (size) => {
      sizes.push(size);
      return { scanned: 0 };
    });
  }
  expect(sizes).toEqual([500, 1_000, 1_000, 1_000]);
});
