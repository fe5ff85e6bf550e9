import { expect, test } from 'vitest';
import { createOutage, whyAway } from './outage.ts';

function recorded(): { readonly lines: string[]; readonly log: Parameters<typeof createOutage>[0] } {
  const lines: string[] = [];
  const say = (_fields: object, message: string): void => void lines.push(message);
  return { lines, log: { error: say, warn: say, info: say, debug: say } };
}

test('an outage is said once for each reason, again after half a minute, and once when nothing has failed for two seconds', () => {
  const { lines, log } = recorded();
  let now = 0;
  const outage = createOutage(log, () => now);
  const fails = (code: string): boolean => outage.failed(Object.assign(new Error('x'), { code }), code);
  for (let n = 0; n < 50; n += 1) {
    fails('57P01');
    fails('ECONNREFUSED');
    // Another part may be served in between.
    outage.worked();
    now += 100;
  }
  expect(lines).toEqual([
    "the database can't be used: it ended the connection; will try again",
    "the database can't be used: it can not be reached; will try again",
  ]);
  now = 31_000;
  fails('57P03');
  fails('57P03');
  expect(lines.slice(2)).toEqual(["the database can't be used: it is starting up or shutting down; will try again"]);
  now = 34_000;
  outage.worked();
  outage.worked();
  expect(lines.slice(3)).toEqual(['the database can be used again']);
  expect(fails('55P03')).toBe(false);
  expect(fails('RC_EXPORT_REFUSED')).toBe(false);
});

test.each([
  ['53300', 'sorry, too many clients already', 'it has no connection left'],
  ['53100', 'could not extend file', 'it has no room on disk or in memory'],
  ['57P02', 'terminating connection because of crash', 'it ended the connection'],
  ['08P01', 'server conn crashed?', 'it ended the connection'],
  ['25006', 'cannot execute UPDATE in a read-only transaction', 'it only reads'],
  ['55000', 'recovery is in progress', 'it only reads'],
  ['55000', 'something else', undefined],
  ['Error', 'Query read timeout', 'it does not answer'],
  ['Error', 'timeout exceeded when trying to connect', 'it does not answer'],
  ['Error', 'Connection terminated due to connection timeout', 'it does not answer'],
  ['Error', 'Connection terminated unexpectedly', 'the connection was lost'],
  ['40P01', 'deadlock detected', undefined],
])('%s %s', (code, message, why) => {
  if (why === undefined) expect(whyAway(code, message)).toBeUndefined();
  else expect(whyAway(code, message)).toContain(why);
});
