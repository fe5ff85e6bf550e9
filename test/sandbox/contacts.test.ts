import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { closeAll, testBed, type Answer, type TestBed } from './client.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
  bed.sandbox.state.addField('first_name', 'text');
  bed.sandbox.state.addField('logins', 'integer');
  bed.sandbox.state.addField('score', 'float');
  bed.sandbox.state.addField('vip', 'boolean');
  bed.sandbox.state.addField('birthday', 'date');
});
afterEach(closeAll);

async function patch(identifier: string, contact: Json): Promise<Answer> {
  return await bed.call('PATCH', `/api/contacts/${encodeURIComponent(identifier)}`, { contact });
}

function data(answer: Answer): { id: string; email: string; status: string; fields: Json; list_ids: number[] } {
  return (answer.json as unknown as { data: ReturnType<typeof data> }).data;
}

describe('both path styles', () => {
  it.each(['/api/contacts', '/api/accounts/1234/contacts'])('%s leads to the same contacts', async (base) => {
    const created = await bed.call('PATCH', `${base}/ann%40example.com`, { contact: { email: 'ann@example.com' } });
    expect(created.json).toMatchObject({ action: 'created' });
    const path = '/api/contacts/ann%40example.com';
    expect((await bed.call('GET', path)).json).toMatchObject({ data: { email: 'ann@example.com' } });
    expect((await bed.call('GET', `${base}/lists`)).json).toEqual([]);
  });

  it('forbids an account other than its own, when it was given one', async () => {
    const own = await testBed({ accountId: '7' });
    expect((await own.call('GET', '/api/accounts/7/contacts/lists')).status).toBe(200);
    const other = await own.call('GET', '/api/accounts/8/contacts/lists');
    expect([other.status, other.json]).toEqual([403, { errors: 'Account access forbidden' }]);
  });
});

describe('authentication', () => {
  it('takes the token as Bearer or as Api-Token, and nothing else', async () => {
    const right: Record<string, string>[] = [
      { authorization: 'Bearer sandbox-token' },
      { 'api-token': 'sandbox-token' },
    ];
    for (const headers of right) {
      expect((await bed.call('GET', '/api/contacts/lists', undefined, headers)).status).toBe(200);
    }
    const wrong: Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Basic sandbox-token' },
    ];
    for (const headers of wrong) {
      const refused = await bed.call('GET', '/api/contacts/lists', undefined, headers);
      expect([refused.status, refused.json]).toEqual([401, { error: 'Incorrect API token' }]);
    }
  });
});

describe('PATCH, the upsert', () => {
  it('creates, then updates by address in any case, then by id', async () => {
    const created = await patch('Ann+Mail@example.com', {
      email: 'Ann+Mail@example.com',
      fields: { first_name: 'Ann' },
    });
    expect([created.status, created.json]).toMatchObject([200, { action: 'created', data: { status: 'subscribed' } }]);
    const { id } = data(created);
    const again = await patch('ann+mail@EXAMPLE.com', { email: 'ann+mail@example.com', fields: { logins: 3 } });
    expect(again.json).toMatchObject({ action: 'updated', data: { id, fields: { first_name: 'Ann', logins: 3 } } });
    const byId = await patch(id, { email: 'ann+mail@example.com', fields: { first_name: null } });
    expect(data(byId)).toMatchObject({ id, fields: { logins: 3 } });
    expect(data(byId).fields).not.toHaveProperty('first_name');
    expect(bed.sandbox.state.contactCount).toBe(1);
  });

  it('answers 404 to an id it does not know (a choice of ours: the vendor declares no 404 here)', async () => {
    const answer = await patch('018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132', { email: 'a@example.com' });
    expect([answer.status, answer.json]).toEqual([404, { errors: 'Contact(s) not found' }]);
    expect(bed.sandbox.state.contactCount).toBe(0);
  });

  it('creates under the address in the body, and ignores keys that the description does not name', async () => {
    const list = bed.sandbox.state.addList('one').id;
    await patch('a@example.com', { email: 'a@example.com', list_ids_included: [list] });
    expect(data(await patch('a@example.com', { email: 'a@example.com', list_ids: [] })).list_ids).toEqual([list]);
    expect((await patch('gone@example.com', { email: 'new@example.com' })).json).toMatchObject({
      action: 'created',
      data: { email: 'new@example.com' },
    });
    const contact = { email: 'p@example.com', unsubscribed: true };
    expect(data(await bed.call('POST', '/api/contacts', { contact })).status).toBe('subscribed');
  });

  it('joins and leaves lists, and refuses to do both or to join a list that is not there', async () => {
    const [one, two] = [bed.sandbox.state.addList('one').id, bed.sandbox.state.addList('two').id];
    const joined = await patch('a@example.com', { email: 'a@example.com', list_ids_included: [one, two] });
    expect(data(joined).list_ids).toEqual([one, two]);
    const left = await patch('a@example.com', { email: 'a@example.com', list_ids_excluded: [one] });
    expect(data(left).list_ids).toEqual([two]);
    const both = await patch('a@example.com', {
      email: 'a@example.com',
      list_ids_included: [two],
      list_ids_excluded: [two],
    });
    expect([both.status, both.json]).toEqual([
      422,
      { errors: { base: [`same list_ids ${two} are specified both as included and excluded`] } },
    ]);
    const unknown = await patch('a@example.com', { email: 'a@example.com', list_ids_included: [999] });
    expect([unknown.status, unknown.json]).toEqual([422, { errors: { list_id_included: ['contains invalid data'] } }]);
    expect(bed.sandbox.state.contact('a@example.com')?.list_ids).toEqual([two]);
  });

  it('changes an address, but not to one that another contact has', async () => {
    const { id } = data(await patch('old@example.com', { email: 'old@example.com', fields: { first_name: 'Ann' } }));
    await patch('taken@example.com', { email: 'taken@example.com' });
    const taken = await patch(id, { email: 'TAKEN@example.com' });
    expect([taken.status, taken.json]).toEqual([422, { errors: { email: ['has already been taken'] } }]);
    const moved = await patch('old@example.com', { email: 'new@example.com' });
    expect(moved.json).toMatchObject({
      action: 'updated',
      data: { id, email: 'new@example.com', fields: { first_name: 'Ann' } },
    });
    expect((await bed.call('GET', '/api/contacts/old%40example.com')).status).toBe(404);
    expect((await bed.call('GET', `/api/contacts/${id}`)).json).toMatchObject({ data: { email: 'new@example.com' } });
  });

  it('keeps exact numbers digit for digit', async () => {
    const path = '/api/contacts/big%40example.com';
    const sent =
      '{"contact":{"email":"big@example.com","fields":{"logins":9007199254740993,"score":0.12345678901234567890}}}';
    expect((await bed.call('PATCH', path, sent)).text).toContain('"logins":9007199254740993');
    const read = await bed.call('GET', path);
    expect(read.text).toContain('9007199254740993');
    expect(read.text).toContain('0.12345678901234567890');
    const state = await bed.control('GET', '/_sandbox/state');
    expect(state.text).toContain('9007199254740993');
  });

  it.each([
    [{ nope: 1, neither: 2 }, { fields: ['contains invalid values: nope, neither'] }],
    [{ __proto__x: 1 }, { fields: ['contains invalid values: __proto__x'] }],
    [{ first_name: 5 }, { first_name: ['is invalid'] }],
    [{ first_name: 'x'.repeat(256) }, { first_name: ['is too long (maximum is 255 characters)'] }],
    [{ logins: 1.5 }, { logins: ['is invalid'] }],
    [{ logins: '1' }, { logins: ['is invalid'] }],
    [{ score: 'high' }, { score: ['is invalid'] }],
    [{ vip: 'yes' }, { vip: ['is invalid'] }],
    [{ birthday: '01.02.2000' }, { birthday: ['is invalid'] }],
    [{ birthday: '2023-02-29' }, { birthday: ['is invalid'] }],
  ] as [Json, Json][])('refuses the fields %j', async (fields, errors) => {
    const answer = await patch('a@example.com', { email: 'a@example.com', fields });
    expect([answer.status, answer.json]).toEqual([422, { errors }]);
    expect(bed.sandbox.state.contactCount).toBe(0);
  });

  it('takes every type in its right form, 255 characters counted as people count them', async () => {
    const fields = { first_name: '😀'.repeat(255), logins: -3, score: 2, vip: false, birthday: '2024-02-29' };
    const answer = await patch('a@example.com', { email: 'a@example.com', fields });
    expect([answer.status, data(answer).fields]).toEqual([200, fields]);
  });

  it.each([
    ['', "can't be blank"],
    ['no-at.example.com', 'is invalid'],
    ['two@@example.com', 'is invalid'],
    ['a b@example.com', 'is invalid'],
    ['a@localhost', 'is invalid'],
    ['a@-x.com', 'is invalid'],
    ['a..b@example.com', 'is invalid'],
    ['a@x.y', 'top level domain is too short'],
  ])('refuses the address %j', async (email, words) => {
    const answer = await patch('a@example.com', { email });
    expect([answer.status, answer.json]).toEqual([422, { errors: { email: [words] } }]);
  });

  it.each(["o'brien@example.com", 'a+b@example.com', 'a/b@example.com', 'jürgen@exämple.com', 'x@d.co.uk'])(
    'takes the address %s',
    async (email) => {
      expect((await patch(email, { email })).json).toMatchObject({ action: 'created', data: { email } });
      expect((await patch(email.toUpperCase(), { email })).json).toMatchObject({ action: 'updated' });
    },
  );

  it.each([
    ['{"contact":', 400],
    ['[]', 422],
    ['{"contact":{}}', 422],
    ['', 400],
  ])('answers the body %j with %i', async (body, status) => {
    expect((await bed.call('PATCH', '/api/contacts/a%40example.com', body)).status).toBe(status);
  });

  it('says a failure in nested lists when asked to, as the examples of the description do', async () => {
    const nested = await testBed({ errorStyle: 'nested' });
    const path = `${nested.sandbox.apiUrl}/api/contacts/a%40example.com`;
    const body = JSON.stringify({ contact: { email: 'nope' } });
    const answer = await fetch(path, { method: 'PATCH', headers: { 'api-token': 'sandbox-token' }, body });
    expect(await answer.json()).toEqual({ errors: { email: [['is invalid']] } });
  });
});

describe('consent', () => {
  it('really unsubscribes and, told unsubscribed:false, really subscribes again', async () => {
    const out = await patch('a@example.com', { email: 'a@example.com', unsubscribed: true });
    expect(data(out).status).toBe('unsubscribed');
    expect(data(await patch('a@example.com', { email: 'a@example.com' })).status).toBe('unsubscribed');
    const back = await patch('a@example.com', { email: 'a@example.com', unsubscribed: false });
    expect(data(back).status).toBe('subscribed');
    expect(bed.sandbox.state.suppressions()).toEqual([]);
  });

  it('keeps an opt-out with the address: over deletion and creation, but not over a change of address', async () => {
    await patch('a@example.com', { email: 'a@example.com', unsubscribed: true });
    expect((await bed.call('DELETE', '/api/contacts/a%40example.com')).status).toBe(204);
    const again = await patch('A@example.com', { email: 'A@example.com' });
    expect(again.json).toMatchObject({ action: 'created', data: { status: 'unsubscribed' } });
    const moved = await patch('a@example.com', { email: 'b@example.com' });
    expect(data(moved).status).toBe('subscribed');
    const posted = await bed.call('POST', '/api/contacts', { contact: { email: 'a@example.com' } });
    expect(data(posted).status).toBe('unsubscribed');
  });

  it('refuses an unsubscribed that is no boolean', async () => {
    expect((await patch('a@example.com', { email: 'a@example.com', unsubscribed: 'no' })).status).toBe(422);
  });
});

describe('POST, GET, DELETE', () => {
  it('creates with 201 and refuses a second contact of one address', async () => {
    const list = bed.sandbox.state.addList('one').id;
    const contact = { email: 'a@example.com', fields: { first_name: 'Ann' }, list_ids: [list] };
    const created = await bed.call('POST', '/api/contacts', { contact });
    expect([created.status, data(created)]).toMatchObject([201, { fields: { first_name: 'Ann' }, list_ids: [list] }]);
    const again = await bed.call('POST', '/api/contacts', { contact: { email: 'A@EXAMPLE.COM' } });
    expect([again.status, again.json]).toEqual([422, { errors: { email: ['has already been taken'] } }]);
  });

  it('reads and deletes by id or address, once', async () => {
    const { id } = data(await patch('a@example.com', { email: 'a@example.com' }));
    expect((await bed.call('GET', `/api/contacts/${id}`)).status).toBe(200);
    expect((await bed.call('DELETE', '/api/contacts/A%40EXAMPLE.COM')).status).toBe(204);
    const gone = await bed.call('DELETE', `/api/contacts/${id}`);
    expect([gone.status, gone.json]).toEqual([404, { errors: 'Contact(s) not found' }]);
    const read = await bed.call('GET', `/api/contacts/${id}`);
    expect([read.status, read.json]).toEqual([404, { error: 'Not Found' }]);
  });

  it('stops at the limit of the plan, for new contacts only', async () => {
    const small = await testBed({ maxContacts: 1 });
    for (let n = 0; n < 2; n += 1) {
      const fits = await small.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
      expect(fits.status).toBe(200);
    }
    const over = await small.call('PATCH', '/api/contacts/b%40example.com', { contact: { email: 'b@example.com' } });
    expect([over.status, over.json]).toEqual([422, { errors: { base: ['contacts limit reached'] } }]);
  });
});
