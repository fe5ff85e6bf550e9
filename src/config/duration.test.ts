import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  [' 0s ', 0],
])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(['', '5', '5 m', '-5m', '1.5h', '1h30m', '2min', '1D', '1e3s', '999999999999d', 'm', '５m'])(
  '%j is no duration',
  (text) => expect(parseDuration(text)).toBeUndefined(),
);
