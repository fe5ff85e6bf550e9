import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson, renderJson } from '../../../core/json.ts';
import { ApiRequest } from '../../../sandbox/api-request.ts';
import makeStandIn from './index.ts';

const TOKEN = 'sn_live_full';

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** A stand-in with a client. Requests are handled as the server hands them over. */
function bed(settings: Record<string, unknown> = {}, limitsScale = Infinity) {
  const told: string[] = [];
  let now = Date.parse('2026-05-06T07:08:09Z');
  const standIn = makeStandIn({
    token: TOKEN,
    limitsScale,
    now: () => now,
    url: () => 'http://127.0.0.1:1/sendry',
    jobStepMs: 0,
    settings,
    onContact: (kind, { address }) => told.push(`${kind} ${address}`),
    onEvent: ({ name, key }) => told.push(`event ${name} ${key ?? ''}`.trim()),
  });
  const send = (
    method: string,
    path: string,
    body?: Json,
    { key = TOKEN, refused = [] as readonly string[], headers = {} as Record<string, string> } = {},
  ): Answer => {
    const [place = '', search = ''] = path.split('?');
    const text = body === undefined ? '' : typeof body === 'string' ? body : renderJson(body);
    const request = new ApiRequest(method, place, { authorization: `Bearer ${key}`, ...headers }, text, search);
    const reply = standIn.gate(request) ?? standIn.handle(request, (address) => refused.includes(address));
    const read = parseJson(typeof reply.body === 'string' ? reply.body : 'null');
    return { status: reply.status, body: isJsonObject(read) ? read : {}, headers: reply.headers ?? {} };
  };
  const made = (email: string, more: JsonObject = {}): string =>
    String(Object.values(send('POST', '/v1/contacts', { email, ...more }).body)[0]);
  return { standIn, send, made, told, later: (ms: number) => (now += ms) };
}

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
      const { body } = send('GET', path);
      seen.push(...(body['data'] as JsonObject[]).map(({ email }) => email ?? null));
      expect(body['has_more']).toBe(pages < 2);
      path = `/v1/contacts?limit=2&cursor=${String(body['next_cursor'])}`;
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

test('audiences have members by the ids of contacts, up to 100 in a request', () => {
  const { standIn, send, made } = bed();
  const made1 = send('POST', '/v1/audiences', { name: 'News' });
  const audience = String(made1.body['id']);
  expect(made1).toMatchObject({ status: 201, body: { name: 'News', member_count: 0 } });
  const [a, b] = [made('a@x.io', { audience_id: audience }), made('b@x.io')];
  const path = `/v1/audiences/${audience}/contacts`;
  expect(send('POST', path, { contact_ids: [a, b] }).body).toEqual({ added: 1 });
  expect(send('POST', path, { contact_ids: Array.from({ length: 101 }, () => a) }).status).toBe(422);
  expect(send('POST', path, { contact_ids: ['ct_no'] }).body['message']).toBe('Contact not found.');
  expect(send('POST', '/v1/audiences/aud_no/contacts', { contact_ids: [a] }).body['message']).toBe(
    'Audience not found.',
  );
  expect((send('GET', path).body['data'] as Json[]).length).toBe(2);
  expect(send('GET', `/v1/contacts?audience_id=${audience}`).body['data']).toHaveLength(2);
  expect(send('DELETE', `${path}/${b}`).status).toBe(200);
  expect(send('DELETE', `${path}/${b}`).status).toBe(404);
  expect(send('PATCH', `/v1/audiences/${audience}`, { name: 'VIP' }).body['name']).toBe('VIP');
  expect(send('GET', `/v1/audiences/${audience}`).body['member_count']).toBe(1);
  expect(standIn.contact(a)?.lists).toEqual(['VIP']);
  expect(send('GET', '/v1/audiences').body['data']).toHaveLength(1);
  expect(send('DELETE', `/v1/audiences/${audience}`).status).toBe(200);
  expect(standIn.contact(a)?.lists).toEqual([]);
});

test('an event is taken once for each event_id, and not of somebody who is not there', () => {
  const { standIn, send, made, told } = bed();
  const id = made('a@x.io');
  const event = { name: 'order.paid', event_id: 'e-1', contact_id: id, payload: { items: [{ sku: 'a' }] } };
  const first = send('POST', '/v1/events', event);
  expect(first).toMatchObject({ status: 201, body: { external_id: 'e-1', contact_email: 'a@x.io' } });
  expect(send('POST', '/v1/events', event).body).toEqual({ ...first.body, deduped: true });
  expect(send('POST', '/v1/events', { name: 'x', contact_email: 'A@x.io' }).status).toBe(201);
  expect(send('POST', '/v1/events', { name: 'x', contact_email: 'no@x.io' }).status).toBe(404);
  expect(send('POST', '/v1/events', { name: 'x', contact_id: 'ct_no' }).status).toBe(404);
  expect(send('POST', '/v1/events', { contact_id: id }).status).toBe(422);
  expect([standIn.eventCount, told.slice(1)]).toEqual([2, ['event order.paid e-1', 'event x']]);
  expect(standIn.events()[0]).toMatchObject({ address: 'a@x.io', key: 'e-1', properties: { items: [{ sku: 'a' }] } });
  expect(send('GET', '/v1/events?name=x').body['data']).toHaveLength(1);
  expect(send('GET', `/v1/events/${String(first.body['id'])}`).body['name']).toBe('order.paid');
  expect(send('GET', '/v1/events/evt_no').status).toBe(404);
});

test('who left, complained or bounced is on the suppression list, with or without a contact', () => {
  const { standIn, send, made } = bed();
  made('u@x.io');
  standIn.optOut('U@x.io', 'unsubscribe');
  standIn.optOut('c@x.io', 'complaint');
  standIn.optOut('b@x.io', 'bounce');
  const listed = send('GET', '/v1/suppression').body['data'] as JsonObject[];
  expect(listed.map(({ email, reason }) => [email, reason])).toEqual([
    ['u@x.io', 'unsubscribe'],
    ['c@x.io', 'complaint'],
    ['b@x.io', 'hard_bounce'],
  ]);
  expect(send('POST', '/v1/suppression', { email: 'm@x.io' }).body['reason']).toBe('manual');
  expect(send('POST', '/v1/suppression', { email: 'm@x.io', reason: 'mood' }).status).toBe(422);
  expect(send('DELETE', '/v1/suppression/u%40x.io').body).toEqual({ deleted: true });
  expect(send('DELETE', '/v1/suppression/u%40x.io').status).toBe(404);
  expect(standIn.contact('u@x.io')?.status).toBe('subscribed');
});

test('an unsubscribe of all opts out, one of a list does not', () => {
  const { standIn, send, made } = bed();
  made('a@x.io');
  send('POST', '/v1/unsubscribes', { email: 'a@x.io', list_id: 'sports' });
  expect(standIn.contact('a@x.io')?.status).toBe('subscribed');
  const of = send('POST', '/v1/unsubscribes', { email: 'a@x.io', reason: 'bored' }).body;
  expect(of).toMatchObject({ email: 'a@x.io', list_id: null, reason: 'bored' });
  expect(standIn.contact('a@x.io')?.status).toBe('unsubscribed');
  expect(send('POST', '/v1/unsubscribes/batch', { emails: ['b@x.io', 'no'] }).body).toEqual({ inserted: 1 });
  expect(send('GET', '/v1/unsubscribes?list_id=sports').body['data']).toHaveLength(1);
  expect(send('GET', '/v1/unsubscribes').body['data']).toHaveLength(3);
  expect(send('DELETE', `/v1/unsubscribes/${String(of['id'])}`).status).toBe(200);
  expect(standIn.contact('a@x.io')?.status).toBe('subscribed');
});

describe('keys and limits', () => {
  test.each(['docs', 'sdk'] as const)('errors come in the shape of %s', (errorStyle) => {
    const { send } = bed({ errorStyle, keys: { sn_live_old: 'expired', sn_live_read: 'read_only' } });
    const code = ({ body }: Answer): Json | undefined => {
      const own = body['error'];
      return errorStyle === 'docs' ? body['code'] : isJsonObject(own) ? own['code'] : undefined;
    };
    const none = send('GET', '/v1/contacts', undefined, { key: 'wrong' });
    expect([none.status, code(none)]).toEqual([401, 'unauthorized']);
    expect(none.body['statusCode']).toBe(errorStyle === 'docs' ? 401 : undefined);
    expect(code(send('GET', '/v1/contacts', undefined, { key: 'sn_live_old' }))).toBe('expired_key');
    const scope = send('POST', '/v1/contacts', { email: 'a@x.io' }, { key: 'sn_live_read' });
    expect([scope.status, code(scope)]).toEqual([403, 'insufficient_scope']);
    expect(send('GET', '/v1/contacts', undefined, { key: 'sn_live_read' }).status).toBe(200);
  });

  test('too many requests are told how long to wait', () => {
    const { send, later } = bed({}, 1);
    const statuses = Array.from({ length: 6 }, () => send('GET', '/v1/contacts'));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(statuses[5]?.headers['Retry-After']).toBe('1');
    later(1_001);
    expect(send('GET', '/v1/contacts').status).toBe(200);
  });

  test('faults on demand use the vendor’s words', () => {
    const { standIn } = bed();
    expect(standIn.failure(429, 9).headers?.['Retry-After']).toBe('9');
    expect(standIn.failure(503, 9).headers?.['Retry-After']).toBe('9');
    for (const status of [400, 401, 402, 403, 404, 409, 422, 500])
      expect(standIn.failure(status)).toMatchObject({
        status,
        body: expect.stringContaining(`"statusCode":${status}`),
      });
    expect(standIn.refusal().status).toBe(422);
  });

  test('nothing else is there', () => {
    const { send } = bed();
    for (const path of ['/', '/v1', '/v1/', '/v2/contacts', '/v1/contacts/', '/v1/contacts/a/b', '/v1/emails', '/v1/%'])
      expect(send('GET', path).status).toBe(404);
    for (const path of ['/v1/contacts/import', '/v1/unsubscribes/batch']) expect(send('GET', path).status).toBe(404);
    expect(send('DELETE', '/v1/contacts').status).toBe(404);
  });
});

describe('webhooks', () => {
  const now = 1_718_000_000_999;
  const hex = (text: string): string => createHmac('sha256', 'whsec_1').update(text).digest('hex');

  test.each([
    ['plain', (body: string) => hex(body)],
    ['prefixed', (body: string) => `sha256=${hex(body)}`],
    ['timestamped', (body: string) => `t=1718000000,v1=${hex(`1718000000.${body}`)}`],
  ] as const)('are signed in the %s form', (signature, expected) => {
    const [sent] = bed({ signature }).standIn.webhooks!([{ address: 'a@x.io', reason: 'unsubscribe' }], 'whsec_1', now);
    expect(sent?.headers['X-Sendry-Signature']).toBe(expected(sent?.body ?? ''));
  });

  test.each(['contact.unsubscribed', 'contact.updated'])('tell of an unsubscribe by %s', (unsubscribeEvent) => {
    const { standIn, made } = bed({ unsubscribeEvent });
    const id = made('a@x.io');
    const tell = (address: string, reason: 'unsubscribe' | 'complaint' | 'bounce'): Json =>
      parseJson(standIn.webhooks!([{ address, reason, id: 'em_1', at: now }], 's', now)[0]?.body ?? '');
    expect(tell('a@x.io', 'unsubscribe')).toMatchObject({
      type: unsubscribeEvent,
      created_at: '2024-06-10T06:13:20.999Z',
      data: { id, email: 'a@x.io', unsubscribed: true },
    });
    expect(tell('b@x.io', 'unsubscribe')).toMatchObject({ data: { email: 'b@x.io', unsubscribed: true } });
    expect(tell('b@x.io', 'complaint')).toMatchObject({
      type: 'email.complained',
      data: { to: 'b@x.io', email_id: 'em_1' },
    });
    expect(tell('b@x.io', 'bounce')).toMatchObject({ type: 'email.bounced', data: { bounce_type: 'hard' } });
  });
});

test('what is saved can be loaded, and a reset leaves nothing', () => {
  const from = bed();
  const audience = from.standIn.addList('News');
  const id = from.made('a@x.io', { metadata: { n: 1 }, audience_id: audience });
  from.send('POST', '/v1/events', { name: 'x', event_id: 'e', contact_id: id });
  from.send('POST', '/v1/unsubscribes', { email: 'b@x.io' });
  const saved = parseJson(renderJson(from.standIn.save())) as JsonObject;
  const to = bed();
  to.made('gone@x.io');
  to.standIn.load(saved);
  expect(to.standIn.save()).toEqual(saved);
  expect([...to.standIn.contacts()]).toEqual([...from.standIn.contacts()]);
  expect(to.send('POST', '/v1/events', { name: 'x', event_id: 'e', contact_id: id }).body['deduped']).toBe(true);
  expect(() => to.standIn.load({ contacts: 1 })).toThrow(expect.objectContaining({ code: 'RC_SANDBOX_STATE' }));
  to.standIn.reset();
  expect([to.standIn.contactCount, to.standIn.eventCount, to.standIn.lists(), to.standIn.fields()]).toEqual([
    0,
    0,
    [],
    [],
  ]);
  expect(to.told.at(-1)).toBe('deleted a@x.io');
});

test('faults know whom a request is about', () => {
  const { standIn, made } = bed();
  const id = made('a@x.io');
  const subject = (method: string, path: string, body: Json = {}, search = ''): unknown =>
    standIn.subject(new ApiRequest(method, path, {}, renderJson(body), search));
  expect(subject('PATCH', `/v1/contacts/${id}`, { email: 'B@x.io' })).toEqual({
    emails: ['a@x.io', 'b@x.io'],
    writesContact: true,
  });
  expect(subject('GET', '/v1/contacts/by-email', {}, 'email=c%40x.io')).toEqual({
    emails: ['c@x.io'],
    writesContact: false,
  });
  expect(subject('POST', '/v1/events', { contact_id: id })).toEqual({ emails: ['a@x.io'], writesContact: false });
  expect(standIn.bodyLimit('/v1/contacts/import')).toBeGreaterThan(standIn.bodyLimit('/v1/contacts'));
});
