import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { closeAll, testBed, type TestBed } from './client.ts';

const PATH = '/api/contacts/a%40example.com/events';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
});
afterEach(closeAll);

it('belong to a contact that is there, found by address or id', async () => {
  const early = await bed.call('POST', PATH, { name: 'UserLogin', params: {} });
  expect([early.status, early.json]).toEqual([404, { error: 'Not Found' }]);
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
  const id = bed.sandbox.state.contact('a@example.com')?.id ?? '';
  const params = { user_id: 101, is_active: true, last_seen: null, plan: 'pro' };
  const created = await bed.call('POST', PATH, { name: 'UserLogin', params });
  expect([created.status, created.json]).toEqual([
    201,
    { contact_id: id, contact_email: 'a@example.com', name: 'UserLogin', params },
  ]);
  expect((await bed.call('POST', `/api/contacts/${id}/events`, { name: 'UserLogin' })).status).toBe(201);
  expect(bed.sandbox.state.contactEvents().map((event) => event.name)).toEqual(['UserLogin', 'UserLogin']);
});

it.each([
  [{ params: { user_id: 101 } }, { name: ["can't be blank", 'must be a string'] }],
  [{ name: 5 }, { name: ['must be a string'] }],
  [{ name: ' ' }, { name: ["can't be blank"] }],
  [{ name: 'x'.repeat(256) }, { name: ['is too long'] }],
  [{ name: 'a', params: [1] }, { params: ['must be a hash'] }],
  [{ name: 'a', params: { deep: { er: 1 } } }, { params: ["value for 'deep' is invalid"] }],
  [{ name: 'a', params: { list: [1] } }, { params: ["value for 'list' is invalid"] }],
  [{ name: 'a', params: { foo: 'x'.repeat(256) } }, { params: ["value for 'foo' is too long"] }],
  [{ name: 'a', params: { ['k'.repeat(256)]: 1 } }, { params: [`key '${'k'.repeat(256)}' is too long`] }],
] as [Json, Json][])('refuses %#', async (body, errors) => {
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
  const answer = await bed.call('POST', PATH, body);
  expect([answer.status, answer.json]).toEqual([422, { errors }]);
});

it('takes 255 characters of any script, and every digit', async () => {
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
  const long = '😀'.repeat(255);
  const body = `{"name":"${long}","params":{"${long}":"${long}","n":9007199254740993,"d":0.1234567890123456789}}`;
  expect((await bed.call('POST', PATH, body)).status).toBe(201);
  const listed = await bed.control('GET', '/_sandbox/state');
  expect(listed.text).toContain('"n":9007199254740993,"d":0.1234567890123456789');
  expect((await bed.call('POST', PATH, { name: `${long}x` })).status).toBe(422);
});

it('are listed by contact, in order, also when it moved or is gone', async () => {
  for (const email of ['a@example.com', 'b@example.com']) {
    await bed.call('PATCH', `/api/contacts/${encodeURIComponent(email)}`, { contact: { email } });
  }
  const id = bed.sandbox.state.contact('a@example.com')?.id ?? '';
  await bed.call('POST', PATH, { name: 'one', params: { n: 1 } });
  await bed.call('POST', '/api/contacts/b%40example.com/events', { name: 'other' });
  await bed.call('PATCH', `/api/contacts/${id}`, { contact: { email: 'c@example.com' } });
  await bed.call('POST', `/api/contacts/${id}/events`, { name: 'two' });
  const named = [
    { name: 'one', params: { n: 1 }, email: 'a@example.com' },
    { name: 'two', params: {} },
  ];
  for (const contact of [id, 'a@example.com', 'C@example.com']) {
    expect(bed.sandbox.state.contactEvents(contact)).toMatchObject(named);
  }
  await bed.call('DELETE', `/api/contacts/${id}`);
  expect(bed.sandbox.state.contactEvents(id)).toMatchObject(named);
  expect(bed.sandbox.state.contactEvents('nobody@example.com')).toEqual([]);
  expect(bed.sandbox.state.contactEvents().map(({ name }) => name)).toEqual(['one', 'other', 'two']);
});

it.each<[FaultRule, number, number]>([
  [{ match: { path: '/events$' }, status: 503 }, 503, 0],
  [{ match: { path: '/events$', email: 'a@example.com' }, body: 'empty' }, 201, 1],
  [{ match: { path: '/events$' }, drop: 'after' }, 0, 1],
  [{ match: { path: '/events$' }, drop: 'before' }, 0, 0],
])('fault %j answers %i with %i events accepted, and spares the contact', async (fault, status, accepted) => {
  await bed.call('PATCH', '/api/contacts/a%40example.com', { contact: { email: 'a@example.com' } });
  bed.sandbox.addFaults([fault]);
  const answer = await fetch(bed.sandbox.apiUrl + PATH, {
    method: 'POST',
    headers: { authorization: `Bearer ${bed.sandbox.token}` },
    body: '{"name":"one"}',
  }).then(
    (reply) => reply.status,
    () => 0,
  );
  expect([answer, bed.sandbox.state.contactEvents()]).toMatchObject([
    status,
    Array.from({ length: accepted }, () => ({ name: 'one' })),
  ]);
  const contact = { contact: { email: 'a@example.com' } };
  expect((await bed.call('PATCH', '/api/contacts/a%40example.com', contact)).status).toBe(200);
});
