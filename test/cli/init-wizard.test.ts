import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { askForAnswers } from '../../src/cli/init-wizard.ts';
import type { InitAnswers } from '../../src/cli/init-file.ts';

const ENTER = '\r';
const DOWN = '\u001b[B';
const BACKSPACE = '\u007f';
const CTRL_C = '\u0003';

/** Types each answer once its question stands on the screen. */
async function answer(steps: readonly (readonly [question: string, keys: readonly string[]])[]): Promise<{
  answers: InitAnswers | undefined;
  screen: string;
}> {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...steps];
  let screen = '';
  let seen = 0;
  output.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [next] = left;
    if (next === undefined || !screen.slice(seen).includes(next[0])) return;
    left.shift();
    seen = screen.length;
    // The question is on the screen a moment before it listens.
    setImmediate(() => next[1].forEach((key) => input.write(key)));
  });
  const answers = await askForAnswers({ input, output });
  return { answers, screen };
}

const upToConsent = [
  ['database URL?', [ENTER]],
  ['Where do contacts go?', [ENTER]],
  ['account id', [ENTER]],
  ['Lists a new contact joins', [ENTER]],
] as const;

describe('the wizard of init', () => {
  test('enter at every question gives the careful answers', async () => {
    const { answers } = await answer([...upToConsent, ['Who may be mailed?', [ENTER]]]);
    expect(answers).toEqual({
      databaseUrlEnv: 'DATABASE_URL',
      destination: 'mailtrap',
      accountId: undefined,
      lists: [],
      consent: { kind: 'nobody' },
    });
  });

  test('a column, an account and lists', async () => {
    const { answers } = await answer([
      ['database URL?', ['_2', ENTER]],
      ['Where do contacts go?', [ENTER]],
      ['account id', ['123', ENTER]],
      ['Lists a new contact joins', ['42, News', ENTER]],
      ['Who may be mailed?', [DOWN, ENTER]],
      ['Which one?', ['user_metadata.opt_in', ENTER]],
    ]);
    expect(answers).toEqual({
      databaseUrlEnv: 'DATABASE_URL_2',
      destination: 'mailtrap',
      accountId: '123',
      lists: ['42', 'News'],
      consent: { kind: 'column', path: 'user_metadata.opt_in' },
    });
  });

  test('a column that may not leave is refused on the spot', async () => {
    const { answers, screen } = await answer([
      ...upToConsent,
      ['Who may be mailed?', [DOWN, ENTER]],
      ['Which one?', ['role.x', ENTER]],
      ['nothing lies inside it', [BACKSPACE, BACKSPACE, ENTER]],
    ]);
    expect(screen).toContain('nothing lies inside it');
    expect(answers?.consent).toEqual({ kind: 'column', path: 'role' });
  });

  test('everyone needs a basis', async () => {
    const { answers, screen } = await answer([
      ...upToConsent,
      ['Who may be mailed?', [DOWN, DOWN, ENTER]],
      ['Which basis?', [ENTER]],
      ['record of this install', ['customers', ENTER]],
    ]);
    expect(screen).toContain('It is kept in the record of this install.');
    expect(answers?.consent).toEqual({ kind: 'everyone', basis: 'customers' });
  });

  test('Ctrl-C gives up', async () => {
    const { answers, screen } = await answer([['database URL?', [CTRL_C]]]);
    expect(answers).toBeUndefined();
    expect(screen).toContain('Nothing was written.');
  });
});
