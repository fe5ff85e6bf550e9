import { expect, it } from 'vitest';
import { parseFault } from './parse-fault.ts';

it.each([
  ['status=500,rate=0.3', { status: 500, rate: 0.3 }],
  ['latency=200ms,rate=1', { latencyMs: 200, rate: 1 }],
  ['latency=1.5s, at=after', { latencyMs: 1500, latencyAt: 'after' }],
  ['latency=20', { latencyMs: 20 }],
  ['drop=after,rate=0.1', { drop: 'after', rate: 0.1 }],
  ['reject=someone@x.y', { reject: 'someone@x.y' }],
  ['status=429,retry-after=3,count=2', { status: 429, retryAfter: 3, count: 2 }],
  ['body=malformed,method=PATCH', { body: 'malformed', match: { method: 'PATCH' } }],
  [
    'drop=before,path=/contacts/[^/]+$,email=a@b.co',
    { drop: 'before', match: { path: '/contacts/[^/]+$', email: 'a@b.co' } },
  ],
])('reads %s', (text, rule) => {
  expect(parseFault(text)).toEqual(rule);
});

it.each([
  ['', 'key=value'],
  ['status', 'key=value'],
  ['status=', 'key=value'],
  ['stats=500', '"stats" is not known'],
  ['__proto__=1', '"__proto__" is not known'],
  ['status=500,status=501', 'given twice'],
  ['status=abc', '"status"'],
  ['status=99', '"status"'],
  ['status=500,rate=2', '"rate"'],
  ['latency=soon', '"latencyMs"'],
  ['drop=sometimes', '"drop"'],
  ['drop=after,path=[', 'regular expression'],
  ['rate=0.5', 'does nothing'],
])('refuses %j and says why', (text, why) => {
  expect(() => parseFault(text)).toThrow(
    expect.objectContaining({
      code: 'RC_FAULT_INVALID',
      message: expect.stringContaining(why),
      hint: expect.any(String),
    }),
  );
});
