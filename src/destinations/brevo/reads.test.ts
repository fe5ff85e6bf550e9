import { describe, expect, test } from 'vitest';
import type { HttpResponse } from '../../core/destination.ts';
import { brevo } from './index.ts';

const config = brevo.config.parse({ api_key: 'key', lists: ['News', 7], import_list: 'Rollcall', folder: 3 });
const BASE = 'https://api.brevo.com/v3';

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('one contact', () => {
  test.each([
    [{ id: '42', address: 'a@x.y' }, '/contacts/42?identifierType=contact_id'],
    [{ id: null, address: 'a@x.y' }, '/contacts/a%40x.y?identifierType=email_id'],
    [{ id: null, address: null, leftovers: ['b@x.y', 'c@x.y'] }, '/contacts/c%40x.y?identifierType=email_id'],
  ])('%j is read at %s', (remote, path) => {
    expect(brevo.lookup!(remote, config).request.url).toBe(BASE + path);
  });

  const remote = { id: null, address: 'a@x.y' };
  test.each([
    [200, { id: 5, emailBlacklisted: true }, { ok: true, value: { ...remote, subscription: 'unsubscribed' } }],
    [200, { id: 5, emailBlacklisted: false }, { ok: true, value: { ...remote, subscription: 'subscribed' } }],
    [404, { code: 'document_not_found', message: 'x' }, { ok: true, value: null }],
    [404, '<html>', { ok: false, outcome: { kind: 'reject' } }],
    [200, {}, { ok: false, outcome: { kind: 'retry', code: 'malformed_answer' } }],
    [429, '', { ok: false, outcome: { kind: 'throttle' } }],
  ])('answered with %i %j', (status, body, expected) => {
    expect(brevo.lookup!(remote, config).interpret(answer(status, body))).toMatchObject(expected);
  });
});

test('opt-outs are read from pages of contacts', () => {
  const plan = brevo.suppressions!;
  const first = plan.page(undefined, config);
  expect(first.request.url).toBe(`${BASE}/contacts?limit=250&offset=0&sort=asc`);
  const contacts = Array.from({ length: 250 }, (_, n) => ({ email: `${n}@x.y`, emailBlacklisted: n === 7 }));
  expect(first.interpret(answer(200, { contacts, count: 300 }))).toEqual({
    ok: true,
    value: { rows: [{ address: '7@x.y', reason: 'unsubscribe' }], next: '240' },
  });
  const last = plan.page('240', config);
  expect(last.interpret(answer(200, { contacts: [{ emailBlacklisted: true }], count: 300 }))).toEqual({
    ok: true,
    value: { rows: [], next: undefined },
  });
  expect(last.interpret(answer(200, '{"contacts":['))).toMatchObject({ ok: false });
});

describe('lists', () => {
  const lists = brevo.lists!;

  test('are read by pages of 50', () => {
    const page = Array.from({ length: 50 }, (_, n) => ({ id: n, name: `L${n}` }));
    const read = lists.all(config).interpret(answer(200, { lists: page, count: 60 }));
    expect(read).toMatchObject({ ok: true, value: { next: '50' } });
    expect(lists.all(config, '50').request.url).toBe(`${BASE}/contacts/lists?limit=50&offset=50&sort=asc`);
    expect(lists.all(config).interpret(answer(200, { count: 0 }))).toEqual({
      ok: true,
      value: { lists: [], next: undefined },
    });
  });

  test('are named and resolved, the one of imports too', () => {
    expect(lists.names(config)).toEqual(['News', 'Rollcall']);
    const known = [
      { id: 4, name: 'News' },
      { id: 5, name: 'Rollcall' },
    ];
    expect(lists.resolve(config, known)).toMatchObject({ lists: [4, 7], import_list: 5 });
    expect(() => lists.resolve(config, [])).toThrow(expect.objectContaining({ code: 'RC_LIST_UNKNOWN' }));
    expect(() => brevo.bulk!.request([], config)).toThrow(expect.objectContaining({ code: 'RC_LIST_UNRESOLVED' }));
  });

  test('are made in a folder', () => {
    const made = lists.create('News', config);
    expect([made.request.url, made.request.body]).toEqual([`${BASE}/contacts/lists`, '{"name":"News","folderId":3}']);
    expect(made.interpret(answer(201, { id: 9 }))).toEqual({ ok: true, value: { id: 9, name: 'News' } });
    const message = 'Folder ID does not exist';
    expect(made.interpret(answer(404, { code: 'document_not_found', message }))).toMatchObject({
      ok: false,
      outcome: { kind: 'config', code: 'unknown_folder' },
    });
  });

  test('are joined by 150 at a time; whoever is there already is no failure', () => {
    const members = lists.members!;
    expect(members.most).toBe(150);
    const added = members.change('add', 4, ['a@x.y'], config);
    expect([added.request.url, added.request.body]).toEqual([
      `${BASE}/contacts/lists/4/contacts/add`,
      '{"emails":["a@x.y"]}',
    ]);
    const partly = { contacts: { success: ['a@x.y'], failure: ['b@x.y'] } };
    expect(added.interpret(answer(201, partly))).toEqual({ ok: true, value: { failed: ['b@x.y'] } });
    const message = 'Contact already in list and/or does not exist';
    expect(added.interpret(answer(400, { code: 'invalid_parameter', message }))).toEqual({
      ok: true,
      value: { failed: [] },
    });
    expect(added.interpret(answer(400, { code: 'invalid_parameter', message: 'Only 150' }))).toMatchObject({
      ok: false,
    });
    expect(members.change('remove', 4, [], config).request.url).toBe(`${BASE}/contacts/lists/4/contacts/remove`);
  });
});

describe('attributes', () => {
  const fields = brevo.fields!;

  test('are read with their types; what cannot be written is of a type of its own', () => {
    const attributes = [
      { name: 'FIRSTNAME', category: 'normal', type: 'text' },
      { name: 'TOTAL', category: 'calculated', type: 'float' },
      { name: 'GENDER', category: 'category' },
      { category: 'normal' },
    ];
    expect(fields.list(config).interpret(answer(200, { attributes }))).toEqual({
      ok: true,
      value: [
        { name: 'FIRSTNAME', type: 'text' },
        { name: 'TOTAL', type: 'calculated' },
        { name: 'GENDER', type: 'category' },
      ],
    });
  });

  test('are created under names in upper case', () => {
    expect(fields.nameFor!('vip')).toBe('VIP');
    const made = fields.create('vip', 'boolean', config);
    expect([made.request.url, made.request.body]).toEqual([
      `${BASE}/contacts/attributes/normal/VIP`,
      '{"type":"boolean"}',
    ]);
    expect(made.interpret(answer(201, ''))).toEqual({ ok: true, value: { name: 'VIP', type: 'boolean' } });
    expect(made.interpret(answer(400, { code: 'invalid_parameter', message: 'no' }))).toEqual({
      ok: false,
      outcome: { kind: 'reject', code: 'field_refused', message: 'no', field: 'VIP' },
    });
    expect(made.interpret(answer(401, ''))).toMatchObject({ ok: false, outcome: { kind: 'config' } });
  });
});

test('a contact that is read by its id tells the address it has, which may not be the one that was believed', () => {
  const read = brevo.lookup!({ id: 'i', address: 'a@x.y' }, config).interpret(
    answer(200, { id: 6, email: 'b@x.y', emailBlacklisted: false }),
  );
  expect(read).toMatchObject({ ok: true, value: { address: 'b@x.y' } });
});

describe('pages of all contacts', () => {
  const pages = brevo.pages!;
  const plan = { firstname: 'text', SMS: 'text', SCORE: 'integer', NOTE: 'text' } as const;

  test('have attributes under our names, ids and consent; nobody without an address', () => {
    const page = pages.page(undefined, plan, config);
    expect(page.request.url).toBe(`${BASE}/contacts?limit=250&offset=0&sort=asc`);
    const attributes = { FIRSTNAME: 'Ann', SMS: '15551234567', SCORE: 5, OTHER: 'x', constructor: 'y' };
    const contacts = [
      { id: 1, email: ' Ann@x.y', emailBlacklisted: false, attributes },
      { id: 2, email: 'bob@x.y', emailBlacklisted: true },
      { id: 'x', email: 'cleo@x.y', attributes: [] },
      { id: 4, attributes: { SMS: '1' } },
      null,
    ];
    const none = { firstname: '', SMS: '', SCORE: '', NOTE: '' };
    expect(page.interpret(answer(200, { contacts, count: 5 }))).toEqual({
      ok: true,
      value: {
        rows: [
          {
            address: 'Ann@x.y',
            id: '1',
            status: 'subscribed',
            fields: { firstname: 'Ann', SMS: '15551234567', SCORE: '5', NOTE: '' },
          },
          { address: 'bob@x.y', id: '2', status: 'unsubscribed', fields: none },
          { address: 'cleo@x.y', id: null, status: 'unknown', fields: none },
        ],
        next: undefined,
      },
    });
    const full = { contacts: Array.from({ length: 250 }, (_, id) => ({ id, email: `${id}@x.y` })), count: 300 };
    expect(pages.page('240', plan, config).interpret(answer(200, full))).toMatchObject({ value: { next: '480' } });
  });

  // Whoever is not read would count as missing.
  test.each(['', '{}', '<html>', '{"contacts":{}}', '[]'])('an answer of %j is none', (body) => {
    expect(pages.page(undefined, plan, config).interpret(answer(200, body))).toMatchObject({ ok: false });
  });

  test('are compared with what would be sent', () => {
    const fields = { firstname: 'Ann', SMS: '15551234567', SCORE: '5.0', NOTE: '' };
    const row = { address: 'a@x.y', id: '1', status: 'subscribed', fields } as const;
    const same = { firstname: 'Ann', SMS: '+1 555 123-4567', SCORE: 5, NOTE: null };
    expect(pages.differs(same, row, plan, config)).toEqual([]);
    expect(pages.differs({ ...same, firstname: 'Bob', SMS: '+15551234568' }, row, plan, config)).toEqual([
      'firstname',
      'SMS',
    ]);
    // What Brevo would drop is not sent, and what has no column is not compared.
    expect(pages.differs({ SCORE: 'many', ELSE: 'x' }, row, plan, config)).toEqual([]);
    expect([pages.saysMore(config), pages.saysMore({ ...config, lists: [] })]).toEqual([true, false]);
  });
});
