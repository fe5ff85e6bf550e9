import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function logged(
  level: 'error' | 'warn' | 'info' | 'debug',
  write: (log: ReturnType<typeof createLogger>) => void,
): object[] {
  const lines: string[] = [];
  write(createLogger({ write: (text) => lines.push(text) }, level));
  return lines.map((line) => JSON.parse(line) as object);
}

test('one JSON object a line, with the level as a word and the time as text', () => {
  const [line] = logged('info', (log) => log.warn({ destination: 'mailtrap' }, 'slow'));
  expect(line).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
    name: 'rollcall',
    destination: 'mailtrap',
    msg: 'slow',
  });
});

test('addresses, tokens and authorization never reach a line', () => {
  const [line] = logged('info', (log) =>
    log.error(
      { email: 'a@x.y', user: { email: 'b@x.y', token: 't1' }, request: { headers: { authorization: 'Bearer t2' } } },
      'x',
    ),
  );
  expect(line).toMatchObject({
    email: '[redacted]',
    user: { email: '[redacted]', token: '[redacted]' },
    request: { headers: { authorization: '[redacted]' } },
  });
});

test('what is below the level is not written', () => {
  const lines = logged('warn', (log) => {
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
  });
  expect(lines).toMatchObject([{ msg: 'c' }, { msg: 'd' }]);
});
