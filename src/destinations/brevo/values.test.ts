import { describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import { e164 } from './phone.ts';
import { attributeValues } from './values.ts';

function sent(value: Json, type: AttributeType | undefined, name = 'X') {
  const plan = type === undefined ? {} : { [name]: type };
  const { attributes, problem } = attributeValues({ attributes: { [name]: value }, takeover: false }, plan, {
    clear_as: 'empty',
  });
  return problem === undefined ? attributes[name] : 'refused';
}

describe('values', () => {
  test.each<readonly [Json, AttributeType | undefined, Json]>([
    ['a', 'text', 'a'],
    [5, 'text', '5'],
    [{ a: 1 }, 'json', '{"a":1}'],
    [true, 'boolean', true],
    ['true', 'boolean', 'refused'],
    [5, 'integer', 5],
    ['NaN', 'float', 'refused'],
    [true, 'float', 'refused'],
    ['2024-02-29', 'date', '2024-02-29'],
    ['2023-02-29', 'date', 'refused'],
    ['1900-02-29', 'date', 'refused'],
    ['2026-13-01', 'date', 'refused'],
    ['2026-05-06T07:08:09+00:00', 'timestamp', '2026-05-06'],
    ['infinity', 'timestamp', 'refused'],
    ['12026-05-06', 'date', 'refused'],
    [[1], undefined, '[1]'],
    [null, 'boolean', ''],
  ])('%j as %s is %j', (value, type, expected) => {
    expect(sent(value, type)).toEqual(expected);
  });

  test('the first problem is the one that is told, and what it is about is not in its words', () => {
    const { problem } = attributeValues(
      { attributes: { A: 'secret', B: 'secret' }, takeover: false },
      { A: 'boolean', B: 'date' },
      {
        clear_as: 'empty',
      },
    );
    expect(problem).toMatchObject({ kind: 'reject', code: 'invalid_value', field: 'A' });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });
});

test.each([
  ['+15551234567', '+15551234567'],
  ['15551234567', '+15551234567'],
  ['0015551234567', '+15551234567'],
  ['+49 (0)151 123', undefined],
  ['+49 151/123-45 67', '+491511234567'],
  ['0151 1234567', undefined],
  ['+1', undefined],
  ['call me', undefined],
  ['+1234567890123456', undefined],
])('the phone number %s is %s', (text, expected) => {
  expect(e164(text)).toBe(expected);
});
