import { describe, expect, test } from 'vitest';
import type { HttpResponse, Operation } from '../../core/destination.ts';
import { interpret } from './interpret.ts';

const upsert: Operation = {
  kind: 'upsert',
  method: 'POST',
  path: '',
  body: { type: 'contact.upserted', data: { contact: { id: 'c_1' }, epoch: 1, version: 1 } },
  batchKey: null,
};
const answer = (status: number, body = '', headers: HttpResponse['headers'] = {}): HttpResponse => ({
  status,
  headers,
  body,
});
const outcome = (response: HttpResponse, operation = upsert): unknown => interpret(response, [operation])[0];

describe('answers', () => {
  test.each([200, 201, 202, 204, 299])('%i is a delivery, whatever the body', (status) => {
    for (const body of ['', '<p>ok', '{"error":"no"}']) {
      expect(outcome(answer(status, body))).toEqual({ kind: 'delivered', remoteId: 'c_1' });
    }
    expect(outcome(answer(status), { ...upsert, kind: 'event' })).toEqual({ kind: 'delivered' });
    expect(outcome(answer(status), { ...upsert, kind: 'delete' })).toEqual({ kind: 'delivered' });
  });

  test.each([
    [301, 'config', 'redirect'],
    [307, 'config', 'redirect'],
    [400, 'reject', 'http_400'],
    [401, 'config', 'unauthorized'],
    [403, 'config', 'forbidden'],
    [404, 'config', 'wrong_path'],
    [405, 'config', 'wrong_path'],
    [408, 'retry', 'http_408'],
    [409, 'reject', 'http_409'],
    [410, 'config', 'gone'],
    [413, 'reject', 'too_large'],
    [422, 'reject', 'http_422'],
    [425, 'retry', 'http_425'],
    [429, 'throttle', 'http_429'],
    [500, 'retry', 'http_500'],
    [503, 'retry', 'http_503'],
    [0, 'unknown', 'http_0'],
  ])('%i is %s %s, for every message', (status, kind, code) => {
    for (const of of ['upsert', 'unsubscribe', 'delete', 'event'] as const) {
      expect(outcome(answer(status), { ...upsert, kind: of })).toMatchObject({ kind, code });
    }
  });

  test('410 alone lasts until somebody says so', () => {
    expect(outcome(answer(410))).toMatchObject({
      untilApply: true,
      message: expect.stringContaining('apply') as string,
    });
    for (const status of [301, 401, 404]) expect(outcome(answer(status))).not.toHaveProperty('untilApply');
  });

  test('a wait is kept', () => {
    expect(outcome(answer(429, '', { 'retry-after': '7' }))).toMatchObject({ retryAfterMs: 7_000 });
    expect(outcome(answer(503, '', { 'retry-after': '7' }))).toMatchObject({ retryAfterMs: 7_000 });
  });

  test('a redirect says which option is wrong', () => {
    expect(outcome(answer(302))).toMatchObject({
      message: expect.stringMatching(/never followed: check url\.$/) as string,
    });
  });
});

test.each([
  ['{"error":" no such plan "}', 'no such plan'],
  ['{"message":"no such plan"}', 'no such plan'],
  ['{"error":{"a":1}}', 'The receiver answered with status 422.'],
  ['<html>stack trace</html>', 'The receiver answered with status 422.'],
  ['', 'The receiver answered with status 422.'],
])('the words of %s', (body, message) => {
  expect(outcome(answer(422, body))).toMatchObject({ message });
});
