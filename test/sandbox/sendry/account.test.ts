import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson, renderJson } from '../../../src/core/json.ts';
import { ApiRequest } from '../../../src/sandbox/api-request.ts';
import { type Answer, bed, textAt } from './bed.ts';

test('audiences have members by the ids of contacts, up to 100 in a request', () => {
  const { standIn, send, made } = bed();
  const made1 = send('POST', '/v1/audiences', { name: 'News' });
  const audience = textAt(made1, 'id');
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
  expect(send('GET', `/v1/events/${textAt(first, 'id')}`).body['name']).toBe('order.paid');
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
  const of = send('POST', '/v1/unsubscribes', { email: 'a@x.io', reason: 'bored' });
  expect(of.body).toMatchObject({ email: 'a@x.io', list_id: null, reason: 'bored' });
  expect(standIn.contact('a@x.io')?.status).toBe('unsubscribed');
  expect(send('POST', '/v1/unsubscribes/batch', { emails: ['b@x.io', 'no'] }).body).toEqual({ inserted: 1 });
  expect(send('GET', '/v1/unsubscribes?list_id=sports').body['data']).toHaveLength(1);
  expect(send('GET', '/v1/unsubscribes').body['data']).toHaveLength(3);
  expect(send('DELETE', `/v1/unsubscribes/${textAt(of, 'id')}`).status).toBe(200);
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
