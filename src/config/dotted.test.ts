import { expect, test } from 'vitest';
import { splitDots } from './dotted.ts';

test.each([
  ['a', ['a']],
  ['a.b.c', ['a', 'b', 'c']],
  ['a\\.b.c', ['a.b', 'c']],
  ['\\where', ['where']],
  ['a\\\\.b', ['a\\', 'b']],
  ['a\\', ['a\\']],
  ['', ['']],
  ['.a.', ['', 'a', '']],
  ['Ünï.🙂\\.x', ['Ünï', '🙂.x']],
])('%j is %j', (text, parts) => expect(splitDots(text)).toEqual(parts));
