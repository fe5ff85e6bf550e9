import { expect, it } from 'vitest';
import { CallLog, LOGGED_BODY, type NewCall } from './call-log.ts';

const call: NewCall = {
  at: 1,
  destination: 'x',
  method: 'PATCH',
  path: '/x',
  headers: { authorization: 'Bearer secret', 'api-token': 'secret', cookie: 'secret', accept: 'a/b' },
  body: 'b'.repeat(LOGGED_BODY + 1),
  reply: { status: 200, headers: { 'set-cookie': 'secret', b: '2' }, body: 'a'.repeat(LOGGED_BODY + 1) },
  commonHeaders: { a: '1' },
  ms: 1,
  fault: null,
};

it('remembers the last calls and counts them all', () => {
  const log = new CallLog(3);
  for (let n = 0; n < 5; n += 1) log.record(n === 0 ? { ...call, reply: { status: 500, body: null } } : call);
  expect(log.last().map(({ n }) => n)).toEqual([3, 4, 5]);
  expect(log.last(2).map(({ n }) => n)).toEqual([4, 5]);
  expect(log.counters()).toEqual({
    calls: 5,
    byStatus: { 200: 4, 500: 1 },
    byMethod: { PATCH: 5 },
    byDestination: { x: { calls: 5, byStatus: { 200: 4, 500: 1 } } },
  });
  expect([log.find(2), log.find(3)?.n, log.find(6)]).toEqual([undefined, 3, undefined]);
  log.clear();
  expect([log.last(), log.counters().calls]).toEqual([[], 0]);
});

it('shows no credentials, not even as JSON, and cuts long bodies', () => {
  const log = new CallLog(1);
  const logged = log.record(call);
  expect(logged.headers).toEqual({
    authorization: '[redacted]',
    'api-token': '[redacted]',
    cookie: '[redacted]',
    accept: 'a/b',
  });
  expect(JSON.stringify(logged)).not.toContain('secret');
  expect(JSON.parse(JSON.stringify(logged))).toMatchObject({ n: 1, headers: { accept: 'a/b' } });
  expect(logged.answerHeaders).toEqual({ a: '1', b: '2', 'set-cookie': '[redacted]' });
  expect([logged.body.length, logged.answer.length]).toEqual([LOGGED_BODY, LOGGED_BODY]);
  const file = log.record({ ...call, reply: { status: 200, body: new Uint8Array(7) } });
  expect(file.answer).toBe('(7 bytes)');
  expect(log.record({ ...call, reply: null })).toMatchObject({ status: 0, answer: '', answerHeaders: {} });
});
