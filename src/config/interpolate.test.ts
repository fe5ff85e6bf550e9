import { describe, expect, test } from 'vitest';
import { interpolate } from './interpolate.ts';

const env = { KEY: 'k3y', EMPTY: '', NESTED: '${KEY}' };

describe('environment in texts', () => {
  test.each([
    ['plain', 'plain'],
    ['a $ and {b}', 'a $ and {b}'],
    ['${KEY}', 'k3y'],
    ['x-${KEY}-${KEY}', 'x-k3y-k3y'],
    ['${EMPTY}', ''],
    ['${GONE:-there}', 'there'],
    ['${EMPTY:-there}', 'there'],
    ['${KEY:-there}', 'k3y'],
    ['${GONE:-}', ''],
    ['${GONE:-a:-b\nc}', 'a:-b\nc'],
    ['$${KEY}', '${KEY}'],
    ['$$${KEY}', '$${KEY}'],
    ['${NESTED}', '${KEY}'],
  ])('%j becomes %j', (text, value) => {
    expect(interpolate(text, env)).toMatchObject({ value, problems: [] });
  });

  test('tells what came from the environment', () => {
    expect(interpolate('$${KEY}', env).fromEnv).toBe(false);
    expect(interpolate('${GONE:-x}', env).fromEnv).toBe(true);
  });

  test('names every missing variable', () => {
    expect(interpolate('${A}${KEY}${B}', env).problems).toEqual([
      { kind: 'missing', name: 'A', token: '${A}' },
      { kind: 'missing', name: 'B', token: '${B}' },
    ]);
  });

  test.each(['${}', '${KEY', '${1A}', '${KEY-x}', '${a b}', '${KEY:x}'])('%j is a syntax problem', (text) => {
    expect(interpolate(text, env).problems).toEqual([{ kind: 'syntax', name: '', token: text }]);
  });

  test('what an object inherits is no variable', () => {
    expect(interpolate('${constructor}${__proto__}', env).problems.map((problem) => problem.name)).toEqual([
      'constructor',
      '__proto__',
    ]);
  });
});
