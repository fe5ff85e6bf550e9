import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
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
