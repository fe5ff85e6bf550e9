import { expect, test } from 'vitest';
import { RollcallError } from '../core/errors.ts';
import type { Env } from '../config/interpolate.ts';
import type { Io } from './io.ts';
import { reportError } from './report-error.ts';

async function report(error: unknown, env: Env = {}): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const io: Io = {
    env,
    stdout: { write: () => expect.unreachable('nothing goes to standard output') },
    stderr: { write: (text) => lines.push(text) },
    interactive: false,
    confirm: async () => false,
    onSignal: () => () => undefined,
    exitNow: () => undefined,
  };
  const code = await reportError(error, io);
  return { code, text: lines.join('') };
}

test('code, message, place and hint', async () => {
  const error = new RollcallError('RC_X', 'it broke', {
    hint: 'Mend it.',
    place: { file: 'a.yaml', line: 3, column: 4 },
  });
  expect(await report(error)).toEqual({ code: 1, text: 'error RC_X: it broke\n  at a.yaml:3:4\n  Mend it.\n' });
});

test('a fault of our own is one line, without a trace, secrets or personal data', async () => {
  const error = new TypeError('no ann@example.com in postgres://u:hunter2@host/db\nsecond line');
  expect(await report(error)).toEqual({
    code: 1,
    text: 'error RC_INTERNAL: no [email] in postgres://u:[secret]@host/db\n  This is a fault in Rollcall. ROLLCALL_DEBUG=1 shows where it happened.\n',
  });
});

test('ROLLCALL_DEBUG=1 shows where', async () => {
  const { text } = await report(new TypeError('oops'), { ROLLCALL_DEBUG: '1' });
  expect(text).toMatch(/^error RC_INTERNAL: oops\nTypeError: oops\n +at .*report-error\.test\.ts/);
});

test('something thrown that is no error', async () => {
  expect((await report('text')).text).toMatch(/^error RC_INTERNAL: text\n/);
  expect((await report(undefined)).text).toMatch(/^error RC_INTERNAL: undefined\n/);
});

test('a port that is taken', async () => {
  const error = Object.assign(new Error('listen EADDRINUSE'), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '127.0.0.1',
    port: 8787,
  });
  expect((await report(error)).text).toBe(
    "error RC_PORT: Port 8787 of 127.0.0.1 can't be used: another program listens there.\n  Choose another with --port, or 0 for a free one.\n",
  );
});
