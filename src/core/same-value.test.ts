import { expect, test } from 'vitest';
import type { Json } from './json.ts';
import { parseJson } from './json.ts';
import type { AttributeType } from './mapping.ts';
import { sameValue } from './same-value.ts';

test.each<[Json, string, AttributeType | undefined, boolean]>([
  [5, '5.0', 'float', true],
  [5, '+5', 'integer', true],
  [parseJson('9007199254740993'), '9007199254740993', 'integer', true],
  [parseJson('9007199254740993'), '9007199254740992', 'integer', false],
  [0.5, '.50', 'float', true],
  [true, 'Yes', 'boolean', true],
  [false, '0', 'boolean', true],
  [true, 'false', 'boolean', false],
  ['2026-02-28', '2026-02-28T00:00:00.000Z', 'date', true],
  ['2026-02-28', '2026-02-27', 'timestamp', false],
  ['a\nb', 'a\r\nb', 'text', true],
  [' a', 'a', 'text', false],
  [{ b: 1, a: [{ d: null, c: 'x' }] }, '{"a": [{"c": "x", "d": null}], "b": 1}', 'json', true],
  ['{"b":1,"a":2}', '{"a":2,"b":1}', 'json', true],
  [{ a: [1, 2] }, '{"a":[2,1]}', 'json', false],
  ['{"a":', '{"a":', 'json', true],
  [null, '', 'text', true],
  [null, '0', 'integer', false],
])('%j is %j as %s: %s', (value, text, type, same) => {
  expect(sameValue(value, text, type)).toBe(same);
});
