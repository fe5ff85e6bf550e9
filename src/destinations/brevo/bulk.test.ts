import { describe, expect, test } from 'vitest';
import type { AttributePlan, Delivery, HttpResponse } from '../../core/destination.ts';
import { brevo } from './index.ts';

const bulk = brevo.bulk!;
const PLAN: AttributePlan = { FIRSTNAME: 'text', VIP: 'boolean', BORN: 'date', SMS: 'text' };

function parse(options: Record<string, unknown> = { lists: [2] }) {
  return brevo.config.parse({ api_key: 'key', ...options });
}

function delivery(parts: Partial<Delivery> = {}): Delivery {
  const base = { contactId: '1', version: '1', action: 'upsert', address: 'a@x.yz', remote: null } as const;
  return { ...base, attributes: {}, takeover: false, consent: 'basis', ...parts };
}

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('what may be imported', () => {
  const arrived = { id: '42', address: 'a@x.yz' };

  test.each([
    ['a stranger', delivery({ attributes: { FIRSTNAME: 'Ada', VIP: true } }), false],
    ['a stranger without a value', delivery({ attributes: { FIRSTNAME: null } }), false],
    ['an odd address', delivery({ address: '"a b"@x.yz' }), true],
    ['a phone number', delivery({ attributes: { SMS: '+15551234567' } }), true],
    ['a value that would be dropped', delivery({ attributes: { BORN: 'soon' } }), true],
    ['who has arrived, so that no list is joined again', delivery({ remote: arrived }), true],
  ] as const)('%s', (_, given, expected) => {
    expect(bulk.alone!(given, PLAN, parse())).toBe(expected);
  });

  test.each([
    ['a change', { FIRSTNAME: 'Ada', VIP: true }, false],
    ['a value to be cleared', { FIRSTNAME: null }, true],
    ['false, which an import has been seen to pass over', { VIP: false }, true],
  ])('of who has arrived, without lists: %s', (_, attributes, expected) => {
    const config = parse({ import_list: 3 });
    expect(bulk.alone!(delivery({ remote: arrived, attributes }), PLAN, config)).toBe(expected);
    const imported = { id: null, address: 'A@X.YZ', imported: true };
    expect(bulk.alone!(delivery({ remote: imported, attributes }), PLAN, config)).toBe(expected);
  });

  test('needs a list, and can be switched off', () => {
    expect(bulk.least(parse({}))).toBeNull();
    expect(bulk.least(parse({ lists: [2], import_from: 'off' }))).toBeNull();
    expect(bulk.least(parse({ import_list: 3 }))).toBe(150);
    expect(bulk.least(parse({ import_list: 3, plan: 'extended', limits_scale: 100 }))).toBe(900);
    expect(bulk.least(parse({ lists: [2], import_from: 500 }))).toBe(500);
  });
});

test('an import holds addresses and values, and nothing of consent', () => {
  const rows = [
    bulk.row(delivery({ attributes: { FIRSTNAME: 'Ada', VIP: false, BORN: null } }), PLAN, parse()),
    bulk.row(delivery({ address: 'b@x.yz' }), PLAN, parse()),
  ];
  const { method, url, body } = bulk.request(rows, parse());
  expect([method, url]).toEqual(['POST', 'https://api.brevo.com/v3/contacts/import']);
  expect(JSON.parse(body ?? '')).toEqual({
    jsonBody: [{ email: 'a@x.yz', attributes: { FIRSTNAME: 'Ada', VIP: false } }, { email: 'b@x.yz' }],
    listIds: [2],
    updateExistingContacts: true,
    emptyContactsAttributes: false,
    disableNotification: true,
  });
  const other = JSON.parse(bulk.request(rows, parse({ import_list: 3 })).body ?? '') as { listIds: number[] };
  expect(other.listIds).toEqual([3]);
});

test.each([
  [202, { processId: 78 }, { kind: 'started', id: '78' }],
  [202, '', { kind: 'failed', outcome: { kind: 'unknown', code: 'malformed_answer' } }],
  [
    400,
    { code: 'invalid_parameter', message: 'List ids are invalid' },
    { kind: 'failed', outcome: { kind: 'config', code: 'unknown_list' } },
  ],
  [400, { code: 'invalid_parameter', message: 'x' }, { kind: 'failed', outcome: { kind: 'reject' } }],
  [404, '', { kind: 'failed', outcome: { kind: 'config', code: 'wrong_path' } }],
  [413, '', { kind: 'failed', outcome: { kind: 'reject' } }],
  [429, '', { kind: 'failed', outcome: { kind: 'throttle' } }],
] as const)('an import answered with %i %j', (status, body, expected) => {
  expect(bulk.started(answer(status, body), [])).toMatchObject(expected);
});

const CLEAN = { invalid_emails: null, duplicate_phone_id: null };
test.each([
  [200, { status: 'queued' }, { kind: 'working' }],
  [200, { status: 'in_process' }, { kind: 'working' }],
  [200, { status: 'completed' }, { kind: 'ended', outcome: { kind: 'delivered' } }],
  [200, { status: 'completed', info: { import: CLEAN } }, { kind: 'ended', outcome: { kind: 'delivered' } }],
  [
    200,
    { status: 'completed', info: { import: { ...CLEAN, invalid_emails: 'https://x.y/z.csv' } } },
    { kind: 'partial' },
  ],
  [200, { status: 'failed' }, { kind: 'partial' }],
  [200, { status: 'cancelled' }, { kind: 'partial' }],
  [200, '<html>', { kind: 'unanswered', outcome: { kind: 'retry', code: 'malformed_answer' } }],
  [
    404,
    { code: 'document_not_found', message: 'x' },
    { kind: 'ended', outcome: { kind: 'unknown', code: 'import_lost' } },
  ],
  [429, '', { kind: 'unanswered', outcome: { kind: 'throttle' } }],
] as const)('a process answered with %i %j', (status, body, expected) => {
  expect(bulk.watch?.progress(answer(status, body))).toMatchObject(expected);
});

test('questions about an import at work leave most of 100 requests an hour', () => {
  const { firstMs, mostMs } = bulk.watch!;
  let asked = 0;
  for (let at = firstMs, wait = firstMs; at <= 3_600_000; at += wait = Math.min(mostMs, wait * 1.5)) asked += 1;
  expect(asked).toBeLessThan(70);
});

describe('updates by batch', () => {
  const config = parse({ update_by: 'batch', lists: [7], list_policy: 'keep' });
  const arrived = { id: null, address: 'a@x.yz', imported: true };

  test('are of contacts that are there; no list is needed, and 100 go together', () => {
    const alone = parse({ update_by: 'batch' });
    expect(bulk.mostOf!(alone)).toBe(100);
    expect(bulk.least(alone)).toBe(100);
    expect(bulk.least(parse({ update_by: 'batch', import_from: 'off' }))).toBeNull();
    expect(bulk.mostOf!(parse())).toBe(bulk.most);
    const attributes = { FIRSTNAME: null, VIP: false };
    expect(bulk.alone!(delivery({ remote: arrived, attributes }), PLAN, config)).toBe(false);
    expect(bulk.alone!(delivery({ attributes }), PLAN, config)).toBe(true);
    expect(bulk.alone!(delivery({ remote: arrived, attributes: { SMS: '+15551234567' } }), PLAN, config)).toBe(true);
  });

  test('say what shall be and nothing of consent, and are done with the answer', () => {
    const rows = [bulk.row(delivery({ remote: arrived, attributes: { FIRSTNAME: null, VIP: false } }), PLAN, config)];
    const { method, url, body } = bulk.request(rows, config);
    expect({ method, url, body: JSON.parse(body ?? '') as unknown }).toEqual({
      method: 'POST',
      url: 'https://api.brevo.com/v3/contacts/batch',
      body: { contacts: [{ email: 'a@x.yz', attributes: { FIRSTNAME: '', VIP: false }, listIds: [7] }] },
    });
    expect(bulk.started(answer(204, ''), rows)).toEqual({
      kind: 'answered',
      outcome: { kind: 'delivered' },
      rows: new Map(),
    });
    expect(bulk.started(answer(400, { code: 'invalid_parameter', message: 'no' }), rows)).toMatchObject({
      kind: 'failed',
      outcome: { kind: 'reject' },
    });
  });
});
