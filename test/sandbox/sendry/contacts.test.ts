import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { bed, textAt } from './bed.ts';

describe('contacts', () => {
  test('POST creates, and updates who has the address in any case', () => {
    const { send, told } = bed();
    const first = send('POST', '/v1/contacts', {
      email: 'Ada@x.io',
      first_name: 'Ada',
      metadata: { plan: 'pro', a: 1 },
    });
    expect(first).toMatchObject({
      status: 201,
      body: { email: 'Ada@x.io', metadata: { plan: 'pro' }, unsubscribed: false },
    });
    const again = send('POST', '/v1/contacts', { email: 'ada@X.io', metadata: { plan: null } });
    expect(again).toMatchObject({ status: 200, body: { id: first.body['id'], first_name: 'Ada', metadata: { a: 1 } } });
    expect(told).toEqual(['created Ada@x.io', 'updated Ada@x.io']);
  });

  test('an upsert that does not say unsubscribed brings back who left, or not, as it is set', () => {
    for (const upsertResets of [true, false]) {
      const { standIn, send, made, told } = bed({ upsertResets });
      made('a@x.io');
      standIn.optOut('a@x.io', 'unsubscribe');
      expect(send('POST', '/v1/contacts', { email: 'a@x.io' }).body['unsubscribed']).toBe(!upsertResets);
      expect(told.includes('opted_in a@x.io')).toBe(upsertResets);
      const rows = { contacts: [{ email: 'a@x.io' }] };
      standIn.optOut('a@x.io', 'complaint');
      send('POST', '/v1/contacts/import', rows);
      expect(standIn.contact('a@x.io')?.status).toBe(upsertResets ? 'subscribed' : 'unsubscribed');
    }
  });

  test('whoever left and is created anew is not brought back by that; unsubscribed false does', () => {
    const { standIn, send, made } = bed();
    standIn.optOut('a@x.io', 'unsubscribe');
    const id = made('a@x.io');
    expect(standIn.contact(id)?.status).toBe('unsubscribed');
    send('PATCH', `/v1/contacts/${id}`, { first_name: 'Ann' });
    expect(standIn.contact(id)?.status).toBe('unsubscribed');
    send('PATCH', `/v1/contacts/${id}`, { unsubscribed: false });
    expect(standIn.contact(id)?.status).toBe('subscribed');
  });

  test('are read, updated by either method, moved and deleted by id', () => {
    const { send, made } = bed();
    const id = made('a@x.io', { last_name: 'B', unsubscribed: true });
    made('taken@x.io');
    expect(send('GET', `/v1/contacts/${id}`).body).toMatchObject({ last_name: 'B', unsubscribed: true });
    expect(send('PUT', `/v1/contacts/${id}`, { email: 'b@x.io' }).body).toMatchObject({
      last_name: 'B',
      unsubscribed: true,
    });
    expect(send('PATCH', `/v1/contacts/${id}`, { email: 'Taken@x.io' })).toMatchObject({ status: 409 });
    expect(send('DELETE', `/v1/contacts/${id}`)).toMatchObject({ status: 200, body: { deleted: true } });
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect(send(method, `/v1/contacts/${id}`, {})).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  test('PUT can forget what it does not name, and metadata can take the place of what was there', () => {
    const { send, made } = bed({ putReplaces: true, metadataReplaces: true });
    const id = made('a@x.io', { last_name: 'B', unsubscribed: true, metadata: { a: 1 } });
    expect(send('PATCH', `/v1/contacts/${id}`, { metadata: { b: 2 } }).body['metadata']).toEqual({ b: 2 });
    expect(send('PUT', `/v1/contacts/${id}`, {}).body).toMatchObject({
      last_name: null,
      unsubscribed: false,
      metadata: null,
    });
  });

  test('are found and updated by address, whatever its case', () => {
    const { send, made } = bed();
    const id = made('a+b@x.io');
    expect(send('GET', '/v1/contacts/by-email?email=A%2Bb%40x.io').body['id']).toBe(id);
    expect(send('PATCH', '/v1/contacts/by-email?email=a%2Bb%40x.io', { first_name: 'A' }).body['first_name']).toBe('A');
    expect(send('GET', '/v1/contacts/by-email?email=no%40x.io').status).toBe(404);
    expect(send('GET', '/v1/contacts/by-email?email=a%2Bb%40x.io&audience_id=aud_1').status).toBe(404);
    expect(send('GET', '/v1/contacts/by-email').status).toBe(422);
    expect(send('DELETE', '/v1/contacts/by-email?email=a%2Bb%40x.io').status).toBe(404);
  });

  test('are listed by pages of at most 100 with a cursor, and by a part of the address', () => {
    const { send, made } = bed();
    for (let n = 0; n < 5; n += 1) made(`p${n}@x.io`);
    const seen: Json[] = [];
    let path = '/v1/contacts?limit=2';
    for (let pages = 0; pages < 3; pages += 1) {
      const answer = send('GET', path);
      const { body } = answer;
      seen.push(...(body['data'] as JsonObject[]).map(({ email }) => email ?? null));
      expect(body['has_more']).toBe(pages < 2);
      if (pages < 2) path = `/v1/contacts?limit=2&cursor=${textAt(answer, 'next_cursor')}`;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4].map((n) => `p${n}@x.io`));
    expect(send('GET', '/v1/contacts?email=P3').body['data']).toHaveLength(1);
    for (const query of ['limit=0', 'limit=101', 'cursor=nobody'])
      expect(send('GET', `/v1/contacts?${query}`).status).toBe(422);
  });

  test('what is wrong with one is said by field', () => {
    const { send } = bed();
    const body = { email: 'no', first_name: 1, metadata: [], unsubscribed: 'yes' };
    const { status, body: said } = send('POST', '/v1/contacts', body);
    expect([status, (said['details'] as JsonObject[]).map(({ field }) => field)]).toEqual([
      422,
      ['email', 'first_name', 'metadata', 'unsubscribed'],
    ]);
    expect(send('POST', '/v1/contacts', 'no json').status).toBe(400);
    expect(send('POST', '/v1/contacts', { email: 'a@x.io', audience_id: 'aud_no' }).status).toBe(404);
  });

  test('attributes are read under the key that is set', () => {
    const body = { email: 'a@x.io', metadata: { m: 1 }, properties: { p: 1 } };
    for (const [attributesAs, kept] of [
      ['metadata', { m: 1 }],
      ['properties', { p: 1 }],
      ['both', { m: 1, p: 1 }],
    ] as const) {
      expect(bed({ attributesAs }).send('POST', '/v1/contacts', body).body['metadata']).toEqual(kept);
    }
  });
});

describe('imports', () => {
  const people = (count: number): JsonObject[] => Array.from({ length: count }, (_, n) => ({ email: `p${n}@x.io` }));

  test('1,000 contacts are taken, 1,001 are not', () => {
    const { standIn, send } = bed();
    expect(send('POST', '/v1/contacts/import', { contacts: people(1_001) }).status).toBe(422);
    expect(standIn.contactCount).toBe(0);
    const full = send('POST', '/v1/contacts/import', { contacts: people(1_000) });
    expect(full.body).toEqual({ created: 1_000, updated: 0, total: 1_000 });
    const again = send('POST', '/v1/contacts/import', { contacts: people(2) });
    expect(again.body).toEqual({ created: 0, updated: 2, total: 2 });
  });

  test('the answer of the documentation names who was left out, that of the SDKs does not', () => {
    const contacts = [...people(2), { email: 'no' }, { email: 'bad@x.io' }];
    const options = { refused: ['bad@x.io'] };
    const docs = bed({ importAnswer: 'docs' }).send('POST', '/v1/contacts/import', { contacts }, options);
    expect(docs.body).toEqual({
      imported: 2,
      skipped: 2,
      errors: [
        { index: 2, email: 'no', message: 'email must be a valid email' },
        { index: 3, email: 'bad@x.io', message: 'email is refused' },
      ],
    });
    const sdk = bed().send('POST', '/v1/contacts/import', { contacts }, options);
    expect(sdk.body).toEqual({ created: 2, updated: 0, total: 4 });
  });

  test('one that would exceed the plan is refused as a whole', () => {
    const { standIn, send, made } = bed({ maxContacts: 2 });
    made('p0@x.io');
    const { status, body } = send('POST', '/v1/contacts/import', { contacts: people(3) });
    expect([status, body['code'], standIn.contactCount]).toEqual([403, 'plan_limit_reached', 1]);
    expect(send('POST', '/v1/contacts/import', { contacts: people(2) }).status).toBe(200);
    expect(send('POST', '/v1/contacts', { email: 'more@x.io' }).body['code']).toBe('plan_limit_reached');
    expect(send('POST', '/v1/contacts', { email: 'p0@x.io' }).status).toBe(200);
  });

  test('a CSV file comes as a form, the audience beside it', async () => {
    const { standIn, send } = bed();
    const audience = standIn.addList('News');
    const form = new FormData();
    form.set('audience_id', audience);
    const csv = 'email,first_name,last_name,plan\r\na@x.io,"A, ""x""",,pro\r\nno,,,\r\n';
    form.set('file', new File([csv], 'users.csv', { type: 'text/csv' }));
    const written = new Response(form);
    const headers = { 'content-type': written.headers.get('content-type') ?? '' };
    const text = await written.text();
    expect(send('POST', '/v1/contacts/bulk-import', text, { headers }).body).toEqual({
      created: 1,
      updated: 0,
      total: 2,
    });
    expect(standIn.contact('a@x.io')).toMatchObject({
      attributes: { first_name: 'A, "x"', plan: 'pro' },
      lists: ['News'],
    });
    expect(send('POST', '/v1/contacts/bulk-import', { contacts: [] }).status).toBe(422);
  });
});
