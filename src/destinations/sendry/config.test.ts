import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sendry } from './index.ts';

function parse(options: Record<string, unknown>) {
  return sendry.config.parse({ api_key: 'sn_test_1', ...options });
}

describe('options', () => {
  test('a key is enough, and every doubt has the careful choice', () => {
    expect(parse({})).toEqual({
      api_key: 'sn_test_1',
      audience_id: undefined,
      lists: [],
      base_url: 'https://api.sendry.online',
      dialect: 'docs',
      attributes_as: 'metadata',
      bulk: 'import',
      requests_per_second: 5,
      upsert_keeps_unsubscribed: false,
      limits_scale: 1,
      concurrency: 10,
      webhook_secrets: [],
    });
  });

  test.each([
    ['', undefined],
    [null, undefined],
    [' aud_abc123 ', 'aud_abc123'],
    ['Newsletter', 'Newsletter'],
  ])('audience_id %j is %j', (given, expected) => {
    expect(parse({ audience_id: given }).audience_id).toBe(expected);
  });

  test.each([
    { api_key: '' },
    { api_key: 'a b' },
    { lists: ['a', 'b'] },
    { lists: [''] },
    { lists: ['News'], audience_id: 'aud_1' },
    { base_url: 'http://api.sendry.online' },
    { dialect: 'go' },
    { attributes_as: 'fields' },
    { bulk: 'csv' },
    { import_from: 1 },
    { import_from: 1_001 },
    { requests_per_second: 0 },
    { upsert_keeps_unsubscribed: 'yes' },
    { token: 'misspelt' },
  ])('refuses %j', (options) => {
    expect(() => parse(options)).toThrow(z.ZodError);
  });

  test('gives a JSON Schema for editors that marks the secret', () => {
    const schema = z.toJSONSchema(sendry.config, { io: 'input' }) as {
      properties: Record<string, { secret?: boolean }>;
      required: string[];
    };
    expect(schema.properties['api_key']?.secret).toBe(true);
    expect(schema.required).toEqual(['api_key']);
  });

  test('the limit is scaled; the key is in the header alone', () => {
    const config = parse({ limits_scale: 100 });
    expect(sendry.limits(config)).toEqual({
      buckets: [{ name: 'api', requests: 500, perMs: 1_000 }],
      concurrency: 10,
    });
    expect(sendry.auth(config)).toEqual({ header: 'authorization', value: 'Bearer sn_test_1' });
    expect(JSON.stringify([sendry.probe(config), sendry.account(config)])).not.toContain('sn_test_1');
  });

  test('every doubt that the matrix shows is an option', () => {
    const { properties } = z.toJSONSchema(sendry.config, { io: 'input' }) as { properties: object };
    for (const { setting } of sendry.capabilities.unverified) expect(Object.keys(properties)).toContain(setting);
  });

  test('strangers are looked up first, and nothing is imported, unless an upsert is known to keep an opt-out', () => {
    const least = (options: Record<string, unknown>) => sendry.bulk!.least(parse(options));
    expect(sendry.looksFirst!(parse({}))).toBe(true);
    expect([least({}), least({ import_from: 10 })]).toEqual([null, null]);
    const keeps = { upsert_keeps_unsubscribed: true };
    expect(sendry.looksFirst!(parse(keeps))).toBe(false);
    expect([least(keeps), least({ ...keeps, import_from: 10 }), least({ ...keeps, import_from: 'off' })]).toEqual([
      undefined,
      10,
      null,
    ]);
  });
});
