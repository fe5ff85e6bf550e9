import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { BREAKS } from './sabotage/breaks.ts';

test.each(BREAKS)('without "$name": each text that is broken is there once', async ({ edits }) => {
  for (const { file, from, to } of edits) {
    const text = await readFile(file, 'utf8');
    expect(text.split(from), file).toHaveLength(2);
    expect(to).not.toBe(from);
  }
});
