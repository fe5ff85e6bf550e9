import { expect, test } from 'vitest';
import type { Operation } from '../../core/destination.ts';
import type { Outcome } from '../../core/outcome.ts';
import { brevo } from './index.ts';
import { namedIn } from './paths.ts';

const config = brevo.config.parse({ api_key: 'key' });
const delivery = { contactId: '1', version: '1', attributes: {}, takeover: false, consent: 'basis' } as const;
const [create] = brevo.encode({ ...delivery, action: 'upsert', address: 'a@x.y', remote: null }, {}, config);
const [update] = brevo.encode(
  { ...delivery, action: 'upsert', address: 'a@x.y', remote: { id: '42', address: 'a@x.y' } },
  {},
  config,
);
const [remove] = brevo.encode(
  { ...delivery, action: 'delete', address: null, remote: { id: '42', address: null } },
  {},
  config,
);
const event = brevo.encodeEvent!(
  { id: '1', name: 'x', properties: {}, at: '2026-01-01T00:00:00.000000Z' },
  { id: '42', address: null },
  config,
);

function outcome(operation: Operation | undefined, status: number, body: unknown = '', headers = {}): Outcome {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return brevo.interpret({ status, headers, body: text }, [operation!])[0]!;
}

test.each([
  [create, 201, { id: 5 }, { kind: 'delivered', remoteId: '5', created: true }],
  [create, 201, '', { kind: 'unknown', code: 'malformed_answer' }],
  [create, 200, '<html>', { kind: 'unknown', code: 'malformed_answer' }],
  [create, 200, {}, { kind: 'delivered' }],
  [update, 204, '', { kind: 'delivered', remoteId: '42' }],
  [update, 200, '<html>', { kind: 'unknown', code: 'malformed_answer' }],
  [remove, 204, '', { kind: 'delivered' }],
  [remove, 404, { code: 'document_not_found', message: 'x' }, { kind: 'delivered' }],
  [event, 204, '', { kind: 'delivered' }],
  [event, 200, '<html>', { kind: 'unknown', code: 'malformed_answer' }],
  [event, 207, {}, { kind: 'unknown', code: 'malformed_answer' }],
  [
    event,
    400,
    { code: 'invalid_parameter', message: 'event_name is invalid' },
    { kind: 'reject', code: 'invalid_event' },
  ],
  [event, 404, '<html>', { kind: 'config', code: 'wrong_path' }],
] as const)('%o answered with %i %j', (operation, status, body, expected) => {
  expect(outcome(operation, status, body)).toMatchObject(expected);
});

test.each([
  [401, { code: 'unauthorized', message: 'Key not found' }, { kind: 'config', code: 'unauthorized' }],
  [403, {}, { kind: 'config', code: 'forbidden' }],
  [402, { code: 'not_enough_credits', message: 'x' }, { kind: 'config', code: 'http_402' }],
  [400, { code: 'permission_denied', message: 'x' }, { kind: 'config', code: 'permission_denied' }],
  [400, { code: 'account_in_process', message: 'x' }, { kind: 'retry', code: 'account_in_process' }],
  [
    400,
    { code: 'invalid_parameter', message: 'Invalid email address' },
    { kind: 'reject', code: 'invalid_email', field: 'email' },
  ],
  [
    400,
    { code: 'invalid_parameter', message: 'Invalid phone number' },
    { kind: 'reject', code: 'invalid_value', field: 'SMS' },
  ],
  [400, { code: 'invalid_parameter', message: 'Contacts limit is reached' }, { kind: 'config', code: 'plan_limit' }],
  [400, { code: 'missing_parameter', message: 'odd' }, { kind: 'reject', code: 'missing_parameter' }],
  [400, { code: 'invalid_parameter', message: 'Contact already exist' }, { kind: 'retry', code: 'email_conflict' }],
  [408, '', { kind: 'retry', code: 'http_408' }],
  [425, '', { kind: 'retry', code: 'http_425' }],
  [500, '<html>', { kind: 'retry', code: 'http_500' }],
  [301, '', { kind: 'config', code: 'redirect' }],
  [405, { message: 'x' }, { kind: 'reject', code: 'http_405' }],
] as const)('a create answered with %i %j', (status, body, expected) => {
  expect(outcome(create, status, body)).toMatchObject(expected);
});

test.each([
  ['a number of seconds', { 'x-sib-ratelimit-reset': '36' }, 36_000],
  ['nothing readable', { 'x-sib-ratelimit-reset': 'soon' }, undefined],
  ['no header', {}, undefined],
  ['several windows, none of them named as used up', { 'x-sib-ratelimit-reset': '1, 7' }, 7_000],
  ['a longer Retry-After', { 'x-sib-ratelimit-reset': '1', 'retry-after': '9' }, 9_000],
] as const)('429 with %s', (_, headers, expected) => {
  const got = outcome(create, 429, { message: 'x' }, headers);
  expect(got.kind === 'throttle' ? got.retryAfterMs : got).toBe(expected);
});

test('any status and any body has an outcome for each operation', () => {
  const bodies = ['', '[]', '{}', '{"code":5,"message":[]}', '{"metadata":{"duplicate_identifiers":[1]}}', '[', '"x"'];
  for (const status of [0, 100, 200, 204, 207, 299, 302, 400, 404, 418, 429, 503, 999]) {
    for (const body of bodies) {
      for (const operation of [create, update, remove, event]) {
        expect(outcome(operation, status, body).kind).toBeTypeOf('string');
      }
      expect(brevo.interpret({ status, headers: {}, body }, [event, event, event])).toHaveLength(3);
    }
  }
});

test.each(['a@x.y', '+@x.y', 'a/b?c#d@x.y', 'ü@x.y', '..', '42', 'a%40@x.y'])('a path names %s', (value) => {
  const [operation] = brevo.encode(
    { ...delivery, action: 'delete', address: null, remote: { id: null, address: value } },
    {},
    config,
  );
  const path = operation?.path ?? '';
  expect(new URL(config.base_url + path).pathname.split('/')).toHaveLength(4);
  if (value !== '..') expect(namedIn(path)).toEqual({ by: 'email_id', value });
});
