import { expect, test } from 'vitest';
import { painter } from './paint.ts';
import { visible } from './visible.ts';

const TERMINAL = { isTTY: true, write: () => true };

test('what a stranger writes does nothing to a terminal', () => {
  const hostile = '\u001B[2J\u001B]52;c;eA==\u0007\u009B31m\r\u202Eann\u001B[8m';
  expect(visible(hostile, TERMINAL)).toBe(String.raw`\u001b[2J\u001b]52;c;eA==\u0007\u009b31m\u000d\u202eann\u001b[8m`);
  expect(visible(hostile, { ...TERMINAL, isTTY: false })).toBe(hostile);
});

test('colours, lines, tabs and letters of all kinds stay', () => {
  const paint = painter(TERMINAL, {});
  const styles = ['red', 'green', 'yellow', 'bold', 'dim'] as const;
  const text = `${styles.map((style) => paint(style, style)).join('\n')}\t🎉 \u200Fשלום é`;
  expect(visible(text, TERMINAL)).toBe(text);
});
