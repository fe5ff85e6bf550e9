import { expect, test } from 'vitest';
import { columns, count, cut, duration, hanging, wrap } from './layout.ts';

test('wrap breaks between words, indents every line and keeps a longer word whole', () => {
  expect(wrap('one two three', 9)).toBe('one two\nthree');
  expect(wrap('one two three', 9, '  ')).toBe('  one two\n  three');
  expect(wrap('a extraordinarily b', 6)).toBe('a\nextraordinarily\nb');
  expect(wrap('one\ntwo', 80, ' ')).toBe(' one\n two');
  expect(wrap('', 80)).toBe('');
});

test('hanging puts the lines of a text below its first word', () => {
  expect(hanging('name  ', 'one two three', 13)).toBe('name  one two\n      three');
  expect(hanging('name  ', '', 13)).toBe('name  ');
});

test('columns are as wide as their widest cell, numbers to the right, no spaces at the end', () => {
  expect(
    columns(
      [
        ['name', 'n', ''],
        ['a', '1,000', 'x'],
      ],
      'lrl',
    ),
  ).toBe('  name      n\n  a     1,000  x');
});

test.each([
  [0, '0 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [3_599, '59 min'],
  [3_600, '1 h'],
  [11_100, '3 h 5 min'],
  [86_400, '1 d'],
  [190_000, '2 d 4 h'],
  [-5, '0 s'],
])('duration of %d s is %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('count and cut', () => {
  expect(count(1, 'contact')).toBe('1 contact');
  expect(count(1204, 'contact')).toBe('1,204 contacts');
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdefg', 6)).toBe('abcde…');
  expect(cut('abcd🎉g', 6)).toBe('abcd…');
});
