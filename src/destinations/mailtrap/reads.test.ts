import { describe, expect, test } from 'vitest';
import type { HttpResponse } from '../../core/destination.ts';
import { mailtrap } from './index.ts';

const config = mailtrap.config.parse({ api_token: 'tok', account_id: 5, lists: ['News', 9] });
const base = 'https://mailtrap.io/api/accounts/5/contacts';

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('lookup', () => {
  const remote = { id: null, address: 'a+b@x.y', leftovers: ['old@x.y'] };

  test('reads the subscription and keeps what is known', () => {
    const exchange = mailtrap.lookup!(remote, config);
    expect(exchange.request).toMatchObject({ method: 'GET', url: `${base}/a%2Bb%40x.y`, body: null });
    const data = { id: 'i', email: 'a+b@x.y', status: 'unsubscribed' };
    expect(exchange.interpret(answer(200, { data }))).toEqual({
      ok: true,
      value: { ...remote, subscription: 'unsubscribed' },
    });
    expect(exchange.interpret(answer(200, { data: { ...data, status: 'subscribed' } }))).toMatchObject({
      value: { subscription: 'subscribed' },
    });
  });

  test('a status it does not know counts as a no', () => {
    expect(mailtrap.lookup!(remote, config).interpret(answer(200, { data: { id: 'i' } }))).toMatchObject({
      value: { subscription: 'unsubscribed' },
    });
  });

  test('asks by id first, else by the latest leftover', () => {
    expect(mailtrap.lookup!({ ...remote, id: 'i' }, config).request.url).toBe(`${base}/i`);
    const lost = { id: null, address: null, leftovers: ['x@y.z', 'old@x.y'] };
    expect(mailtrap.lookup!(lost, config).request.url).toBe(`${base}/old%40x.y`);
  });

  test('a contact that is gone is null, unless leftovers remain', () => {
    const gone = answer(404, { error: 'Not Found' });
    expect(mailtrap.lookup!({ id: 'i', address: 'a@x.y' }, config).interpret(gone)).toEqual({ ok: true, value: null });
    expect(mailtrap.lookup!({ ...remote, id: 'i' }, config).interpret(gone)).toEqual({
      ok: true,
      value: { id: null, address: null, leftovers: ['old@x.y'] },
    });
  });

  test.each([
    [500, '', 'retry', 'http_500'],
    [401, { error: 'Incorrect API token' }, 'config', 'unauthorized'],
    [200, '[]', 'retry', 'malformed_answer'],
    [200, '', 'retry', 'malformed_answer'],
  ])('%i %j stops it', (status, body, kind, code) => {
    expect(mailtrap.lookup!(remote, config).interpret(answer(status, body))).toMatchObject({
      ok: false,
      outcome: { kind, code },
    });
  });
});

describe('lists', () => {
  test('names become ids', () => {
    const exchange = mailtrap.lists!.all(config);
    expect(exchange.request).toEqual(mailtrap.probe(config));
    expect(exchange.request.url).toBe(`${base}/lists`);
    const read = exchange.interpret(
      answer(200, [{ id: 4, name: 'News' }, { id: 5, name: 'Other' }, 'odd', { id: 'x' }]),
    );
    if (!read.ok) throw new Error('expected lists');
    expect(mailtrap.lists!.names(config)).toEqual(['News']);
    const resolved = mailtrap.lists!.resolve(config, read.value.lists);
    expect(resolved.lists).toEqual([4, 9]);
    expect(mailtrap.lists!.names(resolved)).toEqual([]);
  });

  test('a name that no list has, or two have, is an error that lists the choices', () => {
    const other = [{ id: 5, name: 'Other' }];
    expect(() => mailtrap.lists!.resolve(config, other)).toThrow(
      expect.objectContaining({ code: 'RC_LIST_UNKNOWN', hint: expect.stringContaining('Other (5)') as string }),
    );
    const twice = [1, 2].map((id) => ({ id, name: 'News' }));
    expect(() => mailtrap.lists!.resolve(config, twice)).toThrow(/several/);
    expect(() => mailtrap.lists!.resolve(config, [])).toThrow(/no list/);
  });

  test('a list by its name and by its id is one list, which one segment keeps', () => {
    const known = [4, 9, 12].map((id) => ({ id, name: id === 4 ? 'News' : `List ${id}` }));
    const kept = (segment_lists: Readonly<Record<string, number | string>>): unknown =>
      mailtrap.lists!.resolve({ ...config, segment_lists }, known).segment_lists;
    expect(kept({ 'List 12': 'List 12' })).toEqual({ 'List 12': 12 });
    const shared = (words: RegExp): unknown => ({
      code: 'RC_LIST_SHARED',
      message: expect.stringMatching(words) as string,
    });
    expect(() => kept({ '12': 12, 'List 12': 'List 12' })).toThrow(
      expect.objectContaining(
        shared(/"List 12" of a segment is list 12 at Mailtrap, and another segment keeps it as "12"/),
      ),
    );
    // Everybody joins list 9, which the config names by its id.
    expect(() => kept({ 'List 9': 'List 9' })).toThrow(expect.objectContaining(shared(/everybody joins it/)));
  });

  test('a body that is no list stops it', () => {
    expect(mailtrap.lists!.all(config).interpret(answer(200, '{}'))).toMatchObject({ ok: false });
    expect(mailtrap.lists!.all(config).interpret(answer(403, '{}'))).toMatchObject({ outcome: { code: 'forbidden' } });
  });
});

describe('fields', () => {
  const fields = mailtrap.fields!;

  test('are listed by merge tag', () => {
    const rows = [{ id: 1, name: 'First name', data_type: 'text', merge_tag: 'first_name' }, { id: 2 }];
    for (const body of [rows, { data: rows }]) {
      expect(fields.list(config).interpret(answer(200, body))).toEqual({
        ok: true,
        value: [{ name: 'first_name', type: 'text' }],
      });
    }
  });

  test('are created with a type that fits', () => {
    const create = fields.create('SIGNUP', 'timestamp', config);
    expect(create.request).toMatchObject({ method: 'POST', url: `${base}/fields` });
    expect(JSON.parse(create.request.body ?? '')).toEqual({ name: 'SIGNUP', data_type: 'date', merge_tag: 'SIGNUP' });
    const row = { id: 1, name: 'SIGNUP', data_type: 'date', merge_tag: 'SIGNUP' };
    for (const body of [row, { data: row }]) {
      expect(create.interpret(answer(201, body))).toEqual({ ok: true, value: { name: 'SIGNUP', type: 'date' } });
    }
    expect(
      (['text', 'integer', 'float', 'boolean', 'date', 'json'] as const).map((type) => fields.typeFor(type)),
    ).toEqual(['text', 'integer', 'float', 'boolean', 'date', 'text']);
  });

  test('the forty-first is refused in words that help', () => {
    const read = fields
      .create('ONE_MORE', 'text', config)
      .interpret(answer(422, { errors: { base: ['fields limit reached'] } }));
    expect(read).toMatchObject({
      ok: false,
      outcome: { kind: 'config', code: 'field_limit', message: expect.stringContaining('at most 40') as string },
    });
  });

  test('other refusals keep the vendor’s words', () => {
    const create = fields.create('X', 'text', config);
    expect(create.interpret(answer(422, { errors: { name: ['has already been taken'] } }))).toMatchObject({
      outcome: { kind: 'reject', code: 'field_refused', message: 'name: has already been taken', field: 'X' },
    });
    expect(create.interpret(answer(500, ''))).toMatchObject({ outcome: { kind: 'retry' } });
    expect(create.interpret(answer(201, ''))).toMatchObject({ ok: false });
  });
});

test('authentication is data, and never in a request', () => {
  expect(mailtrap.auth(config)).toEqual({ header: 'authorization', value: 'Bearer tok' });
  expect(JSON.stringify(mailtrap.probe(config))).not.toContain('tok');
});

test('a contact that is read by its id tells the address it has, which may not be the one that was believed', () => {
  const read = mailtrap.lookup!({ id: 'i', address: 'a@x.y' }, config).interpret(
    answer(200, { data: { id: 'i', email: 'b@x.y', status: 'subscribed' } }),
  );
  expect(read).toMatchObject({ ok: true, value: { address: 'b@x.y' } });
});
