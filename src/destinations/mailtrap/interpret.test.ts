import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpResponse, Operation } from '../../core/destination.ts';
import type { OutcomeKind } from '../../core/outcome.ts';
import { mailtrap } from './index.ts';

const byAddress: Operation = {
  kind: 'upsert',
  method: 'PATCH',
  path: '/api/contacts/a%40x.y',
  body: { contact: { email: 'a@x.y' } },
  batchKey: null,
};
const byId: Operation = { ...byAddress, path: '/api/contacts/018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132' };
const removal: Operation = { ...byAddress, kind: 'delete', method: 'DELETE', body: null };
const event: Operation = {
  ...byId,
  kind: 'event',
  method: 'POST',
  path: `${byId.path}/events`,
  body: { name: 'order_placed', params: {} },
};
const optOut: Operation = { ...byId, kind: 'unsubscribe' };

function answer(status: number, body: unknown = '', headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function read(response: HttpResponse, operation = byAddress) {
  return mailtrap.interpret(response, [operation])[0];
}

describe('interpret', () => {
  test.each<[number, OutcomeKind, string]>([
    [401, 'config', 'unauthorized'],
    [402, 'config', 'http_402'],
    [403, 'config', 'forbidden'],
    [408, 'retry', 'http_408'],
    [425, 'retry', 'http_425'],
    [429, 'throttle', 'http_429'],
    [500, 'retry', 'http_500'],
    [503, 'retry', 'http_503'],
    [400, 'reject', 'http_400'],
    [413, 'reject', 'http_413'],
    [301, 'config', 'redirect'],
    [308, 'config', 'redirect'],
    [199, 'unknown', 'http_199'],
  ])('%i is %s %s for every operation', (status, kind, code) => {
    for (const operation of [byAddress, byId, removal, event, optOut]) {
      expect(read(answer(status, { errors: 'x' }), operation)).toMatchObject({ kind, code });
    }
  });

  test.each<[unknown, OutcomeKind, string, string | undefined]>([
    [{ errors: { email: ['Email is invalid'] } }, 'reject', 'invalid_email', 'email'],
    [{ errors: { email: [['is invalid', 'top level domain is too short']] } }, 'reject', 'invalid_email', 'email'],
    [{ errors: { birthdate: [['is invalid']] } }, 'reject', 'invalid_field', 'birthdate'],
    [{ errors: { base: [['contacts limit reached']] } }, 'config', 'plan_limit', undefined],
    [{ errors: [{ email: 'a@x.y', errors: { base: ['contacts limit reached'] } }] }, 'config', 'plan_limit', undefined],
    [{ errors: { list_id_included: [['contains invalid data']] } }, 'config', 'unknown_list', 'list_id_included'],
    [{ errors: { fields: ['contains invalid values: NICK'] } }, 'reject', 'unknown_field', 'NICK'],
    [{ errors: { email: ['has already been taken'] } }, 'retry', 'email_conflict', undefined],
    [{ errors: 'no' }, 'reject', 'http_422', undefined],
    ['<html>', 'reject', 'http_422', undefined],
  ])('422 %j', (body, kind, code, field) => {
    const outcome = read(answer(422, body));
    expect(outcome).toMatchObject({ kind, code });
    expect(outcome).toHaveProperty('message', expect.any(String));
    expect((outcome as { field?: string }).field).toBe(field);
  });

  test('a plan limit told with 403 is a plan limit', () => {
    expect(read(answer(403, { errors: 'contacts limit reached' }))).toMatchObject({
      kind: 'config',
      code: 'plan_limit',
    });
  });

  test.each(['', '{', '[]', 'null', '{"data":{}}', '{"data":{"id":""}}', '{"data":{"id":5}}', '<html>ok</html>'])(
    'success with the body %j leaves the outcome unknown',
    (body) => {
      expect(read(answer(200, body))).toMatchObject({ kind: 'unknown', code: 'malformed_answer' });
    },
  );

  test('404 to an address: the path is wrong, unless only this address is odd', () => {
    expect(read(answer(404, { error: 'Not Found' }))).toMatchObject({ kind: 'config', code: 'wrong_path' });
    const odd = { ...byAddress, path: '/api/contacts/a%2Fb%40x.y' };
    expect(read(answer(404, { error: 'Not Found' }), odd)).toMatchObject({ kind: 'reject', code: 'http_404' });
  });

  test('a 404 page that is not the API’s erases nobody', () => {
    expect(read(answer(404, '<html>nginx</html>'), removal)).toMatchObject({ kind: 'config', code: 'wrong_path' });
    expect(read(answer(404, ''), removal)).toEqual({ kind: 'delivered' });
  });

  test.each<[number, unknown, OutcomeKind, string | undefined, string | undefined]>([
    [201, { contact_id: 'i', name: 'order_placed', params: {} }, 'delivered', undefined, undefined],
    [201, '', 'delivered', undefined, undefined],
    [200, { name: 'order_placed' }, 'delivered', undefined, undefined],
    [200, '<html>', 'unknown', 'malformed_answer', undefined],
    [404, { error: 'Not Found' }, 'retry', 'contact_missing', undefined],
    [404, '', 'retry', 'contact_missing', undefined],
    [404, '<html>nginx</html>', 'config', 'wrong_path', undefined],
    [422, { errors: { name: ['is too long'] } }, 'reject', 'invalid_event', 'name'],
    [422, { errors: { params: ["value for 'a b' is too long"] } }, 'reject', 'invalid_property', 'a b'],
    [422, { errors: { params: [["key 'it's' is too long"]] } }, 'reject', 'invalid_property', "it's"],
    [422, { errors: 'no' }, 'reject', 'http_422', undefined],
    [422, { errors: 'events limit reached' }, 'config', 'plan_limit', undefined],
    [403, { errors: 'events limit exceeded' }, 'config', 'plan_limit', undefined],
    [403, { errors: { name: ['no'] } }, 'config', 'forbidden', undefined],
  ])('an event: %i %j is %s %s', (status, body, kind, code, field) => {
    const outcome = read(answer(status, body), event) as { kind: string; code?: string; field?: string };
    expect([outcome.kind, outcome.code, outcome.field]).toEqual([kind, code, field]);
    expect('forgetRemote' in outcome).toBe(code === 'contact_missing');
  });

  test('an opt-out is done whomever it found; a contact gone by its id is looked for by address', () => {
    const made = { action: 'created', data: { id: 'i', email: 'b@x.y' } };
    expect(read(answer(200, made), optOut)).toEqual({ kind: 'delivered', remoteId: 'i', created: true });
    const gone = read(answer(404, { errors: 'Contact(s) not found' }), optOut);
    expect(gone).toMatchObject({ kind: 'retry', code: 'contact_vanished', forgetRemote: true });
    expect(read(answer(404, '<html>'), optOut)).toMatchObject({ kind: 'config', code: 'wrong_path' });
  });

  test('Retry-After is read for 429 and 503', () => {
    expect(read(answer(429, '', { 'retry-after': '7' }))).toHaveProperty('retryAfterMs', 7000);
    expect(read(answer(503, '', { 'retry-after': '7' }))).toHaveProperty('retryAfterMs', 7000);
    expect(read(answer(429))).not.toHaveProperty('retryAfterMs');
  });

  test('the vendor’s words are cut, never inside a character', () => {
    const outcome = read(answer(422, { errors: { note: [`${'x'.repeat(492)}😀😀😀`] } }));
    const { message } = outcome as { message: string };
    expect(message.length).toBeLessThanOrEqual(500);
    expect(message).not.toMatch(/\p{Surrogate}/u);
  });

  test('an address in another case or form is still the same after an ordinary update', () => {
    const body = { action: 'updated', data: { id: 'i', email: 'A@X.Y' } };
    expect(read(answer(200, body), byId)).toEqual({ kind: 'delivered', remoteId: 'i', created: false });
  });

  test('one outcome per operation for any status and body, never an exception', () => {
    const anyBody = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((inner) => `{"errors":${inner}}`),
      fc.json().map((inner) => `{"action":"updated","data":${inner}}`),
      fc.constantFrom('['.repeat(200_000), `{"errors":${'['.repeat(5000)}${']'.repeat(5000)}}`, '{"errors":1e999}'),
    );
    const anyHeaders = fc.dictionary(fc.constantFrom('retry-after', 'date', 'x'), fc.string());
    fc.assert(
      fc.property(
        fc.integer({ min: -1, max: 700 }),
        anyBody,
        anyHeaders,
        fc.array(fc.constantFrom(byAddress, byId, removal, event, optOut), { maxLength: 4 }),
        (status, body, headers, batch) => {
          const outcomes = mailtrap.interpret({ status, headers, body }, batch);
          expect(outcomes).toHaveLength(batch.length);
          for (const outcome of outcomes) {
            if (outcome.kind === 'delivered') expect(status >= 200 && (status < 300 || status === 404)).toBe(true);
            else expect(outcome.message.length).toBeLessThanOrEqual(500);
          }
        },
      ),
    );
  });
});
