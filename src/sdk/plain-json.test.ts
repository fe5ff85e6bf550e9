import { expect, test } from 'vitest';
import { renderJson } from '../core/json.ts';
import { plainJson } from './plain-json.ts';

test('values of a program become JSON as JSON.stringify has it, and bigint keeps its digits', () => {
  const value = {
    at: new Date(0),
    none: undefined,
    run: () => 1,
    nan: Number.NaN,
    list: [undefined, 1],
    deep: { url: new URL('http://x/') },
  };
  expect(renderJson(plainJson(value)!)).toBe(JSON.stringify(value));
  expect(renderJson(plainJson({ id: 2n ** 64n })!)).toBe('{"id":18446744073709551616}');
  expect(plainJson(Symbol('x'))).toBeUndefined();
});

test('what is nested within itself is refused', () => {
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  expect(() => plainJson(loop)).toThrow('nested deeper than 50 levels');
});
