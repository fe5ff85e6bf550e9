import { describe, expect, test } from 'vitest';
import { type Json, type JsonObject, parseJson, renderJson } from '../../../core/json.ts';
import { ApiRequest } from '../../../sandbox/api-request.ts';
import makeStandIn from './index.ts';

/** A stand-in with a clock that stands still unless it is moved. */
function bed(options: { readonly settings?: JsonObject; readonly limitsScale?: number } = {}) {
  const clock = { now: 1_700_000_000_000 };
  const told: string[] = [];
  const standIn = makeStandIn({
    token: 'key',
    limitsScale: options.limitsScale ?? Number.POSITIVE_INFINITY,
    now: () => clock.now,
    url: () => 'http://sandbox/brevo',
    jobStepMs: 1_000,
    onContact: (kind, { address }) => told.push(`${kind} ${address}`),
    onEvent: ({ name }) => told.push(`event ${name}`),
    settings: options.settings ?? {},
  });
  const call = (
    method: string,
    target: string,
    body?: Json,
    headers: Record<string, string> = { 'api-key': 'key' },
  ) => {
    const [path = '', search = ''] = target.split('?');
    const request = new ApiRequest(method, path, headers, body === undefined ? '' : renderJson(body), search);
    const reply = standIn.gate(request) ?? standIn.handle(request, (address) => address.startsWith('refused'));
    const text = reply.body === null ? '' : String(reply.body);
    const json = text.startsWith('{') ? (parseJson(text) as JsonObject) : {};
    return { status: reply.status, json, text, headers: { ...standIn.commonHeaders(), ...reply.headers } };
  };
  const add = (email: string, more: JsonObject = {}) =>
    Number(call('POST', '/contacts', { email, ...more }).json['id']);
  const read = (email: string) => call('GET', `/contacts/${encodeURIComponent(email)}`).json;
  return { standIn, call, add, read, clock, told };
}

describe('contacts', () => {
  test('201 with an id for a new one, 204 for one that may be updated, 400 for one that may not', () => {
    const { call, read } = bed();
    const made = call('POST', '/contacts', { email: 'a@x.yz', attributes: { FIRSTNAME: 'Ada' } });
    expect([made.status, made.json]).toEqual([201, { id: 2 }]);
    expect(call('POST', '/contacts', { email: 'A@X.yz' })).toMatchObject({
      status: 400,
      json: { code: 'duplicate_parameter', metadata: { duplicate_identifiers: ['email'] } },
    });
    const again = call('POST', '/contacts', { email: 'A@X.yz', updateEnabled: true, attributes: { LASTNAME: 'L' } });
    expect([again.status, again.text]).toEqual([204, '']);
    expect(read('a@x.yz')).toMatchObject({ id: 2, attributes: { FIRSTNAME: 'Ada', LASTNAME: 'L' } });
  });

  test('a phone number that another contact has is refused', () => {
    const { call, add } = bed();
    add('a@x.yz', { attributes: { SMS: '0049 1511234567' } });
    const id = add('b@x.yz');
    const taken = { status: 400, json: { code: 'duplicate_parameter', metadata: { duplicate_identifiers: ['SMS'] } } };
    const attributes = { SMS: '+491511234567' };
    expect(call('PUT', `/contacts/${id}`, { attributes })).toMatchObject(taken);
    expect(call('POST', '/contacts', { email: 'b@x.yz', updateEnabled: true, attributes })).toMatchObject(taken);
    expect(call('GET', '/contacts/+491511234567?identifierType=phone_id').json).toMatchObject({ email: 'a@x.yz' });
    expect(call('PUT', `/contacts/${id}`, { attributes: { SMS: 'call me' } })).toMatchObject({
      status: 400,
      json: { code: 'invalid_parameter' },
    });
  });

  test('unknown attributes and values of another type are dropped without a word', () => {
    const { call, add, read, standIn } = bed();
    standIn.addField('age', 'float');
    standIn.addField('VIP', 'boolean');
    standIn.addField('BORN', 'date');
    const id = add('a@x.yz', { attributes: { AGE: '41', VIP: 'true', BORN: '2023-02-29', FIRSTNAME: 5, NOPE: 'x' } });
    expect(read('a@x.yz')['attributes']).toEqual({});
    const right = { AGE: 41.5, VIP: false, BORN: '2024-02-29', FIRSTNAME: 'Ada' };
    expect(call('PUT', `/contacts/${id}`, { attributes: right }).status).toBe(204);
    expect(read('a@x.yz')['attributes']).toEqual(right);
    call('PUT', `/contacts/${id}`, { attributes: { AGE: '', VIP: null, firstname: 'x' } });
    expect(read('a@x.yz')['attributes']).toEqual({ VIP: false, BORN: '2024-02-29', FIRSTNAME: 'Ada' });
  });

  test('a write while another one is at work is too early', () => {
    const { call, add, clock } = bed({ settings: { processingMs: 500 } });
    const id = add('a@x.yz');
    expect(call('PUT', `/contacts/${id}`, {}).status).toBe(425);
    expect(call('POST', '/contacts', { email: 'a@x.yz', updateEnabled: true }).status).toBe(425);
    clock.now += 500;
    expect(call('PUT', `/contacts/${id}`, {}).status).toBe(204);
  });

  test('a new address lifts the block of a contact', () => {
    const { call, add, read, told } = bed();
    const id = add('a@x.yz', { emailBlacklisted: true });
    expect(call('PUT', `/contacts/${id}`, { attributes: { EMAIL: 'b@x.yz' } }).status).toBe(204);
    expect(read('b@x.yz')).toMatchObject({ id, emailBlacklisted: false });
    expect(told).toEqual(['created a@x.yz', 'opted_in b@x.yz']);
    call('PUT', `/contacts/${id}`, { attributes: { EMAIL: 'c@x.yz' }, emailBlacklisted: true });
    expect(read('c@x.yz')).toMatchObject({ emailBlacklisted: true });
  });

  test('or lifts that of its own request too, as nobody says which comes last', () => {
    const { call, add, read } = bed({ settings: { newAddressLifts: 'any_block' } });
    const id = add('a@x.yz', { emailBlacklisted: true });
    call('PUT', `/contacts/${id}`, { attributes: { EMAIL: 'b@x.yz' }, emailBlacklisted: true });
    expect(read('b@x.yz')).toMatchObject({ emailBlacklisted: false });
    call('PUT', `/contacts/${id}`, { emailBlacklisted: true });
    expect(read('b@x.yz')).toMatchObject({ emailBlacklisted: true });
  });

  test('emailBlacklisted: false really lifts a block; what does not mention it leaves it', () => {
    const { call, add, read } = bed();
    const id = add('a@x.yz', { emailBlacklisted: true });
    call('PUT', `/contacts/${id}`, { attributes: { FIRSTNAME: 'Ada' } });
    expect(read('a@x.yz')).toMatchObject({ emailBlacklisted: true });
    call('POST', '/contacts', { email: 'a@x.yz', updateEnabled: true, emailBlacklisted: false });
    expect(read('a@x.yz')).toMatchObject({ emailBlacklisted: false });
  });

  test('an address that is taken, also by the contact itself, is refused', () => {
    const { call, add } = bed();
    const id = add('a@x.yz');
    add('b@x.yz');
    expect(call('PUT', `/contacts/${id}`, { attributes: { EMAIL: 'B@x.yz' } })).toMatchObject({
      status: 400,
      json: { code: 'duplicate_parameter', metadata: { duplicate_identifiers: ['email'] } },
    });
    expect(call('PUT', `/contacts/${id}`, { attributes: { EMAIL: 'a@x.yz' } })).toMatchObject({
      status: 400,
      json: { code: 'invalid_parameter', message: 'Contact already exist' },
    });
  });

  test('a deleted one is gone, and its block with it', () => {
    const { call, add, read } = bed();
    add('a@x.yz', { emailBlacklisted: true });
    expect(call('DELETE', '/contacts/a%40x.yz?identifierType=email_id').status).toBe(204);
    expect(call('DELETE', '/contacts/a%40x.yz').json['code']).toBe('document_not_found');
    expect(call('PUT', '/contacts/2?identifierType=contact_id', {}).status).toBe(404);
    add('a@x.yz');
    expect(read('a@x.yz')).toMatchObject({ emailBlacklisted: false });
  });

  test.each([
    [{}, 'missing_parameter'],
    [{ email: 'no address' }, 'invalid_parameter'],
    [{ email: 'a@x.yz', listIds: [99] }, 'invalid_parameter'],
    [[], 'bad_request'],
  ])('%j is refused', (body, code) => {
    expect(bed().call('POST', '/contacts', body)).toMatchObject({ status: 400, json: { code } });
  });

  test('are read by pages of at most 1,000, newest first unless asked otherwise', () => {
    const { call, add } = bed();
    for (const name of ['a', 'b', 'c']) add(`${name}@x.yz`);
    const emails = (target: string) =>
      (call('GET', target).json['contacts'] as { email: string }[]).map(({ email }) => email[0]).join('');
    expect(emails('/contacts')).toBe('cba');
    expect(emails('/contacts?limit=2&offset=1&sort=asc')).toBe('bc');
    expect(call('GET', '/contacts?limit=1001')).toMatchObject({ status: 400, json: { code: 'out_of_range' } });
    expect(call('GET', '/contacts/lists?limit=51').json['code']).toBe('out_of_range');
  });

  test('a batch updates those that are there, and says nothing of the others', () => {
    const { call, add, read } = bed();
    const id = add('a@x.yz');
    const contacts = [
      { id, attributes: { FIRSTNAME: 'Ada' } },
      { email: 'nobody@x.yz', attributes: { FIRSTNAME: 'No' } },
    ];
    expect(call('POST', '/contacts/batch', { contacts }).status).toBe(204);
    expect(read('a@x.yz')).toMatchObject({ attributes: { FIRSTNAME: 'Ada' } });
    expect(call('GET', '/contacts/nobody%40x.yz').status).toBe(404);
  });
});

describe('lists', () => {
  test('need a folder that exists', () => {
    const { call } = bed();
    expect(call('POST', '/contacts/lists', { name: 'News' }).json['code']).toBe('missing_parameter');
    expect(call('POST', '/contacts/lists', { name: 'News', folderId: 9 }).status).toBe(404);
    const folder = call('POST', '/contacts/folders', { name: 'Ours' }).json['id'] as number;
    const made = call('POST', '/contacts/lists', { name: 'News', folderId: folder });
    expect(made.status).toBe(201);
    expect(call('GET', `/contacts/folders/${folder}/lists`).json).toMatchObject({
      count: 1,
      lists: [{ name: 'News' }],
    });
    expect(call('GET', '/contacts/folders').json).toMatchObject({ count: 2 });
  });

  test('151 addresses are refused; who is there already is a 400 when nobody else joins', () => {
    const { call, add, standIn } = bed();
    const list = standIn.addList('News');
    const emails = Array.from({ length: 151 }, (_, n) => `${n}@x.yz`);
    for (const email of emails) add(email);
    const join = (who: readonly string[]) => call('POST', `/contacts/lists/${list}/contacts/add`, { emails: who });
    expect(join(emails)).toMatchObject({ status: 400, json: { code: 'invalid_parameter' } });
    expect(join(emails.slice(0, 150)).status).toBe(201);
    expect(join(emails.slice(149)).json).toEqual({ contacts: { success: ['150@x.yz'], failure: ['149@x.yz'] } });
    expect(join(emails.slice(0, 2))).toMatchObject({
      status: 400,
      json: { code: 'invalid_parameter', message: 'Contact already in list and/or does not exist' },
    });
    expect(call('GET', `/contacts/lists/${list}/contacts?limit=500`).json['count']).toBe(151);
    const left = call('POST', `/contacts/lists/${list}/contacts/remove`, { emails: ['0@x.yz', 'nobody@x.yz'] });
    expect(left.json).toEqual({ contacts: { success: ['0@x.yz'], failure: ['nobody@x.yz'] } });
  });
});

describe('attributes', () => {
  test('are created once, under names in upper case, with a type of their category', () => {
    const { call, standIn } = bed();
    const make = (path: string, type: string) => call('POST', `/contacts/attributes/${path}`, { type });
    expect(make('normal/age', 'float').status).toBe(201);
    expect(make('normal/AGE', 'float').json['message']).toBe('Attribute name must be unique');
    expect(make('normal/X', 'integer').status).toBe(400);
    expect(make('odd/X', 'text').status).toBe(400);
    expect(standIn.fields()).toContainEqual({ name: 'AGE', type: 'float' });
    expect(call('GET', '/contacts/attributes').json['attributes']).toContainEqual({
      name: 'AGE',
      category: 'normal',
      type: 'float',
    });
    expect(call('DELETE', '/contacts/attributes/normal/AGE').status).toBe(204);
  });
});

describe('limits', () => {
  test('10 requests in a second, and headers that say how long in seconds from now', () => {
    const { call, clock } = bed({ limitsScale: 1 });
    for (let n = 0; n < 10; n += 1) expect(call('GET', '/contacts/lists').status).toBe(200);
    const { status, headers } = call('GET', '/contacts/lists');
    expect([status, headers]).toMatchObject([
      429,
      { 'x-sib-ratelimit-limit': '10', 'x-sib-ratelimit-remaining': '0', 'x-sib-ratelimit-reset': '1' },
    ]);
    expect(call('POST', '/events', { event_name: 'x', identifiers: { email_id: 'a@x.yz' } }).status).toBe(204);
    clock.now += 1_000;
    expect(call('GET', '/contacts/lists')).toMatchObject({
      status: 200,
      headers: { 'x-sib-ratelimit-remaining': '9' },
    });
  });

  test('100 questions an hour about a process', () => {
    const { call, clock } = bed({ limitsScale: 1 });
    for (let n = 0; n < 100; n += 1) expect(call('GET', '/processes/1').status).toBe(404);
    clock.now += 60_000;
    expect(call('GET', '/account')).toMatchObject({ status: 429, headers: { 'x-sib-ratelimit-reset': '3540' } });
  });

  test('without the key nothing is counted', () => {
    const { call } = bed({ limitsScale: 1 });
    for (let n = 0; n < 20; n += 1) expect(call('GET', '/contacts', undefined, { 'api-key': 'no' }).status).toBe(401);
    expect(call('GET', '/contacts').status).toBe(200);
  });
});

describe('imports', () => {
  const rows = [{ email: 'a@x.yz', attributes: { FIRSTNAME: 'Ada', VIP: false } }, { email: 'b@x.yz' }];

  test('202 with a process, which ends by the clock or by being asked', () => {
    const { call, read, standIn, clock } = bed();
    const list = Number(standIn.addList('News'));
    const { status, json } = call('POST', '/contacts/import', { jsonBody: rows, listIds: [list] });
    expect(status).toBe(202);
    const ask = () => call('GET', `/processes/${json['processId'] as number}`).json;
    expect(ask()).toMatchObject({ name: 'IMPORTUSER', status: 'processing' });
    expect(call('GET', '/contacts/a%40x.yz').status).toBe(404);
    clock.now += 2_000;
    expect(ask()).toMatchObject({ status: 'completed', info: { import: { invalid_emails: null } } });
    expect(read('a@x.yz')).toMatchObject({ listIds: [list], attributes: { FIRSTNAME: 'Ada' } });
  });

  test('needs a list, one that exists or a new one', () => {
    const { call, standIn } = bed();
    expect(call('POST', '/contacts/import', { jsonBody: rows }).json['code']).toBe('missing_parameter');
    expect(call('POST', '/contacts/import', { jsonBody: rows, listIds: [99] }).status).toBe(400);
    const newList = { listName: 'Imported', folderId: 1 };
    expect(call('POST', '/contacts/import', { jsonBody: rows, newList }).status).toBe(202);
    expect(standIn.lists().map(({ name }) => name)).toEqual(['Imported']);
  });

  test('passes over false, empty values and blocks; tells of bad rows in files behind links', () => {
    const { call, read, standIn } = bed();
    const list = Number(standIn.addList('News'));
    standIn.addField('VIP', 'boolean');
    call('POST', '/contacts', { email: 'a@x.yz', emailBlacklisted: true, attributes: { VIP: true, LASTNAME: 'L' } });
    call('POST', '/contacts', { email: 'c@x.yz', attributes: { SMS: '+491511234567' } });
    const jsonBody = [
      { email: 'a@x.yz', attributes: { VIP: false, LASTNAME: '' } },
      { email: 'b@x.yz', attributes: { SMS: '491511234567' } },
      { email: 'no address' },
      { email: 'refused@x.yz' },
    ];
    const id = call('POST', '/contacts/import', { jsonBody, listIds: [list] }).json['processId'] as number;
    call('GET', `/processes/${id}`);
    const { info } = call('GET', `/processes/${id}`).json as {
      info: { import: Record<string, string | null> };
    };
    const link = info.import['invalid_emails'] ?? '';
    expect(info.import['duplicate_phone_id']).toBe(link.replace('invalid_emails', 'duplicate_phone_id'));
    expect(link.startsWith('http://sandbox/brevo/')).toBe(true);
    const report = call('GET', link.replace('http://sandbox/brevo', ''), undefined, {});
    expect([report.status, report.text]).toEqual([200, 'EMAIL\nno address\nrefused@x.yz\n']);
    expect(read('a@x.yz')).toMatchObject({ emailBlacklisted: true, attributes: { VIP: true, LASTNAME: 'L' } });
    expect(call('GET', '/contacts/b%40x.yz').status).toBe(404);
  });

  test('takes a file too, and erases where it is asked to', () => {
    const { call, read, standIn, clock } = bed();
    const list = Number(standIn.addList('News'));
    call('POST', '/contacts', { email: 'a@x.yz', attributes: { FIRSTNAME: 'Ada', LASTNAME: 'L' } });
    const fileBody = 'EMAIL;FIRSTNAME;LASTNAME\na@x.yz;;M\n';
    call('POST', '/contacts/import', {
      fileBody,
      listIds: [list],
      emptyContactsAttributes: true,
      emailBlacklist: true,
    });
    clock.now += 2_000;
    expect(read('a@x.yz')).toMatchObject({ emailBlacklisted: true, attributes: { LASTNAME: 'M' } });
    expect(call('POST', '/contacts/import', { fileUrl: 'https://x.yz/f.csv', listIds: [list] }).status).toBe(400);
  });
});

describe('events', () => {
  const event = (more: JsonObject = {}): JsonObject => ({
    event_name: 'order_placed',
    event_date: '2026-05-06T07:08:09.123Z',
    identifiers: { email_id: 'a@x.yz' },
    ...more,
  });

  test('keep their own time and the address of the contact', () => {
    const { call, add, standIn } = bed();
    const id = add('a@x.yz');
    const identifiers = { contact_id: id };
    expect(call('POST', '/events', event({ identifiers, event_properties: { total: 5 } })).status).toBe(204);
    const at = Date.parse('2026-05-06T07:08:09.123Z');
    expect(standIn.events()).toEqual([{ address: 'a@x.yz', name: 'order_placed', properties: { total: 5 }, at }]);
  });

  test.each([
    { event_name: 'order placed' },
    { event_name: 'x'.repeat(256) },
    { event_date: 'soon' },
    { identifiers: {} },
    { event_properties: { 'a b': 1 } },
    { event_properties: { a: 'x'.repeat(60_000) } },
  ])('%o is refused', (more) => {
    expect(bed().call('POST', '/events', event(more)).status).toBe(400);
  });

  test('202 for a good batch, 207 with the places of the bad ones, 400 for too many or none that is good', () => {
    const { call, standIn } = bed();
    expect(call('POST', '/events/batch', { events: [event(), event()] })).toMatchObject({
      status: 202,
      json: { count: 2 },
    });
    const mixed = call('POST', '/events/batch', {
      events: [event(), event({ event_name: '!' }), event({ event_name: '?' })],
    });
    expect(mixed.status).toBe(207);
    expect(mixed.json).toMatchObject({
      total_events: 3,
      successful_events: 1,
      failed_events: 2,
      errors: [{ eventIndex: [1, 2], message: 'event_name is invalid' }],
    });
    expect(call('POST', '/events/batch', { events: [event({ event_name: '!' })] }).status).toBe(400);
    expect(call('POST', '/events/batch', { events: Array.from({ length: 201 }, () => event()) }).status).toBe(400);
    expect(standIn.eventCount).toBe(3);
  });
});

test('webhooks are not signed: a bearer token, names of their own, and one request for each event', () => {
  const { standIn } = bed();
  const optOuts = [
    { address: 'a@x.yz', reason: 'unsubscribe', id: '77' },
    { address: 'b@x.yz', reason: 'bounce' },
  ] as const;
  const requests = standIn.webhooks!(optOuts, 'token', 1_700_000_000_000);
  expect(requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer token', 'Bearer token']);
  expect(requests.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { id: 77, event: 'unsubscribed', email: 'a@x.yz', ts_event: 1_700_000_000 },
    { event: 'hard_bounced', email: 'b@x.yz' },
  ]);
  const again = standIn.webhooks!(optOuts.slice(0, 1), 'token', 1_700_000_000_000);
  expect(again[0]?.body).toBe(requests[0]?.body);
});

test('what was saved is as it was, and nobody is told', () => {
  const { standIn, call, add } = bed();
  const list = Number(standIn.addList('News'));
  standIn.addField('AGE', 'float');
  add('a@x.yz', { attributes: { AGE: 5, SMS: '+491511234567' }, listIds: [list], emailBlacklisted: true });
  call('POST', '/events', { event_name: 'x', identifiers: { email_id: 'a@x.yz' } });
  call('POST', '/contacts/import', { jsonBody: [{ email: 'b@x.yz' }], listIds: [list] });
  const saved = standIn.save();
  const other = bed();
  other.standIn.load(parseJson(renderJson(saved)) as JsonObject);
  expect(other.told).toEqual([]);
  expect(other.standIn.save()).toEqual(saved);
  expect([...other.standIn.contacts()]).toEqual([...standIn.contacts()]);
  expect(other.standIn.contact('A@x.yz')).toMatchObject({ status: 'unsubscribed', lists: ['News'] });
  expect(() => other.standIn.load({})).toThrow(expect.objectContaining({ code: 'RC_SANDBOX_STATE' }));
  other.standIn.reset();
  expect([other.standIn.contactCount, other.standIn.eventCount, other.standIn.lists()]).toEqual([0, 0, []]);
  expect(other.standIn.fields().map(({ name }) => name)).toEqual(['FIRSTNAME', 'LASTNAME', 'SMS']);
});

test('what people do in the vendor’s pages', () => {
  const { standIn, told } = bed();
  standIn.optOut('a@x.yz', 'complaint');
  expect(standIn.contact('a@x.yz')).toMatchObject({ status: 'unsubscribed' });
  standIn.optIn('a@x.yz');
  expect(told).toEqual(['created a@x.yz', 'opted_in a@x.yz']);
});

test('a fault has the vendor’s words, and its wait in the vendor’s header', () => {
  const { standIn } = bed();
  expect(standIn.failure(429, 7)).toMatchObject({ status: 429, headers: { 'x-sib-ratelimit-reset': '7' } });
  expect(String(standIn.failure(405).body)).toContain('method_not_allowed');
  expect(standIn.refusal().status).toBe(400);
  const request = new ApiRequest('PUT', '/contacts/a%40x.yz', {}, '{"attributes":{"EMAIL":"B@x.yz"}}');
  expect(standIn.subject(request)).toEqual({ emails: ['a@x.yz', 'b@x.yz'], writesContact: true });
  expect(standIn.bodyLimit('/contacts/import')).toBe(10_000_000);
});

test('paths may begin with the version of the API; others lead nowhere', () => {
  const { call } = bed();
  expect(call('GET', '/v3/contacts/attributes').status).toBe(200);
  expect(call('GET', '/v3/nothing').status).toBe(404);
  expect(call('PATCH', '/contacts/a%40x.yz', {}).status).toBe(405);
});
