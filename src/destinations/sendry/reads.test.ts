import { describe, expect, test } from 'vitest';
import type { HttpResponse } from '../../core/destination.ts';
import { sendry } from './index.ts';

const config = sendry.config.parse({ api_key: 'k', audience_id: 'News' });
const base = 'https://api.sendry.online/v1';

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('lookup', () => {
  const remote = { id: null, address: 'a+b@x.y' };

  test('finds the id by the address, and keeps one that is known', () => {
    const exchange = sendry.lookup!(remote, config);
    expect(exchange.request).toMatchObject({ method: 'GET', url: `${base}/contacts/by-email?email=a%2Bb%40x.y` });
    const found = exchange.interpret(answer(200, { id: 'ct_1', email: 'A+b@x.y', unsubscribed: false }));
    expect(found).toEqual({ ok: true, value: { id: 'ct_1', address: 'a+b@x.y', subscription: 'subscribed' } });
    const known = sendry.lookup!({ ...remote, id: 'ct/2' }, config);
    expect(known.request.url).toBe(`${base}/contacts/ct%2F2`);
    expect(known.interpret(answer(200, { id: 'other', subscribed: false }))).toEqual({
      ok: true,
      value: { id: 'ct/2', address: 'a+b@x.y', subscription: 'unsubscribed' },
    });
  });

  test.each([
    [{ unsubscribed: true }, 'unsubscribed'],
    [{ subscribed: true }, 'subscribed'],
    [{ subscribed: true, unsubscribed: true }, 'unsubscribed'],
    [{}, 'unsubscribed'],
  ])('%j is %s: anything but a clear word counts as a no', (parts, subscription) => {
    const read = sendry.lookup!(remote, config).interpret(answer(200, { data: { id: 'ct_1', ...parts } }));
    expect(read).toMatchObject({ value: { subscription } });
  });

  test('who is gone is null, unless leftovers remain', () => {
    const gone = answer(404, { statusCode: 404, code: 'not_found', message: 'Contact not found' });
    expect(sendry.lookup!(remote, config).interpret(gone)).toEqual({ ok: true, value: null });
    const lost = { id: null, address: null, leftovers: ['old@x.y'] };
    expect(sendry.lookup!(lost, config).request.url).toContain('email=old%40x.y');
    expect(sendry.lookup!(lost, config).interpret(gone)).toEqual({ ok: true, value: lost });
  });

  test.each([
    ['a page of something else', 404, '<html>', 'config', 'wrong_path'],
    ['somebody else', 200, { id: 'ct_1', email: 'aa+b@x.y', unsubscribed: false }, 'retry', 'malformed_answer'],
    ['no id', 200, {}, 'retry', 'malformed_answer'],
    ['an empty body', 200, '', 'retry', 'malformed_answer'],
    ['an outage', 500, '', 'retry', 'http_500'],
    [
      'a key that may not',
      403,
      { error: { code: 'insufficient_scope', message: 'no' } },
      'config',
      'insufficient_scope',
    ],
  ])('%s stops it', (_, status, body, kind, code) => {
    const read = sendry.lookup!(remote, config).interpret(answer(status, body));
    expect(read).toMatchObject({ ok: false, outcome: { kind, code } });
  });
});

describe('audiences', () => {
  const lists = sendry.lists!;

  test('are read page by page, and a name becomes its id', () => {
    const first = lists.all(config);
    expect(first.request.url).toBe(`${base}/audiences?limit=100`);
    const page = { data: [{ id: 'aud_1', name: 'News' }, 'odd', { id: 5 }], has_more: true, next_cursor: 'c/1' };
    expect(first.interpret(answer(200, page))).toEqual({
      ok: true,
      value: { lists: [{ id: 'aud_1', name: 'News' }], next: 'c/1' },
    });
    expect(lists.all(config, 'c/1').request.url).toBe(`${base}/audiences?limit=100&cursor=c%2F1`);
    expect(first.interpret(answer(200, { ...page, has_more: false }))).toMatchObject({ value: { next: undefined } });
    expect(lists.names(config)).toEqual(['News']);
    const resolved = lists.resolve(config, [{ id: 'aud_1', name: 'News' }]);
    expect([resolved.audience_id, lists.names(resolved)]).toEqual(['aud_1', []]);
    expect(() => lists.resolve(config, [])).toThrow(expect.objectContaining({ code: 'RC_LIST_UNKNOWN' }));
    expect(lists.members).toBeUndefined();
  });

  test('the one audience may also stand in lists, as at other destinations', () => {
    const parsed = sendry.config.parse({ api_key: 'k', lists: ['News'] });
    expect(lists.names(parsed)).toEqual(['News']);
    const resolved = lists.resolve(parsed, [{ id: 'aud_1', name: 'News' }]);
    expect([resolved.audience_id, resolved.lists, lists.most]).toEqual(['aud_1', [], 1]);
  });

  test('an id, and no audience at all, need no reading', () => {
    for (const audience_id of ['aud_abc123', undefined]) {
      const parsed = sendry.config.parse({ api_key: 'k', audience_id });
      expect(lists.names(parsed)).toEqual([]);
      expect(lists.resolve(parsed, []).audience_id).toBe(audience_id);
    }
  });

  test('one is created by its name', () => {
    const create = lists.create('VIP', config);
    expect(create.request).toMatchObject({ method: 'POST', url: `${base}/audiences`, body: '{"name":"VIP"}' });
    expect(create.interpret(answer(201, { id: 'aud_2', name: 'VIP', member_count: 0 }))).toEqual({
      ok: true,
      value: { id: 'aud_2', name: 'VIP' },
    });
    expect(create.interpret(answer(200, ''))).toMatchObject({ ok: false });
    const full = answer(403, { statusCode: 403, code: 'plan_limit_reached', message: 'Too many audiences' });
    expect(create.interpret(full)).toMatchObject({ outcome: { kind: 'config', code: 'plan_limit' } });
  });
});

describe('who must not be mailed', () => {
  const page = (after: string | undefined, of: typeof config) => sendry.suppressions!.page(after, of);
  const at = '2025-03-12T09:00:00Z';

  test('the suppression list comes first, page by page, then the unsubscribes', () => {
    const first = page(undefined, config);
    expect(first.request.url).toBe(`${base}/suppression?limit=100`);
    const rows = [
      { email: 'b@x.y', reason: 'hard_bounce', created_at: at },
      { email: 'c@x.y', reason: 'complaint', created_at: at },
      { email: 'u@x.y', reason: 'unsubscribe' },
      { email: 'm@x.y', reason: 'something new' },
      { reason: 'manual' },
    ];
    expect(first.interpret(answer(200, { data: rows, has_more: true, next_cursor: 'n' }))).toEqual({
      ok: true,
      value: {
        rows: [
          { address: 'b@x.y', reason: 'bounce', at },
          { address: 'c@x.y', reason: 'complaint', at },
          { address: 'u@x.y', reason: 'unsubscribe' },
          { address: 'm@x.y', reason: 'manual' },
        ],
        next: 'suppression:n',
      },
    });
    expect(page('suppression:n', config).request.url).toBe(`${base}/suppression?limit=100&cursor=n`);
    const last = page('suppression:n', config).interpret(answer(200, { data: [], has_more: false, next_cursor: null }));
    expect(last).toEqual({ ok: true, value: { rows: [], next: 'unsubscribes:' } });
  });

  test('an unsubscribe of another list is no opt-out; one of ours and one of all are', () => {
    const own = sendry.config.parse({ api_key: 'k', audience_id: 'aud_1' });
    const read = page('unsubscribes:', own);
    expect(read.request.url).toBe(`${base}/unsubscribes?limit=100`);
    const data = [
      { id: '1', email: 'a@x.y', list_id: null, created_at: at },
      { id: '2', email: 'b@x.y', list_id: 'aud_1', created_at: at },
      { id: '3', email: 'c@x.y', list_id: 'sports', created_at: at },
    ];
    expect(read.interpret(answer(200, { data, has_more: true, next_cursor: 'z' }))).toEqual({
      ok: true,
      value: {
        rows: [
          { address: 'a@x.y', reason: 'unsubscribe', at },
          { address: 'b@x.y', reason: 'unsubscribe', at },
        ],
        next: 'unsubscribes:z',
      },
    });
    expect(page('unsubscribes:z', own).request.url).toBe(`${base}/unsubscribes?limit=100&cursor=z`);
  });

  test('an account without unsubscribes has none; a page of something else is no answer', () => {
    const read = page('unsubscribes:', config);
    expect(read.interpret(answer(404, { error: { code: 'not_found' } }))).toEqual({ ok: true, value: { rows: [] } });
    expect(read.interpret(answer(404, '<html>'))).toMatchObject({ ok: false, outcome: { code: 'wrong_path' } });
    expect(page(undefined, config).interpret(answer(200, '[]'))).toMatchObject({ ok: false });
  });
});

test('a contact that is read by its id tells the address it has, which may not be the one that was believed', () => {
  const read = sendry.lookup!({ id: 'i', address: 'a@x.y' }, config).interpret(
    answer(200, { data: { id: 'i', email: 'b@x.y' } }),
  );
  expect(read).toMatchObject({ ok: true, value: { address: 'b@x.y' } });
});

describe('pages of all contacts', () => {
  const pages = sendry.pages!;
  const plan = { first_name: 'text', SCORE: 'integer', EXTRA: 'json' } as const;

  test('have names beside the address, all else in metadata or properties, and consent in either word', () => {
    const page = pages.page('a b', plan, config);
    expect(page.request.url).toBe(`${base}/contacts?limit=100&cursor=a%20b`);
    const data = [
      { id: 'ct_1', email: 'Ann@x.y', first_name: 'Ann', metadata: { SCORE: 5, EXTRA: { a: 1 } }, unsubscribed: false },
      { id: 'ct_2', email: 'bob@x.y', first_name: null, metadata: null, properties: { SCORE: 6 }, subscribed: false },
      { email: 'cleo@x.y', metadata: [] },
      { id: 'ct_4', email: '' },
      null,
    ];
    expect(page.interpret(answer(200, { data, has_more: true, next_cursor: 'c' }))).toEqual({
      ok: true,
      value: {
        rows: [
          {
            address: 'Ann@x.y',
            id: 'ct_1',
            status: 'subscribed',
            fields: { first_name: 'Ann', SCORE: '5', EXTRA: '{"a":1}' },
          },
          { address: 'bob@x.y', id: 'ct_2', status: 'unsubscribed', fields: { first_name: '', SCORE: '6', EXTRA: '' } },
          { address: 'cleo@x.y', id: null, status: 'unknown', fields: { first_name: '', SCORE: '', EXTRA: '' } },
        ],
        next: 'c',
      },
    });
    expect(page.interpret(answer(200, { data: [], has_more: false, next_cursor: 'c' }))).toMatchObject({
      value: { rows: [], next: undefined },
    });
  });

  test.each(['', '{}', '<html>', '{"data":{}}', '[]'])('an answer of %j is none', (body) => {
    expect(pages.page(undefined, plan, config).interpret(answer(200, body))).toMatchObject({ ok: false });
  });

  test('are compared with what would be sent', () => {
    const fields = { first_name: '7', SCORE: '5', EXTRA: '{"b":[1],"a":null}' };
    const row = { address: 'a@x.y', id: 'ct_1', status: 'subscribed', fields } as const;
    const same = { first_name: 7, SCORE: 5, EXTRA: { a: null, b: [1] } };
    expect(pages.differs(same, row, plan, config)).toEqual([]);
    expect(pages.differs({ ...same, SCORE: null, ELSE: 'x' }, row, plan, config)).toEqual(['SCORE']);
    expect([pages.saysMore(config), pages.saysMore(sendry.config.parse({ api_key: 'k' }))]).toEqual([true, false]);
  });
});
