import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { mailtrap } from './index.ts';

function parse(options: Record<string, unknown>) {
  return mailtrap.config.parse({ api_token: 'tok', ...options });
}

describe('options', () => {
  test('a token is enough', () => {
    expect(parse({})).toEqual({
      api_token: 'tok',
      account_id: undefined,
      base_url: 'https://mailtrap.io',
      lists: [],
      list_policy: 'once',
      requests_per_minute: 200,
      limits_scale: 1,
      concurrency: 10,
      webhook_secrets: [],
      clear_as: null,
    });
  });

  test.each([
    [12, '12'],
    ['12', '12'],
    ['', undefined],
    [null, undefined],
  ])('account_id %j is %j', (given, expected) => {
    expect(parse({ account_id: given }).account_id).toBe(expected);
  });

  test.each([
    ['https://mailtrap.io/', 'https://mailtrap.io'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:8080/', 'http://localhost:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ])('base_url %s', (given, expected) => {
    expect(parse({ base_url: given }).base_url).toBe(expected);
  });

  test.each([
    { api_token: '' },
    { api_token: 'a b' },
    { api_token: 'a\r\nx: y' },
    { account_id: 'me' },
    { account_id: -1 },
    { base_url: 'mailtrap.io' },
    { base_url: 'http://mailtrap.io' },
    { base_url: 'http://127.0.0.1.evil.example' },
    { base_url: 'https://u:p@mailtrap.io' },
    { base_url: 'https://mailtrap.io?' },
    { base_url: 'ftp://mailtrap.io' },
    { lists: [''] },
    { lists: [0] },
    { list_policy: 'never' },
    { requests_per_minute: 0 },
    { limits_scale: 0.5 },
    { concurrency: 0 },
    { clear_as: 'nothing' },
    { token: 'misspelt' },
  ])('refuses %j', (options) => {
    expect(() => parse(options)).toThrow(z.ZodError);
  });

  test('gives a JSON Schema for editors that marks the secret', () => {
    const schema = z.toJSONSchema(mailtrap.config, { io: 'input' }) as {
      properties: Record<string, { secret?: boolean }>;
      required: string[];
    };
    expect(schema.properties['api_token']?.secret).toBe(true);
    expect(schema.required).toEqual(['api_token']);
  });

  test('limits are the vendor’s, scaled', () => {
    expect(mailtrap.limits(parse({ limits_scale: 100 }))).toEqual({
      buckets: [
        { name: 'contacts', requests: 20_000, perMs: 60_000, of: ['contact', 'event', 'bulk', 'poll', 'read'] },
        { name: 'api', requests: 15_000, perMs: 10_000 },
        { name: 'suppressions', requests: 1_000, perMs: 60_000, of: ['suppressions'] },
      ],
      concurrency: 10,
    });
  });
});
