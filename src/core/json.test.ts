import { expect, test } from 'vitest';
import { LosslessNumber } from 'lossless-json';
import { parseJson, renderJson } from './json.ts';

test('digits that a double would change are kept, whatever stands in strings around them', () => {
  for (const number of ['9007199254740993', '0.12345678901234567', '1e400', '-12345678901234567890.5']) {
    const text = `{"a \\" 5e9 \\\\":"2026-11-21 12345678901234567890","n":${number},"b":["\\\\"]}`;
    const parsed = parseJson(text) as Record<string, unknown>;
    expect(parsed['n']).toBeInstanceOf(LosslessNumber);
    expect(renderJson(parsed as never)).toBe(text);
  }
});

test('what names exact numbers in its texts is rendered as it is', () => {
  const value = {
    isLosslessNumber: 'no',
    'a "isLosslessNumber"': [null, true, 1.5, 'ü"\\'],
    n: new LosslessNumber('9007199254740993'),
  };
  expect(renderJson(value as never)).toBe(
    '{"isLosslessNumber":"no","a \\"isLosslessNumber\\"":[null,true,1.5,"ü\\"\\\\"],"n":9007199254740993}',
  );
});

test('digits in strings alone are parsed the quick way, whatever is escaped in them', () => {
  const value = { id: '9007199254740993', hex: '5e1e\\"', back: '\\', quote: '"9007199254740993"', n: 12, none: null };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

test('a text of a megabyte full of digits', () => {
  const value = { long: '5e9'.repeat(350_000) + '\\"'.repeat(1_000) };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

test('a text that is no JSON is refused, wherever its quotes are', () => {
  for (const text of ['"5e1', '{"a": 5e1', '"a" 5e1 "', '{"a\\": 5e1}'])
    expect(() => parseJson(text)).toThrow(SyntaxError);
});
