import { expect, test } from 'vitest';
import { DEFAULT_BUDGET, isOver } from './budget.ts';

test.each<[number | undefined, number, number, boolean]>([
  [0, 0, 0, false],
  [899, 99_999, 1_000_000, false],
  [900, 0, 0, true],
  [0, 100_000, 0, true],
  [undefined, 0, 999, false],
  [undefined, 0, 1_000, true],
])('cpu %s ms, wall %s ms, %s requests: over is %s', (cpuMs, wallMs, requests, over) => {
  expect(isOver(DEFAULT_BUDGET, { cpuMs, wallMs, requests })).toBe(over);
});
