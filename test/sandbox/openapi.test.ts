import { expect, it } from 'vitest';
import { describeMismatch } from './openapi.ts';

it.each([
  ['PATCH', '/api/contacts/a%40b.co', 200, '{"action":"made","data":{}}'],
  ['PATCH', '/api/contacts/a%40b.co', 422, '{"errors":{"email":[["is invalid"]]}}'],
  ['GET', '/api/contacts/a%40b.co', 404, '{"errors":"Contact(s) not found"}'],
  ['GET', '/api/contacts/exports/1', 200, '{"id":1,"status":"failed","created_at":"","updated_at":"","url":null}'],
  ['GET', '/api/contacts/lists', 200, '[{"id":"1","name":"x"}]'],
  ['GET', '/api/contacts/lists', 418, '{}'],
  ['DELETE', '/api/contacts/a%40b.co', 204, '{}'],
  ['GET', '/api/elsewhere', 200, '{}'],
])('the check of answers against the description finds the mistake in %s %s %i %s', (method, path, status, body) => {
  expect(describeMismatch(method, path, status, body)).not.toBeNull();
});
