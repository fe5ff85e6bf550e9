import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedValues } from './bounded.ts';

test('codes stay, what somebody wrote does not', () => {
  const bounded = boundedValues(10);
  expect(['', 'http_500', '22P02', 'too.large-x'].map(bounded)).toEqual(['', 'http_500', '22P02', 'too.large-x']);
  expect(['ann@example.com', 'two words', 'x'.repeat(41), 'é', 'a\n'].map(bounded)).toEqual(Array(5).fill('other'));
});

test('never more than the bound and "other", and a known value stays known', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.string({ maxLength: 3 })), (most, values) => {
      const bounded = boundedValues(most);
      const shown = values.map(bounded);
      expect(new Set(shown.filter((value) => value !== 'other')).size).toBeLessThanOrEqual(most);
      expect(values.map(bounded)).toEqual(shown);
    }),
  );
});
