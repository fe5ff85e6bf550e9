import { describe, expect, test } from 'vitest';
import type { Delivery, HttpResponse } from '../../core/destination.ts';
import type { JsonObject } from '../../core/json.ts';
import { bulk } from './bulk.ts';
import { mailtrap } from './index.ts';

const config = mailtrap.config.parse({ api_token: 'tok', lists: [7] });
const delivery: Delivery = {
  contactId: '1',
  version: '1',
  action: 'upsert',
  address: 'a+b@x.io',
  remote: null,
  attributes: { NAME: 'Ö "q"', BORN: '2020-01-02T03:04:05.123456Z' },
  takeover: false,
  consent: 'basis',
};
const answer = (status: number, body: unknown): HttpResponse => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('a row of an import', () => {
  test('holds address, fields and the lists to join, and nothing of consent', () => {
    expect(bulk.row(delivery, { NAME: 'text', BORN: 'date' }, config)).toEqual({
      email: 'a+b@x.io',
      fields: { NAME: 'Ö "q"', BORN: '2020-01-02' },
      list_ids_included: [7],
    });
  });

  test('joins no list again once it arrived at that very address', () => {
    const again = (address: string): JsonObject =>
      bulk.row({ ...delivery, remote: { id: null, address, imported: true } }, {}, config);
    expect(again('A+b@x.io')).not.toHaveProperty('list_ids_included');
    expect(again('other@x.io')).toHaveProperty('list_ids_included');
  });

  test('goes to the imports of the account, if one is named', () => {
    const request = bulk.request([{ email: 'a@b.c' }], { ...config, account_id: '3' });
    expect([request.method, request.url, request.body]).toEqual([
      'POST',
      'https://mailtrap.io/api/accounts/3/contacts/imports',
      '{"contacts":[{"email":"a@b.c"}]}',
    ]);
    expect(bulk.watch!.poll('12', config).url).toBe('https://mailtrap.io/api/contacts/imports/12');
  });
});

describe('the answer to its start', () => {
  const rows = [{ email: 'a@x.io' }, { email: 'b@x.io' }];

  test('201 with an id, and 201 without one', () => {
    expect(bulk.started(answer(201, { id: 9, status: 'created' }), rows)).toEqual({ kind: 'started', id: '9' });
    expect(bulk.started(answer(201, ''), rows)).toMatchObject({ kind: 'failed', outcome: { kind: 'unknown' } });
  });

  test('422 with the rows at fault, each with its own words', () => {
    const started = bulk.started(
      answer(422, { errors: [{ email: 'b@x.io', errors: { email: ['is invalid'] } }] }),
      rows,
    );
    expect(started.kind === 'refused' && [...started.rows]).toEqual([
      [1, { kind: 'reject', code: 'invalid_email', field: 'email', message: 'email: is invalid' }],
    ]);
  });

  test.each([
    ['a row nobody sent', 422, { errors: [{ email: 'z@x.io', errors: { email: ['is invalid'] } }] }, 'reject'],
    ['no room', 422, { errors: [{ email: 'a@x.io', errors: { base: ['contacts limit reached'] } }] }, 'config'],
    [
      'a list that is none',
      422,
      { errors: [{ email: 'a@x.io', errors: { list_ids_included: ['unknown'] } }] },
      'config',
    ],
    [
      'too many',
      422,
      { errors: [{ email: 'a@x.io', errors: { base: ['cannot import more than 50000 contacts at once'] } }] },
      'reject',
    ],
    ['words nobody can read', 422, '<html>', 'reject'],
    ['no such path', 404, '', 'config'],
    ['a key that is none', 401, { error: 'Incorrect API token' }, 'config'],
    ['too fast', 429, { errors: 'Rate limit exceeded' }, 'throttle'],
    ['an outage', 502, '', 'retry'],
  ])('%s (%i): nothing was started', (_, status, body, kind) => {
    expect(bulk.started(answer(status, body), rows)).toMatchObject({ kind: 'failed', outcome: { kind } });
  });
});

describe('how far it is', () => {
  test.each([
    ['created', 200, { id: 1, status: 'created' }, { kind: 'working' }],
    ['started', 200, { id: 1, status: 'started' }, { kind: 'working' }],
    [
      'finished',
      200,
      { id: 1, status: 'finished', contacts_over_limit_count: 0 },
      { kind: 'ended', outcome: { kind: 'delivered' } },
    ],
    ['finished without counts', 200, { id: 1, status: 'finished' }, { kind: 'ended', outcome: { kind: 'delivered' } }],
    [
      'over the limit',
      200,
      { status: 'finished', contacts_over_limit_count: 3 },
      { kind: 'ended', outcome: { kind: 'config', code: 'plan_limit' } },
    ],
    ['failed', 200, { status: 'failed' }, { kind: 'ended', outcome: { kind: 'unknown', code: 'import_failed' } }],
    ['gone', 404, { error: 'Not Found' }, { kind: 'ended', outcome: { kind: 'unknown', code: 'import_lost' } }],
    ['an outage', 503, '', { kind: 'unanswered', outcome: { kind: 'retry' } }],
    ['a key that is none', 401, '', { kind: 'unanswered', outcome: { kind: 'config' } }],
    ['something else', 200, '[]', { kind: 'unanswered' }],
  ])('%s', (_, status, body, progress) => {
    expect(bulk.watch!.progress(answer(status, body))).toMatchObject(progress);
  });
});
